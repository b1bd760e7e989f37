"""What stands over the lanes: words that have no room beside each other are one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from bellwire.engine.events import Lane, Switch
from bellwire.viz.model.live import Change, Loss
from bellwire.viz.style.theme import DARK
from bellwire.viz.timeline.marks_painter import MarksPainter
from bellwire.viz.timeline.view import TimeScale

AREA = QRectF(0, 20, 1000, 100)


class Noted(MarksPainter):
    """Keeps its notes, from where to where each is painted."""

    def __init__(self, painter: QPainter) -> None:
        super().__init__(painter, DARK, AREA, TimeScale(0, 1000, AREA.left(), AREA.width()))
        self.notes: list[tuple[str, float, float]] = []

    def _note(self, text: str, x: float, color: str) -> None:
        super()._note(text, x, color)
        self.notes.append((text, x, x + 3 + self.painter.fontMetrics().horizontalAdvance(text) + 8))


@pytest.fixture
def marks(qtbot: QtBot) -> Iterator[Noted]:
    image = QImage(1000, 140, QImage.Format.Format_ARGB32)
    marks = Noted(QPainter(image))
    yield marks
    marks.painter.end()


def words(marks: Noted) -> list[str]:
    ends = [0.0, *(end for _, _, end in marks.notes)]
    assert all(start >= end for (_, start, _), end in zip(marks.notes, ends, strict=False))
    return [text for text, _, _ in marks.notes]


class Spelled(QPainter):
    """Keeps what it writes."""

    def __init__(self, device: QImage) -> None:
        super().__init__(device)
        self.words: list[str] = []

    def drawText(self, *given: Any) -> None:  # type: ignore[override]  # whichever of its forms
        self.words += [one for one in given if isinstance(one, str)]
        super().drawText(*given)


def test_a_time_before_the_start_has_a_minus(qtbot: QtBot) -> None:
    image = QImage(1000, 140, QImage.Format.Format_ARGB32)
    painter = Spelled(image)
    MarksPainter(painter, DARK, AREA, TimeScale(0, 1000, AREA.left(), AREA.width())).axis(500, 1e9)
    painter.end()
    assert painter.words[:4] == ["−400 ns", "−200 ns", "0", "200 ns"]


def test_losses_side_by_side_are_told_together(marks: Noted) -> None:
    """Of twenty each was covered by the next but for its first digits."""
    marks.losses([Loss(tsc, Lane.GUEST, 3600) for tsc in range(100, 500, 20)] + [Loss(900, Lane.VCPU, 7)])
    told = words(marks)
    assert told[-1] == "7 events lost"
    lost = [int("".join(filter(str.isdigit, text))) for text in told]
    assert sum(lost) == 20 * 3600 + 7
    assert 2 < len(told) < 6


def test_changes_side_by_side_are_told_together(marks: Noted) -> None:
    changes = [Change(tsc, Switch.IOEVENTFD, on) for tsc, on in ((100, False), (500, False), (501, True))]
    marks.changes([*changes, *(Change(tsc, Switch.IRQFD, tsc % 2 == 1) for tsc in range(800, 806))])
    assert words(marks) == ["ioeventfd off", "ioeventfd off, ioeventfd on", "6 changes"]
