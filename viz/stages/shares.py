"""What is slow: which share of a journey's time each part of its way took, of one journey and of a whole run.

Guarantees:
- A part lies between two times that are known, and no stamp divides it: it is named by all the stages that share it.
- The parts of one journey add up to its whole, to the cycle; so do their shares, to 100 %.
- A time that is only a bound (assets/anatomy.toml says why) makes what is before it a part that took at most so long,
  and what is behind it one that took at least so long. Of several bounds in a row the last one counts.
- Of a run the memory is bounded: by ways and by the bins of a histogram, whatever the number of journeys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Clock
from bellwire.engine.folds.histogram import Histogram, bin_of, binned
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.folds.latency import begin
from bellwire.engine.language import grouped, tr_as
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.stages.moments import FOREVER, Moments, Times, those
from bellwire.viz.stages.times import StageTimes, stamps, times_of_stages
from bellwire.viz.stages.traced import TRACED
from bellwire.viz.stages.way import StageWay, Stop, WaysOf

LONGEST, SHORTEST = "≤", "≥"  # it took at most so long, at least
ANSWERED_ELSEWHERE = ("partner", "vhost-worker")  # ways of an interrupt that answers a doorbell
TENTHS = 1000  # of a per cent, in the whole
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Share:
    """A part of one journey, in which it passes `stops`. first, end: the numbers of those that begin and end it.

    key: their ranks, the same in every journey of a course that is cut there.
    cycles: how long it took, or its bound. bound: LONGEST or SHORTEST; "" if both ends are stamps. rule: why, as a
    clause. since, until: the stamps between which it lies.
    """

    stops: tuple[Stop, ...]
    first: int
    end: int
    key: tuple[int, int]
    cycles: int
    bound: str = ""
    rule: str = ""
    since: str = ""
    until: str = ""

    @property
    def sure(self) -> bool:
        """Whether it is the time of one stage, as measured."""
        return len(self.stops) == 1 and not self.bound

    @property
    def title(self) -> str:
        """By its stages: "The OUT is decoded … the eventfd counts"."""
        titles = [stop.stage.title for stop in self.stops]
        return titles[0] if len(titles) == 1 else f"{titles[0]} … {in_sentence(titles[-1])}"

    @property
    def places(self) -> tuple[str, ...]:
        """Where it was spent, the place of most of its stages first."""
        places = [stop.stage.place for stop in self.stops]
        return tuple(sorted(dict.fromkeys(places), key=lambda place: -places.count(place)))


def in_sentence(title: str) -> str:
    """A stage's title behind other words."""
    small = tr_as("words that begin a title and have no capital within a sentence", "The A Somebody").split()
    first, space, rest = title.partition(" ")
    return f"{first.lower()}{space}{rest}" if first in small else title


def percents(cycles: Sequence[int]) -> list[float]:
    """The share of each in their sum, in per cent with one decimal; they add up to 100 (largest remainders)."""
    whole = sum(cycles)
    exact = [one * TENTHS / whole for one in cycles]
    tenths = [int(one) for one in exact]
    order = sorted(range(len(exact)), key=lambda i: tenths[i] - exact[i])
    for i in order[: TENTHS - sum(tenths)]:
        tenths[i] += 1
    return [one / 10 for one in tenths]


def percent_words(percent: float, bound: str = "", alone: bool = False) -> str:
    """The share of a part: 45.1 %. A part took some time, so it is never 0, and none but one that is alone is all.

    bound: "≤" or "≥", of what is no measured time.
    """
    if not percent and bound != "≥":
        return f"< {grouped(0.1, 1)} %"
    if percent >= 100 and not alone and bound != "≤":
        return f"> {grouped(99.9, 1)} %"
    return f"{bound} {grouped(percent, 1)} %".lstrip()


# -- Where a way may be cut.


def end_of(way: StageWay) -> int:
    """The stop at which its latency ends: what comes behind the handler is in no latency."""
    ends = (way.index("handler", out=False), way.index("waiter", out=True))
    return next((at for at in ends if at >= 0), len(way.stops) - 1)


def cuts_of(way: StageWay) -> tuple[int, ...]:
    """The stops of whose beginning a stamp may tell, from the first to the one at which the latency ends."""
    end = end_of(way)
    return tuple(i for i, stop in enumerate(way.stops[: end + 1]) if i in (0, end) or stop.began or stop.by)


