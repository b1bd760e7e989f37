"""What is painted in the lanes, and what is not even made."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from bellwire.engine.events import Clock
from bellwire.engine.folds.spans import Spans
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.style.theme import DARK
from bellwire.viz.text.figures import spent
from bellwire.viz.timeline import lane_painter
from bellwire.viz.timeline.lane_painter import LanePainter
from bellwire.viz.timeline.lanes import lanes_of
from bellwire.viz.timeline.scene import Scene


@pytest.mark.usefixtures("qapp")
def test_words_are_made_for_no_block_without_room_for_any(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[float]()

    def counted(clock: Clock, cycles: float) -> str:
        made.append(cycles)
        return spent(clock, cycles)

    monkeypatch.setattr(lane_painter, "spent", counted)
    starts = np.arange(0, 1000, 25).astype(np.uint64)
    ends = starts + np.uint64(20)
    ends[-2] = 1000  # the only one that has room
    scene = Scene(0, 1000, lanes_of(load_scenario("roundtrip"), 1), spans={"awake": Spans(starts, ends)})
    image = QImage(1000, 200, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    LanePainter(painter, DARK, QRectF(image.rect()), scene, Clock(1e9)).paint(0)
    painter.end()
    assert made == [50]
