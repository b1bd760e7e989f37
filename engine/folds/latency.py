"""What the journeys say: latencies, their histograms, their course over time."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Clock, Events, Rewirings, chosen, end_to_end
from bellwire.engine.folds.blocks import Blocks
from bellwire.engine.folds.clock_error import ClockError
from bellwire.engine.folds.exit_split import signals_of
from bellwire.engine.folds.histogram import Histogram, binned
from bellwire.engine.folds.journeys import (
    PARTNERED,
    Journeys,
    JourneyTracker,
    finish,
    no_journeys,
    tells_of_interrupt,
)
from bellwire.engine.folds.omission import ExpectedInterval, Paced
from bellwire.engine.folds.stops import PartnerStops, Stops

if TYPE_CHECKING:
    from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

# name: (from stage, to stage). Where nobody reads it, a doorbell ends with the handler that it interrupts, and there is
# no round trip. Where another process reads it, the round trip is all that is known.
SPANS = {
    "doorbell": ("ring", "doorbell"),
    "injection": ("irq", "handler"),
    "store_cost": ("ring", "rung"),
    "round_trip": ("ring", "handler"),
}
LATENCIES = tuple(SPANS)
ONE_CLOCK = ("store_cost", "round_trip")  # begin and end in the same guest: true whatever the clocks are

# Warm-up: caches, branch predictors and clock rates settle. Over when the first of the two is.
WARMUP_SECONDS = 0.1
WARMUP_JOURNEYS = 50

RECENT = 1000  # latencies that "now" means
ENDED_KEPT = 16  # wirings that have ended
LEFT_OUT_KEPT = 1 << 14  # journeys that are in no figure
BIN_SECONDS = 0.05  # resolution of a Series: a line point every other pixel of a plot of 10 s
SERIES_BINS = 2400  # two minutes at least
SERIES_WAITING = 20_000  # latencies that wait to be summed up

BIN: np.dtype[np.void] = np.dtype(
    [("tsc", "<u8"), ("count", "<u4"), ("p50", "<f4"), ("p99", "<f4"), ("max", "<f4")]  # the bin's start; ns
)

Numbers = npt.NDArray[np.uint64]
Nanoseconds = npt.NDArray[np.float64]
Histograms = dict[str, Histogram]  # by latency
Ended = tuple[int, int, Histograms, Histograms]  # a wiring: from when to when (TSC), its latencies, those before it


def has(journeys: Journeys, name: str) -> npt.NDArray[np.bool_]:
    """Which journeys have the latency `name`; shape (n,)."""
    start, end = ends(journeys, name)
    return (start > 0) & (end > 0)


def is_counted(journeys: Journeys, name: str) -> npt.NDArray[np.bool_]:
    """Which of the journeys' latencies `name` are counted: what happened once for several of them, once; shape (n,)."""
    return has(journeys, name) & once(journeys, name)


def once(journeys: Journeys, name: str) -> npt.NDArray[np.bool_]:
    """Whether no other journey tells the same: several doorbells may have one answer; shape (n,)."""
    if name != "injection":
        return np.ones(journeys.size, bool)
    return tells_of_interrupt(journeys)


def ends(journeys: Journeys, name: str) -> tuple[Numbers, Numbers]:
    """TSC at which the latency `name` of each journey begins and ends; both of shape (n,), 0: it has none."""
    start, end = (journeys[stage] for stage in SPANS[name])
    one_way = (journeys["ring"] > 0) & (journeys["irq"] == 0) & (journeys["handler"] > 0)
    one_way &= (journeys["heavy"] & PARTNERED) == 0
    if name == "doorbell":
        end = np.where(one_way, journeys["handler"], end)
    if name == "round_trip":
        end = np.where(one_way, 0, end)
    return start, end


def cycles_of(journeys: Journeys, name: str) -> npt.NDArray[np.int64]:
    """The latency `name`, in TSC cycles, of journeys that all have it; shape (n,)."""
    start, end = ends(journeys, name)
    return end.astype(np.int64) - start.astype(np.int64)


def begin(journeys: Journeys) -> Numbers:
    """TSC of each journey's first stage; shape (n,)."""
    return np.where(journeys["ring"] > 0, journeys["ring"], journeys["irq"])


def of_warmup(journeys: Journeys, seen: int, warm_at: int) -> npt.NDArray[np.bool_]:
    """Which are among the first WARMUP_JOURNEYS to end, after `seen` others, before the TSC `warm_at`; shape (n,)."""
    if seen >= WARMUP_JOURNEYS:
        return np.zeros(journeys.size, bool)
    ended, number = finish(journeys), np.empty(journeys.size, np.int64)
    number[np.argsort(ended, kind="stable")] = np.arange(seen, seen + journeys.size)
    cold: npt.NDArray[np.bool_] = (number < WARMUP_JOURNEYS) & (ended < warm_at)
    return cold


