"""The latencies as they were at a moment: those of the present, less the journeys that ended later.

A histogram forgets nothing that went into it, and what has gone into it since a moment is held in memory as long as the
moment is. So the beginning of a run need not be held, and to a moment nearby it is not far.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np

from bellwire.engine.folds.journeys import JOURNEY, Journeys, finish
from bellwire.engine.folds.latency import (
    LATENCIES,
    ONE_CLOCK,
    Ended,
    Histograms,
    Latencies,
    begin,
    cycles_of,
    is_counted,
)
from bellwire.viz.model.history import History
from bellwire.viz.model.journey_of import OUTLIVES
from bellwire.viz.model.past import HeldPast

APART_LIMIT = 1 << 16  # journeys whose stamps contradict their order
EVER = 2**63


@dataclass
class Standing:
    """How far the journeys are counted: up to `tsc`, of the wiring between two changes (TSC; EVER: it is the last)."""

    tsc: int
    start: int
    end: int
    since: Histograms
    before: Histograms
    journeys: int


class LatencyPast:
    """The latencies of any moment whose journeys are held."""

    def __init__(self, present: Latencies, past: HeldPast, journeys: History, *, played: bool) -> None:
        """played: the journeys are a recording's, some of which are still to come."""
        self.present, self.past, self.journeys, self._played = present, past, journeys, played
        self._apart = History(JOURNEY, APART_LIMIT, lambda some: (begin(some), finish(some)))
        self._reach = past.clock.cycles(OUTLIVES)
        self._standing: Standing | None = None

    def note(self) -> None:
        """The present has been fed."""
        if self.present.newest_apart.size:
            self._apart.append(self.present.newest_apart)

    def at(self, tsc: int) -> Latencies | None:
        """As they were at a moment; None if that is not held. What is no histogram is that of the whole run so far."""
        if tsc < max(self.journeys.whole_from, self._apart.whole_from):
            return None
        known = self._known_between(tsc)
        if known is None:
            return None
        start, end, _, _ = known
        standing = self._standing
        if standing is None or (standing.start, standing.end) != (start, end):
            standing = self._from_the_end(*known)
        self._move(standing, min(tsc, self.past.complete))
        self._standing = standing
        twin = copy(self.present)
        twin.since, twin.before, twin.journeys = standing.since, standing.before, standing.journeys
        twin.changed_at = start
        return twin

    def _known_between(self, tsc: int) -> Ended | None:
        """The changes around a moment, and the histograms of the wiring between them and of the one before it."""
        present = self.present
        wirings = [*present.ended, (present.changed_at, EVER, present.since, present.before)]
        return next((wiring for wiring in wirings if wiring[0] <= tsc < wiring[1]), None)

    def _from_the_end(self, start: int, end: int, since: Histograms, before: Histograms) -> Standing:
        """Everything that began under a wiring is counted."""
        return Standing(EVER, start, end, copied(since), copied(before), self.present.journeys)

    def _move(self, standing: Standing, tsc: int) -> None:
        """Counts what ended meanwhile, or takes it out again."""
        low, high = sorted((tsc, standing.tsc))
        if low == high:
            return
        sign = 1 if tsc > standing.tsc else -1
        standing.tsc = tsc
        high = min(high, self._counted_until)
        near = self.journeys.in_memory(max(low - self._reach, 0), high if high == EVER else high + self._reach)
        some = ended_between(near, low, high)
        standing.journeys += sign * some.size
        some = some[~np.isin(begin(some), self.present.left_out)]
        apart = ended_between(self._apart.window(max(low - self._reach, 0), high), low, high)
        for name in LATENCIES:
            self._count(standing, name, some, sign)
            if name in ONE_CLOCK and apart.size:
                self._count(standing, name, apart, sign)

    @property
    def _counted_until(self) -> int:
        """The present has no journey that ended later; those of a recording that is still played are known already."""
        return self.past.complete if self._played else EVER

    def _count(self, standing: Standing, name: str, some: Journeys, sign: int) -> None:
        some = some[is_counted(some, name)]
        began = begin(some)
        old = began < np.uint64(standing.start)
        inside = ~old & (began < np.uint64(standing.end))
        ns = self.present.clock.ns_array(cycles_of(some, name))
        for histogram, chosen in ((standing.since[name], inside), (standing.before[name], old)):
            if sign > 0:
                histogram.record(ns[chosen])
            else:
                histogram.remove(ns[chosen])


def copied(histograms: Histograms) -> Histograms:
    """The same, to be counted on by itself."""
    return {name: histogram.copy() for name, histogram in histograms.items()}


def ended_between(journeys: Journeys, low: int, high: int) -> Journeys:
    """Those that ended after `low`, and not after `high`."""
    ended = finish(journeys)
    found: Journeys = journeys[(ended > np.uint64(low)) & (ended <= np.uint64(high))]
    return found
