"""What was, of a recording: what is near by its events, what is far by its index. No Qt."""

from __future__ import annotations

import numpy as np

from engine.events import Lane
from engine.indexer import Indexer
from engine.recording_rows import BUSY
from viz.lanes import Shares
from viz.model import LiveModel
from viz.past import HeldPast


class RecordedPast(HeldPast):
    """As the history that is held, but that bins come from the index, once there is one."""

    def __init__(self, model: LiveModel, indexer: Indexer) -> None:
        super().__init__(model)
        self.indexer = indexer

    def busy(self, rows: list[str], t0: int, t1: int, pixels: int) -> dict[str, Shares]:
        """The busy share (0..1) of each of `pixels` equal parts, by the names of viz.lanes.stretches."""
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
