"""Paints the diagram's still parts: boxes, nodes, wires, counters, pills and words. No events, no state."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from math import inf

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from bellwire.viz.diagram.blueprint import Box, Counter, LatencyPill, Node, Note, Point, RingBuffer, Wire
from bellwire.viz.diagram.geometry import Geometry, towards
from bellwire.viz.diagram.still_words import RingFill
from bellwire.viz.style.themes.marks import row_brush
from bellwire.viz.wires.passable import Passable, Passage

FAINT = 0.35  # of what nothing can pass
ASLEEP = 0.5  # of what nothing has passed
HOLLOW = 0.4  # of its width, where an interrupt's wire is a double line
HEADING = 22  # canvas pixels of a line of a box's title
CROSS_BEFORE = 32  # canvas pixels before the end of a wire that is blocked
ROOM_AT_CROSS = 24  # canvas pixels between that mark and the words of what differs
DIFFERENCE_WIDE = 212  # canvas pixels that these have
SLICES = 32  # that can be told apart in a ring
PARAGRAPH_HIGH = 48  # canvas pixels of a note of several lines
LEAST_SHARE = 0.72  # of its size that words are painted in where they lack room; then they are cut, and end in "…"
LINE_HIGH = 1.3  # of its font's pixels
LINE_CLOSE = 1.1  # the same of two lines in a box that has no more height
INK = 0.9  # the same of what letters cover: lines may stand as close, where else one would be left out
EDGE = 3  # pixels between a box and a name that fills it
LEAST_PIXELS = 8  # of a font that is made smaller
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTER = Qt.AlignmentFlag.AlignCenter
UNCLIPPED = {align: align | Qt.TextFlag.TextDontClip for align in (LEFT, RIGHT, CENTER)}
PARAGRAPH = LEFT | Qt.TextFlag.TextWordWrap


class Sketch:
    """A painter that knows the geometry and the theme; every method paints one thing.

    written: where words are; shortened: those that had no room as a whole, and where they were cut: whoever paints can
    tell them there.
    """

    def __init__(self, painter: QPainter, geometry: Geometry) -> None:
        self.painter, self.geometry, self.theme = painter, geometry, geometry.theme
        self.written: list[QRectF] = []
        self.shortened: list[tuple[QRectF, str]] = []
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)

    def card(self, rect: QRectF) -> None:
        """The rounded surface that everything lies on."""
        self._rounded(rect.adjusted(0.75, 0.75, -0.75, -0.75), "surface", self.theme.edge, 1.5, 14)

    def box(self, box: Box, alive: bool = True) -> None:
        """A box without its words; one that is not alive is empty."""
        style = Qt.PenStyle.DashLine if box.dashed or not alive else Qt.PenStyle.SolidLine
        width = (2 if box.strong or box.dashed else 1.5) * self.theme.stroke
        fill, edge = (box.fill, box.edge) if alive else ("surface", "border_strong")
        self._rounded(self.geometry.rect(box.rect), fill, edge, width, 12 * self.geometry.scale, style)

    def box_words(self, box: Box, fact: str, room: float) -> None:
        """A box's title, and a fact beside it, or beneath it if the box is narrow; room: canvas pixels for both."""
        rect, high = self.geometry.rect(box.rect), room * self.geometry.sy
        pad = min(self.geometry.px(18), rect.width() * 0.08)
        name = QRectF(rect.topLeft(), QSizeF(rect.width(), high))
        if self.geometry.least and self._name_alone(name, box.title, self.geometry.font(16, 700), pad, box.color):
            return
        wide, line = rect.width() - 2 * pad, self.geometry.px(HEADING)
        beneath = self._beneath(box, fact, wide) and (box.centered or high >= 1.5 * line)
        line = min(line, high / 2 if beneath else high)
        top = min(self.geometry.px(15), (high - line * (2 if beneath else 1)) / 2)
        self._heading(QRectF(rect.left() + pad, rect.top() + top, wide, line), box, fact, beneath)

    def _beneath(self, box: Box, fact: str, wide: float) -> bool:
        """Whether the fact does not fit beside the title."""
        fact_wide = width_of(fact, self.geometry.font(13))
        return bool(fact) and not box.aside and (box.centered or self._title_width(box) + fact_wide > wide)

    def _title_width(self, box: Box) -> float:
        return width_of(box.title, self.geometry.font(16, 700)) + self.geometry.px(10)

    def _heading(self, title: QRectF, box: Box, fact: str, beneath: bool) -> None:
        align = CENTER if box.centered else LEFT
        share = min(1.0, title.height() / self.geometry.px(HEADING))  # of their size, where a line has less height
        small = self.geometry.font(13 * share)
        self.text(title, box.title, self.geometry.font(16 * share, 700), box.color, align)
        if box.aside:
            rest = title.adjusted(self._title_width(box), 0, 0, 0)
            self.text(rest, fact, self.geometry.font(13 * share, mono=True), "text_muted", RIGHT)
        elif beneath:
            self.text(title.translated(0, title.height() * 0.92), fact, small, "text_muted", align)
        elif fact:
            self.text(title.adjusted(self._title_width(box), 0, 0, 0), fact, small, "text_muted", LEFT)

    def node(self, node: Node, used: bool = True) -> None:
        """A node without its words."""
        self.painter.setOpacity(1 if used else self.theme.faded(FAINT))
        style = Qt.PenStyle.SolidLine if used else Qt.PenStyle.DashLine
        edge, width = node.edge if used else "border_strong", 1.5 * self.theme.stroke if used else 1.5
        self._rounded(self.geometry.rect(node.rect), "well", edge, width, 9 * self.geometry.scale, style)
        self.painter.setOpacity(1)

    def glow(self, node: Node, color: str, strong: bool) -> None:
        """The light of a node that something passes, or, where nothing shines, a strong frame, two if it is inside."""
        rect, radius = self.geometry.rect(node.rect), 9 * self.geometry.scale
        self.painter.setPen(QPen(self.theme.color(color), (3 if strong else 1.5) * self.theme.stroke))
        self.painter.setBrush(self._light(color, strong))
        self.painter.drawRoundedRect(rect, radius, radius)

    def _light(self, color: str, strong: bool) -> QColor:
        if self.theme.glow:
            return self.theme.color(color, 0.38 if strong else 0.12)
        return self.theme.color("surface_raised" if strong else "well")

    def node_words(self, node: Node, fact: str, used: bool = True, lit: bool = False) -> bool:
        """What a node is, and what it does; lit: on its light. Whether it has room for its name."""
        rect = self.geometry.rect(node.rect)
        pad, line = self.geometry.px(9 if node.small else 15), min(self.geometry.px(20), rect.height() * 0.42)
        sizes = (13, 11.5) if node.small else (14, 12.5)
        title, fact = (node.title, fact) if node.title else (fact, "")
        color = "text" if used else "text_muted"
        if self.geometry.least and self._name_alone(rect, title, self.geometry.font(sizes[0], 600), pad, color):
            return True
        beneath = self.geometry.font(sizes[1], mono=True)
        fact = fact if self._holds(QSizeF(rect.width() - 1.6 * pad, line), fact, beneath) else ""
        lines = 2 if fact else 1
        top = QRectF(rect.left() + pad, rect.center().y() - line * lines / 2, rect.width() - 1.6 * pad, line)
        named = self.text(top, title, self.geometry.font(sizes[0], 600), color)
        self.text(top.translated(0, line), fact, beneath, "text" if lit else "text_muted")
        return named

    def name_over(self, node: Node) -> None:
        """A node's name on a plate of its own, which is wider than the node."""
        rect = self.geometry.rect(node.rect)
        font, middle = smaller(self.geometry.font(14, 600), self.geometry.least), rect.center()
        half = QPointF(width_of(node.title, font) / 2 + 2 * EDGE, LINE_HIGH * font.pixelSize() / 2)
        plate = QRectF(middle - half, middle + half).united(rect)
        self._rounded(plate, "well", node.edge, 1.5 * self.theme.stroke, 4 * EDGE)
        self._letters(plate, node.title, font, "text", UNCLIPPED[CENTER])

    def _name_alone(self, rect: QRectF, title: str, font: QFont, pad: float, color: str) -> bool:
        """Where a name has no room beside the usual margins: up to the edges, in two lines if need be; whether so."""
        if width_of(title, font) <= rect.width() - 1.6 * pad:
            return False
        font, room = smaller(font, self.geometry.least), rect.adjusted(EDGE, 0, -EDGE, 0)
        lines = in_two(title) if width_of(title, font) > room.width() else (title,)
        line = LINE_CLOSE * font.pixelSize()
        if line * len(lines) > rect.height() or max(width_of(part, font) for part in lines) > room.width() + 1:
            return False
        top = rect.center().y() - line * len(lines) / 2
        for number, part in enumerate(lines):
            at = QRectF(room.left(), top + number * line, room.width(), line)
            self._letters(at, part, font, color, UNCLIPPED[CENTER])
            self.written.append(at)
        return True

    def _holds(self, room: QSizeF, words: str, font: QFont) -> bool:
        """Whether the words have room; always, where they may be made smaller and cut."""
        least = self.geometry.least
        high = LINE_HIGH * least <= room.height()
        return not least or (high and width_of(words, fitting(font, words, room.width(), least)) <= room.width() + 1)

    def wire(self, wire: Wire, passage: Passage) -> None:
        """A line: bright where something passed, pale or thin where nothing did, dashed where nothing can any more."""
        if passage.standing is Passable.BLOCKED:
            before, behind = parted(wire.points, cross_of(wire))
            self._line(replace(wire, points=before, arrow=False), Passage())
            self._line(replace(wire, points=behind), Passage(Passable.UNPLUGGED))
            self._cross(cross_of(wire))
        else:
            self._line(wire, passage)

    def _line(self, wire: Wire, passage: Passage) -> None:
        pen = self._pen(wire, passage)
        bright, asleep = passage.lit and passage.open, passage.lit or passage.open
        self.painter.setOpacity(1 if bright else self.theme.faded(ASLEEP if asleep else FAINT))
        self.painter.setPen(pen)
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.drawPath(self.geometry.path(wire.points))
        if self.theme.marked and wire.color == "interrupt" and passage.lit and not pen.dashPattern():
            self.painter.setPen(QPen(self.theme.color("surface"), pen.widthF() * HOLLOW))
            self.painter.drawPath(self.geometry.path(wire.points))
        if wire.arrow:
            self._arrow(wire, pen.color())
        self.painter.setOpacity(1)

    def _pen(self, wire: Wire, passage: Passage) -> QPen:
        """Dotted by user space, and without a colour until somebody takes it."""
        quiet = not passage.lit and (wire.heavy or not passage.open)
        pen = QPen(self.theme.color("text_muted" if quiet else wire.color), self._wire_width(wire, passage))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if wire.heavy:
            pen.setDashPattern([0.1, 2.6] if passage.lit else [0.1, 3.4])
        elif not passage.open:
            pen.setDashPattern([2, 4])
        elif wire.dotted:
            pen.setDashPattern([1, 2.5])
        return pen

    def _wire_width(self, wire: Wire, passage: Passage) -> float:
        wide = 2 if wire.thin or not passage.open else 3.4 if wire.heavy else 4
        return (wide * self.theme.stroke if passage.lit else min(wide, 2.5)) * self.geometry.scale

    def difference(self, wire: Wire, passage: Passage) -> None:
        """At a block: what is not the same. Long words stay between the wire's ends, where parts and names stand."""
        if passage.differs:
            (x, y), room = cross_of(wire), DIFFERENCE_WIDE * self.geometry.sx
            half = min(self._pill_wide(passage.differs), room) / 2 / self.geometry.sx
            beside = (min(x - 124, x - ROOM_AT_CROSS - half), y - 22)
            pill = LatencyPill(center=wire.differs_at or beside, of="", color="heavy")
            self.pill(pill, passage.differs, room)

    def _arrow(self, wire: Wire, color: QColor) -> None:
        tip, before = self.geometry.point(wire.points[-1]), self.geometry.point(wire.points[-2])
        size = (9 if wire.thin or wire.heavy else 14) * self.geometry.scale * self.theme.stroke**0.5
        back = towards(tip, before, size)
        side = QPointF(back.y() - tip.y(), tip.x() - back.x()) * 0.57
        head = QPainterPath(tip)
        head.lineTo(back + side)
        head.lineTo(back - side)
        head.closeSubpath()
        self.painter.fillPath(head, color)

    def _cross(self, at: Point) -> None:
        """Here it does not go on."""
        center, arm = self.geometry.point(at), 8 * self.geometry.scale
        pen = QPen(self.theme.color("heavy"), 3 * self.geometry.scale * self.theme.stroke)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        self.painter.setPen(pen)
        for slope in (-1, 1):
            across = QPointF(arm, slope * arm)
            self.painter.drawLine(center - across, center + across)

    def selected_wire(self, wire: Wire) -> None:
        """The light around a wire that is chosen."""
        pen = QPen(self.theme.color("selection", 0.35), 13 * self.geometry.scale * self.theme.stroke)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        self.painter.setPen(pen)
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.drawPath(self.geometry.path(wire.points))

    def selected(self, rect: QRectF, round_: bool = False) -> None:
        """The frame around something that is chosen."""
        around = rect.adjusted(-4, -4, 4, 4)
        self.painter.setPen(QPen(self.theme.color("selection"), 2.5 * self.theme.stroke))
        self.painter.setBrush(row_brush(self.theme, "selection", 0.10))
        radius = around.height() / 2 if round_ else 11 * self.geometry.scale
        self.painter.drawRoundedRect(around, radius, radius)

    def counter(self, counter: Counter, count: str, plugged: bool, inside: bool) -> None:
        """An eventfd: a circle with its count; it shines while something is `inside`."""
        center, radius = self.geometry.point(counter.center), counter.radius * self.geometry.scale
        color = counter.color if plugged else "text_muted"
        self.painter.setPen(QPen(self.theme.color(color), 2.5 * self.geometry.scale * self.theme.stroke))
        self.painter.setBrush(self.theme.color("well"))
        corner = radius * (0.35 if counter.square else 1)
        self.painter.drawRoundedRect(square(center, radius), corner, corner)
        if inside:
            self.painter.setBrush(row_brush(self.theme, color, 0.3))
            self.painter.drawRoundedRect(square(center, radius), corner, corner)
        size = 19 * min(1, counter.radius / 25)
        self.text(square(center, radius * 0.82), count, self.geometry.font(size, 700, mono=True), color, CENTER)

    def counter_words(self, counter: Counter, words: str) -> None:
        """A counter's name, and its role."""
        at, half = self.geometry.point(counter.name_at), self.geometry.px(10)
        wide = counter.room * self.geometry.sx
        name = QRectF(at.x() - wide / 2, at.y() - half, wide, 2 * half)
        self.text(name, words, self.geometry.font(12.5, mono=True), "text_muted", CENTER)

    def ring(self, ring: RingBuffer, fill: RingFill) -> None:
        """A ring buffer: a slice for each slot, or for each of SLICES parts; those that are in use are filled."""
        outer = square(self.geometry.point(ring.center), ring.radius * self.geometry.scale)
        slices = min(fill.size, SLICES)
        step = 360 / slices
        used = fill.used_slices(slices)
        gap = self.theme.color("border_strong" if self.theme.marked else "well")
        self.painter.setPen(QPen(gap, 1.5 * self.geometry.scale))
        for n in range(slices):
            color = self.theme.color(ring.color) if n in used else self.theme.color("border")
            self.painter.setBrush(color)
            self.painter.drawPie(outer, round((90 - n * step) * 16), round(-step * 16))
        words_color = ring.color if fill.used else "text_muted"
        hole = square(outer.center(), outer.width() * 0.31)
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(self.theme.color("well"))
        self.painter.drawEllipse(hole)
        self.text(hole.adjusted(3, 3, -3, -3), fill.text, self.geometry.font(14, 700, mono=True), words_color, CENTER)
        name = square(self.geometry.point(ring.name_at), self.geometry.px(68))
        self.text(name, ring.name, self.geometry.font(12.5, mono=True), "text_muted", CENTER)

    def pill(self, pill: LatencyPill, value: str, room: float = inf) -> None:
        """A latency, or a few words; room: pixels that it may be wide."""
        rect = self.geometry.pill(pill.center)
        wider = (min(self._pill_wide(value), room) - rect.width()) / 2
        rect = rect.adjusted(-wider, 0, wider, 0)
        self._rounded(rect, "well", pill.color, self.theme.stroke, rect.height() / 2)
        self.text(rect.adjusted(3, 0, -3, 0), value, self._pill_font, pill.color, CENTER)
        if self.geometry.least:
            self.written.append(rect)

    @property
    def _pill_font(self) -> QFont:
        return self.geometry.font(12.5, 600, mono=True)

    def _pill_wide(self, value: str) -> float:
        """How wide a pill is with these words in it, pixels."""
        return max(self.geometry.pill((0, 0)).width(), width_of(value, self._pill_font) + self.geometry.px(12))

    def note(self, note: Note, words: str, color: str) -> None:
        """A line of text beside a wire; a paragraph is said elsewhere, in larger type, where text has a least size."""
        at, font = self.geometry.point(note.at), self.geometry.font(note.size, mono=note.mono)
        width = note.width * self.geometry.sx
        if note.lines > 1 and self.geometry.least:
            return
        if note.lines > 1:
            self._paragraph(QRectF(at.x(), at.y(), width, PARAGRAPH_HIGH * self.geometry.sy), words, font, note)
        elif note.centered:
            self.text(QRectF(at.x() - width / 2, at.y() - 20, width, 40), words, font, color, CENTER)
        else:
            high, middle = self.geometry.px(20), at.y() - QFontMetricsF(font).capHeight() / 2
            self.text(QRectF(at.x(), middle - high / 2, width, high), words, font, color)

    def place_of(self, note: Note, words: str) -> QRectF:
        """Where the words of a note of one line are."""
        at, font = self.geometry.point(note.at), self.geometry.font(note.size, mono=note.mono)
        wide, high = min(width_of(words, font), note.width * self.geometry.sx), float(font.pixelSize())
        middle = at.y() if note.centered else at.y() - QFontMetricsF(font).capHeight() / 2
        return QRectF(at.x() - (wide / 2 if note.centered else 0.0), middle - high / 2, wide, high)

    def _paragraph(self, rect: QRectF, words: str, font: QFont, note: Note) -> None:
        """Several lines, made smaller if they would not fit, then cut."""
        shown = words
        while too_high(font, rect, shown) and font.pixelSize() > LEAST_PIXELS + 1:
            font = smaller(font, font.pixelSize() - 1)
        while too_high(font, rect, shown) and " " in shown:
            shown = f"{shown.removesuffix('…').rpartition(' ')[0]}…"
        if shown != words:
            self.shortened.append((rect, words))
        self._letters(rect, shown, font, note.color, PARAGRAPH)
        self.written.append(QFontMetricsF(font).boundingRect(rect, PARAGRAPH, shown))

    def text(
        self,
        rect: QRectF,
        words: str,
        font: QFont,
        color: str,
        align: Qt.AlignmentFlag = LEFT,
    ) -> bool:
        """One line, made smaller if it would not fit, then cut; where text has a least size, then left out: False."""
        font = fitting(font, words, rect.width(), self.geometry.least, LEAST_SHARE * self.geometry.spare)
        shown = cut(font, words, rect.width())
        if shown != words:
            self.shortened.append((rect, words))
        wide, high = width_of(shown, font), (INK if self.geometry.least else LINE_HIGH) * font.pixelSize()
        left = rect.left() + (rect.width() - wide) * {CENTER: 0.5, RIGHT: 1.0}.get(align, 0.0)
        place = QRectF(left, rect.center().y() - high / 2, wide, high)
        if self.geometry.least and (shown != words or any(map(place.intersects, self.written))):
            return False
        self._letters(rect, shown, font, color, UNCLIPPED[align])
        self.written.append(place)
        return True

    def _letters(self, rect: QRectF, words: str, font: QFont, color: str, flags: int) -> None:
        self.painter.setFont(font)
        self.painter.setPen(self.theme.color(color))
        self.painter.drawText(rect, flags, words)

    def _rounded(
        self,
        rect: QRectF,
        fill: str,
        edge: str,
        width: float,
        radius: float,
        style: Qt.PenStyle = Qt.PenStyle.SolidLine,
    ) -> None:
        self.painter.setPen(QPen(self.theme.color(edge), width, style))
        self.painter.setBrush(self.theme.color(fill))
        self.painter.drawRoundedRect(rect, radius, radius)


