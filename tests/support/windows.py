"""A whole window on the synthetic source, whose frames and keys a test gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.viz.style.theme import DARK
from bellwire.viz.window.window import MainWindow, make_window
from tests.support.fake_source import FakeSource


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
        qtbot.waitExposed(made.window)
        made.window.activateWindow()
        made.run()
        yield made
