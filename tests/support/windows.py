"""A whole window on the synthetic source, whose frames and keys a test gives."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.viz.window.window import MainWindow
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
