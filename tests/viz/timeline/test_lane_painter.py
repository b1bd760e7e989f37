"""What is painted in the lanes, and what is not even made."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from bellwire.engine.events import Clock
from bellwire.engine.folds.journeys import no_journeys
from bellwire.engine.folds.spans import Spans
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.style.theme import DARK
from bellwire.viz.text.figures import spent
from bellwire.viz.timeline import lane_painter
from bellwire.viz.timeline.lane_painter import LanePainter
from bellwire.viz.timeline.lanes import lanes_of
from bellwire.viz.timeline.marks_painter import MarksPainter
from bellwire.viz.timeline.scene import Scene
from bellwire.viz.timeline.view import TimeScale
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


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("away", range(-40, 60, 5))
def test_a_handle_covers_nothing_of_a_number(away: int) -> None:
    """A journey that is looked at begins where the playhead is: of "#733" its first sign was below the handle."""
    journeys = np.zeros(1, no_journeys().dtype)
    journeys["ring"], journeys["seq"] = 500, 733
    image = QImage(1000, 200, QImage.Format.Format_ARGB32)
    painter, area = Words(image), QRectF(0, 30, 1000, 150)
    handles = MarksPainter(painter, DARK, area, TimeScale(0, 1000, 0, 1000)).handles(500 + away, [900])
    LanePainter(painter, DARK, area, Scene(0, 1000, LANES, journeys), Clock(1e9)).paint(0, (), handles)
    painter.end()
    numbers = [box for box in painter.drawn if box.bottom() <= area.top()]
    assert len(handles) == 2
    assert not any(box.intersects(handle) for box in numbers for handle in handles)
    assert len(numbers) == 1 or 0 < away < 40  # in the midst of it, where it is left out
