"""Records of the kernel become events of a VMM that is seen from outside: hops, which no number joins.

Nobody numbers such a VMM's doorbells, so `seq` of an event says in which thread it happened, and of an access what has
no room elsewhere: how many bytes, and the upper half of the address. The rest is as engine/events.py says.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bellwire.engine.attached.hops.hops import REMEMBERED_SECONDS
from bellwire.engine.attached.hops.interrupts import raised_elsewhere, sent_elsewhere, vcpus_elsewhere
from bellwire.engine.attached.hops.places import SeenPlaces
from bellwire.engine.attached.hops.rows import HopRowsMaker
from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.topology import Topology
from bellwire.engine.events import (
    ROLE_BITS,
    STATS,
    Clock,
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
from bellwire.engine.kernel.event_fields import ACCESSES, BY_A_VCPU, KINDS, OF_THREADS, PVM_EOI, events_of
from bellwire.engine.kernel.records import RecordKind
from bellwire.engine.recordings.attached.seen_json import Number

Numbers = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
K = RecordKind

THREAD_BITS, LENGTH_BITS, UPPER_BITS = 24, 8, 24  # of `seq`, from below: thread; of an access also length and address
HALF = 32  # bits of an address that `id` has
MOST_VM = 15  # that an event can name

ACCESSED = (EventKind.PIO, EventKind.MMIO, EventKind.FAST_MMIO, EventKind.DEVICE_READ)  # a guest has, at an address
MADE = KINDS | {K.RUN_ENTERED: EventKind.ENTRY}
OF_A_GUEST = (*BY_A_VCPU, K.RUN_ENTERED)


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
        self.places = SeenPlaces(Topology(KvmProcess(0, 0, 0, ""), ()))
        self._vcpus: dict[int, int] = {}
        self.workers: set[int] = set()  # threads of the kernel's

    def take(self, topology: Topology) -> None:
        """The vCPUs and the doorbells, as they are from now on."""
        self.places = SeenPlaces(topology)
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

    def __init__(self, threads: SeenThreads, clock: Clock, backend: str, number: Number = int) -> None:
        self._threads, self._clock, self._number = threads, clock, number
        self._rows = HopRowsMaker(clock.cycles(REMEMBERED_SECONDS))
        self._host_ends = backend == PVM_EOI
        self._foreign = set[int]()  # threads that are vCPUs, and were not known as this VMM's
        self._left: dict[int, int] = {}  # vCPU's thread -> reason for which it is in user space

    def of(self, records: Records) -> Events:
        """The events, shape (m,), in the order of the records (by tsc): ends of kernel work are none."""
        self._threads.learn(records)
        role, vm = self._threads.who(records["thread"].astype(np.uint64))
        is_guests = np.isin(records["kind"], OF_A_GUEST)
        kept = ~is_guests | (role == ThreadRole.VCPU)  # a partner's own guest is nobody's here
        kept &= ~self._sent_elsewhere(records)
        records, vm = chosen(records, kept), vm[kept]
        events = events_of(records, MADE, self._host_ends)
        events["vm"], events["seq"] = vm, self._numbered(records["thread"])
        tell_places(records, events)
        self._name_threads(records, events)
        self._pair_exits(records, events)
        return chosen(events, events["kind"] > 0)

    def _sent_elsewhere(self, records: Records) -> Mask:
        """Which interrupts a partner's own guest gets, by a message or by its own vCPU, and whom they wake there."""
        rows, places = self._rows.rows(records), self._threads.places
        self._foreign |= vcpus_elsewhere(rows, places)
        raised = raised_elsewhere(rows, self._foreign - places.vcpus.keys())
        elsewhere = sent_elsewhere(rows, places, places.doorbell_of(rows), self._clock) | raised
        wakes = rows.of(K.WAKING) & (rows.cause >= 0)
        return (elsewhere | (wakes & elsewhere[rows.cause]))[rows.new]

    def _numbered(self, threads: npt.NDArray[np.uint32]) -> Numbers:
        different, which = np.unique(threads, return_inverse=True)
        table = np.array([self._number(thread) for thread in different.tolist()], np.uint64)
        return table[which] if threads.size else np.empty(0, np.uint64)

    def _name_threads(self, records: Records, events: Events) -> None:
        """Who is woken, who runs, who calls."""
        wakes, some = records["kind"] == K.WAKING, np.isin(records["kind"], OF_THREADS)
        whom = np.where(wakes, records["a"], records["thread"]).astype(np.uint64)[some]
        roles, _ = self._threads.who(whom)
        events["id"][some] = (roles | self._numbered(whom.astype(np.uint32)) << np.uint64(ROLE_BITS)).astype(np.uint32)

    def _pair_exits(self, records: Records, events: Events) -> None:
        """The end of each exit to user space has its reason: of one that nobody saw begin, none is told."""
        exits, entries = records["kind"] == K.USER_EXIT, records["kind"] == K.RUN_ENTERED
        for at in np.flatnonzero(exits | entries).tolist():
            thread = int(records["thread"][at])
            if exits[at]:
                self._left[thread] = int(events["id"][at])
            elif (reason := self._left.pop(thread, None)) is not None:
                events["id"][at], events["lane"][at] = reason, Lane.VCPU
            else:
                events["kind"][at] = 0


def tell_places(records: Records, events: Events) -> None:
    """Of an access, what `id` has no room for."""
    kinds = records["kind"]
    measured, accesses = np.isin(kinds, (K.PIO, K.MMIO)), np.isin(kinds, ACCESSES)
    length = np.where(measured, records["c"], 0).astype(np.uint64) & np.uint64((1 << LENGTH_BITS) - 1)
    upper = records["a"] >> np.uint64(HALF) & np.uint64((1 << UPPER_BITS) - 1)
    more = length << np.uint64(THREAD_BITS) | upper << np.uint64(THREAD_BITS + LENGTH_BITS)
    events["seq"][accesses] |= more[accesses]


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
