"""A repaint must lose no reference: PySide6 6.12 on Python 3.11 loses one to True each time, until the process dies."""

from __future__ import annotations

import sys

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

REPAINTS = 1000
IMMORTAL = sys.getrefcount(True) > 2**29  # Python 3.12 and later: nothing can be lost


class Painted(QWidget):
    """A widget that counts its paints and uses what a diagram uses."""

    paints = 0

    def paintEvent(self, event: QPaintEvent) -> None:
        self.paints += 1
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            painter.drawEllipse(self.rect())
            painter.drawText(self.rect(), 0, "×37")


def test_a_thousand_repaints_lose_no_reference_to_true(qtbot: QtBot) -> None:
    widget = Painted()
    qtbot.addWidget(widget)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.repaint()
    paints, references = widget.paints, sys.getrefcount(True)
    for _ in range(REPAINTS):
        widget.repaint()
    assert widget.paints - paints == REPAINTS
    assert IMMORTAL or abs(sys.getrefcount(True) - references) < REPAINTS / 10
