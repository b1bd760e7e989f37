"""A paintEvent that fails is told, ends its painter and leaves the window as it is."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.style.painting import painter_on, painting
from bellwire.viz.text.faults import Fault, faults_told
from tests.support.x_server import x_server

VIZ = Path(__file__).resolve().parents[3] / "viz"


class Failing(QWidget):
    """Holds no painter; notes whether those that it had are gone."""

    def __init__(self) -> None:
        super().__init__()
        self.had: list[weakref.ref[QPainter]] = []

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.had.append(weakref.ref(painter))
        painter.drawLine(0, 0, 1, 1)
        raise LookupError("no such colour")


def told_while_painted(qtbot: QtBot, widget: QWidget) -> list[Fault]:
    """The faults of a widget that is shown, and painted once more."""
    told: list[Fault] = []
    qtbot.addWidget(widget)
    with faults_told(told.append):
        widget.show()
        assert QTest.qWaitForWindowExposed(widget)
        qtbot.waitUntil(lambda: bool(told))
        widget.repaint()
    return told


def test_a_paint_that_fails_is_told_each_time_and_its_painter_is_gone(qtbot: QtBot) -> None:
    """An active painter would be a warning of Qt's, which fails a test."""
    widget = Failing()
    told = told_while_painted(qtbot, widget)
    assert len(told) == len(widget.had) >= 2
    assert all("LookupError: no such colour" in fault.sentence for fault in told)
    assert [painter() for painter in widget.had] == [None] * len(told)


def paint_layer(width: int) -> QPixmap:
    """What a widget's layer is made by; the device is held by the same function as the painter."""
    pixmap = QPixmap(width, width)
    with painter_on(pixmap) as painter:
        painter.drawLine(0, 0, 1, 1)
        raise LookupError("no such line")


class FailingBelow(QWidget):
    """Paints a layer that fails."""

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(0, 0, paint_layer(self.width()))


def test_a_layer_that_fails_is_told_and_takes_nothing_along(qtbot: QtBot) -> None:
    told = told_while_painted(qtbot, FailingBelow())
    assert len(told) >= 2
    assert all("LookupError: no such line" in fault.sentence for fault in told)


def test_a_painter_on_pixels_is_ended_whatever_happens() -> None:
    with pytest.raises(LookupError):
        paint_layer(8)
    plain = [
        f"{path.relative_to(VIZ)}:{node.lineno}"
        for path in VIZ.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "QPainter"
        if not ast.unparse(node).startswith("QPainter(self") and path.name != "painting.py"
    ]
    assert plain == []


def test_every_paint_event_may_fail() -> None:
    plain = [
        f"{path.relative_to(VIZ)}:{node.lineno}"
        for path in VIZ.rglob("*.py")
        for parent in ast.walk(ast.parse(path.read_text()))
        if isinstance(parent, ast.ClassDef)
        for node in parent.body
        if isinstance(node, ast.FunctionDef) and node.name == "paintEvent" and not node.decorator_list
    ]
    assert plain == []


@pytest.mark.xcb
@pytest.mark.usefixtures("xvfb")
def test_what_is_drawn_larger_than_shown_is_so_on_a_screen_of_16_bits() -> None:
    code = """
from PySide6.QtWidgets import QApplication
from bellwire.viz.style.icons import logo
from bellwire.viz.style.painting import clear_pixmap
from bellwire.viz.style.theme import DARK
app = QApplication([])
assert app.primaryScreen().depth() == 16
print(logo(DARK, 24).deviceIndependentSize().toTuple(), clear_pixmap(30, 15, 1.5).deviceIndependentSize().toTuple())
"""
    with x_server(depth=16) as display:
        environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout == "(24.0, 24.0) (20.0, 10.0)\n"
