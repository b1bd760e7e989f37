"""How a sheet takes another one's place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.style.stylesheet import stylesheet, wear_theme
from bellwire.viz.style.theme import DARK, LIGHT

DEPTH = 8  # of widgets in each other


class Heard(QObject):
    """How often each widget is told of another style."""

    def __init__(self) -> None:
        super().__init__()
        self.times = Counter[QObject]()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.times[watched] += event.type() is QEvent.Type.StyleChange
        return False


@pytest.fixture
def heard(qapp: QApplication) -> Iterator[Heard]:
    made = Heard()
    qapp.installEventFilter(made)
    yield made
    qapp.removeEventFilter(made)


def nested(depth: int) -> QWidget:
    """A label in so many widgets."""
    outer = inner = QWidget()
    for _ in range(depth):
        box = QVBoxLayout(inner)
        inner = QWidget()
        box.addWidget(inner)
    QLabel("said", inner)
    return outer


def test_each_widget_is_told_of_a_theme_as_often_however_deep_it_is(
    qtbot: QtBot, qapp: QApplication, heard: Heard
) -> None:
    """Where Qt itself puts one sheet in place of another it is told once for each that holds it."""
    wear_theme(qapp, DARK)
    outer = nested(DEPTH)
    qtbot.addWidget(outer)
    outer.show()
    [label] = outer.findChildren(QLabel)
    assert label.palette().windowText().color() == DARK.color("text")
    heard.times.clear()
    wear_theme(qapp, LIGHT)
    assert label.palette().windowText().color() == LIGHT.color("text")
    assert 1 <= heard.times[label] == heard.times[outer] < DEPTH
    heard.times.clear()
    qapp.setStyleSheet(stylesheet(DARK))
    assert heard.times[label] > DEPTH  # else the way around it is in vain
