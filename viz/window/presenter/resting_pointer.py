"""The mouse pointer over the audience's window: it goes once it has rested, as it points at nothing then."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from PySide6.QtCore import QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QWidget

REST_SECONDS = 3.0  # without a movement
LOOK_MS = 50  # between looks: a pointer that moves is seen at once


class RestingPointer(QObject):
    """Hides it while it rests over `window` and nothing is pointed with; whatever part is below, and its own shape."""

    def __init__(
        self,
        window: QWidget,
        pointed_with: Callable[[], bool],
        where: Callable[[], QPoint] = QCursor.pos,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """pointed_with: whether a tool is taken. where: the pointer is on the screens. now: seconds."""
        super().__init__(window)
        self._window, self._pointed_with, self._where, self._now = window, pointed_with, where, now
        self._at, self._since = where(), now()
        self.hidden = False
        self._timer = QTimer(self)  # of its own: frames end with a fault, and a pointer has to come back even then
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """The window is shown."""
        self._at, self._since = self._where(), self._now()
        self._timer.start()

    def stop(self) -> None:
        """It is not any more."""
        self._timer.stop()
        self._hide(False)

    def look(self) -> None:
        """Whether it has moved, or rested for long enough."""
        at = self._where()
        over = self._window.geometry().contains(at) and not self._pointed_with()
        if at != self._at or not over:
            self._at, self._since = at, self._now()
        self._hide(over and self._now() - self._since >= REST_SECONDS)

    def _hide(self, on: bool) -> None:
        """For the whole program, as each part has a shape of its own; it is over this window, so no other has it."""
        if on and not self.hidden:
            QGuiApplication.setOverrideCursor(Qt.CursorShape.BlankCursor)
        elif self.hidden and not on:
            QGuiApplication.restoreOverrideCursor()
        self.hidden = on
