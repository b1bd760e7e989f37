"""What is said beside colours: line styles, hatchings of areas, shapes of points; most of it where a theme is `marked`.

Everything is asked for by the name of a colour. The other themes get the same lines and areas in plain colour, but for
what looks alike to somebody who lacks one kind of cone: tests/viz/style/themes/test_marks.py tries each pair.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainterPath, QPen, QPolygonF

from bellwire.viz.style.theme import Theme

# Dashes and gaps, in widths of the pen; what is not named is drawn without gaps.
DASHES: dict[str, tuple[float, ...]] = {
    "interrupt": (4.0, 2.0),
    "guest": (1.0, 1.6),
    "roundtrip": (7.0, 2.0, 1.0, 2.0),
}
ALIKE_IN_LINES = {"guest"}  # to some it looks as another curve's colour: it is dotted in each theme
ALIKE_IN_AREAS = {"heavy", "io_thread", "interrupt", "text_muted"}  # as other areas', which they stand beside
# Hatchings, none of them slanting: slanting lines say that no stamp divides something.
HATCHES = {
    "heavy": "grid",
    "kvm": "checks",
    "io_thread": "level",
    "interrupt": "upright",
    "text_muted": "dots",
}
PERIOD, THICK = 6, 2  # pixels: from one line of a hatching to the next, and how thick it is
PARTS = {  # of one thing that has several, from the first to the last
    "kvm": ("checks", "level", "dots"),
    "heavy": ("grid", "upright", "solid"),
}
SHAPES = {"doorbell": "circle", "interrupt": "diamond", "heavy": "square"}  # of what travels

Mask = npt.NDArray[np.bool_]


def line_pen(theme: Theme, color: str, width: float = 1.8, alpha: float = 1.0) -> QPen:
    """A pen that is as wide in whatever units it draws: `width` pixels, more where lines are thick."""
    pen = QPen(theme.color(color, theme.faded(alpha)), width * theme.stroke, Qt.PenStyle.SolidLine)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap if theme.marked else Qt.PenCapStyle.SquareCap)
    pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)
    if dashes := dashes_of(theme, color):
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern(list(dashes))
    pen.setCosmetic(True)
    return pen


def dashes_of(theme: Theme, color: str) -> tuple[float, ...]:
    """The dashes of a curve; none if it has no gaps."""
    return DASHES.get(color, ()) if theme.marked or color in ALIKE_IN_LINES else ()


def area_brush(theme: Theme, color: str, alpha: float = 1.0) -> QBrush:
    """What an area is filled with: the colour, or its hatching."""
    if not theme.marked:
        return QBrush(theme.color(color, alpha))
    return hatched(theme.color(color).rgba(), HATCHES.get(color, "solid"))


def hatch_of(theme: Theme, color: str) -> str:
    """The hatching of an area that stands beside those of other colours, with nothing else to say which it is."""
    return HATCHES.get(color, "solid") if theme.marked or color in ALIKE_IN_AREAS else "solid"


def part_brush(theme: Theme, color: str, number: int, shades: tuple[float, ...]) -> QBrush:
    """The same for one of several parts of one thing: paler from part to part, or each with a hatching of its own."""
    if not theme.marked:
        return QBrush(theme.color(color, shades[min(number, len(shades) - 1)]))
    return hatched(theme.color(color).rgba(), PARTS[color][min(number, len(PARTS[color]) - 1)])


def veil_brush(theme: Theme, color: str, alpha: float) -> QBrush:
    """What is laid over something that goes on being seen."""
    return hatched(theme.color(color).rgba(), "dots") if theme.marked else QBrush(theme.color(color, alpha))


def row_brush(theme: Theme, color: str, alpha: float) -> QBrush:
    """The ground of a row of text that is chosen."""
    return QBrush(theme.color("surface_raised") if theme.marked else theme.color(color, alpha))


@lru_cache(maxsize=64)
def hatched(color: int, hatch: str) -> QBrush:
    """A brush of one colour (QRgb) and one hatching, transparent between its lines."""
    if hatch == "solid":
        return QBrush(QColor.fromRgba(color))
    side = 4 * PERIOD
    pixels = np.where(hatch_mask(hatch, side, side), np.uint32(color), np.uint32(0))
    return QBrush(QImage(pixels.tobytes(), side, side, side * 4, QImage.Format.Format_ARGB32).copy())


def hatch_mask(hatch: str, height: int, width: int) -> Mask:
    """Where a hatching has ink, of shape (height, width)."""
    y, x = np.ogrid[:height, :width]
    match hatch:
        case "solid":
            ink: Mask = np.ones(1, np.bool_)
        case "level":
            ink = y % PERIOD < THICK
        case "upright":
            ink = x % PERIOD < THICK
        case "grid":
            ink = (y % PERIOD < THICK) | (x % PERIOD < THICK)
        case "checks":
            ink = (x // THICK + y // THICK) % 2 == 0
        case "dots":
            ink = (x % PERIOD == 0) & (y % PERIOD == 0)
        case _:
            raise KeyError(hatch)
    return np.broadcast_to(ink, (height, width))


def arrow_head(before: QPointF, end: QPointF, length: float, half: float) -> QPolygonF:
    """Where a line ends that comes from `before`; length: of its sides, half: the angle of each with the line, rad."""
    angle = math.atan2(end.y() - before.y(), end.x() - before.x())
    wings = [end - QPointF(length * math.cos(angle + side), length * math.sin(angle + side)) for side in (-half, half)]
    return QPolygonF([end, *wings])


def shape_outline(shape: str, half: float) -> QPainterPath:
    """The outline around the origin of a "circle", "diamond" or "square"."""
    path = QPainterPath()
    if shape == "circle":
        path.addEllipse(QPointF(0, 0), half, half)
    elif shape == "diamond":
        far = half * 1.25
        path.addPolygon(QPolygonF([QPointF(0, -far), QPointF(far, 0), QPointF(0, far), QPointF(-far, 0)]))
        path.closeSubpath()
    else:
        path.addRoundedRect(QRectF(-half * 0.9, -half * 0.9, half * 1.8, half * 1.8), half * 0.25, half * 0.25)
    return path