def whole_latency_of(way: StageWay) -> str:
    """What its parts add up to: one of engine/folds/latency.py's."""
    if not way.stops[0].out:
        return "injection"
    answered = any(stop.began == "irq" or stop.path in ANSWERED_ELSEWHERE for stop in way.stops)
    return "round_trip" if answered and way.index("handler", out=False) >= 0 else "doorbell"


def title_of(way: StageWay) -> str:
    """ "Doorbell by ioeventfd, interrupt by irqfd, as a message"."""
    titles = [load_anatomy().paths[name].title for name in dict.fromkeys(stop.path for stop in way.stops)]
    return tr_as("between ways", ", then: ").join(titles)


def kept_cuts(latest: Times, measured: Mask) -> Mask:
    """Which cuts divide something, for each journey; all of shape (n, cuts).

    Not those at the same time as the next one, and of several bounds in a row only the last. The first and the last
    cut always stand.
    """
    kept = np.ones(latest.shape, np.bool_)
    time, sure = latest[:, -1], np.ones(latest.shape[0], np.bool_)
    for cut in range(latest.shape[1] - 2, 0, -1):
        kept[:, cut] = (latest[:, cut] < time) & (latest[:, cut] > latest[:, 0]) & (measured[:, cut] | sure)
        time = np.where(kept[:, cut], latest[:, cut], time)
        sure = np.where(kept[:, cut], measured[:, cut], sure)
    return kept


# -- One journey.


@dataclass(frozen=True)
class Explained:
    """One journey with its times; shapes (1,) and (1, stops)."""

    journey: Journeys
    moments: Moments
    times: StageTimes

    @property
    def cycles(self) -> int:
        """The whole; 0 if its end is not known."""
        last = int(self.times.latest[0, end_of(self.times.way)])
        return 0 if last == FOREVER else last - int(self.times.latest[0, 0])

    @property
    def start(self) -> int:
        """TSC of its first stamp."""
        return int(begin(self.journey)[0])

    @property
    def shares(self) -> tuple[Share, ...]:
        """Its parts, one behind the other; none if its end is not known."""
        if not self.cycles:
            return ()
        cuts = np.array(cuts_of(self.times.way))
        latest, earliest = self.times.latest[:, cuts], self.times.earliest[:, cuts]
        found = cuts[kept_cuts(latest, earliest == latest)[0]].tolist()
        return tuple(self._share(first, end) for first, end in pairwise(found))

    def _share(self, first: int, end: int) -> Share:
        way, times = self.times.way, self.times.latest[0]
        cycles, bound, rule = int(times[end]) - int(times[first]), "", ""
        for at, which in ((first, SHORTEST), (end, LONGEST)):
            if times[at] != self.times.earliest[0, at]:
                bound, rule = which, load_anatomy().bounds[self._stamp(at)]
        key = way.ranks[first], way.ranks[end]
        return Share(way.stops[first:end], first, end, key, cycles, bound, rule, self._stamp(first), self._stamp(end))

    def _stamp(self, at: int) -> str:
        """The stamp that tells by when the stop had begun; "" if it is one of another stop."""
        stop, latest = self.times.way.stops[at], self.times.latest[0, at]
        names = (stop.began, *stop.by) if stop.began else stop.by
        there = (name for name in names if stamps(name, self.journey, self.moments)[0] == latest)
        return next(there, "")


# -- A run.