class Latencies:
    """Folds events into journeys, and journeys into what the screen and the table show. All values in ns.

    A change of the wiring starts `since` and `recent` anew; changes that no signal comes between are one change. A
    journey belongs to the wiring that it began with.
    """

    def __init__(self, scenario: Scenario, clock: Clock, backend: str = "") -> None:
        """backend: KVM's, as the source of the events has it."""
        self.clock = clock
        self.tracker = JourneyTracker(scenario, backend)
        self.journeys = 0  # complete ones, warm-up included
        self.warmup = 0  # of these, left out as warm-up
        self.histograms = {name: Histogram() for name in LATENCIES}  # the whole run
        self.since = {name: Histogram() for name in LATENCIES}  # since the last change of the wiring
        self.before = {name: Histogram() for name in LATENCIES}  # between the last two changes
        # of each latency, those of journeys whose stamps contradict their order
        self.contradicted = dict.fromkeys(LATENCIES, 0)
        self.clock_error = ClockError(clock, self.tracker.two_clocks)
        self.interval = ExpectedInterval(clock)
        self.traits = traits_of(scenario)
        self.closed = Trait.WAITED_FOR in self.traits  # whether a late answer keeps signals from being sent
        self.stops = Stops(clock)
        self.stopped = 0  # journeys that were under way when everything stood still
        self.partner_stops = PartnerStops(clock)
        self.partner_stopped = 0  # further journeys that were under way when another process stood still
        # when the newest journey began: TSC, and by the clock that stops do not move; and its number
        self._due_at: tuple[int, float] | None = None
        self._due_number = 0
        self.paced = {name: Paced() for name in LATENCIES}  # those of `since` that a pace was behind
        self._paced_before = {name: Paced() for name in LATENCIES}  # the same of everything before
        self.recent = {name: np.empty(0) for name in LATENCIES}  # the newest RECENT of `since`
        self.series = {name: Series(clock) for name in LATENCIES}
        self.blocks = {name: Blocks() for name in LATENCIES}  # as `histograms`, in the order of time
        self.blocks_since = {name: Blocks() for name in LATENCIES}  # as `since`
        self.blocks_before = {name: Blocks() for name in LATENCIES}  # as `before`
        self.changed_at = 0  # TSC of the last change
        self.ended: list[Ended] = []  # the newest wirings before that, oldest first
        self.left_out = np.empty(0, np.uint64)  # when journeys began that are in no figure: the newest of them
        self._rewirings = Rewirings(*signals_of(scenario))
        self._warm_at: int | None = None
        self._newest = no_journeys(), no_journeys()  # what the newest batch added to the figures

    def feed(self, events: Events) -> Journeys:
        """Folds the next batch in; yields the journeys that it completed.

        Where the wiring changes in it, it is folded piece by piece: each wiring has the journeys that end under it.
        """
        journeys, newest = [], []
        for change, is_one, piece in self._rewirings.parts(events):
            if change is not None:
                self._begin_anew(int(change["tsc"]), is_one)
            journeys.append(self._feed_piece(piece))
            newest.append(self._newest)
        if len(journeys) == 1:
            return journeys[0]
        in_order, apart = zip(*newest, strict=True)
        self._newest = end_to_end(*in_order), end_to_end(*apart)
        return end_to_end(*journeys)

    def _feed_piece(self, events: Events) -> Journeys:
        """The same of events that all come under one wiring."""
        if self._warm_at is None and events.size:
            self._warm_at = int(events["tsc"][0]) + self.clock.cycles(WARMUP_SECONDS)
        self.interval.feed(events)
        self.stops.feed(events)
        self.partner_stops.feed(events)
        journeys = self.tracker.feed(events)
        apart = self.tracker.out_of_order
        if not self.tracker.ambiguous:
            self.clock_error.feed(journeys, apart)
        for name in LATENCIES if apart.size else ():
            self.contradicted[name] += int(is_counted(apart, name).sum())
        self._newest = self._working(self._warmed_up(journeys)), self._working(apart)
        self._record(end_to_end(*self._newest), self._newest[0].size)
        return journeys

    def _begin_anew(self, tsc: int, is_one: bool) -> None:
        """The wiring is another one from now on; is_one: that began with the change before."""
        self.ended = [*self.ended, (self.changed_at, tsc, self.since, self.before)][-ENDED_KEPT:]
        self.changed_at = tsc
        if not is_one:
            self.before, self.blocks_before = self.since, self.blocks_since
        self.since = {name: Histogram() for name in LATENCIES}
        self.blocks_since = {name: Blocks() for name in LATENCIES}
        self.recent = {name: np.empty(0) for name in LATENCIES}
        for name in LATENCIES:
            self._paced_before[name].merge(self.paced[name])
        self.paced = {name: Paced() for name in LATENCIES}

    def _warmed_up(self, journeys: Journeys) -> Journeys:
        """The journeys after the warm-up, which are the first to end, however the events are cut into batches."""
        cold = of_warmup(journeys, self.journeys, self._warm_at or 0)
        self.journeys += journeys.size
        if not cold.any():
            return journeys
        self.warmup += int(cold.sum())
        self._leave_out(journeys[cold])
        return chosen(journeys, ~cold)

    def _working(self, journeys: Journeys) -> Journeys:
        """Those that were not under way while everything stood still, or another process that they need."""
        if not journeys.size:
            return journeys
        stood = self.stops.within(begin(journeys), finish(journeys))
        self.stopped += int(stood.sum())
        if self.partner_stops.of:
            waited = self.partner_stops.within(begin(journeys), finish(journeys)) & ~stood
            self.partner_stopped += int(waited.sum())
            self.partner_stops.count(begin(journeys)[waited], finish(journeys)[waited])
            stood |= waited
        self._leave_out(journeys[stood])
        return chosen(journeys, ~stood) if stood.any() else journeys

    def _leave_out(self, journeys: Journeys) -> None:
        if journeys.size:
            self.left_out = np.concatenate([self.left_out, begin(journeys)])[-LEFT_OUT_KEPT:]

    @property
    def newest_apart(self) -> Journeys:
        """The journeys of the newest batch that are only in what one clock measures: their stamps contradict."""
        return self._newest[1]

    def _record(self, journeys: Journeys, in_order: int) -> None:
        """Adds journeys to every figure; those behind the first `in_order` only to what one clock measures."""
        if not journeys.size:
            return
        start = begin(journeys)
        old = start < self.changed_at
        pace = self._paced(journeys, start) if self.closed else ()
        for name in LATENCIES:
            sent, came = ends(journeys, name)
            there = (sent > 0) & (came > 0) & once(journeys, name)
            there[in_order:] &= name in ONE_CLOCK
            ns = self.clock.ns_array((came[there] - sent[there]).view(np.int64))  # of a pair out of order below 0
            self.series[name].record(came[there], ns)
            self._record_latency(name, ns, old[there], tuple(numbers[there] for numbers in pace))

    def _record_latency(
        self, name: str, ns: Nanoseconds, late: npt.NDArray[np.bool_], pace: tuple[npt.NDArray[Any], ...]
    ) -> None:
        """Adds the latency `name` of some journeys; late: whether each began before the last change of the wiring.

        pace: the interval at which each was due, and how many were since the one before; nothing if nobody waits.
        """
        values = binned(ns)
        self.histograms[name].add(values)
        self.blocks[name].add(values.bins)
        self.recent[name] = np.concatenate([self.recent[name], ns[~late]])[-RECENT:]
        for which, histograms, blocks, paced in (
            (late, self.before, self.blocks_before, self._paced_before),
            (~late, self.since, self.blocks_since, self.paced),
        ):
            if which.any():
                some = values if which.all() else values.where(which)
                histograms[name].add(some)
                blocks[name].add(some.bins)
                if pace:
                    paced[name].add(some, *(numbers[which] for numbers in pace))

    def _paced(self, journeys: Journeys, start: Numbers) -> tuple[npt.NDArray[Any], ...]:
        """The interval at which each journey was due that began at `start`, and how many were; nothing if none was."""
        intervals = self.interval.at(start)
        if intervals.any():
            return intervals, self._due(journeys, start)
        self._due_at = int(start.max()), float(self.stops.working(start).max())
        self._due_number = int(journeys["seq"].max())
        return ()

    def _due(self, journeys: Journeys, start: Numbers) -> Nanoseconds:
        """How many signals were due at each journey's beginning, since the one before it; shape (n,), as `start`.

        Those that were sent between the two, but whose stamps were lost or contradict, are not due any more.
        """
        order = np.argsort(start, kind="stable")
        working, numbers = self.stops.working(start[order]), journeys["seq"][order].astype(np.int64)
        sent = np.maximum(np.diff(numbers, prepend=self._due_number) - 1, 0)
        due = np.empty(start.size)
        there = self.interval.due(start[order], working, self._due_at)
        due[order] = np.maximum(there - sent, np.minimum(there, 1.0))
        self._due_at, self._due_number = (int(start[order[-1]]), float(working[-1])), int(numbers[-1])
        return due

    def counted(self, name: str) -> Journeys:
        """The journeys of the newest batch whose latency `name` is among the figures: not those of the warm-up."""
        if not self.known(name):
            return no_journeys()
        some = end_to_end(*self._newest) if name in ONE_CLOCK else self._newest[0]
        return chosen(some, is_counted(some, name))

    def known(self, name: str) -> bool:
        """Whether the latency `name` can be told: how long an emulated CPU took says nothing."""
        return not self.clock.emulated and self.of_clocks_that_agree(name)

    def hidden(self, counted: Collection[str]) -> list[str]:
        """Which latencies cannot be told, of those that are counted or that contradict their order."""
        there = (name for name in LATENCIES if name in counted or self.contradicted[name])
        return [name for name in there if not self.known(name)]

    def of_clocks_that_agree(self, name: str) -> bool:
        """Whether its ends are of one clock, or of two that agree: else it is off by what they are apart."""
        return not self.clock_error.apart or name in ONE_CLOCK

    def corrected(self, name: str) -> Paced:
        """The latencies of the whole run that a pace was behind, to be read corrected for coordinated omission."""
        whole = self._paced_before[name].copy()
        whole.merge(self.paced[name])
        return whole

    def p50(self, name: str) -> int | None:
        """The median under the present wiring, ns, by the histogram of it; None if there is none yet, or none known."""
        histogram = self.since[name]
        return histogram.percentile(50) if histogram.count and self.known(name) else None

    def now(self, name: str) -> float | None:
        """The median of the newest latencies under the present wiring, ns; None if there is none yet, or none known.

        By it is chosen how slowly something is shown: of an emulated CPU it is given as well.
        """
        told = self.recent[name].size and self.of_clocks_that_agree(name)
        return float(np.median(self.recent[name])) if told else None


