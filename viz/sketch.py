"""Paints the diagram's still parts: boxes, nodes, wires, counters, pills and words. No events, no state."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from viz.blueprint import Box, Eventfd, Node, Note, Pill, Wire
from viz.geometry import Geometry, towards

FAINT = 0.35  # of a wire that is not plugged in
ASLEEP = 0.6  # of a heavy way that nobody takes
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTER = Qt.AlignmentFlag.AlignCenter


class Sketch:
    """A painter that knows the geometry and the theme; every method paints one thing."""

    def __init__(self, painter: QPainter, geometry: Geometry) -> None:
        self.painter, self.geometry, self.theme = painter, geometry, geometry.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)

    def card(self, rect: QRectF) -> None:
        """The rounded surface that everything lies on."""
        self._rounded(rect.adjusted(0.75, 0.75, -0.75, -0.75), "surface", "border", 1.5, 14)

    def box(self, box: Box) -> None:
        """A box without its words."""
        width = 2 if box.title == "Guest" else 1.5
        self._rounded(self.geometry.rect(box.rect), box.fill, box.edge, width, 12 * self.geometry.scale)

    def box_words(self, box: Box, fact: str) -> None:
        """A box's title, and a fact beside it, or beneath it if the box is narrow."""
        rect = self.geometry.rect(box.rect)
        pad = self.geometry.px(18)
        line = self.geometry.px(22)
        title = QRectF(rect.left() + pad, rect.top() + self.geometry.px(15), rect.width() - 2 * pad, line)
        self._heading(title, box, fact)

    def _heading(self, title: QRectF, box: Box, fact: str) -> None:
        big, small = self.geometry.font(16, 700), self.geometry.font(13)
        width = QFontMetricsF(big).horizontalAdvance(box.title) + self.geometry.px(10)
        beside = not box.centered and width + QFontMetricsF(small).horizontalAdvance(fact) <= title.width()
        self.text(title, box.title, big, box.color, CENTER if box.centered else LEFT)
        if box.title == "Guest":
            self.text(title, fact, self.geometry.font(13, mono=True), "text_muted", RIGHT)
        elif beside:
            self.text(title.adjusted(width, 0, 0, 0), fact, small, "text_muted", LEFT)
        else:
            under = title.translated(0, title.height() * 0.92)
            self.text(under, fact, small, "text_muted", CENTER if box.centered else LEFT)

    def node(self, node: Node, present: bool) -> None:
        """A node without its words."""
        self.painter.setOpacity(1 if present else FAINT)
        edge = node.edge if present else "border"
        self._rounded(self.geometry.rect(node.rect), "well", edge, 1.5, 9 * self.geometry.scale)
        self.painter.setOpacity(1)

    def node_words(self, node: Node, fact: str, present: bool) -> None:
        """What a node is, and what it does."""
        rect = self.geometry.rect(node.rect)
        pad, line = self.geometry.px(15), min(self.geometry.px(20), rect.height() * 0.42)
        top = QRectF(rect.left() + pad, rect.center().y() - line, rect.width() - 1.5 * pad, line)
        self.text(top, node.title, self.geometry.font(14, 600), "text" if present else "text_muted")
        self.text(top.translated(0, line), fact, self.geometry.font(12.5, mono=True), "text_muted")

    def wire(self, wire: Wire, plugged: bool, lit: bool) -> None:
        """A line, dashed if it goes by user space or if its switch is off."""
        pen = QPen(self.theme.color(wire.color), self._wire_width(wire, lit))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        alpha = 1.0 if plugged else FAINT
        if wire.heavy:
            alpha = 1.0 if lit else ASLEEP
            pen.setDashPattern([0.1, 2.6] if lit else [0.1, 3.4])
        elif not plugged:
            pen.setColor(self.theme.color("text_muted"))
            pen.setWidthF(2 * self.geometry.scale)
            pen.setDashPattern([2, 4])
        self.painter.setOpacity(alpha)
        self.painter.setPen(pen)
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.drawPath(self.geometry.path(wire.points))
        if wire.arrow:
            self._arrow(wire, pen.color())
        self.painter.setOpacity(1)

    def _wire_width(self, wire: Wire, lit: bool) -> float:
        if wire.thin:
            return 2 * self.geometry.scale
        return (3.4 if lit else 2.5) * self.geometry.scale if wire.heavy else 4 * self.geometry.scale

    def _arrow(self, wire: Wire, color: QColor) -> None:
        tip, before = self.geometry.point(wire.points[-1]), self.geometry.point(wire.points[-2])
        size = (9 if wire.thin or wire.heavy else 14) * self.geometry.scale
        back = towards(tip, before, size)
        side = QPointF(back.y() - tip.y(), tip.x() - back.x()) * 0.57
        head = QPainterPath(tip)
        head.lineTo(back + side)
        head.lineTo(back - side)
        head.closeSubpath()
        self.painter.fillPath(head, color)

    def eventfd(self, eventfd: Eventfd, count: str, present: bool, plugged: bool, inside: bool) -> None:
        """A counter: a circle with its count; it shines while something is `inside`."""
        center, radius = self.geometry.point(eventfd.center), eventfd.radius * self.geometry.scale
        self.painter.setOpacity(1 if present else FAINT)
        color = eventfd.color if present and plugged else "text_muted"
        self.painter.setPen(QPen(self.theme.color(color), 2.5 * self.geometry.scale))
        self.painter.setBrush(self.theme.color("well"))
        self.painter.drawEllipse(center, radius, radius)
        if inside:
            self.painter.setBrush(self.theme.color(color, 0.3))
            self.painter.drawEllipse(center, radius, radius)
        self.painter.setOpacity(1)
        if present:
            self.text(square(center, radius * 0.82), count, self.geometry.font(19, 700, mono=True), color, CENTER)

    def eventfd_words(self, eventfd: Eventfd, present: bool) -> None:
        """A counter's name."""
        if present:
            name = square(self.geometry.point(eventfd.name_at), self.geometry.px(45))
            self.text(name, eventfd.name, self.geometry.font(12.5, mono=True), "text_muted", CENTER)

    def pill(self, pill: Pill, value: str) -> None:
        """A latency."""
        center, font = self.geometry.point(pill.center), self.geometry.font(12.5, 600, mono=True)
        width, height = self.geometry.px(92), self.geometry.px(23)
        rect = QRectF(center.x() - width / 2, center.y() - height / 2, width, height)
        self._rounded(rect, "well", pill.color, 1, height / 2)
        self.text(rect, value, font, pill.color, CENTER)

    def note(self, note: Note, words: str) -> None:
        """A line of text beside a wire."""
        at, font = self.geometry.point(note.at), self.geometry.font(12.5, mono=note.mono)
        self.painter.setFont(fitting(font, words, note.width * self.geometry.sx))
        self.painter.setPen(self.theme.color(note.color))
        self.painter.drawText(at, words)

    def text(
        self,
        rect: QRectF,
        words: str,
        font: QFont,
        color: str,
        align: Qt.AlignmentFlag = LEFT,
    ) -> None:
        """One line, made smaller if it would not fit."""
        self.painter.setFont(fitting(font, words, rect.width()))
        self.painter.setPen(self.theme.color(color))
        self.painter.drawText(rect, align | Qt.TextFlag.TextDontClip, words)

    def _rounded(self, rect: QRectF, fill: str, edge: str, width: float, radius: float) -> None:
        self.painter.setPen(QPen(self.theme.color(edge), width))
        self.painter.setBrush(self.theme.color(fill))
        self.painter.drawRoundedRect(rect, radius, radius)


def square(center: QPointF, half: float) -> QRectF:
    """The square around a point."""
    return QRectF(center.x() - half, center.y() - half, 2 * half, 2 * half)


def fitting(font: QFont, words: str, width: float) -> QFont:
    """The font, smaller if the words would be wider than `width`."""
    wide = QFontMetricsF(font).horizontalAdvance(words)
    if wide <= width:
        return font
    smaller = QFont(font)
    smaller.setPixelSize(max(7, int(font.pixelSize() * width / wide)))
    return smaller
