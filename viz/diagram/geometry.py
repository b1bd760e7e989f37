"""From the blueprint's canvas to the widget's pixels: stretched to fill it, not out of shape; text in proportion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QPainterPath

from bellwire.viz.diagram.blueprint import Point, Rect
from bellwire.viz.style.theme import Theme, make_font

MOST_STRETCH = 1.45  # of one direction against the other
LEGIBLE_STRETCH = 2.0  # the same where text has a least size: names need the room
LEAST_TEXT = 0.8  # text shrinks less than the canvas
MOST_TEXT = 1.3  # of the canvas' scale: what the boxes hold
NAMES = 14  # canvas pixels of what parts are called: as small as may be, where text has a least size


@dataclass(frozen=True)
class Geometry:
    """Where things are in a widget of a given size.

    least: pixels of a font that no text is smaller than; what has no room then is left out.
    """

    sx: float
    sy: float
    left: float
    top: float
    theme: Theme
    least: int = 0

    @classmethod
    def fit(cls, width: float, height: float, part: Rect, theme: Theme, least: int = 0) -> Geometry:
        """This part of the canvas fills the widget, centred where it would be stretched too much."""
        left, top, wide, high = part
        sx, sy = width / wide, height / high
        most = LEGIBLE_STRETCH if least else MOST_STRETCH
        fx, fy = min(sx, sy * most), min(sy, sx * most)
        return cls(fx, fy, (width - wide * fx) / 2 - left * fx, (height - high * fy) / 2 - top * fy, theme, least)

    @cached_property
    def scale(self) -> float:
        """Of lengths that must not be stretched: line widths, radii."""
        return min(self.sx, self.sy)

    @cached_property
    def text(self) -> float:
        """Of text: the theme's scale, as far as the boxes hold it."""
        usual = min(max(self.scale, LEAST_TEXT) * self.theme.scale, self.scale * MOST_TEXT)
        return max(usual, self.least / NAMES)

    @property
    def spare(self) -> float:
        """Of the size of text, what would be left of it if it were no larger than the canvas has it."""
        return min(self.scale / self.text, 1.0)

    def point(self, point: Point) -> QPointF:
        """A canvas point in pixels."""
        return QPointF(self.left + point[0] * self.sx, self.top + point[1] * self.sy)

    def on_canvas(self, at: QPointF) -> Point:
        """The canvas point at a pixel."""
        return (at.x() - self.left) / self.sx, (at.y() - self.top) / self.sy

    def rect(self, rect: Rect) -> QRectF:
        """A canvas rectangle in pixels."""
        return QRectF(self.point(rect[:2]), self.point((rect[0] + rect[2], rect[1] + rect[3])))

    def font(self, size: float, weight: int = 400, mono: bool = False) -> QFont:
        """A font of `size` canvas pixels."""
        return make_font(max(round(size * self.text), self.least), weight, mono)

    def px(self, size: float) -> float:
        """A length that goes with the text."""
        return size * self.text

    def pill(self, center: Point) -> QRectF:
        """The rectangle of a pill around a canvas point."""
        at, width, height = self.point(center), self.px(64), self.px(23)
        return QRectF(at.x() - width / 2, at.y() - height / 2, width, height)

    def path(self, points: tuple[Point, ...], radius: float = 14) -> QPainterPath:
        """A line through the points with rounded corners."""
        return rounded([self.point(point) for point in points], radius * self.scale)


def rounded(points: list[QPointF], radius: float) -> QPainterPath:
    """A line through the points whose corners are rounded by up to `radius`."""
    path = QPainterPath(points[0])
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        path.lineTo(towards(corner, before, radius))
        path.quadTo(corner, towards(corner, after, radius))
    path.lineTo(points[-1])
    return path


def towards(start: QPointF, end: QPointF, distance: float) -> QPointF:
    """The point `distance` from start on the way to end, but at most half the way."""
    way: QPointF = end - start
    length = max((way.x() ** 2 + way.y() ** 2) ** 0.5, 1e-6)
    reached: QPointF = start + way * min(distance / length, 0.5)
    return reached
