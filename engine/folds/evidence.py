"""What the events show beside the totals of a Tally: which writes missed which registration, what came too early, what
nobody answered. engine/findings/findings.py says it in sentences.

A fold over events, so that a replay shows the same; work goes with the batch, memory is fixed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bellwire.engine._core import lib
from bellwire.engine.events import (
    EVENT,
    SIGNALLING,
    STATS,
    EventfdRole,
    EventKind,
    Events,
    Lane,
    Setting,
    Switch,
    by_kind,
    chosen,
    cut_at,
    no_events,
    vms_in,
)
from bellwire.engine.folds.journeys import InTurn
from bellwire.engine.folds.signal_ways import SignalWays
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.engine.outlet import VCPU_THREAD, gaps_of, passed_over
from bellwire.engine.scenarios.ringing import ringings
from bellwire.engine.scenarios.scenario import Doorbell, Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

# -- Signals that come before their irqfd is there, where the I/O thread sends them all the same: the eventfd counts
# them, and the assign makes something of it.

MOST_STORIES = 64  # that are told apart


@dataclass(frozen=True)
class Early:
    """Signals that found no irqfd."""

    signals: int = 0  # until their eventfd was sampled last: later ones may have found the irqfd being assigned
    counted: int = 0  # by their eventfd, as sampled last
    injected: int = 0  # handlers between the irqfd's assign and the next signal


class EarlySignals:
    """A fold over events."""

    def __init__(self) -> None:
        self._told: Counter[Early] = Counter()
        self._now = Early()
        self._unsampled = 0  # signals since their eventfd was sampled last
        self._on: bool | None = None  # whether there is an irqfd
        self._assigned = False  # it was assigned to early signals, and no other signal has come since

    def feed(self, events: Events) -> None:
        """Adds the next batch."""
        if self._on and not self._assigned and not by_kind(events).counts[EventKind.WIRE]:
            return
        wires = (events["kind"] == EventKind.WIRE) & (events["id"] == Switch.IRQFD)
        for wire, part in cut_at(events, wires):
            if wire is not None:
                self._switch(bool(wire["arg"]))
            if self._on is False:
                self._count(part)
            elif self._assigned:
                self._wait_for_handlers(part)

    def stories(self) -> Counter[Early]:
        """What happened, and how often; the last one may still go on."""
        return self._told + Counter([self._now] if self._assigned else [])

    def _switch(self, on: bool) -> None:
        self._end()
        self._assigned = on and self._on is False and self._now.signals > 0
        self._now = self._now if self._assigned else Early()
        self._on, self._unsampled = on, 0

    def _count(self, events: Events) -> None:
        """While there is no irqfd."""
        samples = np.flatnonzero((events["kind"] == EventKind.COUNT) & (events["id"] == EventfdRole.IRQ))
        signals = np.flatnonzero(events["kind"] == EventKind.IRQFD)
        sampled = int(np.count_nonzero(signals < samples[-1])) + self._unsampled if samples.size else 0
        self._unsampled += signals.size - sampled
        # Before the irqfd is told to be there its assign may have injected already.
        after = events[signals[-1] :] if signals.size else events
        handlers = int(np.count_nonzero(after["kind"] == EventKind.HANDLER))
        self._now = Early(
            self._now.signals + sampled,
            int(events["arg"][samples[-1]]) if samples.size else self._now.counted,
            handlers + (0 if signals.size else self._now.injected),
        )

    def _wait_for_handlers(self, events: Events) -> None:
        signals = np.flatnonzero(events["kind"] == EventKind.IRQFD)
        before = events[: signals[0]] if signals.size else events
        handlers = int(np.count_nonzero(before["kind"] == EventKind.HANDLER))
        self._now = replace(self._now, injected=self._now.injected + handlers)
        if signals.size:
            self._end()

    def _end(self) -> None:
        """The story of some early signals is over."""
        if self._assigned and (self._now in self._told or len(self._told) < MOST_STORIES):
            self._told[self._now] += 1
        if self._assigned:
            self._now = Early()
        self._assigned = False


Values = npt.NDArray[np.uint64]

MMIO_EXITS = STATS.index("mmio_exits")
MOST_WAITING = 1024  # resamples and handlers that wait for their other half
MOST_KINDS = 64  # accesses told apart; further ones are only counted


class Access(NamedTuple):
    """What left the guest, and what the kernel had registered then."""

    bus: str  # "pio" or "mmio"
    address: int
    length: int  # bytes written; 0: it was a read
    value: int
    doorbell: bool  # whether it was one that the VMM relayed
    registered: tuple[IoMatch, ...]  # the ioeventfds; none while they are off
    cut: bool = False  # whether there had been some before


class Sampled(NamedTuple):
    """What was known when KVM's counters were looked at last; of another VMM's guest alone.

    Where a part of a run begins, KVM's counters are as of the last look before it, and doorbells as of the beginning:
    both are counted from the first look in it.
    """

    rung: int = 0  # doorbells by then; of a part of a run, since the first look
    mmio_exits: int | None = None  # since the start; None: not told
    before: int = 0  # of these, those that came before the first doorbell, as far as was looked, or the first look


class FirstLook(NamedTuple):
    """The same when they were looked at first in a part of a run. tsc: None: not yet, or it is a whole run."""

    tsc: int | None = None
    rung: int = 0
    exits: int = 0


class Evidence:
    """Feed it batches in order, read its fields. backend: which KVM it was ("kvm_pvm", ...)."""

    def __init__(self, scenario: Scenario, backend: str) -> None:
        self.scenario, self.backend = scenario, backend
        self.ways = SignalWays(scenario)
        self.left: Counter[Access] = Counter()
        self.left_unknown = 0  # accesses beyond MOST_KINDS
        self.cuts: Counter[Switch] = Counter()  # how often each switch went off
        self.rung_by: Counter[int] = Counter()  # doorbells by `vm` of the events
        self.handled_by: Counter[int] = Counter()  # handlers by `vm` of the events
        self.most_read = 0  # the largest count that one read() of a doorbell's eventfd returned
        self.vectors: Counter[int] = Counter()  # handlers by vector
        self.routes = self.moves = 0  # changes of the route: to another vector, to another vCPU
        self.sampled = Sampled()
        self._first_look = FirstLook()
        self.early = EarlySignals()
        self._waits = Trait.WAITS in traits_of(scenario)
        self._level = Trait.LEVEL in traits_of(scenario)
        self.unmaskings = self.late_edges = 0  # late: handlers between an unmasking and the next signal
        self.resamples_compared = 0  # with the handler of their interrupt
        self.resamples_before = 0  # of these: before the handler's first instruction
        self.ended: tuple[int, int] | None = None  # (reason of the last exit, TSC), if nothing follows it
        self._doorbell = scenario.doorbell
        self._registered: tuple[IoMatch, ...] = ()
        self._cut = False  # whether there were some, and are no more
        self._on: dict[Switch, bool] = {}
        self._in_turn = InTurn()
        self._to_compare = no_events()  # resamples and handlers whose other half is to come
        self._exits: dict[int, Events] = {}  # by `vm`: the last exit, if its ENTRY is to come
        self._matched: dict[int, tuple[IoMatch, ...]] = {}  # by `vm`: what was registered at that exit
        self._after_unmask = False
        self._rung = 0  # the newest doorbell
        self._began_at = 0  # TSC at which a part of a run begins
        self._told_of: set[int] = set()  # settings of which it is told how they stood then
        self._exits_unseen = Trait.REAL_QEMU in scenario.machine_kind.traits  # but for what KVM counts of them

    def feed(self, events: Events) -> None:
        """Adds the next batch (shape (n,), dtype EVENT)."""
        if not events.size:
            return
        for change, part in cut_at(events, self._changes(events)):
            if change is not None:
                self._apply(change)
            self._leave(part)
        self.ways.feed(events)
        stood = self._stood(events)
        happened = chosen(events, ~stood) if stood.any() else events
        self._count_guest(happened)
        if self._waits:
            self.early.feed(events)
        self._follow_mask(happened)
        if self._level:
            self._compare_resamples(events)
        if self._exits_unseen:
            self._note_sample(events)

    def _stood(self, events: Events) -> npt.NDArray[np.bool_]:
        """Which settings are no changes, but the word on how each stood where a part of a run begins; shape (n,)."""
        stood = np.zeros(events.size, bool)
        counts = by_kind(events).counts
        if counts[EventKind.BEFORE]:
            self._began_at = int(by_kind(events).of(EventKind.BEFORE)["tsc"][0])
        if self._began_at and counts[EventKind.SETTING]:
            for at in np.flatnonzero(
                (events["kind"] == EventKind.SETTING) & (events["tsc"] == self._began_at)
            ).tolist():
                stood[at] = int(events["id"][at]) not in self._told_of
                self._told_of.add(int(events["id"][at]))
        return stood

    @property
    def unended(self) -> bool:
        """Whether a handler has left its interrupt without an EOI, and nobody else has ended it: the line of a level
        stays high, and the device that holds it waits for good."""
        interrupt = self.scenario.interrupt
        holds = interrupt is not None and interrupt.trigger == "level" and not interrupt.eoi
        return holds and self.vectors.total() > 0 and not self.ways.resamples and not self.ways.acknowledged

    @property
    def doorbell(self) -> Doorbell | None:
        """The doorbell as its ioeventfds are registered now, or would be: a lab's steps change that."""
        return self._doorbell

    def _note_sample(self, events: Events) -> None:
        """A counter that is not among a sample's events has not changed."""
        events = self.ways.began.relative(events)
        sampled = events["kind"] == EventKind.STAT
        rung = np.maximum.accumulate(np.where(events["kind"] == EventKind.RING, events["seq"], self._rung))
        if sampled.any():
            exits = sampled & (events["id"] == MMIO_EXITS)
            early, newest = events["arg"][exits & (rung == 0)], events["arg"][exits]
            before = int(early[-1]) if early.size else self.sampled.before
            if self.ways.began.noted:
                self._look_first(events["tsc"], sampled, exits, events["arg"], rung)
                before = self._first_look.exits
            exits_now = int(newest[-1]) if newest.size else self.sampled.mmio_exits
            if exits_now is None and MMIO_EXITS in self.ways.began.stats:  # they have not changed since the look before
                exits_now = 0
            self.sampled = Sampled(int(rung[sampled][-1]) - self._first_look.rung, exits_now, before)
        self._rung = max(self._rung, int(rung[-1]))

    def _look_first(
        self, tsc: Values, sampled: npt.NDArray[np.bool_], exits: npt.NDArray[np.bool_], counts: Values, rung: Values
    ) -> None:
        """The first look of a part of a run at which the exits are known. A look's events are of one time."""
        known = sampled if MMIO_EXITS in self.ways.began.stats else exits
        if self._first_look.tsc is None and known.any():
            at = int(np.flatnonzero(known)[0])
            self._first_look = FirstLook(int(tsc[at]), int(rung[at]), 0)
        told = counts[exits & (tsc == np.uint64(self._first_look.tsc or 0))]
        if told.size:
            self._first_look = self._first_look._replace(exits=int(told[-1]))

    # -- doorbells -----------------------------------------------------------------------------------------------------

    def _changes(self, events: Events) -> npt.NDArray[np.bool_]:
        """Which events change what is registered, or will be."""
        counts = by_kind(events).counts
        if not (counts[EventKind.WIRE] or counts[EventKind.SETTING]):
            return np.zeros(events.size, bool)
        wire = (events["kind"] == EventKind.WIRE) & (events["id"] == Switch.IOEVENTFD)
        step = (events["kind"] == EventKind.SETTING) & (events["id"] == Setting.STEP)
        changes: npt.NDArray[np.bool_] = wire | step
        return changes

    def _apply(self, change: np.void) -> None:
        """A step says how the next ioeventfd will be registered, a WIRE whether one is."""
        if change["kind"] == EventKind.SETTING:
            self._doorbell = registered_after(self.scenario, int(change["arg"]))
        elif self._doorbell and change["arg"]:
            self._registered = tuple(ringing.match(self._doorbell) for ringing in ringings(self._doorbell))
        else:
            self._cut = self._cut or bool(self._registered)
            self._registered = ()

    def _leave(self, events: Events) -> None:
        """Pairs each exit with the ENTRY that says what was written, unless there is a gap in between."""
        if not any(by_kind(events).counts[kind] for kind in VCPU_THREAD):
            return
        gap = gaps_of(events, Lane.VCPU)
        chosen = events[(events["kind"] == EventKind.EXIT) | (events["kind"] == EventKind.ENTRY) | gap]
        if not chosen.size:
            return
        gaps = gaps_of(chosen, Lane.VCPU)
        for vm in {*self._exits, *vms_in(chosen)}:
            own = chosen[(chosen["vm"] == vm) | gaps]
            before = self._exits.get(vm, no_events())
            self._count_accesses(np.concatenate([before, own[:1]], dtype=EVENT), self._matched.get(vm, ()))
            self._count_accesses(own, self._registered)
            if own.size:
                self._exits[vm], self._matched[vm] = own[-1:][own["kind"][-1:] == EventKind.EXIT], self._registered
        open_ = [exit_ for exit_ in self._exits.values() if exit_.size]
        self.ended = (int(open_[-1]["id"][0]), int(open_[-1]["tsc"][0])) if open_ else None

    def _count_accesses(self, around: Events, registered: tuple[IoMatch, ...]) -> None:
        """Exits and entries of one vCPU, in order; registered: at the exits."""
        pair = (around["kind"][:-1] == EventKind.EXIT) & (around["kind"][1:] == EventKind.ENTRY)
        exits, entries = around[:-1][pair], around[1:][pair]
        access = np.isin(exits["id"], (lib.KVM_EXIT_IO, lib.KVM_EXIT_MMIO))
        exits, entries = exits[access], entries[access]
        columns = (exits["id"], exits["arg"], entries["seq"], entries["arg"], exits["seq"] > 0)
        rows, counts = np.unique(np.stack([column.astype(np.uint64) for column in columns]), axis=1, return_counts=True)
        for (reason, address, length, value, doorbell), count in zip(rows.T.tolist(), counts.tolist(), strict=True):
            bus = "pio" if reason == lib.KVM_EXIT_IO else "mmio"
            cut = not registered and self._cut
            self._count_access(Access(bus, address, length, value, bool(doorbell), registered, cut), count)

    def _count_access(self, access: Access, count: int) -> None:
        if access in self.left or len(self.left) < MOST_KINDS:
            self.left[access] += count
        else:
            self.left_unknown += count

    # -- interrupts ----------------------------------------------------------------------------------------------------

    def _count_guest(self, events: Events) -> None:
        """What needs no order."""
        batch = by_kind(events)
        handlers, rings = batch.of(EventKind.HANDLER), batch.of(EventKind.RING)
        self.rung_by.update(occurrences(rings["vm"]))
        self.handled_by.update(occurrences(handlers["vm"]))
        self.vectors.update(occurrences(handlers["id"]))
        if batch.counts[EventKind.PASSED_OVER]:
            self._count_passed_over(batch.of(EventKind.PASSED_OVER))
        self.most_read = max(self.most_read, int(batch.of(EventKind.DOORBELL)["arg"].max(initial=0)))
        if batch.counts[EventKind.SETTING]:
            settings = batch.of(EventKind.SETTING)["id"]
            self.routes += int(np.count_nonzero(settings == Setting.ROUTE))
            self.moves += int(np.count_nonzero(settings == Setting.VCPU))
        for wire in batch.of(EventKind.WIRE):
            switch, on = Switch(int(wire["id"])), bool(wire["arg"])
            self.cuts[switch] += self._on.get(switch, False) and not on
            self._on[switch] = on

    def _count_passed_over(self, told: Events) -> None:
        """The same of what came faster than it was taken."""
        handlers = passed_over(told, EventKind.HANDLER)
        for some, field, counter in (
            (passed_over(told, EventKind.RING), "vm", self.rung_by),
            (handlers, "vm", self.handled_by),
            (handlers, "id", self.vectors),
        ):
            for key, count in some[[field, "arg"]].tolist():
                counter[key] += count

    def _follow_mask(self, events: Events) -> None:
        """Whether the first thing after an unmasking is a handler: of an edge that came late."""
        if not self._after_unmask and not by_kind(events).counts[EventKind.SETTING]:
            return
        kinds = events["kind"]
        masked = (kinds == EventKind.SETTING) & (events["id"] == Setting.MASKED)
        if not masked.any() and not self._after_unmask:
            return
        for event in events[masked | (kinds == EventKind.HANDLER) | np.isin(kinds, SIGNALLING)]:
            if event["kind"] == EventKind.SETTING:
                self._after_unmask = not event["arg"]
                self.unmaskings += self._after_unmask
            else:
                self.late_edges += int(self._after_unmask and event["kind"] == EventKind.HANDLER)
                self._after_unmask = False

    def _compare_resamples(self, events: Events) -> None:
        """Each interrupt of a level has one resample and one handler, by its number: which of the two came first.

        Where the stamp of either is lost, or was only counted, nothing is known of the order.
        """
        kinds = events["kind"]
        own = (kinds == EventKind.RESAMPLE) | (kinds == EventKind.HANDLER) | gaps_of(events, Lane.GUEST)
        if not own.any():
            return
        waiting = np.concatenate([self._to_compare, self._by_own_numbers(events[own])])
        resample = waiting["kind"] == EventKind.RESAMPLE
        resamples, handlers = waiting[resample], waiting[~resample]
        both, of_one, of_other = np.intersect1d(resamples["seq"], handlers["seq"], return_indices=True)
        self.resamples_compared += int(both.size)
        first = np.flatnonzero(resample)[of_one] < np.flatnonzero(~resample)[of_other]
        self.resamples_before += int(np.count_nonzero(first))
        self._to_compare = waiting[~np.isin(waiting["seq"], both)][-MOST_WAITING:]

    def _by_own_numbers(self, events: Events) -> Events:
        """The resamples, and the handlers by the number of the interrupt that each ran for, as far as that is known."""
        resample, handler = events["kind"] == EventKind.RESAMPLE, events["kind"] == EventKind.HANDLER
        if self._on.get(Switch.IRQFD, True):  # else the VMM lowers the line, and nothing is raised in turn
            events["seq"][handler] = self._in_turn.feed(events[~resample])
        return chosen(events, (resample | handler) & (events["seq"] > 0))


def registered_after(scenario: Scenario, number: int) -> Doorbell | None:
    """How ioeventfds are registered once so many steps of a lab are done, which may repeat."""
    doorbell, steps = scenario.doorbell, scenario.lab.steps if scenario.lab else ()
    for done in range(max(0, number - len(steps)), number if steps else 0):
        step = steps[done % len(steps)]
        if doorbell and step.do == "length":
            doorbell = replace(doorbell, length=step.value)
        if doorbell and step.do == "datamatch":
            doorbell = replace(doorbell, datamatch=step.value)
    return doorbell


def occurrences(values: npt.NDArray[np.integer]) -> dict[int, int]:
    """How often each value occurs: most often all are the same."""
    if (values == values[:1]).all():
        return {int(values[0]): values.size} if values.size else {}
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))