def cross_of(wire: Wire) -> Point:
    """Where a wire that is blocked ends."""
    (x0, y0), (x1, y1) = wire.points[-2:]
    share = min(CROSS_BEFORE / max(abs(x1 - x0) + abs(y1 - y0), 1), 0.5)
    return wire.cross or (x1 + (x0 - x1) * share, y1 + (y0 - y1) * share)


def parted(points: tuple[Point, ...], at: Point) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """A line in two, at a point of one of its segments."""
    x, y = at
    for n, ((x0, y0), (x1, y1)) in enumerate(pairwise(points), 1):
        if min(x0, x1) <= x <= max(x0, x1) and min(y0, y1) <= y <= max(y0, y1):
            return (*points[:n], at), (at, *points[n:])
    return points, points[-2:]


def square(center: QPointF, half: float) -> QRectF:
    """The square around a point."""
    return QRectF(center.x() - half, center.y() - half, 2 * half, 2 * half)


@lru_cache(maxsize=2048)
def width_of(words: str, font: QFont) -> float:
    """How wide the words are, pixels; the same few words are asked for a few times a second."""
    return QFontMetricsF(font).horizontalAdvance(words)


def fitting(font: QFont, words: str, width: float, least: int = LEAST_PIXELS, share: float = LEAST_SHARE) -> QFont:
    """The font, smaller if the words would be wider than `width`, but not below `least`, nor as nobody could read.

    share: of the font's size that can be read.
    """
    wide = width_of(words, font)
    if wide <= width:
        return font
    least = max(least, LEAST_PIXELS, int(share * font.pixelSize()))
    return smaller(font, min(font.pixelSize(), max(least, int(font.pixelSize() * width / wide))))


def cut(font: QFont, words: str, width: float) -> str:
    """The words, or as many of them as have room before "…"."""
    if width_of(words, font) <= width + 1:  # as much as a font is rounded to whole pixels
        return words
    return QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideRight, width)


def in_two(name: str) -> tuple[str, ...]:
    """A name in two lines of about the same length, parted at a space or behind a joint; whole without one."""
    places = [at + (letter != " ") for at, letter in enumerate(name) if letter in " _-" and at]
    if not places:
        return (name,)
    at = min(places, key=lambda place: abs(place - len(name) / 2))
    return name[:at].rstrip(), name[at:].lstrip()


def too_high(font: QFont, rect: QRectF, words: str) -> bool:
    """Whether these words in several lines need more than the rectangle."""
    return QFontMetricsF(font).boundingRect(rect, PARAGRAPH, words).height() > rect.height()


def smaller(font: QFont, pixels: int) -> QFont:
    """The font in another size."""
    made = QFont(font)
    made.setPixelSize(pixels)
    return made
