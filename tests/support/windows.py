"""A whole window on the synthetic source, or on all of a recorded run, whose frames and keys a test gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from bellwire.viz.style.theme import DARK, Theme
from bellwire.viz.window.window import MainWindow, make_window
from tests.support.fake_source import FakeSource
from tests.support.shipped_models import WholeSource


class Stage:
    """A window, and the source that it is on."""

    def __init__(self, window: MainWindow, source: FakeSource) -> None:
        self.window, self.source = window, source

    def run(self, frames: int = 20) -> None:
        """That many frames, by hand: the timer is not started."""
        for _ in range(frames):
            self.source.run(1 / 60)
            self.window.frame.tick()
        self.window._bar_at = 0
        self.window.frame.tick()
        self.window.frame.tick()  # what costs more takes turns

    def run_until(self, done: Callable[[], bool]) -> None:
        """A few frames at a time; fails if it never is."""
        for _ in range(400):
            if done():
                return
            self.run(5)
        raise AssertionError("it did not happen")

    def press(self, qtbot: QtBot, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """A key, as if typed, and a few frames."""
        QTest.keyClick(self.window.focusWidget() or self.window, key, modifiers)
        self.run(3)


@contextmanager
def staged(qtbot: QtBot, *size: int) -> Iterator[Stage]:
    """A shown window of this size, or of its own, on a source that has not run yet."""
    source = FakeSource()
    window = make_window(source, theme=DARK, make_source=FakeSource)
    qtbot.addWidget(window)
    if size:
        window.resize(*size)
    window.show()
    yield Stage(window, source)
    window.close()


@contextmanager
def staged_in_front(qtbot: QtBot, width: int, height: int) -> Iterator[Stage]:
    """The same once it has the keys, and a few frames later."""
    with staged(qtbot, width, height) as made:
        assert QTest.qWaitForWindowExposed(made.window)
        made.window.activateWindow()
        made.run()
        yield made


@contextmanager
def on_whole_run(qtbot: QtBot, *size: int, scenario: str = "roundtrip", theme: Theme = DARK) -> Iterator[MainWindow]:
    """A shown window that has all of a recorded run at once."""
    window = make_window(WholeSource(scenario), theme=theme)
    qtbot.addWidget(window)
    if size:
        window.resize(*size)
    window.show()
    assert QTest.qWaitForWindowExposed(window)
    window.frame.tick()
    yield window
    window.close()


def settle(window: MainWindow) -> None:
    """Until every view has taken its turn, and its room."""
    for _ in range(5):  # what one row leaves out the next layout asks anew
        QApplication.processEvents()
        window._bar_at = 0
        window.frame.tick()
    window.views.redraw()
    QApplication.processEvents()
