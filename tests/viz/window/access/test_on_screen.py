"""A window whose screen becomes smaller, as when a projector is taken away, is all on what is left."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from bellwire.viz.window.access.on_screen import StayOnScreen

AROUND = QSize(4, 30)  # pixels that a window manager adds to the window's own
ROOMY = QRect(0, 0, 1920, 1080)


class Framed(QMainWindow):
    """A window as a window manager has framed it, which no platform moves, on a screen that a test chooses."""

    def __init__(self) -> None:
        super().__init__()
        self.room, self.frame, self.fills = ROOMY, QRect(250, 100, 1604, 930), False

    def screen(self) -> Any:
        return self

    def availableGeometry(self) -> QRect:
        return QRect(self.room)

    def frameGeometry(self) -> QRect:
        return QRect(self.frame)

    def isFullScreen(self) -> bool:
        return self.fills

    def size(self) -> QSize:
        return self.frame.size() - AROUND

    def resize(self, size: Any) -> None:  # type: ignore[override]
        self.frame.setSize(size + AROUND)

    def move(self, *to: Any) -> None:
        self.frame.moveTo(QPoint(*to))


@pytest.mark.parametrize("room", [QRect(0, 0, 1280, 720), QRect(0, 40, 640, 360), QRect(-800, 0, 800, 600)])
def test_all_of_it_is_on_the_screen_that_is_left(room: QRect, qtbot: QtBot) -> None:
    window = Framed()
    qtbot.addWidget(window)
    stays = StayOnScreen(window)
    stays.fit()
    assert window.frame == QRect(250, 100, 1604, 930), "there is room for it"
    window.room = room
    QGuiApplication.primaryScreen().availableGeometryChanged.emit(room)
    assert window.frame.width() == 1604, "the window manager has its turn first"
    qtbot.waitUntil(lambda: room.contains(window.frame))
    assert window.frame.size() == QSize(1604, 930).boundedTo(room.size())


def test_a_window_that_fills_its_screen_is_left_to_whoever_made_it_do_so(qtbot: QtBot) -> None:
    window = Framed()
    qtbot.addWidget(window)
    window.fills, window.room = True, QRect(0, 0, 100, 100)
    StayOnScreen(window).fit()
    assert window.frame.width() == 1604
