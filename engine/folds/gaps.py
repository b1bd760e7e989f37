"""Where a stream has gaps: from when to when events were lost, which lane lost them, and how many.

What was lost can have been anything; so nobody knows what happened in a gap, only what was seen of it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from bellwire.engine.events import Clock, EventKind, Events, Lane

MOST = 10_000  # gaps told apart; beyond, the two oldest neighbours become one
END = attrgetter("end")
TICK_SECONDS = 0.01  # a stream that does not say since when: what came so shortly before the word may be of afterwards


@dataclass(frozen=True)
class Gap:
    """`count` events of `lane` were lost after `start` and until `end` (TSC)."""

    start: int
    end: int
    lane: Lane
    count: int


class Gaps:
    """A fold over events: `found` is rising by `end`."""

    def __init__(self, clock: Clock) -> None:
        self.found: list[Gap] = []
        self._tick = clock.cycles(TICK_SECONDS)
        self._newest: dict[int, int] = {}  # by lane: TSC of its newest event of batches before

    def feed(self, events: Events) -> None:
        """Adds the next batch (shape (n,), sorted by tsc)."""
        for lost in events[events["kind"] == EventKind.LOST]:
            lane, end = Lane(int(lost["id"])), int(lost["tsc"])
            start = int(lost["seq"]) or self._since(events, lane, end)
            self.add(Gap(min(start, end), end, lane, int(lost["arg"])))
        lanes = np.ascontiguousarray(events["lane"])
        for lane in Lane:
            of_lane = np.flatnonzero(lanes == lane)
            if of_lane.size:
                self._newest[lane] = int(events["tsc"][of_lane[-1]])

    def add(self, gap: Gap) -> None:
        """One more; it may end before others."""
        insort(self.found, gap, key=END)
        if len(self.found) > MOST:
            first, second = self.found[:2]
            joined = Gap(min(first.start, second.start), second.end, second.lane, first.count + second.count)
            self.found[:2] = [joined]

    def _since(self, events: Events, lane: Lane, end: int) -> int:
        """The newest event of the lane that certainly came before the loss; 0 if there is none."""
        before = events["tsc"][(events["lane"] == lane) & (events["tsc"] < np.uint64(max(end - self._tick, 0)))]
        known = self._newest.get(lane, 0)
        return int(before[-1]) if before.size else known if known < end - self._tick else 0

    def within(self, t0: int, t1: int) -> list[Gap]:
        """Those that lie, in whole or in part, between t0 and t1."""
        return [gap for gap in self.found[bisect_left(self.found, t0, key=END) :] if gap.start < t1]
