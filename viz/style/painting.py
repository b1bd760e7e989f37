"""What every paintEvent is, and whatever else paints: a function that may fail without taking the program along."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QPaintDevice, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

Widget = TypeVar("Widget", bound=QWidget)
Paint = Callable[[Widget, QPaintEvent], None]


def painting(paint: Paint[Widget]) -> Paint[Widget]:
    """Hands what it raises to sys.excepthook here, and lets its frames go, and with them the painter.

    PySide would keep the exception until the event loop comes round. By then the painter is used and ended on a device
    that is shown already, or gone, and the process dies.
    """

    @wraps(paint)
    def paintEvent(self: Widget, event: QPaintEvent) -> None:
        try:
            paint(self, event)
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)
            traceback.clear_frames(error.__traceback__)

    return paintEvent


@contextmanager
def painter_on(device: QPaintDevice) -> Iterator[QPainter]:
    """A painter on pixels, or on a file's page, that is ended whatever happens.

    Python lets go of what a failing function holds one after the other, the device before its painter: with that still
    active the process dies.
    """
    painter = QPainter(device)
    try:
        yield painter
    finally:
        painter.end()


def clear_pixmap(width: int, height: int, ratio: float) -> QPixmap:
    """So many pixels of the screen, transparent; ratio: how many of them make one of the window's.

    Filled first: on a screen of 16 bits what is transparent takes another format, and Qt forgets the ratio over it.
    """
    pixmap = QPixmap(width, height)
    pixmap.fill(Qt.GlobalColor.transparent)
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
