"""Records of the kernel become events of a VMM that is seen from outside: hops, which no number joins.

Nobody numbers such a VMM's doorbells, so `seq` of an event says in which thread it happened, and of an access what has
no room elsewhere: how many bytes, and the upper half of the address. The rest is as engine/events.py says.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bellwire.engine.attached.topology import Topology
from bellwire.engine.events import (
    EVENT,
    ROLE_BITS,
    STATS,
    EventfdRole,
    EventKind,
    Events,
    Lane,
    Records,
    ThreadRole,
    chosen,
    end_to_end,
    event,
    no_events,
)
from bellwire.engine.kernel.records import RecordKind
from bellwire.engine.kvm.gsi import GSI_COUNT
from bellwire.engine.recordings.attached.seen_json import Number

Numbers = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
K = RecordKind

THREAD_BITS, LENGTH_BITS, UPPER_BITS = 24, 8, 24  # of `seq`, from below: thread; of an access also length and address
HALF = 32  # bits of an address that `id` has
MOST_VM = 15  # that an event can name
PVM_EOI = "kvm_pvm"  # where the host itself writes the EOI of what it injects
NOT_TOLD = 0xFFFFFFFF

MADE: dict[RecordKind, EventKind] = {
    K.FAST_MMIO: EventKind.FAST_MMIO,
    K.USER_EXIT: EventKind.USER_EXIT,
    K.MSI: EventKind.MSI,
    K.SET_IRQ: EventKind.SET_IRQ,
    K.ACCEPTED: EventKind.ACCEPTED,
    K.EOI: EventKind.GUEST_EOI,
    K.INJECTED: EventKind.INJECTED,
    K.WOKEN: EventKind.WOKEN,
    K.WAKING: EventKind.WAKING,
    K.RUNS: EventKind.RUNS,
    K.WRITE: EventKind.WRITE,
    K.WRITTEN: EventKind.WRITTEN,
    K.WORK_QUEUED: EventKind.WORK_QUEUED,
    K.WORK_STARTED: EventKind.WORK_STARTED,
    K.RUN_ENTERED: EventKind.ENTRY,
}
OF_A_GUEST = (K.PIO, K.MMIO, K.FAST_MMIO, K.USER_EXIT, K.EOI, K.INJECTED, K.WOKEN, K.RUN_ENTERED)


def threads_of(events: Events) -> Numbers:
    """In which thread each happened; shape (n,)."""
    found: Numbers = events["seq"] & np.uint64((1 << THREAD_BITS) - 1)
    return found


def woken_by(events: Events) -> Numbers:
    """Of WAKING and RUNS: the thread that is woken, or runs."""
    return events["id"].astype(np.uint64) >> np.uint64(ROLE_BITS)


def lengths_of(events: Events) -> Numbers:
    """Of an access: how many bytes; 0: not told."""
    found: Numbers = events["seq"] >> np.uint64(THREAD_BITS) & np.uint64((1 << LENGTH_BITS) - 1)
    return found


def addresses_of(events: Events) -> Numbers:
    """Of an access: where."""
    upper = events["seq"] >> np.uint64(THREAD_BITS + LENGTH_BITS)
    found: Numbers = events["id"].astype(np.uint64) | upper << np.uint64(HALF)
    return found


class SeenThreads:
    """Which threads are whose: vCPUs' by the topology, the kernel's workers by what they do."""

    def __init__(self) -> None:
        self._vcpus: dict[int, int] = {}
        self.workers: set[int] = set()  # threads of the kernel's

    def take(self, topology: Topology) -> None:
        """The vCPUs, as they are from now on."""
        self._vcpus = {
            vcpu.tid: number for number, vm in enumerate(topology.vms[: MOST_VM + 1]) for vcpu in vm.vcpus if vcpu.tid
        }

    def learn(self, records: Records) -> None:
        """The workers."""
        self.workers.update(np.unique(records["thread"][records["kind"] == K.WORK_STARTED]).tolist())

    def who(self, threads: Numbers) -> tuple[Numbers, Numbers]:
        """Role and VM of each; shapes (n,)."""
        different, which = np.unique(threads, return_inverse=True)
        table = np.array([self._of(thread) for thread in different.tolist()], np.uint64).reshape(-1, 2)
        return table[which, 0], table[which, 1]

    def _of(self, thread: int) -> tuple[int, int]:
        if thread in self._vcpus:
            return ThreadRole.VCPU, self._vcpus[thread]
        return (ThreadRole.WORKER if thread in self.workers else ThreadRole.OTHER), 0


class SeenEvents:
    """Makes events of records, batch after batch. number: what stands for a thread."""

    def __init__(self, threads: SeenThreads, backend: str, number: Number = int) -> None:
        self._threads, self._number = threads, number
        self._host_ends = backend == PVM_EOI
        self._left: dict[int, int] = {}  # vCPU's thread -> reason for which it is in user space

    def of(self, records: Records) -> Events:
        """The events, shape (m,), in the order of the records (by tsc): ends of kernel work are none."""
        self._threads.learn(records)
        role, vm = self._threads.who(records["thread"].astype(np.uint64))
        is_guests = np.isin(records["kind"], OF_A_GUEST)
        kept = ~is_guests | (role == ThreadRole.VCPU)  # a partner's own guest is nobody's here
        records, role, vm = chosen(records, kept), role[kept], vm[kept]
        events = np.zeros(records.size, EVENT)
        events["tsc"], events["lane"], events["vm"] = records["tsc"], Lane.KVM, vm
        events["seq"] = self._numbered(records["thread"])
        kinds = np.ascontiguousarray(records["kind"])
        for record, kind in MADE.items():
            events["kind"][kinds == record] = kind
        make_accesses(records, events)
        make_interrupts(records, events, self._host_ends)
        self._make_threads(records, events, role)
        self._make_exits(records, events)
        return chosen(events, events["kind"] > 0)

    def _numbered(self, threads: npt.NDArray[np.uint32]) -> Numbers:
        different, which = np.unique(threads, return_inverse=True)
        table = np.array([self._number(thread) for thread in different.tolist()], np.uint64)
        return table[which] if threads.size else np.empty(0, np.uint64)

    def _make_threads(self, records: Records, events: Events, role: Numbers) -> None:
        """Who is woken, who runs, who calls."""
        wakes = records["kind"] == K.WAKING
        some = wakes | np.isin(records["kind"], (K.RUNS, K.WRITE, K.WRITTEN))
        whom = np.where(wakes, records["a"], records["thread"]).astype(np.uint64)[some]
        role = role.copy()
        role[some], _ = self._threads.who(whom)
        events["id"][some] = (role[some] | self._numbered(whom.astype(np.uint32)) << np.uint64(ROLE_BITS)).astype(
            np.uint32
        )
        calls = np.isin(records["kind"], (K.WRITE, K.WRITTEN))
        events["arg"][some] = np.where(calls, records["a"] & np.uint64(1023), records["cpu"])[some]

    def _make_exits(self, records: Records, events: Events) -> None:
        """Exits to user space, and their ends: of one that nobody saw begin, none is told."""
        exits, entries = records["kind"] == K.USER_EXIT, records["kind"] == K.RUN_ENTERED
        told = records["b"] == 0
        events["id"][exits] = np.where(told, np.minimum(records["a"], 255), 0)[exits]
        error = (np.uint64(2**32) - records["b"]) & np.uint64(4095)
        events["arg"][exits] = np.where(told, 0, error)[exits]
        for at in np.flatnonzero(exits | entries).tolist():
            thread = int(records["thread"][at])
            if exits[at]:
                self._left[thread] = int(events["id"][at])
            elif (reason := self._left.pop(thread, None)) is not None:
                events["id"][at], events["lane"][at] = reason, Lane.VCPU
            else:
                events["kind"][at] = 0


def make_accesses(records: Records, events: Events) -> None:
    """Doorbells, and whatever else a guest writes or reads."""
    kinds = records["kind"]
    pio, mmio = kinds == K.PIO, kinds == K.MMIO
    accesses = pio | mmio | (kinds == K.FAST_MMIO)
    writes = np.where(pio, records["d"] == 1, records["d"] == 2)
    events["kind"][pio & writes], events["kind"][mmio & writes] = EventKind.PIO, EventKind.MMIO
    events["kind"][(pio | mmio) & ~writes] = EventKind.DEVICE_READ
    events["id"][accesses] = (records["a"] & np.uint64(2**HALF - 1))[accesses]
    length = np.where(pio | mmio, records["c"], 0).astype(np.uint64) & np.uint64((1 << LENGTH_BITS) - 1)
    upper = records["a"] >> np.uint64(HALF) & np.uint64((1 << UPPER_BITS) - 1)
    more = length << np.uint64(THREAD_BITS) | upper << np.uint64(THREAD_BITS + LENGTH_BITS)
    events["seq"][accesses] |= more[accesses]
    events["arg"][accesses] = records["b"][accesses]


def make_interrupts(records: Records, events: Events, host_ends: bool) -> None:
    """Messages, lines, work, and what a local APIC and a vCPU make of them."""
    kinds, a, b = records["kind"], records["a"], records["b"]
    messages, lines, taken = kinds == K.MSI, kinds == K.SET_IRQ, kinds == K.ACCEPTED
    by_gsi = lines | (kinds == K.WORK_QUEUED) | (kinds == K.WORK_STARTED)
    events["id"][messages] = (b & np.uint64(0xFF))[messages]
    events["arg"][messages] = (a >> np.uint64(12) & np.uint64(0xFF))[messages]
    events["id"][by_gsi] = (a & np.uint64(GSI_COUNT - 1))[by_gsi]
    events["arg"][lines] = np.minimum(b, 1)[lines]
    events["id"][taken] = (a & np.uint64(0xFF))[taken]
    events["arg"][taken] = (b & np.uint64(2**32 - 1))[taken]
    ends, injected = kinds == K.EOI, kinds == K.INJECTED
    vectors = np.where(a == NOT_TOLD, 0, a & np.uint64(0xFF))
    events["id"][ends | injected] = vectors[ends | injected]
    events["kind"][ends & (vectors > 0) & host_ends] = EventKind.INJECTED
    woken = kinds == K.WOKEN
    events["id"][woken], events["arg"][woken] = np.minimum(b, 1)[woken], np.minimum(a, 2**56)[woken]


# -- what looks have seen


def counters_told(tsc: int, seen: Topology) -> Events:
    """Of each vCPU the counters, and of each eventfd the count, as a look has found them: one event each."""
    told = [no_events()]
    for number, vm in enumerate(seen.vms[: MOST_VM + 1]):
        for vcpu in vm.vcpus:
            for name, value in vcpu.counters.items():
                told.append(event(tsc, EventKind.STAT, Lane.KVM, STATS.index(name), vcpu.number, value))
                told[-1]["vm"] = number
    doorbells = {one.eventfd for vm in seen.vms for one in vm.ioeventfds}
    for eventfd, count in seen.counts.items():
        role = EventfdRole.DOORBELL if eventfd in doorbells else EventfdRole.IRQ
        told.append(event(tsc, EventKind.COUNT, Lane.KVM, role, eventfd, count))
    return end_to_end(*told)
