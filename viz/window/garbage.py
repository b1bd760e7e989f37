"""Garbage is collected in the window's thread alone: a cycle may hold widgets, which must not die in another thread,
where Python may collect it.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 1000


class WidgetGarbage(QObject):
    """Looks now and then whether Python would have collected by itself, which it no longer does from here on."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.collect)
        self._timer.start(EVERY_MS)

    def collect(self) -> None:
        """The youngest objects, and older ones where as many have become old as Python would wait for."""
        due = [count > most for count, most in zip(gc.get_count(), gc.get_threshold(), strict=True)]
        oldest = due.index(False) - 1 if False in due else len(due) - 1
        if oldest >= 0:
            gc.collect(oldest)
