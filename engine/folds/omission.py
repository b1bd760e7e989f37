"""Coordinated omission: the latencies of signals that a late answer has kept from being sent.

A guest that waits for an answer rings nothing meanwhile, so a stall of 20 ms at 1000 doorbells a second counts as one
slow journey where twenty were due. While the pace is known, HdrHistogram's correction adds what was left out, from the
interval that the pace expects (Histogram.corrected); but never more than were due and not sent, as a guest makes up
for a short delay. Flat out and by hand nothing is expected, and nothing corrected. Nor is it where nobody waits for
answers: whatever a stall delays there is sent all the same, and in the figures already.
"""

from __future__ import annotations

import math
from typing import Self

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Clock, EventKind, Events, Setting, by_kind, pace_told
from bellwire.engine.folds.histogram import Binned, Histogram, binned

PACES_KEPT = 16  # changes of the pace before the newest batch: a journey under way began at most so many ago
INTERVALS_KEPT = 8  # histograms of different intervals; the oldest are corrected for good

Numbers = npt.NDArray[np.int64]
Due = npt.NDArray[np.float64]


class ExpectedInterval:
    """A fold over SETTING events: how long after a signal the next one was due, at any recent time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._pace, self._running = 0.0, True
        self._from = np.zeros(1, np.uint64)  # TSC, rising
        self._intervals = np.zeros(1, np.int64)  # ns from then on; 0: none is expected
        self._burst = 1
        self._bursts = np.ones(1, np.int64)  # signals in each interval

    @property
    def now(self) -> int:
        """The interval of the newest pace, ns; 0: none."""
        return int(self._intervals[-1])

    def feed(self, events: Events) -> None:
        """Takes note of all changes of the pace in the batch, however many: its journeys began anywhere in it."""
        changes = [(int(self._from[-1]), self.now, int(self._bursts[-1]))]
        for setting in by_kind(events).of(EventKind.SETTING):
            if setting["id"] == Setting.PACE:
                self._pace = pace_told(int(setting["seq"]), int(setting["arg"]))
            elif setting["id"] == Setting.RUNNING:
                self._running = bool(setting["arg"])
            elif setting["id"] == Setting.BURST:
                self._burst = max(1, int(setting["arg"]))
            if (self._interval(), self._burst) != changes[-1][1:]:
                changes.append((int(setting["tsc"]), self._interval(), self._burst))
        since, intervals, bursts = zip(*changes[1:], strict=True) if changes[1:] else ((), (), ())
        self._from = np.append(self._from[-PACES_KEPT:], np.array(since, np.uint64))
        self._intervals = np.append(self._intervals[-PACES_KEPT:], np.array(intervals, np.int64))
        self._bursts = np.append(self._bursts[-PACES_KEPT:], np.array(bursts, np.int64))

    def _interval(self) -> int:
        """Of a tick: each signal of a burst has its like in the next burst."""
        paced = self._running and 0 < self._pace < math.inf
        return max(1, round(1e9 / self._pace)) if paced else 0

    def at(self, tsc: npt.NDArray[np.uint64]) -> Numbers:
        """The interval at each time (shape (n,)), ns; 0: none was expected, or it was too long ago."""
        since = np.searchsorted(self._from, tsc, "right")
        known: Numbers = np.concatenate([np.zeros(1, np.int64), self._intervals])[since]
        return known

    def due(self, tsc: npt.NDArray[np.uint64], working: Due, before: tuple[int, float] | None) -> Due:
        """How many signals were due at each time, since the one before it; all of shape (n,), rising.

        working: the same times by a clock that stands still with the program; before: both of the signal before the
        first. None was due while there was another pace, or none: the first one of a pace is the only one due by then.
        """
        tsc_before, working_before = before or (0, working[0])
        since = np.searchsorted(self._from, np.append(np.uint64(tsc_before), tsc), "right")
        bursts = np.concatenate([np.ones(1, np.int64), self._bursts])[since[1:]]
        passed = np.diff(np.append(working_before, working))
        intervals = self.at(tsc)
        changed = since[1:] != since[:-1]
        changed[0] |= before is None
        due: Due = np.maximum(passed, 0) * (1e9 / self.clock.hz) * bursts / np.maximum(intervals, 1)
        return np.where(changed, 1.0, due)


class Paced:
    """The latencies of signals with an expected interval, kept as they are and corrected when somebody asks."""

    def __init__(self) -> None:
        self._settled = Histogram()  # already corrected
        self._raw: dict[int, Histogram] = {}  # by interval; insertion order is age
        self._due: dict[int, float] = {}  # signals that were due at each interval
        self._known: tuple[int, Histogram] = (0, Histogram())
        self.shortest = self.longest = 0  # intervals seen, ns; 0: none
        self.count = 0  # latencies, before anything is added

    def record(self, values: npt.NDArray[np.float64], intervals: Numbers, due: Due) -> None:
        """Adds latencies (ns), the interval at which each was due, and how many were since the one before.

        All of shape (n,); those whose interval is 0 stay out.
        """
        self.add(binned(values), intervals, due)

    def add(self, values: Binned, intervals: Numbers, due: Due) -> None:
        """The same of latencies whose bins are known."""
        for interval in sorted(set(intervals[intervals > 0].tolist())):
            chosen = intervals == interval
            self._of(interval).add(values.where(chosen))
            self._due[interval] += float(due[chosen].sum())
            self.count += int(chosen.sum())

    def merge(self, other: Paced) -> None:
        """Adds everything that `other` has."""
        self._settled.merge(other._settled)
        for interval, histogram in other._raw.items():
            self._of(interval).merge(histogram)
            self._due[interval] += other._due[interval]
        self._see(other.shortest)
        self._see(other.longest)
        self.count += other.count

    def copy(self) -> Self:
        """An independent one with the same latencies."""
        twin = type(self)()
        twin.merge(self)
        return twin

    @property
    def corrected(self) -> Histogram:
        """All of them, corrected for coordinated omission. Not to be changed."""
        if self._known[0] != self.count:
            whole = self._settled.copy()
            for interval, histogram in self._raw.items():
                whole.merge(histogram.corrected(interval, int(self._due[interval])))
            self._known = self.count, whole
        return self._known[1]

    def _of(self, interval: int) -> Histogram:
        """The histogram of an interval; there are never more than INTERVALS_KEPT."""
        self._see(interval)
        if interval not in self._raw:
            self._raw[interval], self._due[interval] = Histogram(), 0.0
        while len(self._raw) > INTERVALS_KEPT:
            oldest = next(iter(self._raw))
            self._settled.merge(self._raw.pop(oldest).corrected(oldest, int(self._due.pop(oldest))))
        return self._raw[interval]

    def _see(self, interval: int) -> None:
        if interval:
            self.shortest = min(self.shortest or interval, interval)
            self.longest = max(self.longest, interval)
