"""The small box that tells what is under the pointer."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from bellwire.viz.style.theme import Theme

SIZE = 11


class Line(NamedTuple):
    """A line of the readout."""

    color: QColor
    name: str
    value: str


def paint_readout(painter: QPainter, theme: Theme, area: QRectF, pointer: QPointF, lines: list[Line]) -> None:
    """Beside the pointer, on the side that has room, inside the area; the last lines only if there is room for them."""
    painter.setFont(theme.font(SIZE, mono=True))
    height, box = painter.fontMetrics().height(), readout_box(theme, area, pointer, lines)
    painter.setPen(QPen(theme.color("border_strong"), 1))
    painter.setBrush(theme.color("well", 0.95))
    painter.drawRoundedRect(box, 6, 6)
    row = QRectF(box.left() + 10, box.top() + 6, box.width() - 20, height)
    for color, name, value in with_room(lines, area, height):
        painter.setPen(color)
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft, name)
        painter.drawText(row, Qt.AlignmentFlag.AlignRight, value)
        row.translate(0, height)


def readout_box(theme: Theme, area: QRectF, pointer: QPointF, lines: list[Line]) -> QRectF:
    """Where the readout of these lines, of which there is one at least, is painted."""
    metrics = QFontMetrics(theme.font(SIZE, mono=True))
    lines = with_room(lines, area, metrics.height())
    names = max(metrics.horizontalAdvance(line.name) for line in lines)
    values = max(metrics.horizontalAdvance(line.value) for line in lines)
    box = QRectF(0, 0, names + values + 40, len(lines) * metrics.height() + 12)
    left = pointer.x() + 10 + box.width() > area.right()
    box.moveTo(pointer.x() + (-10 - box.width() if left else 10), pointer.y() - box.height())
    box.moveLeft(max(box.left(), area.left()))
    box.moveTop(max(min(box.top(), area.bottom() - box.height()), area.top()))
    return box


def with_room(lines: list[Line], area: QRectF, height: float) -> list[Line]:
    """The first lines, as many of this height as the area has room for, but one at least."""
    return lines[: max(1, int((area.height() - 12) / height))]
