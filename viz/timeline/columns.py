"""What was, as the timeline asks for it: viz/model/past.py, and how busy each column of pixels is.

A model keeps the newest events in memory. Whatever keeps more than that, as a recording too large to be held, can be
drawn by the same timeline once it answers the same questions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from bellwire.engine.events import Events, Lane
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.recordings.index_rows import BUSY
from bellwire.viz.model.live import LiveModel
from bellwire.viz.timeline.density import Density, Occupancy
from bellwire.viz.timeline.lanes import Shares

if TYPE_CHECKING:  # a guest need not wait for Arrow
    from bellwire.engine.recordings.index import Indexer

MOST = 1 << 15  # events that are added to the bins at a time, so that no frame pays for a long history at once


class Columns(Protocol):
    """Times are TSC. Work goes with what is asked for, never with what is kept."""

    @property
    def first(self) -> int:
        """The earliest time kept; 0 if nothing is."""

    @property
    def last(self) -> int:
        """The latest time kept; 0 if nothing is."""

    def about(self, t0: int, t1: int) -> float:
        """How many events lie between, about."""

    def under_way(self, t0: int, t1: int) -> int:
        """How many of the journeys in memory were under way between t0 and t1."""

    def events(self, t0: int, t1: int) -> Events:
        """The events between t0 and t1."""

    def journeys(self, t0: int, t1: int) -> Journeys:
        """The journeys that were under way between t0 and t1."""

    def busy(self, rows: list[str], t0: int, t1: int, pixels: int) -> dict[str, Shares]:
        """The busy share (0..1) of each of `pixels` equal parts, by the names of lanes.stretches."""

    def counts(self, t0: int, t1: int, pixels: int) -> dict[Lane, Shares]:
        """How many events in each of `pixels` equal parts, by the lane where they happened."""

    @property
    def ready(self) -> bool:
        """Whether counts() speaks of everything that is kept."""

    @property
    def counted(self) -> tuple[int, int]:
        """From when to when busy() and counts() know of anything."""


def timeline_columns(model: LiveModel) -> Columns:
    """What was, as this model's source keeps it."""
    return HeldColumns(model) if model.recorded is None else RecordedColumns(model, model.recorded.indexer)


class HeldColumns:
    """The history of a model. The bins are filled when they are looked at."""

    def __init__(self, model: LiveModel) -> None:
        self.model = model
        self._occupancy, self._density = Occupancy(model.clock.hz), Density(model.clock.hz)
        self._seen = self._counted = 0  # events that are in the bins of either
        self._completed = 0  # journeys that are

    @property
    def first(self) -> int:
        """The earliest time kept; 0 if nothing is."""
        return self.model.past.first

    @property
    def last(self) -> int:
        """The latest time kept; 0 if nothing is."""
        return self.model.past.last

    def about(self, t0: int, t1: int) -> float:
        """How many events lie between, about."""
        return self.model.past.about(t0, t1)

    def under_way(self, t0: int, t1: int) -> int:
        """How many of the journeys in memory were under way between t0 and t1."""
        return self.model.journeys.count_held(max(t0, 0), max(t1, 0))

    def events(self, t0: int, t1: int) -> Events:
        """The events between t0 and t1."""
        return self.model.past.events(t0, t1)

    def journeys(self, t0: int, t1: int) -> Journeys:
        """The journeys that were under way between t0 and t1."""
        return self.model.past.journeys(t0, t1)

    def busy(self, rows: list[str], t0: int, t1: int, pixels: int) -> dict[str, Shares]:
        """The busy share (0..1) of each of `pixels` equal parts, by the names of lanes.stretches."""
        self._see()
        return {row: self._occupancy.share(row, t0, t1, pixels) for row in rows}

    def counts(self, t0: int, t1: int, pixels: int) -> dict[Lane, Shares]:
        """How many events in each of `pixels` equal parts, by the lane where they happened."""
        self._count()
        return self._density.counts(t0, t1, pixels)

    @property
    def ready(self) -> bool:
        """Whether counts() speaks of everything; while a long history is added to the bins it does not."""
        return self.model.events.total - self._counted <= MOST

    @property
    def counted(self) -> tuple[int, int]:
        """From when to when busy() and counts() know of anything."""
        return self.first, self.last

    def _see(self) -> None:
        """Adds to the busy shares what the history has got since they were last looked at."""
        events, journeys = self.model.events, self.model.journeys
        if events.total - self._seen > len(events):  # not all of it is held: begin anew with what is
            self._occupancy, self._seen = Occupancy(self.model.clock.hz), events.total - len(events)
            self._completed = journeys.total - len(journeys)
        new, completed = events.after(self._seen, MOST), journeys.after(self._completed, MOST)
        self._occupancy.feed(new, completed)
        self._seen += new.size
        self._completed += completed.size

    def _count(self) -> None:
        """The same for the numbers of events."""
        events = self.model.events
        if events.total - self._counted > len(events):
            self._density, self._counted = Density(self.model.clock.hz), events.total - len(events)
        new = events.after(self._counted, MOST)
        self._density.feed(new)
        self._counted += new.size


# -- What was, of a recording: what is near by its events, what is far by its index.


class RecordedColumns(HeldColumns):
    """As the history that is held, but that bins come from the index, once there is one."""

    def __init__(self, model: LiveModel, indexer: Indexer) -> None:
        super().__init__(model)
        self.indexer = indexer

    def busy(self, rows: list[str], t0: int, t1: int, pixels: int) -> dict[str, Shares]:
        """The busy share (0..1) of each of `pixels` equal parts, by the names of lanes.stretches."""
        index = self.indexer.index
        if index is None:
            return super().busy(rows, t0, t1, pixels)
        busy = index.bins(t0, t1, pixels).busy * (pixels / max(t1 - t0, 1))
        none = np.zeros(pixels)
        return {row: np.clip(busy[:, BUSY.index(row)], 0, 1) if row in BUSY else none for row in rows}

    def counts(self, t0: int, t1: int, pixels: int) -> dict[Lane, Shares]:
        """How many events in each of `pixels` equal parts, by the lane where they happened."""
        index = self.indexer.index
        if index is None:
            return super().counts(t0, t1, pixels)
        lanes = index.bins(t0, t1, pixels).lanes
        return {lane: lanes[:, lane] for lane in Lane}

    @property
    def ready(self) -> bool:
        """Whether busy() and counts() speak of everything that is kept."""
        return self.indexer.index is not None

    @property
    def counted(self) -> tuple[int, int]:
        """The whole file, or, as long as it is being read, what of it has been played."""
        replay = self.indexer.index is None and self.model.recorded
        return (max(replay.yields_from, self.first), replay.complete) if replay else (self.first, self.last)
