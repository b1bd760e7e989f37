"""How busy each lane was, and how much happened, in bins: fed with events as they come, however they are cut. No Qt."""

from __future__ import annotations

import numpy as np

from engine.events import EventKind, Events, no_events
from engine.events import Lane as Where
from engine.journeys import Journeys
from engine.spans import Spans, awake, flights, instruction, user_space
from viz.bins import Bins, spread
from viz.lanes import Shares


class Carry:
    """The events of one kind of lane since the last one that closes a stretch, for the next batch to go on with."""

    def __init__(self, *opening: EventKind) -> None:
        self._opening = opening  # a stretch begins with one of these
        self._kept = no_events()

    def join(self, events: Events) -> Events:
        """The batch, behind what was left open."""
        joined = np.concatenate([self._kept, events], dtype=events.dtype)
        last = joined[-1:]
        self._kept = last if last.size and last["kind"][0] in self._opening else no_events()
        return joined


class Occupancy:
    """Busy cycles by the names of viz.lanes.stretches, and numbers of events by the lane where they happened."""

    def __init__(self, hz: float) -> None:
        self.bins = Bins(hz)
        self._words = no_events()  # the I/O thread's first since its last WAIT
        self._rings: dict[int, Carry] = {}  # by VM
        self._exits: dict[int, Carry] = {}

    def feed(self, events: Events, journeys: Journeys) -> None:
        """Adds the next events and the journeys that they completed."""
        flying = flights(journeys)
        self.bins.roll_to(int(max(events["tsc"].max(initial=0), flying.end.max(initial=0))))
        self._add("flight", flying)
        self._add("awake", awake(self._with_words(events)))
        for vm in np.unique(events["vm"]).tolist():
            self._feed_vm(vm, events[events["vm"] == vm])

    def _feed_vm(self, vm: int, events: Events) -> None:
        kind = events["kind"]
        rings = self._rings.setdefault(vm, Carry(EventKind.RING))
        exits = self._exits.setdefault(vm, Carry(EventKind.EXIT))
        stamps = events[(kind == EventKind.RING) | (kind == EventKind.RUNG)]
        self._add(f"instruction{vm}", instruction(rings.join(stamps)))
        self._add(f"user{vm}", user_space(exits.join(events[events["lane"] == Where.VCPU])))

    def _with_words(self, events: Events) -> Events:
        words = events[events["lane"] == Where.IO_THREAD]
        joined = np.concatenate([self._words, words], dtype=events.dtype)
        waits = np.flatnonzero(joined["kind"] == EventKind.WAIT)
        rest = joined[waits[-1] + 1 :] if waits.size else joined
        self._words = rest[:1]  # when it awoke
        return joined

    def _add(self, row: str, spans: Spans) -> None:
        self.bins.add(row, *spread(spans.start, spans.end, self.bins.width))

    def share(self, row: str, t0: int, t1: int, pixels: int) -> Shares:
        """The busy share (0..1) of each of `pixels` equal parts of t0..t1; 0 where nothing is held."""
        cycles = self.bins.sums(row, t0, t1, pixels)
        return np.asarray(np.clip(cycles * pixels / max(t1 - t0, 1), 0.0, 1.0))


class Density:
    """How many events came, by the lane where they happened."""

    def __init__(self, hz: float) -> None:
        self.bins = Bins(hz)

    def feed(self, events: Events) -> None:
        """Adds the next events."""
        if not events.size:
            return
        self.bins.roll_to(int(events["tsc"].max()))
        for where in np.unique(events["lane"]).tolist():
            numbers = (events["tsc"][events["lane"] == where] // np.uint64(self.bins.width)).astype(np.int64)
            self.bins.add(Where(where).name, numbers, np.ones(numbers.size))

    def counts(self, t0: int, t1: int, pixels: int) -> dict[Where, Shares]:
        """How many in each of `pixels` equal parts of t0..t1."""
        return {where: self.bins.sums(where.name, t0, t1, pixels) for where in Where}