class WayShares:
    """All journeys of a run that went one course; times in ns. way: that of the first of them."""

    def __init__(self, way: StageWay, clock: Clock) -> None:
        self.way, self.clock = way, clock
        self.whole = Histogram()
        self.parts: dict[tuple[int, int], Histogram] = {}  # by the ranks of the stops that begin and end them
        self.slowest: Explained | None = None
        self._one_of: dict[int, Explained] = {}  # a journey of each bin of `whole`

    def feed(self, way: StageWay, journeys: Journeys, moments: Moments) -> None:
        """Adds journeys that all went this way, which is of the course."""
        times = times_of_stages(way, journeys, moments)
        rows, whole = wholes_of(times, journeys)
        if not rows.size:
            return
        values = binned(self.clock.ns_array(whole))
        self.whole.add(values)
        cuts = np.array(cuts_of(way))
        latest = times.latest[rows][:, cuts]
        self._add_parts(np.array(way.ranks)[cuts], latest, times.earliest[rows][:, cuts] == latest)
        self._keep(rows, whole, values.bins, Explained(journeys, moments, times))

    def _add_parts(self, ranks: npt.NDArray[np.int64], latest: Times, measured: Mask) -> None:
        """Adds the parts of journeys; shapes (cuts,), (n, cuts). Those that are cut alike are looked at together."""
        kept = kept_cuts(latest, measured)
        for pattern in np.unique(kept, axis=0):
            alike = latest[(kept == pattern).all(axis=1)][:, pattern]
            lengths = np.diff(alike.astype(np.int64), axis=1)
            for column, key in enumerate(pairwise(ranks[pattern].tolist())):
                self.parts.setdefault(key, Histogram()).record(self.clock.ns_array(lengths[:, column]))

    def _keep(self, rows: npt.NDArray[np.intp], whole: Numbers, bins: Numbers, many: Explained) -> None:
        """Keeps the first journey of each bin, and the first of the slowest.

        rows: of those in `whole` and `bins`, in `many`.
        """
        starts = begin(many.journey[rows])
        order = np.argsort(starts, kind="stable")
        for found, at in zip(*np.unique(bins[order], return_index=True), strict=True):
            one, kept = int(order[at]), self._one_of.get(int(found))
            if kept is None or starts[one] < kept.start:
                self._one_of[int(found)] = alone(many, int(rows[one]))
        one = int(order[whole[order].argmax()])
        if self.slowest is None or (-whole[one], starts[one]) < (-self.slowest.cycles, self.slowest.start):
            self.slowest = alone(many, int(rows[one]))

    def nearest(self, percent: float) -> Explained | None:
        """A journey that took as long as the percentile, within a bin; None if none lies beyond it."""
        ns = self.whole.known_percentile(percent) if self.whole.count else None
        return None if ns is None else self._one_of[int(bin_of(np.array([ns]))[0])]

    def median(self, share: Share) -> int | None:
        """Of the same part in all journeys that have it, ns; None if there is none."""
        part = self.parts.get(share.key)
        return part.percentile(50) if part else None


def wholes_of(times: StageTimes, journeys: Journeys) -> tuple[npt.NDArray[np.intp], Numbers]:
    """Which of the journeys came to their end, and how long they took, cycles; both of shape (n,)."""
    if not times.way.stops:  # a damaged recording may tell of journeys that pass no stage
        return np.empty(0, np.intp), np.empty(0, np.int64)
    first, last = times.latest[:, 0], times.latest[:, end_of(times.way)]
    rows = np.flatnonzero((first == begin(journeys)) & (last != FOREVER) & (last > first))
    return rows, (last[rows] - first[rows]).astype(np.int64)


def alone(many: Explained, row: int) -> Explained:
    """One of the journeys, without the others' memory."""
    only = slice(row, row + 1)
    times = StageTimes(many.times.way, many.times.earliest[only].copy(), many.times.latest[only].copy())
    return Explained(many.journey[only].copy(), {name: tsc[only].copy() for name, tsc in many.moments.items()}, times)


class RunShares:
    """The journeys of a run, by the course that they went.

    Where the kernel told of some of them, these alone are divided: the others have other parts, and are only counted.
    """

    def __init__(self, ways: WaysOf, clock: Clock) -> None:
        self.ways, self.clock = ways, clock
        self.by_course: dict[tuple[tuple[tuple[str, str], ...], bool], WayShares] = {}  # and by whether it told

    def feed(self, journeys: Journeys, moments: Moments) -> None:
        """Adds journeys, shape (n,), whatever their ways."""
        for way, rows in self.ways.of(journeys, moments) if journeys.size else ():
            traced = np.any([moments[name][rows] > 0 for name in TRACED], axis=0)
            for told in np.unique(traced).tolist():
                some = rows[traced == told]
                if (way.course, told) not in self.by_course:
                    self.by_course[way.course, told] = WayShares(way, self.clock)
                self.by_course[way.course, told].feed(way, journeys[some], those(moments, some))

    @property
    def told(self) -> list[WayShares]:
        """The ways that journeys went to their end, the most usual first."""
        counted = {key: way for key, way in self.by_course.items() if way.whole.count}
        found = [way for (course, told), way in counted.items() if told or (course, True) not in counted]
        return sorted(found, key=lambda way: -way.whole.count)

    def left_out(self, way: WayShares) -> int:
        """How many went the same way, of which the kernel told nothing, though it did of these."""
        key = way.way.course, False
        others = self.by_course.get(key)
        return others.whole.count if others and others is not way else 0
