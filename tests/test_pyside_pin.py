"""A repaint must lose no reference. PySide6 6.12 on Python 3.11 loses one to True each time a plot paints its axes, and
others to None, until the process dies.
"""

from __future__ import annotations

import sys

import pyqtgraph as pg
from pytestqt.qtbot import QtBot

REPAINTS = 1000


def test_a_thousand_repaints_lose_no_reference(qtbot: QtBot) -> None:
    """Meaningful below Python 3.12; from there on True and None are immortal and their counts stand still."""
    plot = pg.PlotWidget()
    qtbot.addWidget(plot)
    with qtbot.waitExposed(plot):
        plot.show()
    plot.plot([1.0, 2.0, 3.0])
    plot.viewport().repaint()
    before = sys.getrefcount(True), sys.getrefcount(None)
    for _ in range(REPAINTS):
        plot.viewport().repaint()
    after = sys.getrefcount(True), sys.getrefcount(None)
    assert [abs(b - a) < REPAINTS / 10 for b, a in zip(before, after, strict=True)] == [True, True], (before, after)