class Series:
    """A latency's course: a row of BIN for every 50 ms in which a journey ended, oldest first.

    Latencies are kept as they come and summed up when somebody looks, or when there are many.
    """

    def __init__(self, clock: Clock) -> None:
        self.bin_cycles = clock.cycles(BIN_SECONDS)
        self._rows: npt.NDArray[np.void] = np.empty(0, BIN)
        self._values: list[tuple[Numbers, Nanoseconds]] = []  # what no closed row holds yet
        self._waiting = 0  # of these, not in a row at all

    def record(self, tsc: Numbers, ns: Nanoseconds) -> None:
        """Adds latencies (shape (n,)) that ended at `tsc`; what comes late counts in the newest bin."""
        if ns.size:
            self._values.append((tsc, ns))
            self._waiting += ns.size
        if self._waiting > SERIES_WAITING:
            self._sum_up()

    @property
    def rows(self) -> npt.NDArray[np.void]:
        """Shape (n,), dtype BIN, rising; the newest row may still grow."""
        if self._waiting:
            self._sum_up()
        return self._rows

    @property
    def whole_from(self) -> int:
        """TSC from which on no row has made room for newer ones; 0: none has."""
        return int(self.rows["tsc"][0]) if self.rows.size >= SERIES_BINS else 0

    def _sum_up(self) -> None:
        """Makes rows of the values; those of the newest bin are kept, as more may come."""
        tsc, ns = (np.concatenate(column) for column in zip(*self._values, strict=True))
        open_ = int(self._rows["tsc"][-1]) // self.bin_cycles if self._rows.size else 0
        bins = np.maximum((tsc // np.uint64(self.bin_cycles)).astype(np.int64), open_)
        closed = self._rows[:-1] if bins.min() == open_ else self._rows
        added = summed_up(bins, ns, self.bin_cycles)
        self._rows = np.concatenate([closed, added], dtype=BIN)[-SERIES_BINS:]
        newest = bins == bins.max()
        self._values, self._waiting = [(tsc[newest], ns[newest])], 0

    def between(self, t0: int, t1: int) -> npt.NDArray[np.void]:
        """The rows that overlap t0..t1 (TSC), and one more on each side, so that a line reaches the edges."""
        rows = self.rows
        first, last = np.searchsorted(rows["tsc"], np.array([max(t0, 0), max(t1, 0)], np.uint64))
        return rows[max(int(first) - 1, 0) : int(last) + 1]


def summed_up(bins: npt.NDArray[np.int64], ns: Nanoseconds, bin_cycles: int) -> npt.NDArray[np.void]:
    """One row of BIN for each number in `bins` (shape (n,), as `ns`), rising."""
    order = np.argsort(bins, kind="stable")
    bins, ns = bins[order], ns[order]
    first = np.flatnonzero(np.concatenate([[True], bins[1:] != bins[:-1]]))
    rows = np.empty(first.size, BIN)
    rows["tsc"], rows["count"] = bins[first] * bin_cycles, np.diff(np.append(first, bins.size))
    for row, values in zip(rows, np.split(ns, first[1:]), strict=True):
        values.sort()  # sorting one bin after the other is several times faster than all of them by two keys
        row["p50"] = values[(values.size - 1) // 2]
        row["p99"] = values[-(-values.size * 99 // 100) - 1]
        row["max"] = values[-1]
    return rows
