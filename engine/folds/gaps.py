"""Where a stream has gaps: from when to when events were lost, which lane lost them, and how many.

What was lost can have been anything; so nobody knows what happened in a gap, only what was seen of it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Clock, EventKind, Events, Lane, by_kind

MOST_LANES = 1 << 8  # that an event can name
MOST = 1 << 12  # gaps told apart; beyond, the two oldest neighbours become one
Times = npt.NDArray[np.int64]
END = attrgetter("end")
TICK_SECONDS = 0.01  # a stream that does not say since when: what came so shortly before the word may be of afterwards


@dataclass(frozen=True)
class Gap:
    """`count` events of `lane` were lost, or passed over, after `start` and until `end` (TSC)."""

    start: int
    end: int
    lane: Lane
    count: int
    sorted: bool = False  # whether it is told of which sort they were: then they are counted all the same


class Gaps:
    """A fold over events: `found` is rising by `end`."""

    def __init__(self, clock: Clock) -> None:
        self.found: list[Gap] = []
        self._tick = clock.cycles(TICK_SECONDS)
        self._table: tuple[Times, Times] | None = None  # see _by_end
        self._newest: dict[int, int] = {}  # by lane: TSC of its newest event of batches before

    def feed(self, events: Events) -> None:
        """Adds the next batch (shape (n,), sorted by tsc)."""
        for lost in by_kind(events).of(EventKind.LOST):
            lane, end = Lane(int(lost["id"])), int(lost["tsc"])
            start = int(lost["seq"]) or self._since(events, lane, end)
            self.add(Gap(min(start, end), end, lane, int(lost["arg"])))
        if by_kind(events).counts[EventKind.PASSED_OVER]:
            self._add_passed_over(events)
        newest = np.full(MOST_LANES, -1)
        newest[events["lane"]] = np.arange(events.size)  # of several the last one stays
        for lane in Lane:
            if newest[lane] >= 0:
                self._newest[lane] = int(events["tsc"][newest[lane]])

    def _add_passed_over(self, events: Events) -> None:
        """Nothing that was passed over came before the event before it in the stream."""
        for at in np.flatnonzero(events["kind"] == EventKind.PASSED_OVER).tolist():
            told, sort = events[at], int(events["seq"][at])
            start = int(events["tsc"][at - 1]) if at else max(self._newest.values(), default=0)
            end = int(told["tsc"])
            self.add(Gap(min(start, end), end, Lane(sort >> 16 & 0xFF), int(told["arg"]), sorted=True))

    def add(self, gap: Gap) -> None:
        """One more; it may end before others."""
        insort(self.found, gap, key=END)
        self._table = None
        if len(self.found) > MOST:
            first, second = self.found[:2]
            joined = Gap(
                min(first.start, second.start),
                second.end,
                second.lane,
                first.count + second.count,
                first.sorted and second.sorted,
            )
            self.found[:2] = [joined]

    def touch(self, starts: Times, ends: Times) -> npt.NDArray[np.bool_]:
        """Which of some stretches of time (from, to; shape (n,)) have a gap in them that nobody has counted."""
        first, last = self._by_end()
        return np.asarray(first[np.searchsorted(last, starts)] < ends)

    def _by_end(self) -> tuple[Times, Times]:
        """The earliest start of each gap and all that end after it, and at last of none; and their ends."""
        if self._table is None:
            spans = np.array([(gap.start, gap.end) for gap in self.found if not gap.sorted], np.int64).reshape(-1, 2)
            first = np.append(np.minimum.accumulate(spans[::-1, 0])[::-1], np.iinfo(np.int64).max)
            self._table = first, spans[:, 1]
        return self._table

    def _since(self, events: Events, lane: Lane, end: int) -> int:
        """The newest event of the lane that certainly came before the loss; 0 if there is none."""
        before = events["tsc"][(events["lane"] == lane) & (events["tsc"] < np.uint64(max(end - self._tick, 0)))]
        known = self._newest.get(lane, 0)
        return int(before[-1]) if before.size else known if known < end - self._tick else 0

    def within(self, t0: int, t1: int) -> list[Gap]:
        """Those that lie, in whole or in part, between t0 and t1."""
        return [gap for gap in self.found[bisect_left(self.found, t0, key=END) :] if gap.start < t1]
