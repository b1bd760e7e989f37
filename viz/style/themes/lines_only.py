"""What is painted as pixels on a screen, and as lines where a device holds lines: an SVG or a PDF has any size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPaintEngine, QPainter, QPainterPath

MOST_RECTS = 6000  # of one picture: of a hatched one there would be more, and its pixels take less room

Argb = npt.NDArray[np.uint32]  # shape (height, width)


def holds_lines(painter: QPainter) -> bool:
    """Whether what is painted stays lines."""
    engine = painter.paintEngine()
    return engine is not None and engine.type() != QPaintEngine.Type.Raster


def paint_columns(painter: QPainter, place: QRectF, picture: QImage) -> None:
    """A picture of upright bars, in a rectangle."""
    rects = list(rects_in(pixels_of_argb(picture))) if holds_lines(painter) else []
    if not 0 < len(rects) <= MOST_RECTS:
        painter.drawImage(place, picture)
        return
    across, down = place.width() / picture.width(), place.height() / picture.height()
    paths = dict[int, QPainterPath]()
    for color, left, top, width, height in rects:
        rect = QRectF(place.left() + left * across, place.top() + top * down, width * across, height * down)
        paths.setdefault(color, QPainterPath()).addRect(rect)
    for color, path in paths.items():
        painter.fillPath(path, QColor.fromRgba(color))


def pixels_of_argb(picture: QImage) -> Argb:
    """Its pixels; the picture must be of 32 bits."""
    assert picture.depth() == 32
    return np.frombuffer(picture.constBits(), np.uint32).reshape(picture.height(), picture.width())


def rects_in(pixels: Argb) -> Iterator[tuple[int, int, int, int, int]]:
    """Colour, left, top, width and height of each stretch of a column in one colour; like neighbours are one."""
    height, width = pixels.shape
    unlike = np.flatnonzero((pixels[:, 1:] != pixels[:, :-1]).any(axis=0)) + 1
    lefts = np.concatenate([[0], unlike])
    columns = pixels.T[lefts]  # one a row
    begins = np.ones(columns.shape, bool)  # whether another colour begins there
    begins[:, 1:] = columns[:, 1:] != columns[:, :-1]
    column, tops = np.nonzero(begins)
    heights = np.diff(np.append(column * height + tops, columns.size))  # as if all stood in one column
    widths = np.diff(np.append(lefts, width))[column]
    found = np.stack([columns[column, tops], lefts[column], tops, widths, heights], axis=1)
    yield from map(tuple, found[found[:, 0] >> 24 > 0].tolist())
