"""The mouse pointer goes where it rests over the audience's window, and comes back with the first movement."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.diagram.pointing.marks import Tool
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.presenter.audience import AudienceWindow
from bellwire.viz.window.presenter.resting_pointer import REST_SECONDS, RestingPointer
from tests.support.shipped_models import shipped_model


class Desk:
    """A mouse, its tool and a clock, which the test moves."""

    def __init__(self) -> None:
        self.at, self.seconds, self.tool = QPoint(50, 50), 0.0, False


def shape() -> Qt.CursorShape | None:
    cursor = QGuiApplication.overrideCursor()
    return cursor.shape() if cursor else None


def test_it_goes_once_it_rests_and_comes_back_at_once(qtbot: QtBot) -> None:
    desk, window = Desk(), QWidget()
    qtbot.addWidget(window)
    window.setGeometry(0, 0, 100, 100)
    mouse = RestingPointer(window, lambda: desk.tool, lambda: desk.at, lambda: desk.seconds)

    def after(seconds: float, at: QPoint | None = None, tool: bool = False) -> bool:
        desk.seconds, desk.at, desk.tool = desk.seconds + seconds, at or desk.at, tool
        mouse.look()
        assert shape() == (Qt.CursorShape.BlankCursor if mouse.hidden else None)
        return mouse.hidden

    assert not after(REST_SECONDS - 0.1)
    assert after(0.2)
    assert after(0.2)
    assert not after(0.1, QPoint(51, 50))
    assert after(REST_SECONDS)
    assert not after(0.1, tool=True)
    assert not after(9 * REST_SECONDS, tool=True)
    assert not after(REST_SECONDS - 0.1)
    assert after(0.1)
    assert not after(0.1, QPoint(400, 50))
    assert not after(9 * REST_SECONDS)  # over another window
    after(0.1, QPoint(50, 50))
    assert after(REST_SECONDS)
    mouse.stop()
    assert shape() is None


def test_the_audiences_window_looks_while_it_is_shown(qtbot: QtBot) -> None:
    audience = AudienceWindow(shipped_model("roundtrip"), DARK)
    qtbot.addWidget(audience)
    looks = [audience.mouse._timer.isActive()]
    audience.show()
    looks.append(audience.mouse._timer.isActive())
    audience.pointing.take(Tool.LASER)
    looks.append(audience.mouse._pointed_with())
    audience.hide()
    assert [*looks, audience.mouse._timer.isActive()] == [False, True, True, False]
