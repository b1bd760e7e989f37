"""How the events of a recording are spread over its time, as far as its batches say without being read."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bellwire.engine.recordings.recording import Entries


class Spread:
    """Within a batch the events are taken to be spread evenly; batches may overlap. Times are TSC."""

    def __init__(self, entries: Entries) -> None:
        self._origin = int(entries["first"].min()) if entries.size else 0
        first = (entries["first"] - np.uint64(self._origin)).astype(np.float64)
        last = (entries["last"] - np.uint64(self._origin)).astype(np.float64)
        rate = entries["events"] / (last - first + 1)
        # The number of events before a time rises in straight lines, bent where a batch begins and where one ends.
        at, slope = np.concatenate([first, last + 1]), np.concatenate([rate, -rate])
        order = np.argsort(at, kind="stable")
        self._times = at[order]
        rates = np.maximum(np.cumsum(slope[order])[:-1], 0)
        risen = np.cumsum(rates * np.diff(self._times))
        self._numbers = np.concatenate([np.zeros(min(at.size, 1)), risen])

    def before(self, tsc: int) -> float:
        """How many events lie before a time, about."""
        return float(np.interp(float(tsc - self._origin), self._times, self._numbers)) if self._times.size else 0.0

    def between(self, t0: int, t1: int) -> float:
        """How many lie between two times (both included), about."""
        return self.before(t1 + 1) - self.before(t0)

    def away(self, tsc: int, events: int) -> int:
        """The time from which on, or until which, so many more have come than at `tsc`; fewer: negative.

        Where there are not so many, just outside of all there are.
        """
        if not self._times.size:
            return tsc
        number = self.before(tsc) + events
        if number >= self._numbers[-1]:
            return max(tsc, self._origin + int(self._times[-1]))
        if number <= 0:
            return min(tsc, self._origin)
        return self._origin + int(np.interp(number, self._numbers, self._times))

    def pieces(self, t0: int, t1: int, events: int) -> list[tuple[int, int]]:
        """t0 to t1, cut into stretches of about so many events, in order; of each the end is not part."""
        count = max(1, int(self.between(t0, t1 - 1) // events))
        inner = [self.away(t0, number * events) for number in range(1, count)]
        edges = sorted({t0, t1, *(edge for edge in inner if t0 < edge < t1)})
        return list(pairwise(edges))
