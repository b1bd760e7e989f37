"""Records of the kernel become events: which doorbell or interrupt each is of.

The kernel knows no numbers of signals. What happens inside of a doorbell's instruction is that doorbell's; what a
signal causes is the newest one's that was signalled; and what follows in the same thread, or to the same thread or
vCPU, is of the same. Nothing goes by counting from a start, so a record that was lost leaves no other one with a wrong
number.

Batches come in the order of their time; what the next one has to know of this one is kept here.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import (
    OTHER_VECTOR,
    ROLE_BITS,
    SIGNALLING,
    EventfdSignaller,
    EventKind,
    Events,
    Records,
    ThreadRole,
    by_kind,
    chosen,
    vms_in,
)
from bellwire.engine.kernel.event_fields import BY_A_VCPU, KINDS, OF_THREADS, PVM_EOI, events_of
from bellwire.engine.kernel.records import RecordKind
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.scenarios.ringing import ringings
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

Numbers = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
K = RecordKind

PROBES: dict[RecordKind, EventKind] = {
    K.IOEVENTFD_WRITE: EventKind.IOEVENTFD_WRITE,
    K.EVENTFD_SIGNAL: EventKind.EVENTFD_SIGNAL,
    K.IRQFD_WAKEUP: EventKind.IRQFD_WAKEUP,
    K.IRQFD_INJECT: EventKind.IRQFD_INJECT,
    K.RESAMPLER_ACK: EventKind.RESAMPLER_ACK,
}
NO_GSI = 0xFFFFFFFF
NO_MESSAGE = np.uint64(2**64 - 1)
SLACK = 2000  # cycles: clocks that differ by more would put a record into a neighbour's instruction


def newest_before(times: Numbers, numbers: Numbers, at: Numbers) -> Numbers:
    """The number that was given last at each of these times; 0: none. times: rising, as long as `numbers`."""
    found = np.searchsorted(times, at, "right")
    return np.concatenate([np.zeros(1, np.uint64), numbers])[found]


class LastOfGroup:
    """Of each row, what the newest row before it in the same group says, batch after batch."""

    def __init__(self) -> None:
        self._kept: dict[int, int] = {}  # by group

    def before(self, groups: Numbers, says: Mask, values: Numbers) -> Numbers:
        """Shape (n,), as all three; 0: nobody has said anything. says: which rows do."""
        if not groups.size:
            return np.empty(0, np.uint64)
        order = np.argsort(groups, kind="stable")
        group, value = groups[order], values[order]
        starts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
        ends = np.append(starts[1:], order.size)
        last = np.maximum.accumulate(np.where(says[order], np.arange(order.size), -1))
        previous = np.append(-1, last[:-1])
        kept = np.array([self._kept.get(int(group[start]), 0) for start in starts], np.uint64)
        own = previous >= np.repeat(starts, ends - starts)
        result = np.empty(order.size, np.uint64)
        result[order] = np.where(own, value[previous], np.repeat(kept, ends - starts))
        for start, newest in zip(starts.tolist(), last[ends - 1].tolist(), strict=True):
            if newest >= start:
                self._kept[int(group[start])] = int(value[newest])
        return result


class KernelNumbers:
    """Makes events of records. threads: the machine's; those of other processes are found out as they act."""

    def __init__(self, scenario: Scenario, threads: SignalThreads, backend: str) -> None:
        self._addresses = np.array(sorted(ringing.address for ringing in ringings(scenario.doorbell)), np.uint64)
        interrupt, traits = scenario.interrupt, traits_of(scenario)
        self._vectors = np.array([interrupt.vector, OTHER_VECTOR] if interrupt else [], np.uint64)
        self._gsi = np.uint64(interrupt.gsi if interrupt else NO_GSI)
        self._direct = Trait.DIRECT in traits
        self._listener = 1 if Trait.TWO_GUESTS in traits else None  # which guest is interrupted, where the APIC
        self._by_apic = scenario.vcpus > 1 or Trait.TWO_VCPUS in traits  # does not tell
        self._host_ends = backend == PVM_EOI
        self._threads = threads
        self._roles = {thread: (ThreadRole.VCPU, vm) for thread, vm in threads.vcpus.items()}
        self._roles |= dict.fromkeys(threads.io_threads, (ThreadRole.IO_THREAD, 0))
        self._rings: dict[int, tuple[int, int]] = {}  # by guest: TSC and number of the newest doorbell,
        self._rungs: dict[int, int] = {}  # and when the newest instruction was over
        self._signal = (0, 0)  # TSC and number of the newest interrupt
        self._work_before = self._work_queued = 0  # newest interrupt of the last work, and that which has queued one
        self._accepted_before = dict[int, int]()
        self._begun, self._line, self._accepted, self._woken = (LastOfGroup() for _ in range(4))
        self._lowered, self._raised = LastOfGroup(), LastOfGroup()
        self._call, self._held, self._injected, self._asked = (LastOfGroup() for _ in range(4))
        self._own_eventfds = np.empty(0, np.uint64)  # that have called the interrupt's irqfd

    # -- who ---------------------------------------------------------------------------------------------------------

    def _learn(self, records: Records) -> None:
        """What threads of other processes are, by what they do."""
        acts = chosen(records, np.isin(records["kind"], (*BY_A_VCPU, K.IOEVENTFD_WRITE)))
        for thread in np.unique(acts["thread"]).tolist():
            if thread not in self._roles:
                self._roles[thread] = ThreadRole.VCPU, self._threads.vm_of(thread)
        for thread in np.unique(records["thread"][records["kind"] == K.WORK_STARTED]).tolist():
            self._roles.setdefault(thread, (ThreadRole.WORKER, 0))
        for thread in np.unique(records["thread"][records["kind"] == K.WRITE]).tolist():
            self._roles.setdefault(thread, (ThreadRole.IO_THREAD, 0))

    def _who(self, threads: Numbers) -> tuple[Numbers, Numbers]:
        """Role and vm of each thread; shapes (n,)."""
        different, which = np.unique(threads, return_inverse=True)
        known = [self._roles.get(thread, (ThreadRole.OTHER, 0)) for thread in different.tolist()]
        table = np.array(known, np.uint64).reshape(-1, 2)
        return table[which, 0], table[which, 1]

    def awaits(self, records: Records, published: Mapping[int, int], since: int) -> int | None:
        """The time of the newest stamps of a guest of which records tell a later doorbell; None if all are there.

        published: by guest. since: TSC; what is older is awaited no longer. A guest publishes the stamps of a doorbell
        once its instruction is over, and KVM has it before.
        """
        found = np.isin(records["kind"], (K.PIO, K.MMIO, K.FAST_MMIO)) & np.isin(records["a"], self._addresses)
        some = chosen(records, found & (records["tsc"] > since))
        _, vms = self._who(some["thread"])
        late = [
            published.get(vm, 0)
            for vm, tsc in zip(vms.tolist(), some["tsc"].tolist(), strict=True)
            if tsc > published.get(vm, 0)
        ]
        return min(late, default=None)

    # -- of which doorbell, of which interrupt -------------------------------------------------------------------------

    def _doorbells(self, at: Numbers, vms: Numbers, batch: Events, slack: int) -> Numbers:
        """The doorbell whose instruction was under way in each of these guests at each of these times; 0: none."""
        numbers = np.zeros(at.size, np.uint64)
        rings, rungs = by_kind(batch).of(EventKind.RING), by_kind(batch).of(EventKind.RUNG)
        for vm in {*vms_in(rings), *self._rings}:
            own, kept = rings[rings["vm"] == vm], self._rings.get(vm, (0, 0))
            ends = np.append(np.uint64(self._rungs.get(vm, 0)), rungs["tsc"][rungs["vm"] == vm])
            times = np.concatenate([np.array([kept[0]], np.uint64), own["tsc"]])
            given = np.concatenate([np.array([kept[1]], np.uint64), own["seq"]])
            which = np.flatnonzero(vms == vm)
            found = np.maximum(np.searchsorted(times, at[which] + np.uint64(slack), "right"), 1) - 1
            end = np.searchsorted(ends, times[found])
            over = np.append(ends, np.uint64(2**63))[end] + np.uint64(slack) < at[which]
            numbers[which] = np.where(over, 0, given[found])
        return numbers

    def _interrupts(self, at: Numbers, batch: Events, slack: int) -> Numbers:
        """The newest interrupt that was signalled at each of these times; of direct ones, the newest doorbell rung."""
        signals = by_kind(batch).of(EventKind.RING) if self._direct else by_kind(batch).of(*SIGNALLING)
        times = np.concatenate([np.array([self._signal[0]], np.uint64), signals["tsc"]])
        given = np.concatenate([np.array([self._signal[1]], np.uint64), signals["seq"]])
        return newest_before(times, given, at + np.uint64(slack))

    def note(self, batch: Events) -> None:
        """Keeps what the next records have to know of a batch; one beside which events are made needs no other note."""
        rings = by_kind(batch).of(EventKind.RING)
        for vm in vms_in(rings):
            newest = rings[rings["vm"] == vm][-1]
            self._rings[vm] = int(newest["tsc"]), int(newest["seq"])
        rungs = by_kind(batch).of(EventKind.RUNG)
        for vm in vms_in(rungs):
            self._rungs[vm] = int(rungs["tsc"][rungs["vm"] == vm][-1])
        signals = rings if self._direct else by_kind(batch).of(*SIGNALLING)
        if signals.size:
            self._signal = int(signals["tsc"][-1]), int(signals["seq"][-1])

    # -- events ------------------------------------------------------------------------------------------------------

    def events(self, records: Records, batch: Events, error: int) -> Events:
        """Events of records (sorted by tsc), beside a batch of the session's own; error: cycles that times may err.

        The batch holds what the session knows of up to the same time; it is asked, and left as it is.
        """
        self._learn(records)
        found = Numbered(records, *self._who(records["thread"]))
        self._number(found, batch, min(error, SLACK))
        self.note(batch)
        return self._made(found)

    def _number(self, found: Numbered, batch: Events, slack: int) -> None:
        """Gives each its number, causes before their effects."""
        r, seq = found.records, found.seq
        at, vms, threads = r["tsc"], found.vm, r["thread"].astype(np.uint64)
        doorbell = self._doorbells(at, vms, batch, slack)
        interrupt = self._interrupts(at, batch, slack)
        accesses = found.of(K.PIO, K.MMIO, K.FAST_MMIO, K.IOEVENTFD_WRITE) & np.isin(r["a"], self._addresses)
        seq[accesses] = doorbell[accesses]
        exits = found.of(K.USER_EXIT) & (r["b"] == 0)
        seq[exits] = doorbell[exits]
        self._number_signals(found, interrupt, threads)
        # What a line or a message leads to follows in the same thread.
        ours = np.isin(r["a"], self._vectors)
        lines, leading = found.of(K.SET_IRQ), found.of(K.MSI, K.SET_IRQ)
        lowers = lines & (r["b"] == 0)
        caused = self._line.before(threads, leading, seq)
        lowered = self._lowered.before(threads, leading, lowers.astype(np.uint64))
        # A line that was raised again while its interrupt was served is taken as that one ends: by who has just lowered
        # it, in whose thread nothing was raised.
        raised = self._raised.before(np.zeros_like(threads), lines & ~lowers & (r["a"] == self._gsi), seq)
        accepted = found.of(K.ACCEPTED) & ours
        seq[accepted] = np.where(lowered > 0, raised, caused)[accepted]
        self._number_wakings(found, doorbell, threads)
        self._number_ends(found, ours)
        self._number_eventfds(found, doorbell, interrupt, threads)

    def _number_signals(self, found: Numbered, interrupt: Numbers, threads: Numbers) -> None:
        """System calls, messages, work and lines."""
        r, seq = found.records, found.seq
        by_gsi = found.of(K.WORK_QUEUED, K.SET_IRQ) & (r["a"] == self._gsi)
        messages = found.of(K.MSI) & np.isin(r["b"] & np.uint64(0xFF), self._vectors)
        direct = (by_gsi | messages) & (found.role != ThreadRole.WORKER) | self._woken_irqfds(found)
        seq[direct] = interrupt[direct]
        works = found.of(K.WORK_STARTED) & (r["a"] == self._gsi)
        seq[works] = self._of_works(found, works, interrupt)
        begun = self._begun.before(threads, found.of(K.WORK_STARTED), seq)
        lines = by_gsi & found.of(K.SET_IRQ) & (found.role == ThreadRole.WORKER)
        lines |= found.of(K.IRQFD_INJECT) & (r["a"] == self._gsi)
        seq[lines] = begun[lines]
        calls = found.of(K.WRITE)
        seq[calls] = interrupt[calls]
        returned = found.of(K.WRITTEN)
        seq[returned] = self._call.before(threads, calls, seq)[returned]

    def _woken_irqfds(self, found: Numbered) -> Mask:
        """The calls of irqfds that are the scenario's: by the message that one sends, else by its GSI."""
        r = found.records
        by_message = np.isin(r["b"] & np.uint64(0xFF), self._vectors) & (r["b"] != NO_MESSAGE)
        called = found.of(K.IRQFD_WAKEUP)
        own: Mask = called & (by_message | ((r["b"] == NO_MESSAGE) & (r["a"] == self._gsi)))
        self._own_eventfds = np.union1d(self._own_eventfds, r["c"][own])
        return own

    def _number_eventfds(self, found: Numbered, doorbell: Numbers, interrupt: Numbers, threads: Numbers) -> None:
        """What the kernel signals by itself: for an ioeventfd that was asked last, for an end, or for an interrupt."""
        r, seq = found.records, found.seq
        asks, signals = found.of(K.IOEVENTFD_WRITE), found.of(K.EVENTFD_SIGNAL)
        asked = self._asked.before(threads, asks | signals, np.where(asks, r["c"] + np.uint64(1), 0))
        by_ioeventfd = signals & (asked == r["a"] + np.uint64(1))
        by_vcpu = signals & ~by_ioeventfd & (found.role == ThreadRole.VCPU)
        others = signals & ~by_ioeventfd & ~by_vcpu
        found.arg[by_vcpu], found.arg[others] = EventfdSignaller.RESAMPLER, EventfdSignaller.OTHER
        seq[by_ioeventfd] = doorbell[by_ioeventfd]
        acknowledged = by_vcpu | (found.of(K.RESAMPLER_ACK) & (r["a"] == self._gsi))
        seq[acknowledged] = found.ended[acknowledged]
        own = others & (np.isin(r["a"], self._own_eventfds) | (self._own_eventfds.size == 0))
        seq[own] = interrupt[own]

    def _of_works(self, found: Numbered, works: Mask, interrupt: Numbers) -> Numbers:
        """The newest interrupt that each work stands for: one whose own work is queued later is the next one's."""
        r = found.records
        newest = interrupt[works]
        queued = found.of(K.WORK_QUEUED) & (found.seq > 0)
        times, numbers = r["tsc"][queued], found.seq[queued]
        later = np.searchsorted(times, r["tsc"][works], "right")
        next_one = np.append(numbers, np.uint64(2**63))[later]
        return np.where(next_one <= newest, next_one - np.uint64(1), newest)

    def _number_wakings(self, found: Numbered, doorbell: Numbers, threads: Numbers) -> None:
        """Who is woken by a vCPU in a doorbell's instruction, or by who has just given an interrupt to an APIC."""
        r, seq = found.records, found.seq
        wakes, runs = found.of(K.WAKING), found.of(K.RUNS)
        by_vcpu = found.role == ThreadRole.VCPU
        role, vm = self._who(np.where(wakes, r["a"], r["thread"]))
        found.role[wakes], found.vm[wakes] = role[wakes], vm[wakes]
        # With APICv nobody tells that an APIC has taken it: the wake-up follows the message, or the line.
        causes = found.of(K.ACCEPTED, K.MSI, K.SET_IRQ)
        just_accepted = self._accepted.before(threads, np.ones(r.size, bool), np.where(causes, seq, 0))
        of_vcpu = wakes & (role == ThreadRole.VCPU)
        seq[of_vcpu] = just_accepted[of_vcpu]
        of_io = wakes & (role != ThreadRole.VCPU) & by_vcpu
        seq[of_io] = doorbell[of_io]
        whom = np.where(wakes, r["a"], r["thread"]).astype(np.uint64)
        woken_for = self._woken.before(whom, wakes | runs, np.where(wakes, seq, 0))
        seq[runs] = woken_for[runs]

    def _number_ends(self, found: Numbered, ours: Mask) -> None:
        """Injections, and halts that an interrupt ends: of the newest that the vCPU's APIC has taken."""
        r, seq, arg = found.records, found.seq, found.arg
        accepted = found.of(K.ACCEPTED) & ours
        if self._by_apic:
            taken = found.of(K.ACCEPTED)  # of any vector: the APIC is told
            found.vm[taken] = r["b"][taken]
        elif self._listener is not None:
            found.vm[accepted] = self._listener
        held = self._held.before(found.vm, accepted, seq)
        injected = found.of(K.INJECTED) & ours
        if self._host_ends:
            injected |= found.of(K.EOI) & ours
        seq[injected] = held[injected]
        before = found.ended = self._injected.before(found.vm, injected, seq)
        woken = found.of(K.WOKEN)
        seq[woken] = np.where(held > before, held, 0)[woken]
        arg[injected] = self._taken(found, accepted, injected)[injected]

    def _taken(self, found: Numbered, accepted: Mask, injected: Mask) -> Numbers:
        """How many the APIC has taken since the injection before: of each injection."""
        counts = np.zeros(found.vm.size, np.uint64)
        for vm in np.unique(found.vm[accepted | injected]).tolist():
            own = found.vm == vm
            which = np.flatnonzero(injected & own)
            total = np.cumsum(accepted & own)[which] + self._accepted_before.get(vm, 0)
            counts[which] = np.diff(np.concatenate([[0], total]))
            rest = int(np.count_nonzero(accepted & own)) + self._accepted_before.get(vm, 0)
            self._accepted_before[vm] = rest - (int(total[-1]) if which.size else 0)
        return counts

    def _made(self, found: Numbered) -> Events:
        """The events, shape (m,): what the records of kernel work's ends say, nobody asks."""
        r = found.records
        events = events_of(r, KINDS | PROBES, self._host_ends)
        events["vm"] = found.vm
        events["seq"] = np.where(events["kind"] == EventKind.DEVICE_READ, 0, found.seq)
        called, signals = found.of(K.IRQFD_WAKEUP), found.of(K.EVENTFD_SIGNAL)
        events["id"][signals], events["arg"][signals] = found.arg[signals], r["a"][signals]
        events["arg"][called] = r["c"][called]
        threads, injected = found.of(*OF_THREADS), events["kind"] == EventKind.INJECTED
        who = np.where(found.of(K.WAKING), r["a"], r["thread"])
        events["id"][threads] = (found.role + (who << np.uint64(ROLE_BITS)))[threads] & np.uint64(2**32 - 1)
        events["arg"][injected] = found.arg[injected]
        self._count_works(found, events)
        return chosen(events, events["kind"] > 0)

    def _count_works(self, found: Numbered, events: Events) -> None:
        """How many interrupts each work stands for: from the one that has queued it, but for those of the work before.

        Of a work that was queued before anybody watched it is not known.
        """
        started = np.flatnonzero(found.of(K.WORK_STARTED) & (found.seq > 0))
        queued = np.flatnonzero(found.of(K.WORK_QUEUED) & (found.seq > 0))
        numbers = np.concatenate([[self._work_before], found.seq[started]]).astype(np.int64)
        first = np.concatenate([[self._work_queued], found.seq[queued]]).astype(np.int64)
        by = first[np.searchsorted(queued, started)]  # who has queued each
        covered = numbers[1:] - np.maximum(numbers[:-1], by - 1)
        events["arg"][started] = np.where((numbers[:-1] > 0) | (by > 0), np.maximum(covered, 0), 0)
        self._work_before, self._work_queued = int(numbers[-1]), int(first[-1])


class Numbered:
    """Records, and beside each what is found out of it; all of shape (n,)."""

    def __init__(self, records: Records, role: Numbers, vm: Numbers) -> None:
        self.records, self.role, self.vm = records, role, vm
        self.seq = np.zeros(records.size, np.uint64)
        self.arg = np.zeros(records.size, np.uint64)
        self.ended = np.zeros(records.size, np.uint64)  # newest interrupt that had been injected into its `vm`
        self._kinds = np.ascontiguousarray(records["kind"])

    def of(self, *kinds: RecordKind) -> Mask:
        """Which are of these kinds."""
        found: Mask = np.logical_or.reduce([self._kinds == kind for kind in kinds])
        return found
