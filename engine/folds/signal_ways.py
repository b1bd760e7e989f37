"""Which way signals went, told by events and by what was in force when they happened, never by what was asked for.

Every sentence about ways reads it. At rest these hold exactly, whatever was switched while the guest ran:

    doorbells received    = by ioeventfd + left to user space + fetched from KVM's ring of coalesced writes
    interrupts signalled  = the sum of `interrupts`
    reads of the eventfds = the sum of `reads`
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

import numpy as np

from bellwire.engine.events import EventKind, Events, IrqIoctl, Switch, by_kind, cut_at
from bellwire.engine.folds.beginning import Beginning
from bellwire.engine.language import tr_later
from bellwire.engine.outlet import passed_over
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of


class InterruptWay(StrEnum):
    """How the host interrupts the guest."""

    IRQFD = tr_later("the irqfd")
    NOBODY = tr_later("an eventfd that was no irqfd")  # which keeps the count
    COMPLETION = tr_later("the completion of a read")
    IRQ_LINE = "KVM_IRQ_LINE"
    SIGNAL_MSI = "KVM_SIGNAL_MSI"


IOCTL_WAYS = {IrqIoctl.IRQ_LINE: InterruptWay.IRQ_LINE, IrqIoctl.SIGNAL_MSI: InterruptWay.SIGNAL_MSI}


class SignalWays:
    """A fold over events; memory is fixed."""

    def __init__(self, scenario: Scenario) -> None:
        traits = traits_of(scenario)
        self._kept = Trait.WAITS in traits  # only there the I/O thread writes an eventfd that is no irqfd
        self.ring = Trait.COALESCED in traits  # whether KVM keeps what no ioeventfd takes: from build to end
        self.began = Beginning()  # what the stream begins behind
        self.left = 0  # doorbells that left to user space, each by an exit of its own
        self._left_before = 0  # of these, those that were rung before the stream
        self.fetched = self.fetches = 0  # doorbells out of KVM's ring, and how often any were taken
        self.reads: Counter[int] = Counter()  # by queue: returns of read()
        self.interrupts: Counter[InterruptWay] = Counter()
        self.resamples = 0  # KVM has lowered the line and said so
        self.acknowledged = 0  # the guest has told the VMM, which has lowered the line
        self.was_on: set[Switch] = set()  # switches that have been on at some time
        self.was_off: set[Switch] = set()
        self._on: dict[Switch, bool] = {}
        self._unfetched: int | None = None  # number of the newest doorbell fetched before this stream
        self._received_while_off = 0  # doorbells, while there was no ioeventfd

    def feed(self, events: Events) -> None:
        """Adds the next batch (shape (n,), dtype EVENT)."""
        if by_kind(events).counts[EventKind.BEFORE]:
            self.began.note(events)
        if not by_kind(events).counts[EventKind.WIRE]:
            self._count(events)
            return
        for wire, part in cut_at(events, events["kind"] == EventKind.WIRE):
            if wire is not None:
                self._switch(Switch(int(wire["id"])), bool(wire["arg"]))
            self._count(part)

    def _switch(self, switch: Switch, on: bool) -> None:
        self._on[switch] = on
        (self.was_on if on else self.was_off).add(switch)

    def _count(self, events: Events) -> None:
        """Events during which no switch was thrown."""
        batch = by_kind(events)
        counts = batch.counts
        if counts[EventKind.EXIT]:
            numbers = batch.of(EventKind.EXIT)["seq"]
            self.left += int(np.count_nonzero(numbers))
            self._left_before += int(np.count_nonzero((numbers > 0) & (numbers <= np.uint64(self.began.rung))))
        if counts[EventKind.FETCH]:
            self._fetch(batch.of(EventKind.FETCH))
        if counts[EventKind.DOORBELL]:
            self._read(batch.of(EventKind.DOORBELL))
        if counts[EventKind.PASSED_OVER]:
            self._pass_over(events)
        self.interrupts[self._by_eventfd] += counts[EventKind.IRQFD]
        self.interrupts[InterruptWay.COMPLETION] += counts[EventKind.SUBMIT]
        for ioctl, way in IOCTL_WAYS.items() if counts[EventKind.IRQ_IOCTL] else ():
            self.interrupts[way] += int(np.count_nonzero(batch.of(EventKind.IRQ_IOCTL)["id"] == ioctl))
        self._resample(counts[EventKind.RESAMPLE])

    def _fetch(self, fetches: Events) -> None:
        """By their numbers, which go on where events are missing."""
        if self._unfetched is None:
            self._unfetched = int(fetches["seq"][0] - fetches["arg"][0])
        self.fetches += len(set(fetches["tsc"].tolist()))
        self.fetched = int(fetches["seq"][-1]) - self._unfetched

    def _pass_over(self, events: Events) -> None:
        """What came faster than it was taken."""
        self.left += int(passed_over(events, EventKind.EXIT)["seq"].sum())
        if not self._on.get(Switch.IOEVENTFD):
            self._received_while_off += int(passed_over(events, EventKind.DOORBELL)["seq"].sum())
        for queue, count in passed_over(events, EventKind.DOORBELL)[["id", "arg"]].tolist():
            self.reads[queue] += count
        for ioctl, count in passed_over(events, EventKind.IRQ_IOCTL)[["id", "arg"]].tolist():
            if ioctl in IOCTL_WAYS:
                self.interrupts[IOCTL_WAYS[ioctl]] += count
        for kind, way in ((EventKind.IRQFD, self._by_eventfd), (EventKind.SUBMIT, InterruptWay.COMPLETION)):
            self.interrupts[way] += int(passed_over(events, kind)["arg"].sum())
        self.fetches += int(passed_over(events, EventKind.FETCH)["arg"].sum())
        self._resample(int(passed_over(events, EventKind.RESAMPLE)["arg"].sum()))

    @property
    def _by_eventfd(self) -> InterruptWay:
        """What a write of the interrupt's eventfd does now."""
        kept = self._kept and not self._on.get(Switch.IRQFD)
        return InterruptWay.NOBODY if kept else InterruptWay.IRQFD

    def _resample(self, count: int) -> None:
        if self._on.get(Switch.IRQFD) is False:
            self.acknowledged += count
        else:
            self.resamples += count

    def _read(self, reads: Events) -> None:
        queues, counts = np.unique(reads["id"], return_counts=True)
        self.reads.update(dict(zip(queues.tolist(), counts.tolist(), strict=True)))
        if not self._on.get(Switch.IOEVENTFD):
            self._received_while_off += int(reads["arg"].sum())

    def taken(self, rung: int, received: int) -> int | None:
        """Doorbells that KVM took by an ioeventfd. None: not known, of a recording that does not tell of the ring.

        Not those that were under way where the stream begins: which way they went is not in it. With a ring, at least.
        """
        before = self.began.under_way[0]
        if not self.ring:
            return rung - before - (self.left - self._left_before)
        untold = not self.fetches and self._received_while_off > self.left
        return None if untold else max(0, received - self.left - self.fetched - before)

    @property
    def by(self) -> dict[InterruptWay, int]:
        """The ways that interrupts took, without those that none took."""
        return {way: count for way, count in self.interrupts.items() if count}
