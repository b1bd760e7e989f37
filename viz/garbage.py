"""Garbage is collected in the GUI's thread and nowhere else.

A cycle of Python objects may hold widgets, which must not die in another thread; and a collection that begins by chance
in the engine's thread, or in the midst of a frame, would disturb what is measured or shown.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL = 250  # ms


class Garbage(QObject):
    """From its beginning to the end of the process Python's own collector is off, and this one looks now and then."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.freeze()  # what is there by now stays, and need not be looked through again
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(collect)
        self._timer.start(INTERVAL)


def collect() -> None:
    """Collects the oldest generation that is due by Python's own thresholds (gc.get_threshold)."""
    due = [n for n, (count, most) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)) if count > most]
    if due:
        gc.collect(due[-1])
