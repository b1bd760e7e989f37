"""How a token looks, and its track: circle for a doorbell, diamond for an interrupt, square by way of user space."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap, QRadialGradient

from bellwire.viz.model.travel import Token
from bellwire.viz.model.ways import INTERRUPT_LEGS
from bellwire.viz.style.painting import clear_pixmap, painter_on
from bellwire.viz.style.themes.marks import SHAPES, shape_outline

CORE = 10.0  # half the size of a token, canvas pixels
GLOW = 24.0
RING = 3.5  # canvas pixels of the ring around a token that does not shine
SAMPLES = 200
LABEL_PAD = 8


@dataclass(frozen=True)
class TrackShape:
    """A path by where its elements are, for those that are the same, in whichever picture."""

    elements: tuple[tuple[float, float, object], ...]
    path: QPainterPath = field(compare=False)


@lru_cache(maxsize=128)
def places_on(shape: TrackShape) -> list[tuple[float, float]]:
    """SAMPLES places on it, equally far from each other."""
    path = shape.path
    lengths = np.linspace(0, path.length(), SAMPLES)
    points = [path.pointAtPercent(min(path.percentAtLength(float(at)), 1.0)) for at in lengths]
    return [(point.x(), point.y()) for point in points]


class Track:
    """A path that tokens travel, sampled once, when the first of them does, so that a place on it is a look-up."""

    def __init__(self, path: QPainterPath) -> None:
        self._path = path
        self.length = path.length()

    @cached_property
    def _points(self) -> list[tuple[float, float]]:
        elements = [self._path.elementAt(number) for number in range(self._path.elementCount())]
        return places_on(TrackShape(tuple((one.x, one.y, one.type) for one in elements), self._path))

    def point(self, at: float) -> QPointF:
        """The place after the share `at` (0..1) of the way."""
        place = min(max(at, 0.0), 1.0) * (SAMPLES - 1)
        before = min(int(place), SAMPLES - 2)
        (x0, y0), (x1, y1), share = self._points[before], self._points[before + 1], place - before
        return QPointF(x0 + share * (x1 - x0), y0 + share * (y1 - y0))

    def between(self, start: float, end: float) -> QPainterPath:
        """The part of the path from one share of the way to another."""
        path = QPainterPath(self.point(start))
        inner = [n / (SAMPLES - 1) for n in range(SAMPLES) if start < n / (SAMPLES - 1) < end]
        for at in (*inner, end):
            path.lineTo(self.point(at))
        return path


def shape_of(token: Token, turned: bool = False) -> str:
    """ "square", "diamond" or "circle". turned: a doorbell that has become an interrupt."""
    return SHAPES[token_color(token, turned)]


def token_color(token: Token, turned: bool = False) -> str:
    """The theme's name of the token's colour."""
    if token.leg in INTERRUPT_LEGS or turned:
        return "interrupt"
    return "heavy" if token.heavy else "doorbell"


@lru_cache(maxsize=64)
def sprite(shape: str, color: str, edge: str, ring: str, scale: float, ratio: float, size: float) -> QPixmap:
    """A token, centred, as paint_sprite() paints it; `ratio` is the screen's device pixel ratio."""
    half = GLOW * scale
    pixmap = clear_pixmap(*(max(2, round(2 * half * ratio)),) * 2, ratio)
    with painter_on(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(half, half)
        paint_sprite(painter, shape, color, edge, ring, scale, size)
    return pixmap


def paint_sprite(painter: QPainter, shape: str, color: str, edge: str, ring: str, scale: float, size: float) -> None:
    """A token around the painter's origin, `size` times as large as usual.

    ring: the colour of a ring around it, which parts it from the wire; "": it shines instead.
    """
    half, core = GLOW * scale, CORE * scale * size
    if ring:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ring))
        painter.drawPath(shape_outline(shape, core + RING * scale))
    else:
        painter.fillRect(QRectF(-half, -half, 2 * half, 2 * half), halo(QColor(color), half))
    painter.setPen(QPen(QColor(edge), RING * scale) if ring and edge != color else QColor(edge))
    painter.setBrush(QColor(color))
    painter.drawPath(shape_outline(shape, core))


@lru_cache(maxsize=512)
def label(words: str, font: QFont, color: int, back: int, ratio: float) -> QPixmap:
    """A token's number, painted once for the hundred frames that it travels; colours as QRgb."""
    width, height = label_size(words, font)
    pixmap = clear_pixmap(round(width * ratio) + 1, round(height * ratio) + 1, ratio)
    with painter_on(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_label(painter, words, font, QColor.fromRgba(color), QColor.fromRgba(back))
    return pixmap


def label_size(words: str, font: QFont) -> tuple[float, float]:
    """Width and height of a token's number on its ground."""
    metrics = QFontMetricsF(font)
    return metrics.horizontalAdvance(words) + LABEL_PAD, metrics.height()


def paint_label(painter: QPainter, words: str, font: QFont, color: QColor, back: QColor) -> None:
    """A token's number on a faint ground, right and below of the painter's origin."""
    width, height = label_size(words, font)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(back)
    painter.drawRoundedRect(QRectF(1, 1, width - 2, height - 2), height / 3, height / 3)
    painter.setFont(font)
    painter.setPen(color)
    painter.drawText(QRectF(0, 0, width, height), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip, words)


def halo(color: QColor, radius: float) -> QRadialGradient:
    """Light around the origin that fades to nothing at `radius`."""
    gradient = QRadialGradient(QPointF(0, 0), radius)
    for stop, alpha in ((0.0, 0.65), (0.42, 0.4), (0.7, 0.12), (1.0, 0.0)):
        faded = QColor(color)
        faded.setAlphaF(alpha)
        gradient.setColorAt(stop, faded)
    return gradient
