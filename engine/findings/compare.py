"""Two sets of latencies held against each other: what differs, and whether that can be chance.

The interval of a difference is a bootstrap percentile interval (Efron and Tibshirani, An Introduction to the Bootstrap,
1993, chapter 13), each journey taken as independent of the others. A resample's k-th smallest of n values is the
original's value at the share U, where U, the k-th smallest of n uniform numbers, follows Beta(k, n - k + 1). So each
resample of a percentile is one draw, exact for any number of journeys, and needs no more than the histogram.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bellwire.engine.errors import RecordingError
from bellwire.engine.folds.exit_split import Exits, ExitSplit
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.folds.latency import LATENCIES, Latencies

if TYPE_CHECKING:
    from bellwire.engine.recordings.recording import Recording

RESAMPLES = 10_000
LEVEL = 0.95
SEED = 1
COMPARED = {"p50": 50.0, "p99": 99.0}
TAIL = 10  # journeys that must lie beyond a percentile on both sides, or nothing is said about it

Draws = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Side:
    """One of the two: a run, or a part of one under one wiring."""

    label: str
    histograms: Mapping[str, Histogram]  # by name in LATENCIES
    exits: Exits
    host: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """What a percentile of B is more than that of A, ns, and the interval that holds it at the LEVEL."""

    a: int
    b: int
    low: float
    high: float
    enough: bool  # whether there are journeys enough to say anything

    @property
    def ns(self) -> int:
        """B - A."""
        return self.b - self.a

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.enough and not self.low <= 0 <= self.high

    @property
    def words(self) -> str:
        """What that means."""
        if not self.enough:
            return "too few journeys to say"
        if not self.significant:
            return "no significant difference"
        return "B is slower" if self.ns > 0 else "B is faster"


@dataclass(frozen=True)
class Comparison:
    """Both sides and, for each latency that both have, {"p50": Difference, "p99": Difference}."""

    a: Side
    b: Side
    differences: dict[str, dict[str, Difference]]

    @property
    def other_host(self) -> bool:
        """Whether the two were measured on different ones."""
        return other_host(self.a, self.b)


def other_host(a: Side, b: Side) -> bool:
    """Whether the two were measured on different machines, kernels or back ends."""
    return bool(a.host) and any(a.host.get(key) != b.host.get(key) for key in ("cpu", "kernel", "backend"))


def compare(a: Side, b: Side) -> Comparison:
    """Compares every latency that both sides have; the same two sides always give the same intervals."""
    both = [name for name in LATENCIES if name in a.histograms and name in b.histograms]
    both = [name for name in both if a.histograms[name].count and b.histograms[name].count]
    return Comparison(a, b, {name: differences(a.histograms[name], b.histograms[name]) for name in both})


def differences(a: Histogram, b: Histogram) -> dict[str, Difference]:
    """One latency's differences."""
    return {name: difference(a, b, percent) for name, percent in COMPARED.items()}


def difference(a: Histogram, b: Histogram, percent: float, resamples: int = RESAMPLES) -> Difference:
    """The difference of one percentile; both histograms have values."""
    random = np.random.default_rng(SEED)
    draws = resampled_percentiles(b, percent, resamples, random) - resampled_percentiles(a, percent, resamples, random)
    low, high = np.percentile(draws, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    enough = min(a.count, b.count) * min(percent, 100 - percent) / 100 >= TAIL
    return Difference(a.percentile(percent), b.percentile(percent), float(low), float(high), enough)


def resampled_percentiles(histogram: Histogram, percent: float, resamples: int, random: np.random.Generator) -> Draws:
    """A percentile in that many bootstrap resamples of the histogram's values; shape (resamples,), ns."""
    n = histogram.count
    k = min(max(math.ceil(percent / 100 * n - 1e-9), 1), n)
    return histogram.percentiles(100 * random.beta(k, n - k + 1, resamples))


# -- sides from recordings


def folded(recording: Recording, progress: Callable[[float], None] = lambda share: None) -> tuple[Latencies, ExitSplit]:
    """Folds a whole recording."""
    latencies, exits = (
        Latencies(recording.header.scenario, recording.header.clock),
        ExitSplit(recording.header.scenario),
    )
    done, all_ = 0, max(len(recording), 1)
    for events in recording.sorted_batches():
        latencies.feed(events)
        exits.feed(events)
        done += events.size
        progress(done / all_)
    return latencies, exits


def side_of(recording: Recording, label: str, progress: Callable[[float], None] = lambda share: None) -> Side:
    """A whole recording as one side."""
    latencies, exits = folded(recording, progress)
    return Side(label, latencies.histograms, exits.whole, recording.header.host)


def sides_at_switch(recording: Recording, progress: Callable[[float], None] = lambda share: None) -> tuple[Side, Side]:
    """Before and after the last change of the wiring; RecordingError if there was none."""
    latencies, exits = folded(recording, progress)
    if not exits.switched:
        raise RecordingError(f"{recording.path}: nothing was switched in it, so there is no before and after.")
    return split_sides(latencies, exits, recording.header.host)


def split_sides(latencies: Latencies, exits: ExitSplit, host: Mapping[str, str]) -> tuple[Side, Side]:
    """Before and after the last change of the wiring."""
    before = Side(f"before {exits.switched}", latencies.before, exits.before, host)
    return before, Side(f"after {exits.switched}", latencies.since, exits.since, host)
