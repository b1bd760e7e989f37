"""How a note looks, wherever it is: words on a ground of their own, with an edge in its ink and a line to its place."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from bellwire.viz.style.theme import Theme

WRAPPED = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
ANYWHERE = WRAPPED | Qt.TextFlag.TextWrapAnywhere  # where a word is wider than the note
WIDE = 17  # times its font's pixels, that a note is wide at most
EDGE, BAR, HALO = 1.4, 4.0, 4.0  # pixels: of its frame, of the bar at its left, of what sets a line off


def note_padding(font: QFont) -> float:
    """Around the words, pixels."""
    return font.pixelSize() * 0.5


def note_size(text: str, font: QFont, widest: float) -> QSizeF:
    """How much room a note takes that is at most so wide, its padding included."""
    metrics, pad = QFontMetricsF(font), note_padding(font)
    room = min(WIDE * font.pixelSize(), widest) - 2 * pad - BAR
    words = metrics.boundingRect(QRectF(0, 0, max(room, font.pixelSize()), 1e5), note_flags(text, font, room), text)
    return QSizeF(words.width() + 2 * pad + BAR + 2, words.height() + 1.3 * pad)


def note_flags(text: str, font: QFont, room: float) -> int:
    """How its words are wrapped."""
    longest = max(map(QFontMetricsF(font).horizontalAdvance, text.split()), default=0.0)
    return (ANYWHERE if longest > room else WRAPPED).value


def paint_note(
    painter: QPainter, theme: Theme, box: QRectF, text: str, font: QFont, ink: str, chosen: bool = False
) -> None:
    """The note; one that is chosen has a second frame."""
    pad, edge = note_padding(font), EDGE * theme.stroke
    painter.setPen(QPen(theme.color(ink), edge))
    painter.setBrush(theme.color("surface_raised"))
    painter.drawRoundedRect(box, 5, 5)
    bar = QRectF(box.left(), box.top(), BAR + edge, box.height()).adjusted(edge / 2, edge / 2, 0, -edge / 2)
    painter.fillRect(bar, theme.color(ink))
    if chosen:
        painter.setPen(QPen(theme.color("focus"), 2, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(-4, -4, 4, 4), 7, 7)
    inner = box.adjusted(pad + BAR, 0, -pad + 2, 0)
    painter.setFont(font)
    painter.setPen(theme.color("text"))
    painter.drawText(inner, note_flags(text, font, inner.width()), text)


def paint_line(painter: QPainter, theme: Theme, path: QPainterPath, ink: str, width: float) -> None:
    """A line that is seen on whatever it crosses."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    round_ = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    for color, wide in (("background", width + HALO), (ink, width)):
        painter.setPen(QPen(theme.color(color), wide, Qt.PenStyle.SolidLine, *round_))
        painter.drawPath(path)


def nearest_point(box: QRectF, to: QPointF) -> QPointF:
    """The point in a box that is nearest to another one."""
    return QPointF(min(max(to.x(), box.left()), box.right()), min(max(to.y(), box.top()), box.bottom()))


def line_between(box: QRectF, place: QRectF) -> QPainterPath:
    """From the edge of a note to the edge of its place."""
    start = nearest_point(box, place.center())
    path = QPainterPath(start)
    path.lineTo(nearest_point(place, start))
    return path
