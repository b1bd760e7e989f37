"""Two sets of latencies held against each other: what differs, and whether that can be chance.

The values of a run are not independent of each other, and two runs of the same are never quite alike, so an interval
that took every journey for itself would find a difference between most equal runs. Here the run is cut into 3, 6, 12,
24 and 48 stretches. Of each stretch the share of values up to the percentile is known, and how the shares scatter gives
an interval of the share (Student's t) and so of the percentile (Woodruff, Confidence Intervals for Medians and Other
Position Measures, 1952). The widest of the five and of the moving-block bootstrap counts: few stretches see slow
changes, many are sure of fast ones. What a side drifts by itself, from its earlier to its later half, is told beside,
and no difference is claimed that is not more than twice that: what follows one another is twice as far apart as the
halves of either. Of separate runs
what they always differ by is added, which no single run can show: the more, the shorter they are (between_runs). The
difference's interval is put together from those of both sides (Zou and Donner, Construction of confidence limits about
effect measures, 2008).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bellwire.engine.errors import RecordingError
from bellwire.engine.events import EventKind, Lane, Setting, by_kind
from bellwire.engine.folds.blocks import Blocks
from bellwire.engine.folds.exit_split import Exits, ExitSplit
from bellwire.engine.folds.histogram import Histogram, bin_of, top_of
from bellwire.engine.folds.latency import LATENCIES, Latencies
from bellwire.engine.language import tr, tr_later

if TYPE_CHECKING:
    from bellwire.engine.recordings.recording import Recording

LEVEL = 0.95
STRETCHES = {3: 4.303, 6: 2.571, 12: 2.201, 24: 2.069, 48: 2.012}  # and Student's t of the LEVEL, one degree fewer
BETWEEN_RUNS = 0.1  # of the value: so much equal runs on one machine differ beyond what each of them shows,
WITHIN_A_SECOND = 0.1  # and so much more those of a second, which see one mood of the machine and not the next,
AT_MOST_MORE = 0.3  # those of a moment so much
COMPARED = {"p50": 50.0, "p99": 99.0}
LEAST_RESAMPLED, RESAMPLES = 24, 400  # blocks of which a run is drawn anew, and how often
HOST = "cpu", "kernel", "backend"  # what makes a host the same
TAIL = 10  # journeys that must lie beyond a percentile on both sides, or nothing is said about it

Values = tuple[Histogram, Blocks]  # the same values, for themselves and in the order of time
TOO_FEW = tr_later("too few journeys to say")
DRIFTING = tr_later("no more than one side drifts by itself")
TOO_ALIKE = tr_later("too few journeys that are independent of each other to say")
OTHER_END = tr_later("not the same: one ends as its reader wakes, the other in the handler that it interrupts")


@dataclass(frozen=True)
class Side:
    """One of the two: a run, or a part of one under one wiring. watched: the inside of the kernel, for some time.

    seconds: how long it took. hz: TSC cycles a second of its clock. missing: what is missing from its file, as a
    sentence. dropped: events that were lost as the file was recorded. untold: how often it has each latency that its
    clocks, or its emulated CPU, do not let be told. direct: its doorbells end in the handler that they interrupt, as
    nobody reads them. wirings: how many its figures are of, together.
    """

    label: str
    histograms: Mapping[str, Histogram]  # by name in LATENCIES
    blocks: Mapping[str, Blocks]  # the same in the order of time
    exits: Exits
    host: Mapping[str, str] = field(default_factory=dict)
    watched: bool = False
    seconds: float = math.inf
    hz: float = 0.0
    missing: str = ""
    dropped: int = 0
    untold: Mapping[str, int] = field(default_factory=dict)
    direct: bool = False
    wirings: int = 1

    @property
    def no_journey(self) -> bool:
        """Whether it has no latency, be it one that cannot be told."""
        return not any(histogram.count for histogram in self.histograms.values()) and not self.untold


@dataclass(frozen=True)
class Difference:
    """What a percentile of B is more than that of A, ns, and the interval that holds it at the LEVEL.

    drift: what each side's own later half is more than its earlier one, ns; None: too few values to say. A difference
    that is no more than twice that may be the drift, and is not claimed.
    low, high: −inf and inf where nothing bounds it. unsaid: why nothing can be said, "" if it can.
    """

    a: int
    b: int
    low: float
    high: float
    unsaid: str = ""
    drift: tuple[int | None, int | None] = (None, None)

    @property
    def drifting(self) -> bool:
        """Whether a side by itself drifts by as much as the two differ, were it to go on: the middles of two runs that
        follow one another are twice as far apart as those of the halves of one."""
        return any(own is not None and 2 * abs(own) >= abs(self.ns) for own in self.drift)

    @property
    def enough(self) -> bool:
        """Whether there are journeys enough to say anything."""
        return not self.unsaid

    @property
    def ns(self) -> int:
        """B - A."""
        return self.b - self.a

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out 0, and the difference is more than either side drifts by itself."""
        return self.apart and not self.drifting

    @property
    def apart(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.enough and not self.low <= 0 <= self.high

    @property
    def words(self) -> str:
        """What that means."""
        if not self.enough:
            return tr(self.unsaid)
        if self.apart and self.drifting:
            return tr(DRIFTING)
        if not self.significant:
            return tr("no significant difference")
        return tr("B is slower") if self.ns > 0 else tr("B is faster")


@dataclass(frozen=True)
class Comparison:
    """Both sides and, for each latency that both have, {"p50": Difference, "p99": Difference}."""

    a: Side
    b: Side
    differences: dict[str, dict[str, Difference]]
    between_runs: float  # what separate runs always differ by, of the value; 0 of parts of one run

    @property
    def other_host(self) -> bool:
        """Whether the two were measured on different ones."""
        return other_host(self.a, self.b)


def other_host(a: Side, b: Side) -> bool:
    """Whether the two were, as far as is known, measured on different machines, kernels or back ends."""
    return any(a.host[key] != b.host[key] for key in HOST if key in a.host and key in b.host)


def same_host(a: Side, b: Side) -> bool | None:
    """Whether they were measured on one machine, kernel and back end; None if that is not known."""
    if other_host(a, b):
        return False
    return True if all(key in side.host for key in HOST for side in (a, b)) else None


def watched_alone(a: Side, b: Side) -> str:
    """Of which side alone the inside of the kernel was watched, "A" or "B"; "" if of both or of none."""
    return "" if a.watched == b.watched else "A" if a.watched else "B"


def between_runs(a: Side, b: Side) -> float:
    """What equal runs on one machine differ by beyond what each of them shows, of the value.

    A machine has moods that last about a second: how busy it is, on which CPUs the threads are. A run of many seconds
    has seen several, and its stretches show it; of a short one all of it may be one. Measured by pairs of equal runs of
    0.1 to 10 s of fourteen scenarios, on a machine that had other things to do.
    """
    return BETWEEN_RUNS + min(WITHIN_A_SECOND / max(min(a.seconds, b.seconds), 1e-3), AT_MOST_MORE)


def compare(a: Side, b: Side, separate: bool = True) -> Comparison:
    """Compares every latency that both sides have; separate: they are two runs, not two parts of one."""
    both = [name for name in LATENCIES if name in a.histograms and name in b.histograms]
    both = [name for name in both if a.histograms[name].count and b.histograms[name].count]
    between = between_runs(a, b) if separate else 0.0
    return Comparison(a, b, {name: differences(a, b, name, between) for name in both}, between)


def differences(a: Side, b: Side, latency: str, between: float) -> dict[str, Difference]:
    """One latency's differences; both have it. between: as Comparison.between_runs."""
    one, other = ((side.histograms[latency], side.blocks[latency]) for side in (a, b))
    found = {name: difference(one, other, percent, between) for name, percent in COMPARED.items()}
    if latency == "doorbell" and a.direct != b.direct:
        return {name: replace(each, unsaid=OTHER_END) for name, each in found.items()}
    return found


def difference(a: Values, b: Values, percent: float, between: float = BETWEEN_RUNS) -> Difference:
    """The difference of one percentile; both have values. between: as Comparison.between_runs."""
    few = min(a[0].count, b[0].count) * min(percent, 100 - percent) / 100 < TAIL
    (one, one_low, one_high), (other, other_low, other_high) = (interval_of(*side, percent) for side in (a, b))
    apart = between * math.hypot(one, other)
    low = other - one - math.hypot(other - other_low, one_high - one, apart)
    high = other - one + math.hypot(other_high - other, one - one_low, apart)
    unsaid = TOO_FEW if few else TOO_ALIKE if math.isinf(high - low) else ""
    return Difference(one, other, low, high, unsaid, (drift_of(a[1], percent), drift_of(b[1], percent)))


def drift_of(blocks: Blocks, percent: float) -> int | None:
    """What a percentile of the later half is more than that of the earlier one, ns; None of too few values."""
    halves = blocks.halves()
    if halves is None or min(int(half.sum()) for half in halves) * min(percent, 100 - percent) / 100 < TAIL:
        return None
    early, late = (int(top_of(np.searchsorted(np.cumsum(half), half.sum() * percent / 100))) for half in halves)
    return late - early


def interval_of(histogram: Histogram, blocks: Blocks, percent: float) -> tuple[int, float, float]:
    """A percentile (ns) and the interval that holds it at the LEVEL; inf where nothing bounds it."""
    value = histogram.percentile(percent)
    off = 100 * uncertainty(blocks, int(bin_of(np.array([value]))[0]))
    low = float(histogram.percentile(percent - off)) if percent - off > 0 else -math.inf
    high = float(histogram.percentile(percent + off)) if percent + off < 100 else math.inf
    return value, min(low, value), max(high, value)


def uncertainty(blocks: Blocks, upto: int) -> float:
    """How far the share of values in bins up to `upto` may be off, at the LEVEL; inf if there are too few values."""
    found = [t * standard_error(blocks.shares(upto, stretches)) for stretches, t in STRETCHES.items()]
    found.append(resampled_error(blocks.shares(upto, blocks.number)))
    return max((off for off in found if not math.isnan(off)), default=math.inf)


def standard_error(shares: npt.NDArray[np.float64]) -> float:
    """Of their mean; nan of none."""
    return float(shares.std(ddof=1) / math.sqrt(shares.size)) if shares.size else math.nan


def resampled_error(shares: npt.NDArray[np.float64]) -> float:
    """How far their mean may be off at the LEVEL, by the moving-block bootstrap; nan of too few.

    Neighbours are drawn together, so that what they have in common stays (Künsch, The Jackknife and the Bootstrap for
    General Stationary Observations, 1989). The same shares give the same answer.
    """
    if shares.size < LEAST_RESAMPLED:
        return math.nan
    together = round(2 * shares.size ** (1 / 3))
    means = np.lib.stride_tricks.sliding_window_view(shares, together).mean(axis=1)
    drawn = np.random.default_rng(0).integers(0, means.size, (RESAMPLES, -(-shares.size // together)))
    ends = np.quantile(means[drawn].mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(np.abs(ends - shares.mean()).max())


# -- sides from recordings


class Folded:
    """A whole recording, read once."""

    def __init__(self, recording: Recording, progress: Callable[[float], None] = lambda share: None) -> None:
        header = recording.header
        self.latencies = Latencies(header.scenario, header.clock, header.backend)
        self.exits = ExitSplit(recording.header.scenario)
        self.dropped = 0
        for events in recording.sorted_batches(progress):
            self.latencies.feed(events)
            self.exits.feed(events)
            losses = by_kind(events).of(EventKind.LOST)
            self.dropped += int(losses["arg"][losses["id"] != Lane.ENGINE].sum())  # those are said to be damaged


def side_of(recording: Recording, label: str, progress: Callable[[float], None] = lambda share: None) -> Side:
    """A whole recording as one side."""
    folded = Folded(recording, progress)
    latencies = folded.latencies
    watched = any(name == Setting.KERNEL.name and value for _, name, value in recording.outline().settings)
    return Side(
        label,
        told(latencies, latencies.histograms),
        latencies.blocks,
        folded.exits.whole,
        recording.header.host,
        watched,
        recording.seconds,
        hz=latencies.clock.hz,
        missing=recording.warning,
        dropped=folded.dropped,
        untold=untold(latencies, latencies.histograms),
        direct=recording.header.scenario.direct,
        wirings=folded.exits.wirings,
    )


def sides_at_switch(recording: Recording, progress: Callable[[float], None] = lambda share: None) -> tuple[Side, Side]:
    """Before and after the last change of the wiring; RecordingError if there was none."""
    folded = Folded(recording, progress)
    if not folded.exits.switched:
        raise RecordingError(
            tr("{path}: nothing was switched in it, so there is no before and after.", path=recording.path)
        )
    return split_sides(folded.latencies, folded.exits, recording.header.host, folded.dropped, recording.warning)


def split_sides(
    latencies: Latencies, exits: ExitSplit, host: Mapping[str, str], dropped: int, missing: str = ""
) -> tuple[Side, Side]:
    """Before and after the last change of the wiring. dropped, missing: of both together, as each Side has it."""

    def part(label: str, histograms: Mapping[str, Histogram], blocks: Mapping[str, Blocks], took: Exits) -> Side:
        own, hidden = told(latencies, histograms), untold(latencies, histograms)
        hz = latencies.clock.hz
        return Side(label, own, blocks, took, host, hz=hz, missing=missing, dropped=dropped, untold=hidden)

    return (
        part(tr("before {change}", change=exits.switched), latencies.before, latencies.blocks_before, exits.before),
        part(tr("after {change}", change=exits.switched), latencies.since, latencies.blocks_since, exits.since),
    )


def told(latencies: Latencies, histograms: Mapping[str, Histogram]) -> dict[str, Histogram]:
    """Those that the clocks let be told; of the others, no value."""
    return {name: histogram if latencies.known(name) else Histogram() for name, histogram in histograms.items()}


def untold(latencies: Latencies, histograms: Mapping[str, Histogram]) -> dict[str, int]:
    """How many of the others there are; 0 where the stamps of all contradict one another."""
    counted = {name for name, histogram in histograms.items() if histogram.count}
    return {name: histograms[name].count for name in latencies.hidden(counted)}
