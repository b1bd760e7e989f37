"""What text a widget paints, and where: a paint device that keeps each piece instead of its pixels.

Labels, buttons, tables and whatever paints itself come by the same way, so nothing has to be asked what it shows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPaintDevice, QPaintEngine, QPainterPath, QTextItem
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

METRICS = QPaintDevice.PaintDeviceMetric
DOTS_PER_INCH = 96


class Piece(NamedTuple):
    """A piece of text as it was painted, in pixels of the widget."""

    text: str
    ink: QRectF  # the smallest rectangle that holds what is seen of its signs
    room: QRectF  # what of the widget could be painted on

    @property
    def cut(self) -> bool:
        """Whether some of it, but not all, lies where nothing is painted."""
        seen = self.ink.intersected(self.room)
        return not seen.isEmpty() and not self.room.adjusted(-1, -1, 1, 1).contains(self.ink)

    @property
    def seen(self) -> bool:
        """Whether anything of it is painted."""
        return not self.ink.intersected(self.room).isEmpty()


class TextKeeper(QPaintEngine):
    """Keeps texts; one that something opaque is painted over as a whole is not seen any more."""

    def __init__(self) -> None:
        super().__init__(QPaintEngine.PaintEngineFeature.AllFeatures)
        self.pieces: list[Piece] = []

    def begin(self, device: QPaintDevice) -> bool:
        self.setActive(True)
        return True

    def end(self) -> bool:
        self.setActive(False)
        return True

    def type(self) -> QPaintEngine.Type:
        return QPaintEngine.Type.User

    def updateState(self, _state: Any) -> None:
        """What is needed of it is asked for with each piece."""

    def drawTextItem(self, at: Any, item: QTextItem) -> None:
        painter = self.painter()
        place = painter.deviceTransform()
        room = QRectF(self.systemClip().boundingRect())
        if painter.hasClipping():
            room = room.intersected(place.mapRect(painter.clipBoundingRect()))
        metrics, text = QFontMetricsF(item.font()), item.text()
        before = metrics.horizontalAdvance(text[: len(text) - len(text.lstrip())])  # a blank is not seen
        ink = metrics.tightBoundingRect(text.strip()).translated(QPointF(at) + QPointF(before, 0))
        if item.text().strip() and painter.pen().color().alpha():
            self.pieces.append(Piece(item.text(), place.mapRect(ink), room))

    def drawRects(self, rects: Any, count: int = 1) -> None:
        for rect in rects if isinstance(rects, list) else [rects]:
            self._cover(QRectF(rect))

    def drawPath(self, path: QPainterPath) -> None:
        if path.elementCount() > 4:
            self._cover(path.boundingRect())

    def _cover(self, area: QRectF) -> None:
        brush = self.painter().brush()
        if brush.style() == Qt.BrushStyle.SolidPattern and brush.color().alpha() == 255:
            area = self.painter().deviceTransform().mapRect(area).intersected(QRectF(self.systemClip().boundingRect()))
            self.pieces = [piece for piece in self.pieces if not area.contains(piece.ink)]

    def _no_pixels(self, *_: Any) -> None:
        """Only texts are kept."""


for _shape in ("Lines", "Points", "Polygon", "Ellipse", "Pixmap", "Image", "TiledPixmap"):
    setattr(TextKeeper, f"draw{_shape}", TextKeeper._no_pixels)


class TextDevice(QPaintDevice):
    """A surface of a widget's size."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self.engine = TextKeeper()
        self._metrics = {METRICS.PdmWidth: width, METRICS.PdmHeight: height, METRICS.PdmDepth: 32}
        self._metrics |= {METRICS.PdmDevicePixelRatio: 1, METRICS.PdmDevicePixelRatioScaled: 1 << 16}

    def paintEngine(self) -> QPaintEngine:
        return self.engine

    def metric(self, metric: QPaintDevice.PaintDeviceMetric) -> int:
        return self._metrics.get(metric, DOTS_PER_INCH)


def texts_painted(widget: QWidget) -> list[Piece]:
    """Every piece of text of a widget and of what is in it."""
    device = TextDevice(widget.width(), widget.height())
    widget.render(device)
    return [piece for piece in device.engine.pieces if piece.seen]


def clashes(pieces: list[Piece], scrolled: list[QRectF]) -> list[str]:
    """What cannot be read: texts that are cut off, but above and below in what can be scrolled, and texts that meet.

    Words of one line in two formats, as a link and the comma behind it, come as two texts, each a pixel too wide.
    """
    found = [f"cut off: {piece.text!r}" for piece in pieces if piece.cut and not scrolls_to(piece, scrolled)]
    seen = [(piece, piece.ink.intersected(piece.room).adjusted(1.0, 0.5, -1.0, -0.5)) for piece in pieces]
    for n, (piece, ink) in enumerate(seen):
        found += [f"{piece.text!r} meets {other.text!r}" for other, place in seen[:n] if ink.intersects(place)]
    return found


def scrolls_to(piece: Piece, scrolled: list[QRectF]) -> bool:
    """Whether it is cut off by the upper or lower edge of what can be scrolled, and by nothing else."""
    wide = QRectF(piece.ink.left(), piece.room.top(), piece.ink.width(), piece.room.height())
    across = not Piece(piece.text, wide, piece.room).cut
    return across and any(area.adjusted(-1, -1, 1, 1).contains(piece.room) for area in scrolled)


def scrolled_areas(widget: QWidget) -> list[QRectF]:
    """What of a widget shows a part of something higher, in its pixels."""
    areas = [area for area in widget.findChildren(QAbstractScrollArea) if area.isVisible()]
    return [
        QRectF(QRect(area.viewport().mapTo(widget, QPoint()), area.viewport().size()))
        for area in areas
        if area.verticalScrollBar().maximum() > 0
    ]
