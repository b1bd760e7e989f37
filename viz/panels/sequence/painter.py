"""Paints a message chart, on the screen as into a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from bellwire.engine.events import Clock
from bellwire.viz.diagram.annotations.room import Obstacles
from bellwire.viz.panels.sequence.layout import COLORS, FILLS, Layout
from bellwire.viz.panels.sequence.noted import ChartNote
from bellwire.viz.panels.sequence.parts import Active, Aside, Chart, Lifeline, Segment
from bellwire.viz.stages.mark import StageMark
from bellwire.viz.style.note_paper import line_between, note_size, paint_line, paint_note
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import arrow_head, row_brush, veil_brush
from bellwire.viz.text.figures import spent

GUTTER = 62  # at the left, for the times since the start
HEAD = 44  # for the lifelines' names
BAR = 9  # width of a lifeline while it runs
ARROW = 9
LIFELINE, TALL = 112, 330  # a lifeline's width and the chart's height at which text has its usual size
NOTE = 11.5  # size of what somebody has written
NOTE_SHARE = 0.3  # of the height that notes may take
MANY = 6  # segments; the kernel's own stages are more
CENTER = Qt.AlignmentFlag.AlignCenter


class SequencePainter:
    """One chart in one area. All lengths are those of the theme at its size of text."""

    def __init__(
        self,
        painter: QPainter,
        theme: Theme,
        area: QRectF,
        chart: Chart,
        clock: Clock,
        even: bool,
        mark: StageMark | None = None,
        noted: Sequence[ChartNote] = (),
    ) -> None:
        """mark: of the chart's journey, the stage that is looked at; noted: what somebody has written on it."""
        self.painter, self.chart, self.clock, self.mark, self.noted = painter, chart, clock, mark, noted
        self.numbered = area.height() < theme.px(TALL)  # what is written stands below, and only its number beside
        self.theme = theme = fitted_theme(theme, area, len(chart.lifelines))
        self.notes = self._fitting_notes(area)
        bottom = area.bottom() - self._notes_height - theme.px(14)
        self.area = area
        top = area.top() + theme.px(HEAD) + theme.px(14)
        self.layout = Layout(chart, area.left() + theme.px(GUTTER), area.right(), top, max(bottom, top + 40), even)
        self._taken: list[QRectF] = []  # by words
        self._lines: list[QRectF] = []  # small boxes along everything that is drawn

    def paint(self, playhead: int | None = None) -> None:
        """All of it; playhead: a moment to be marked."""
        self.painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for line in self.chart.lifelines:
            self._lifeline(line)
        self._times()
        if self.mark is not None:
            self._stage(self.mark)
        for active in self.chart.active:
            self._active(active)
        for aside in self.layout.asides:
            self._aside(aside)
        for segment in self.chart.segments:
            self._arrow(segment)
        looked_at = playhead if playhead and self.chart.start <= playhead <= self.layout.times[-1] else None
        if looked_at is not None:
            y = self.layout.y(looked_at)
            self._note_line(QPointF(self.layout.left, y), QPointF(self.layout.right, y))
        self._labels()
        self._annotate()
        self._write_notes()
        if looked_at is not None:
            self._line(self.theme.color("paused"), looked_at, 2)

    # -- the stage

    def _stage(self, mark: StageMark) -> None:
        """A line where it began if that is measured, else the stretch between the stamps around it, shaded."""
        start, end = mark.stretch
        last = self.layout.times[-1]
        if not self.chart.start <= start <= last:
            return
        color, left = self.theme.color(mark.color), self.layout.left - 4
        top, bottom = self.layout.y(start), self.layout.y(min(end or last, last))
        band = QRectF(left, top, self.layout.right - left, bottom - top)
        self.painter.fillRect(band, veil_brush(self.theme, mark.color, 0.16))
        self._line(color, start, 1.2)
        if end is not None and end <= last:
            self._line(color, end, 1.2)
        self.painter.setPen(QPen(color, 3))
        self.painter.drawLine(band.topLeft(), band.bottomLeft())
        if mark.measured:
            self._diamond(band.topLeft(), color)

    def _diamond(self, at: QPointF, color: QColor) -> None:
        """Right of a point, at whose left a time stands."""
        half = self.theme.px(5)
        at = at + QPointF(half, 0)
        corners = (QPointF(0, -half), QPointF(half, 0), QPointF(0, half), QPointF(-half, 0))
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(color)
        self.painter.drawPolygon([at + corner for corner in corners])

    # -- lifelines

    def _lifeline(self, line: Lifeline) -> None:
        px, x = self.theme.px, self.layout.x(line.key)
        color = self.theme.color(COLORS[line.key])
        self.painter.setPen(QPen(self.theme.color("border_strong"), 1.2))
        self.painter.drawLine(QPointF(x, self.area.top() + px(HEAD)), QPointF(x, self.layout.bottom + px(6)))
        head = QRectF(x - self.layout.gap / 2 + 3, self.area.top(), self.layout.gap - 6, px(HEAD))
        self.painter.setPen(QPen(color, 1.4 * self.theme.stroke))
        self.painter.setBrush(self.theme.color(FILLS.get(line.key, "vmm_fill")))
        self.painter.drawRoundedRect(head, 7, 7)
        both = head.adjusted(3, px(4), -3, -px(4))
        self._fit(both if not line.what else both.adjusted(0, 0, 0, -px(15)), line.title, 13, "text", 600)
        if line.what:
            self._fit(both.adjusted(0, px(18), 0, 0), line.what, 10.5, "text_muted")

    def _fit(self, box: QRectF, text: str, size: float, color: str, weight: int = 400) -> None:
        """A text in a box; smaller if it would not fit."""
        font = self.theme.font(size, weight)
        width = QFontMetricsF(font).horizontalAdvance(text)
        if width > box.width():
            font.setPixelSize(max(round(font.pixelSize() * box.width() / width), 8, self.theme.least))
        self.painter.setFont(font)
        self.painter.setPen(self.theme.color(color))
        self.painter.drawText(box, CENTER, text)

    def _active(self, active: Active) -> None:
        """A bar; one whose end is not known is open below."""
        x, half = self.layout.x(active.lifeline), self.theme.px(BAR) / 2
        last = self.layout.times[-1]
        top, bottom = self.layout.y(active.start), self.layout.y(min(active.end or last, last))
        if not active.end and active.start >= self.chart.end:
            bottom = min(top + self.theme.px(16), self.layout.bottom + self.theme.px(8))
        color = self.theme.color(COLORS[active.lifeline])
        bar = QRectF(x - half, top, 2 * half, max(bottom - top, 3))
        self.painter.fillRect(bar, self.theme.color("surface"))
        self.painter.fillRect(bar, row_brush(self.theme, COLORS[active.lifeline], 0.35))
        self.painter.setPen(QPen(color, 1.4 * self.theme.stroke))
        corners = [bar.bottomLeft(), bar.topLeft(), bar.topRight(), bar.bottomRight()]
        closed = 0 < active.end <= last
        self.painter.drawPolyline(QPolygonF([*corners, corners[0]] if closed else corners))

    # -- times

    def _times(self) -> None:
        """At each step a fine line and how long after the start it is, as far as there is room."""
        self.painter.setFont(self.theme.font(11, mono=True))
        height, last = QFontMetricsF(self.painter.font()).height(), -math.inf
        for tsc in self.layout.times:
            y = self.layout.y(tsc)
            self._line(self.theme.color("grid"), tsc, 1)
            if y - last < height * 0.9:
                continue
            last = y
            box = QRectF(self.area.left(), y - height / 2, self.theme.px(GUTTER) - 8, height)
            self.painter.setPen(self.theme.color("text_muted"))
            text = spent(self.clock, tsc - self.chart.start) if tsc > self.chart.start else "0"
            self.painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _line(self, color: QColor, tsc: int, width: float) -> None:
        y = self.layout.y(tsc)
        self.painter.setPen(QPen(color, width))
        self.painter.drawLine(QPointF(self.layout.left - 4, y), QPointF(self.layout.right, y))

    # -- what travels

    def _points(self, segment: Segment) -> list[QPointF]:
        """The way of a segment; one that passes somebody without a stamp bends there only if it leads back."""
        x, y = self.layout.x, self.layout.y
        start = QPointF(x(segment.source), y(segment.start))
        end = QPointF(x(segment.target), y(segment.end))
        if not segment.via:
            return [start, end]
        low, high = sorted((start.x(), end.x()))
        between = low < x(segment.via) < high
        share = (x(segment.via) - start.x()) / (end.x() - start.x()) if between else 0.5
        return [start, QPointF(x(segment.via), start.y() + (end.y() - start.y()) * share), end]

    def _arrow(self, segment: Segment) -> None:
        color = self.theme.color(segment.color)
        style = Qt.PenStyle.DashLine if segment.bound else Qt.PenStyle.SolidLine
        if segment.source == segment.target and not segment.via:
            self._stay(segment, color)
            return
        points = self._points(segment)
        self.painter.setPen(QPen(color, 2.2 * self.theme.stroke, style))
        self.painter.drawPolyline(QPolygonF(points))
        self._note_line(*points)
        self._head(points[-2], points[-1], color, ARROW)
        if segment.via:
            self.painter.setPen(QPen(color, 1.6))
            self.painter.setBrush(self.theme.color("surface"))
            self.painter.drawEllipse(points[1], self.theme.px(4), self.theme.px(4))

    def _stay(self, segment: Segment, color: QColor) -> None:
        """On one lifeline: a bar, hatched where its end is only a bound."""
        x, half = self.layout.x(segment.source), self.theme.px(BAR) / 2
        bar = QRectF(x - half, self.layout.y(segment.start), 2 * half, 0)
        bar.setBottom(max(self.layout.y(segment.end), bar.top() + 2))
        self.painter.fillRect(bar, color)
        if segment.bound:
            self.painter.fillRect(bar, Qt.BrushStyle.BDiagPattern)

    def _head(self, start: QPointF, end: QPointF, color: QColor, size: float) -> None:
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(color)
        self.painter.drawPolygon(arrow_head(start, end, self.theme.px(size), 0.42))

    def _note_line(self, *points: QPointF) -> None:
        """Keeps words off a line, as far as that is possible."""
        for start, end in pairwise(points):
            steps = max(round(math.hypot(end.x() - start.x(), end.y() - start.y()) / 4), 1)
            way = (end - start) / steps
            self._lines += [
                QRectF(start.x() + way.x() * n - 2, start.y() + way.y() * n - 2, 4, 4) for n in range(steps + 1)
            ]

    def _aside(self, aside: Aside) -> None:
        """A fine arrow at one time, its words above it where it begins."""
        y, x0, x1 = self.layout.y(aside.at), self.layout.x(aside.source), self.layout.x(aside.target)
        color = self.theme.color("text_muted")
        self.painter.setPen(QPen(color, 1.2))
        self.painter.drawLine(QPointF(x0, y), QPointF(x1, y))
        self._head(QPointF(x0, y), QPointF(x1, y), color, ARROW * 0.7)
        font = self.theme.font(10.5)
        metrics = QFontMetricsF(font)
        box = QRectF(0, 0, metrics.horizontalAdvance(aside.text) + 6, metrics.height())
        box.moveCenter(QPointF((x0 + x1) / 2, y))
        box.moveTop(y + 1)
        self._taken.append(box)
        self._note_line(QPointF(x0, y), QPointF(x1, y))
        self.painter.fillRect(box, self.theme.color("surface", self.theme.faded(0.85)))
        self.painter.setFont(font)
        self.painter.setPen(color)
        self.painter.drawText(box, CENTER, aside.text)

    # -- words

    def _labels(self) -> None:
        """Of the longest segments first: how long it took, and what travelled."""
        segments = sorted(self.chart.segments, key=lambda segment: -segment.cycles)
        big, small = self.theme.font(14.5, 600, mono=True), self.theme.font(11.5)
        for segment in segments if not self.clock.emulated else ():
            color = segment.color if segment.color != "io_thread" else "text"
            self._label(segment, f"{segment.bound} {spent(self.clock, segment.cycles)}".strip(), big, color, 0)
        for segment in segments:
            self._label(segment, segment.text, small, "text", 1)

    def _label(self, segment: Segment, text: str, font: QFont, color: str, row: int) -> None:
        """Words at a free place near the segment; left out if there is none. row 1: below row 0."""
        metrics = QFontMetricsF(font)
        size = QSizeF(metrics.horizontalAdvance(text) + 6, metrics.height() - 2)
        box = self._free([*self._corners(segment, size, row), *self._beside(segment, size, row)], size)
        if box is None:
            return
        self._taken.append(box)
        self.painter.fillRect(box, self.theme.color("surface", self.theme.faded(0.8)))
        self.painter.setFont(font)
        self.painter.setPen(self.theme.color(color))
        self.painter.drawText(box, CENTER | Qt.TextFlag.TextDontClip, text)

    def _free(self, places: list[QPointF], size: QSizeF) -> QRectF | None:
        """The first place (a label's middle) that covers nothing, else, with room, the first that covers no words."""
        boxes = [
            self._inside(QRectF(at.x() - size.width() / 2, at.y() - size.height() / 2, size.width(), size.height()))
            for at in places
        ]
        boxes = [box for box in boxes if not any(box.intersects(taken) for taken in self._taken)]
        bare = (box for box in boxes if not any(box.intersects(line) for line in self._lines))
        return next(bare, boxes[0] if boxes and not self._crowded else None)

    @property
    def _crowded(self) -> bool:
        """Whether many steps are lower than words: those far from their segment would be taken for another one's."""
        height = QFontMetricsF(self.theme.font(14.5, 600, mono=True)).height()
        return len(self.chart.segments) > MANY and self._step < height

    @property
    def _step(self) -> float:
        """The height of one of even steps."""
        return (self.layout.bottom - self.layout.top) / max(len(self.layout.times) - 1, 1)

    def _inside(self, box: QRectF) -> QRectF:
        """The box, moved into the chart."""
        box.moveLeft(min(max(box.left(), self.layout.left), self.area.right() - box.width()))
        top, bottom = self.area.top() + self.theme.px(HEAD) + 1, self.layout.bottom + self.theme.px(12)
        box.moveTop(min(max(box.top(), top), bottom - box.height()))
        return box

    def _corners(self, segment: Segment, size: QSizeF, row: int) -> list[QPointF]:
        """Beside a slanting arrow: the time in the corner above it, the words in the corner below."""
        points = self._points(segment)
        start, end = points[0], points[-1]
        if start.x() == end.x():
            return []
        pad, way = self.theme.px(5), 1 if end.x() > start.x() else -1
        if row == 0:
            return [QPointF(end.x() - way * (size.width() / 2 + pad), start.y() + size.height() / 2 + 1)]
        return [QPointF(start.x() + way * (size.width() / 2 + pad), end.y() - size.height() / 2 - 1)]

    def _beside(self, segment: Segment, size: QSizeF, row: int) -> list[QPointF]:
        """Around the middle of an arrow, or at either side of a bar; then ever further up and down."""
        points = self._points(segment)
        middle = (points[0] + points[-1]) / 2
        shift = QPointF(0, size.height() * (row - 0.5))
        away = QPointF(self.theme.px(BAR) / 2 + 4 + size.width() / 2, 0)
        bar = points[0].x() == points[-1].x()
        sides = [middle + shift + away, middle + shift - away] if bar else [middle + shift]
        reach = max(round(self._step / 2), 1) if self._crowded else self.theme.px(40)
        steps = [step * side for step in range(0, reach, 4) for side in (1, -1)]
        return [at + QPointF(0, step) for step in steps for at in sides]

    def _annotate(self) -> None:
        """What somebody has written, beside its moment, on as little as possible; or its number, see `numbered`."""
        if not self.noted:
            return
        top = self.area.top() + self.theme.px(HEAD)
        free = Obstacles(QRectF(self.layout.left, top, self.area.right() - self.layout.left, self.layout.bottom - top))
        free.add(self._lines, 4.0)
        free.add(self._taken, 25.0)
        font = self.theme.font(NOTE)
        for number, note in enumerate(self.noted, 1):
            text = str(number) if self.numbered else note.text
            at = QPointF(self.layout.x(note.lifeline), self.layout.y(note.tsc))
            place = QRectF(at - QPointF(2, 2), QSizeF(4, 4))
            box = free.free_place(note_size(text, font, self.layout.right - self.layout.left), place)
            free.add([box], 100.0)
            paint_line(self.painter, self.theme, line_between(box, place), note.ink, 1.6 * self.theme.stroke)
            paint_note(self.painter, self.theme, box, text, font, note.ink)

    # -- notes

    def _fitting_notes(self, area: QRectF) -> list[tuple[QRectF, str]]:
        """The first notes, as many as a part of the height holds, each with its box."""
        metrics, boxes, used = QFontMetricsF(self.theme.font(11)), [], self._stage_height
        written = [f"{number}  {note.text}" for number, note in enumerate(self.noted, 1)] if self.numbered else []
        for note in (*written, *self.chart.notes):
            size = metrics.boundingRect(QRectF(0, 0, area.width(), 400), Qt.TextFlag.TextWordWrap, note)
            if used + size.height() > area.height() * NOTE_SHARE:
                break
            used += size.height()
            boxes.append((QRectF(area.left(), 0, area.width(), size.height()), note))
        return boxes

    @property
    def _stage_height(self) -> float:
        """Of the words about the stage: always two lines, so that the chart stays where it is from stage to stage."""
        return 2 * QFontMetricsF(self.theme.font(11, 600)).lineSpacing() if self.mark else 0.0

    @property
    def _notes_height(self) -> float:
        return self._stage_height + sum(box.height() for box, _ in self.notes)

    def _write_stage(self, mark: StageMark, y: float) -> None:
        self.painter.setFont(self.theme.font(11, 600))
        self.painter.setPen(self.theme.color(mark.color))
        box = QRectF(self.area.left(), y, self.area.width(), self._stage_height)
        bottom = Qt.AlignmentFlag.AlignBottom | Qt.TextFlag.TextWordWrap
        self.painter.drawText(box, bottom, f"◆ {mark.words(self.clock)}")

    def _write_notes(self) -> None:
        y = self.area.bottom() - self._notes_height
        if self.mark is not None:
            self._write_stage(self.mark, y)
            y += self._stage_height
        self.painter.setFont(self.theme.font(11))
        self.painter.setPen(self.theme.color("text_muted"))
        for box, note in self.notes:
            self.painter.drawText(box.translated(0, y), Qt.TextFlag.TextWordWrap, note)
            y += box.height()


def fitted_theme(theme: Theme, area: QRectF, lifelines: int) -> Theme:
    """The theme with larger text where there is much room, with smaller text where there is little."""
    wide = area.width() / theme.px(GUTTER + LIFELINE * lifelines)
    return replace(theme, scale=theme.scale * min(max(min(wide, area.height() / theme.px(TALL)), 0.8), 1.6))
