"""How long the journeys that are held took, by the way that they went: what median, p99 and slowest are found by.

They are taken in a slice at a time, and only while somebody asks; what is no longer held is no longer known here.
"""

from __future__ import annotations

from time import thread_time

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Setting
from bellwire.engine.folds.histogram import Binned, Histogram, bin_of, binned
from bellwire.engine.folds.journeys import Journeys, finish, select
from bellwire.engine.folds.latency import begin
from bellwire.viz.model.live import LiveModel
from bellwire.viz.stages.shares import Explained, wholes_of
from bellwire.viz.stages.traced import KINDS
from bellwire.viz.stages.way import StageWay

SLICE = 2048  # journeys that are looked at together
TAKE_SECONDS = 0.004  # of this thread's time, that one look may take
NO_WAY = 255  # of a journey that did not come to its end, or is in no figure

WHOLE: np.dtype[np.void] = np.dtype(
    [
        *(("begin", "<u8"), ("finish", "<u8"), ("cycles", "<i8"), ("ns", "<i8"), ("bin", "<i4")),
        *(("way", "u1"), ("traced", "?")),
    ]
)  # traced: the kernel told something of it
Wholes = npt.NDArray[np.void]
Times = npt.NDArray[np.uint64]  # TSC


class WholesHeld:
    """A row of WHOLE for each journey of the model's history, from its oldest on, as far as they are taken in."""

    def __init__(self, model: LiveModel) -> None:
        self.model = model
        self.ways: list[StageWay] = []  # the first one of each course
        self._first = 0  # the position of the first row's journey
        self._rows: Wholes = np.empty(0, WHOLE)

    @property
    def taken(self) -> int:
        """The position after the last journey that is taken in."""
        return self._first + self._rows.size

    @property
    def complete(self) -> bool:
        """Whether all journeys are."""
        return self.taken >= self.model.journeys.total

    def take(self) -> None:
        """Lets go what is no longer held, and takes in what there is time for, at least a slice."""
        held, until = self.model.journeys, thread_time() + TAKE_SECONDS
        if self._first < held.oldest:
            self._rows = self._rows[held.oldest - self._first :]
            self._first = held.oldest
        slices = [self._rows]
        at, end = self.taken, held.total
        while at < end and (len(slices) == 1 or thread_time() < until):
            slices.append(self._measured(held.at(at, min(at + SLICE, end))))
            at += slices[-1].size
        if len(slices) > 1:
            self._rows = np.concatenate(slices)

    def _measured(self, journeys: Journeys) -> Wholes:
        """Their rows; shape (n,)."""
        made: Wholes = np.zeros(journeys.size, WHOLE)
        made["begin"], made["finish"], made["way"] = begin(journeys), finish(journeys), NO_WAY
        for of_way, times in self.model.travel.by_way(journeys):
            told, cycles = wholes_of(times, journeys[of_way])
            rows = of_way[told]
            values = binned(self.model.clock.ns_array(cycles))
            made["cycles"][rows], made["ns"][rows], made["bin"][rows] = cycles, values.ns, values.bins
            made["way"][rows] = self._number_of(times.way)
        made["traced"] = self._traced(made["begin"], made["finish"])
        made["way"][np.isin(made["begin"], self.model.present.latencies.left_out)] = NO_WAY
        return made

    def _traced(self, begins: Times, ends: Times) -> npt.NDArray[np.bool_]:
        """Whether the kernel's tracepoints told anything while each was under way; shape (n,)."""
        if Setting.KERNEL not in self.model.present.tally.settings:
            return np.zeros(begins.size, bool)
        events = self.model.events.window(int(begins.min()), int(ends.max()))
        told = np.sort(select(events, *KINDS)["tsc"])
        return np.searchsorted(told, ends, "right") > np.searchsorted(told, begins, "left")

    def explicable(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """Of which rows' journeys what the kernel told is held still; shape (n,)."""
        some = self._rows[rows]
        there: npt.NDArray[np.bool_] = some["traced"] & (some["begin"] >= np.uint64(max(self.model.past.first, 0)))
        return there

    def _number_of(self, way: StageWay) -> int:
        courses = [one.course for one in self.ways]
        if way.course not in courses:
            self.ways.append(way)
        return courses.index(way.course) if way.course in courses else len(courses)

    def until(self, tsc: int) -> list[WayHeld]:
        """Those that had ended at a moment, by their way, the most usual first."""
        rows = np.flatnonzero((self._rows["finish"] <= np.uint64(max(tsc, 0))) & (self._rows["way"] != NO_WAY))
        numbers = self._rows["way"][rows]
        found = [WayHeld(self, self.ways[number], rows[numbers == number]) for number in np.unique(numbers).tolist()]
        return sorted(found, key=lambda one: -one.count - one.left_out)

    def explained(self, row: int) -> Explained | None:
        """The journey of a row; None if it has just been let go."""
        journey = self.model.journeys.at(self._first + row, self._first + row + 1)
        return explained_of(self.model, journey) if journey.size else None

    def picked(self, rows: npt.NDArray[np.intp]) -> Wholes:
        """Some of the rows."""
        some: Wholes = self._rows[rows]
        return some


class WayHeld:
    """The journeys that went one way and had ended at a moment.

    Where the kernel was watched for a part of the run, it is those that it told of: the others have other parts, and
    are only counted, as `left_out`.
    """

    def __init__(self, held: WholesHeld, way: StageWay, rows: npt.NDArray[np.intp]) -> None:
        """rows: theirs, rising, at least one."""
        self._newest = int(held.picked(rows)["finish"].max())
        traced = rows[held.explicable(rows)]
        self.left_out = rows.size - traced.size if traced.size else 0
        self.held, self.way, self.rows = held, way, traced if traced.size else rows
        self._wholes = held.picked(self.rows)
        self._histogram = Histogram()
        self._histogram.add(Binned(self._wholes["ns"], self._wholes["bin"].astype(np.int64)))

    @property
    def count(self) -> int:
        """How many."""
        return int(self.rows.size)

    @property
    def newest(self) -> int:
        """When the last of all that went this way ended, TSC."""
        return self._newest

    def nearest(self, percent: float) -> Explained | None:
        """A journey that took as long as the percentile, within a bin; None if none lies beyond it."""
        ns = self._histogram.known_percentile(percent)
        if ns is None:
            return None
        return self._first_of(self._wholes["bin"] == bin_of(np.array([ns]))[0])

    @property
    def slowest(self) -> Explained | None:
        """The one that took longest."""
        return self._first_of(self._wholes["cycles"] == self._wholes["cycles"].max())

    def _first_of(self, which: npt.NDArray[np.bool_]) -> Explained | None:
        """That which began first."""
        some = np.flatnonzero(which)
        return self.held.explained(int(self.rows[some[self._wholes["begin"][some].argmin()]]))


def explained_of(model: LiveModel, journey: Journeys) -> Explained:
    """A journey (shape (1,)) with its stages and the stamps on its way."""
    moments, times = model.travel.staged(journey)
    return Explained(journey, moments, times)
