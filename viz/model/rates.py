"""How often what happened, over the last two minutes: counts in bins of 50 ms, whatever the rate.

A bin that is not held, because it is too old, before the stream or yet to come, is not known: nan, never 0. Whether a
bin that is held is over is not known here: viz/model/past.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import (
    SIGNALLING,
    STATS,
    Clock,
    EventKind,
    Events,
    by_kind,
    each_of,
    ids_in,
    no_events,
    vms_in,
)
from bellwire.engine.folds.beginning import Beginning
from bellwire.engine.outlet import kinds_passed_over, passed_over
from bellwire.viz.wires.way_counts import WayCounts

BIN_SECONDS = 0.05
BINS = 2400  # two minutes
NONE = no_events()
SECOND = round(1 / BIN_SECONDS)  # bins in a second
BAR = 5  # bins in a bar of a plot: a quarter of a second

Counts = npt.NDArray[np.float64]

# What is counted as a number of events; the names are the ones that views ask for.
KINDS: dict[str, tuple[EventKind, ...]] = {
    "doorbells": (EventKind.RING,),
    "reads": (EventKind.DOORBELL,),
    "interrupts": SIGNALLING,
    "ioctls": (EventKind.IRQ_IOCTL,),
    "handlers": (EventKind.HANDLER,),
    "exits": (EventKind.EXIT,),
    "resamples": (EventKind.RESAMPLE,),
    "windows": (EventKind.WINDOW,),
    "fetches": (EventKind.FETCH,),
}
# What is counted for each id by itself, as in "exit 2"; where a column is named, by what it adds up to.
BY_ID: dict[str, tuple[EventKind, str]] = {
    "exit": (EventKind.EXIT, ""),
    "handler": (EventKind.HANDLER, ""),
    "ring": (EventKind.RING, ""),
    "received": (EventKind.DOORBELL, "arg"),
    "buffers": (EventKind.BUFFERS, "arg"),
}


class Rates:
    """Counts by name.

    The names: the KINDS, "received" (doorbells), "covered" (interrupts that handlers served), "fetched" (doorbells
    out of KVM's ring of coalesced writes), "left" (doorbells that left to user space), those of
    viz/wires/way_counts.py, "exit 2" (by KVM_EXIT_* reason), "handler 64" (by
    vector), "ring 1296" (by address), "received 1" (by queue), "buffers 0" (by index, BUFFERS_ADDED or BUFFERS_USED),
    "rings of 1", "handlers of 1", "exits of 1" and "left of 1" (by guest or vCPU) and
    "kvm exits" (the kernel's own counters, by their name in STATS).
    """

    def __init__(self, clock: Clock, stats: dict[int, int] | None = None) -> None:
        """stats: the kernel's counters, by index into STATS, as they were before."""
        self.bin_cycles = clock.cycles(BIN_SECONDS)
        self.newest = 0  # number of the newest bin, counted from TSC 0
        self.first: int | None = None  # number of the first bin that saw an event
        self._rings: dict[str, Counts] = {}
        self._stats: dict[int, int] = dict(stats or {})  # the kernel's counters as last seen
        self._within = False  # whether the stream begins in the middle of a run
        self._ways = WayCounts()
        self._binned: dict[int, InBins] = {}  # what of the batch has been looked up already, by id()

    @property
    def names(self) -> list[str]:
        """Everything that has been counted so far."""
        return sorted(self._rings)

    def feed(self, events: Events, now: int) -> None:
        """Adds the next batch; `now` moves time on even if nothing happened."""
        self._roll_to(max(now, int(events["tsc"][-1]) if events.size else 0) // self.bin_cycles)
        if not events.size:
            return
        if self.first is None:
            self.first = int(events["tsc"][0]) // self.bin_cycles
            self._begin(events)
        batch = by_kind(events)
        of_kind = {kind: batch.of(kind) for kind in batch.kinds}
        self._count_batch(of_kind)
        self._binned = {}

    def _count_batch(self, of_kind: dict[EventKind, Events]) -> None:
        """The next batch by kind."""
        for name, kinds in KINDS.items():
            for kind in kinds:
                self._add(name, of_kind.get(kind, NONE))
        reads, exits, handlers = (
            of_kind.get(kind, NONE) for kind in (EventKind.DOORBELL, EventKind.EXIT, EventKind.HANDLER)
        )
        self._add("received", reads, reads["arg"])
        self._add("covered", handlers, handlers["arg"])
        fetches = of_kind.get(EventKind.FETCH, NONE)
        self._add("fetched", fetches, fetches["arg"])
        self._add("left", left := exits[exits["seq"] > 0])
        by_vm = {"rings": of_kind.get(EventKind.RING, NONE), "handlers": handlers, "exits": exits, "left": left}
        for name, some in by_vm.items():
            for vm, own in each_of(some, "vm", vms_in(some)):
                self._add(f"{name} of {vm}", own)
        for name, (kind, column) in BY_ID.items():
            self._add_by_id(name, of_kind.get(kind, NONE), column)
        for name, some, amounts in self._ways.feed(of_kind):
            self._add(
                name, some, None if isinstance(amounts, int) and amounts == 1 else np.broadcast_to(amounts, some.size)
            )
        self._feed_stats(of_kind.get(EventKind.STAT, NONE))
        if EventKind.PASSED_OVER in of_kind:
            self._feed_passed_over(of_kind[EventKind.PASSED_OVER])

    def _feed_passed_over(self, told: Events) -> None:
        """The same of what came faster than it was taken: it is told how many there were, and what they add up to."""
        of_kind = {kind: passed_over(told, kind) for kind in kinds_passed_over(told)}
        for name, kinds in KINDS.items():
            for kind in kinds:
                self._add(name, some := of_kind.get(kind, NONE), some["arg"])
        for name, kind in (("received", EventKind.DOORBELL), ("covered", EventKind.HANDLER), ("left", EventKind.EXIT)):
            self._add(name, some := of_kind.get(kind, NONE), some["seq"])
        of_vm = {
            "rings": EventKind.RING,
            "handlers": EventKind.HANDLER,
            "exits": EventKind.EXIT,
            "left": EventKind.EXIT,
        }
        for name, kind in of_vm.items():
            some = of_kind.get(kind, NONE)
            for vm, own in each_of(some, "vm", vms_in(some)):
                self._add(f"{name} of {vm}", own, own["seq" if name == "left" else "arg"])
        for name, (kind, column) in BY_ID.items():
            self._add_by_id(name, of_kind.get(kind, NONE), "seq" if column else "arg")

    def _begin(self, events: Events) -> None:
        """The kernel's counters as they were where the stream begins, if that is in the middle of a run."""
        began = Beginning()
        began.note(events)
        self._stats |= began.stats
        self._within = began.noted

    def _add_by_id(self, name: str, events: Events, column: str) -> None:
        for id, some in each_of(events, "id", ids_in(events)):
            self._add(f"{name} {id}", some, some[column] if column else None)

    def count(self, name: str, tsc: int, amount: float = 1) -> None:
        """Adds something that is no event: what the screen itself did."""
        self._roll_to(tsc // self.bin_cycles)
        self._rings.setdefault(name, np.zeros(BINS))[tsc // self.bin_cycles % BINS] += amount

    def forget(self, name: str) -> None:
        """As if nothing had been counted by this name."""
        self._rings.pop(name, None)

    def _feed_stats(self, stats: Events) -> None:
        """The kernel's counters only grow: what was added since the last look counts at this look.

        Of a stream that begins in the middle of a run, and does not tell how they stood, from its first look on.
        """
        for index, some in each_of(stats, "id", ids_in(stats)):
            begins = int(some["arg"][0]) if self._within else 0
            known = np.concatenate([[self._stats.get(index, begins)], some["arg"].astype(np.int64)])
            self._stats[index] = int(known[-1])
            if index < len(STATS):
                self._add(f"kvm {STATS[index]}", some, np.diff(known))

    def between(self, name: str, first: int, end: int) -> Counts:
        """Counts of the bins first..end-1 (numbers as TSC // bin_cycles); shape (end - first,); nan if not held."""
        numbers = np.arange(first, max(first, end))
        held = (numbers >= self.oldest) & (numbers <= self.newest)
        ring = self._rings.get(name)
        return np.where(held, 0.0 if ring is None else ring[numbers % BINS], np.nan)

    @property
    def oldest(self) -> int:
        """Number of the oldest bin that is held; beyond the newest one if none is."""
        return self.newest + 1 if self.first is None else max(self.first, self.newest - BINS + 1)

    def _roll_to(self, newest: int) -> None:
        """Clears the bins that begin now."""
        if newest <= self.newest:
            return
        stale = np.arange(max(self.newest + 1, newest - BINS + 1), newest + 1) % BINS
        for ring in self._rings.values():
            ring[stale] = 0
        self.newest = newest

    def _add(self, name: str, events: Events, amounts: npt.NDArray[Any] | None = None) -> None:
        """Adds events, or what each of them stands for; shape (n,)."""
        if not events.size:
            return
        if id(events) not in self._binned:
            self._binned[id(events)] = self._look_up(events)
        there = self._binned[id(events)]
        if not there.counts.size:
            return
        added = there.counts if amounts is None else np.bincount(there.behind, amounts[there.held])
        ring = self._rings.get(name)
        if ring is None:
            ring = self._rings[name] = np.zeros(BINS)
        ring[np.arange(there.first, there.first + added.size) % BINS] += added

    def _look_up(self, events: Events) -> InBins:
        bins = (events["tsc"] // np.uint64(self.bin_cycles)).astype(np.int64)
        first, oldest = int(bins.min()), self.newest - BINS + 1  # bins[0] is not the first where an event came late
        held: slice | npt.NDArray[np.bool_] = slice(None)
        if first < oldest:
            held = bins >= oldest
            bins = bins[held]
            first = int(bins.min(initial=self.newest))
        return InBins(events, held, first, bins - first, np.bincount(bins - first))


class InBins(NamedTuple):
    """Where events lie among the bins. held: which of them lie in one; behind: how far from the first bin each of those
    does; counts: of each bin from the first on."""

    events: Events
    held: slice | npt.NDArray[np.bool_]
    first: int
    behind: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
