"""What is painted in the lanes, and what is not even made."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

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
from tests.support.painted import ink

LANES = lanes_of(load_scenario("roundtrip"), 1)


class Words(QPainter):
    """Keeps where which words were drawn."""

    def __init__(self, image: QImage) -> None:
        super().__init__(image)
        self.drawn = list[QRectF]()

    def drawText(self, *given: Any) -> None:  # type: ignore[override]  # whichever of its forms
        self.drawn.append(ink(self.font(), *given))
        super().drawText(*given)


@pytest.mark.usefixtures("qapp")
def test_of_blocks_that_lie_over_each_other_no_words_do() -> None:
    starts = np.arange(0, 900, 10).astype(np.uint64)
    spans = {"awake": Spans(starts, np.full(starts.size, 1000, np.uint64))}
    image = QImage(1000, 200, QImage.Format.Format_ARGB32)
    painter = Words(image)
    LanePainter(painter, DARK, QRectF(image.rect()), Scene(0, 1000, LANES, spans=spans), Clock(1e9)).paint(0)
    painter.end()
    assert len(painter.drawn) > 2
    assert all(one.right() <= other.left() for one, other in pairwise(painter.drawn))


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
    scene = Scene(0, 1000, LANES, spans={"awake": Spans(starts, ends)})
    image = QImage(1000, 200, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    LanePainter(painter, DARK, QRectF(image.rect()), scene, Clock(1e9)).paint(0)
    painter.end()
    assert made == [50]
