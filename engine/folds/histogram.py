"""A latency histogram with three significant digits, in bounded memory, whatever the range.

Bins are log-linear and those of HdrHistogram for three digits: below 2048 every integer has a bin of its own; above,
each doubling of the value has 1024 bins. So a bin is never wider than 1/1024 of the values in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

HALF_BITS = 10  # a doubling has 2**10 bins: three significant digits
HIGHEST = 2**40 - 1  # ns, 18 minutes; what is longer counts in the last bin (the maximum stays exact)
BINS = (40 - HALF_BITS + 1) << HALF_BITS
AT_ONCE = 64  # bins that are corrected together: bounds the memory that it takes

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9, "p9999": 99.99}

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Binned:
    """Values, looked up once for everybody who counts them: whole ns from 0 on, and the bin of each; shape (n,)."""

    ns: Numbers
    bins: Numbers

    @cached_property
    def counts(self) -> tuple[int, Numbers]:
        """The first bin that has one of the values, and how many each has from there on; there must be a value."""
        first = int(self.bins.min())
        return first, np.bincount(self.bins - first)

    @cached_property
    def range(self) -> tuple[int, int]:
        """The smallest and the largest value."""
        return int(self.ns.min()), int(self.ns.max())

    def where(self, which: npt.NDArray[np.bool_]) -> Binned:
        """Some of them, by a mask of shape (n,)."""
        return Binned(self.ns[which], self.bins[which])


class Histogram:
    """Counts of integers >= 0 (latencies in ns); quarter of a megabyte, whatever it has seen."""

    def __init__(self) -> None:
        self.counts: Numbers = np.zeros(BINS, np.int64)
        self.count = 0
        self._min = HIGHEST
        self._max = 0
        self._first, self._end = BINS, 0  # the bins before and from there on are empty
        self._below: Numbers | None = None  # what `_below_edges` yields, until something changes

    def record(self, values: npt.ArrayLike) -> None:
        """Adds `values` (shape (n,), ns; fractions are rounded, negatives count as 0)."""
        self.add(binned(values))

    def add(self, values: Binned) -> None:
        """The same of values whose bins are known."""
        if not values.ns.size:
            return
        (first, added), (smallest, largest) = values.counts, values.range
        self.counts[first : first + added.size] += added
        self._use(first, first + added.size)
        self.count += values.ns.size
        self._min, self._max = min(self._min, smallest), max(self._max, largest)

    def _use(self, first: int, end: int) -> None:
        """Something was counted, in these bins at most."""
        self._first, self._end, self._below = min(self._first, first), max(self._end, end), None

    @property
    def _below_edges(self) -> Numbers:
        """How many values lie below each edge of the bins from `_first` to `_end`; shape (_end - _first + 1,)."""
        if self._below is None:
            self._below = np.concatenate([[0], np.cumsum(self.counts[self._first : self._end])])
        return self._below

    def remove(self, values: npt.ArrayLike) -> None:
        """Takes out values that were recorded; of what is left, `min` and `max` are within 0.1 %."""
        numbers = whole(values)
        if not numbers.size:
            return
        gone, self._below = np.bincount(bin_of(numbers)), None
        self.counts[: gone.size] -= gone
        self.count -= numbers.size
        left = np.flatnonzero(self.counts)
        if left.size:
            self._min = max(self._min, int(bottom_of(left[:1])[0]))
            self._max = min(self._max, int(top_of(left[-1:])[0]))
        else:
            self._min, self._max = HIGHEST, 0

    def merge(self, other: Histogram) -> None:
        """Adds everything that `other` has counted."""
        self.counts += other.counts
        self.count += other.count
        self._min = min(self._min, other._min)
        self._max = max(self._max, other._max)
        self._use(other._first, other._end)

    def copy(self) -> Self:
        """An independent histogram of the same values."""
        twin = type(self)()
        twin.merge(self)
        return twin

    @property
    def min(self) -> int:
        """The smallest value, exactly; 0 if there is none."""
        return self._min if self.count else 0

    @property
    def max(self) -> int:
        """The largest value, exactly; 0 if there is none."""
        return self._max

    @property
    def mean(self) -> float:
        """The mean of the bins' middles, as HdrHistogram has it, within 0.05 %; 0 if there is none."""
        if not self.count:
            return 0.0
        bins = np.flatnonzero(self.counts)
        return float(bin_middles(bins) @ self.counts[bins]) / self.count

    @property
    def stddev(self) -> float:
        """The standard deviation of the bins' middles, as HdrHistogram has it; 0 if there is none."""
        if not self.count:
            return 0.0
        bins = np.flatnonzero(self.counts)
        return float(np.sqrt((bin_middles(bins) - self.mean) ** 2 @ self.counts[bins] / self.count))

    def percentile(self, percent: float) -> int:
        """The value that `percent` of the values do not exceed, within 0.1 %; 0 if there is none."""
        return int(self.percentiles([percent])[0])

    def known_percentile(self, percent: float) -> int | None:
        """The same; None if no value lies beyond it, so that it could be anything from there on."""
        return self.percentile(percent) if self.count * (100 - percent) >= 100 - 1e-6 else None

    def percentiles(self, percents: npt.ArrayLike) -> Numbers:
        """The value at each of `percents` (shape (n,), 0..100); as HdrHistogram, the top of the bin it falls in."""
        wanted = np.asarray(percents, np.float64)
        if not self.count:
            return np.zeros(wanted.shape, np.int64)
        ranks = np.clip(np.ceil(wanted / 100 * self.count - 1e-9), 1, self.count)
        bins = self._first - 1 + np.searchsorted(self._below_edges, ranks)
        return np.clip(top_of(bins), self.min, self.max)

    def summary(self) -> dict[str, int | None]:
        """{count, min, p50, p90, p99, p999, p9999, max, mean, stddev}; whole ns but for the count.

        None: a percentile that no value lies beyond; of no values everything but the count.
        """
        if not self.count:
            return {"count": 0} | dict.fromkeys(("min", *PERCENTILES, "max", "mean", "stddev"))
        named = {name: self.known_percentile(percent) for name, percent in PERCENTILES.items()}
        spread = {"mean": round(self.mean), "stddev": round(self.stddev)}
        return {"count": self.count, "min": self.min, **named, "max": self.max, **spread}

    def corrected(self, interval: int, most: int | None = None) -> Histogram:
        """A copy corrected for coordinated omission: a signal was due every `interval` (ns, at least 1).

        most: of the values that it may have then; what is beyond is taken from what was added, evenly.

        As HdrHistogram does it: whoever waited for v has kept others from being sent, which would have waited for
        v - interval, v - 2 interval ... as long as that is at least the interval. `min` and `max` stay.
        """
        twin, added = self.copy(), np.zeros(BINS, np.int64)
        bins = np.flatnonzero(self.counts)
        bins = bins[bottom_of(bins) >= 2 * interval]
        for part in np.array_split(bins, -(-bins.size // AT_ONCE)) if bins.size else ():
            added += omitted(bottom_of(part), self.counts[part], interval)
        twin.counts += added if most is None else at_most(added, max(0, most - self.count))
        twin.count = int(twin.counts.sum())
        twin._use(int(bin_of(whole([interval]))[0]), 0)
        return twin

    def density(self, edges: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """How many values lie between neighbours of `edges` (shape (n,), ns, rising); shape (n - 1,).

        A bin that straddles an edge is shared out in proportion, so that a curve over any edges is smooth.
        """
        if not self.count:
            return np.zeros(max(np.size(edges) - 1, 0))
        used = EDGES[self._first : self._end + 1]
        return np.diff(np.interp(np.asarray(edges, np.float64), used, self._below_edges))


def whole(values: npt.ArrayLike) -> Numbers:
    """Whole numbers from 0 on; same shape."""
    return np.maximum(np.rint(np.asarray(values, np.float64)), 0).astype(np.int64)


def binned(values: npt.ArrayLike) -> Binned:
    """Values (shape (n,), ns; fractions are rounded, negatives count as 0) with the bin of each."""
    ns = whole(values)
    return Binned(ns, bin_of(ns))


def bin_of(values: Numbers) -> Numbers:
    """The bin of each value >= 0; same shape."""
    clipped = np.minimum(values, HIGHEST)
    octave = np.maximum(np.frexp(clipped.astype(np.float64))[1].astype(np.int64) - HALF_BITS - 1, 0)
    return (octave << HALF_BITS) + (clipped >> octave)


def bottom_of(bins: Numbers) -> Numbers:
    """The smallest value of each bin; same shape."""
    octave = np.maximum((bins >> HALF_BITS) - 1, 0)
    bottom: Numbers = (bins - (octave << HALF_BITS)) << octave
    return bottom


def top_of(bins: Numbers) -> Numbers:
    """The largest value of each bin; same shape."""
    return bottom_of(bins + 1) - 1


def bin_middles(bins: Numbers) -> npt.NDArray[np.float64]:
    """The middle of each bin as HdrHistogram has it, half a bin above its smallest value; same shape."""
    return (bottom_of(bins) + (bottom_of(bins + 1) - bottom_of(bins)) // 2).astype(np.float64)


def omitted(values: Numbers, counts: Numbers, interval: int) -> Numbers:
    """How many v - interval, v - 2 interval ... >= interval lie in each bin, of `counts` times each of `values`.

    values (rising) and counts of shape (n,); shape (BINS,). Never costs more than n x BINS, whatever the interval.
    """
    steps, last = values // interval - 1, int(bin_of(values[-1:])[0])
    added = np.zeros(BINS, np.int64)
    if steps.sum() < values.size * last // 8:  # one by one
        step = np.arange(steps.sum()) - np.repeat(np.cumsum(steps) - steps, steps) + 1
        bins = bin_of(np.repeat(values, steps) - step * interval)
        np.add.at(added, bins, np.repeat(counts, steps))
    else:  # from how many are not below each edge
        edges = np.maximum(bottom_of(np.arange(last + 2)), interval)
        added[: last + 1] = -np.diff(counts @ np.maximum((values[:, None] - edges) // interval, 0))
    return added


def at_most(counts: Numbers, most: int) -> Numbers:
    """So many of the values at most, of every size the same share; shape (BINS,), as counts."""
    total = int(counts.sum())
    if total <= most:
        return counts
    return np.diff(np.cumsum(counts) * most // total, prepend=0)


EDGES = bottom_of(np.arange(BINS + 1)).astype(np.float64)
