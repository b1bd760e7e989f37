"""Paints two sets of latencies over each other: their distributions, their percentile curves, and figures beside."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from bellwire.engine.findings.compare import LEVEL
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.language import tr, tr_n
from bellwire.viz.panels.compare.rows import FigureRow
from bellwire.viz.plots.distribution import density_outline
from bellwire.viz.style.curves import LogRange, latency_ticks
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import veil_brush
from bellwire.viz.text.figures import Unit, localized

NAME, NUMBERS, DIFFERENCE, WORDS = 0, (1, 2), 3, 4  # of the columns of figures
GIVES_WAY = {WORDS: 0.3, NAME: 0.5}  # where there is little room: what keeps how much of its own, before figures do
GAP, STEP = 22, 24  # between columns; widths are multiples of this, so that they stand still while numbers change
LEAST_CHART = 220
LINE = 19
AXIS = 18
SHARES = ((np.log10(2), "50 %"), (1.0, "90 %"), (2.0, "99 %"), (3.0, "99.9 %"), (4.0, "99.99 %"))
Values = npt.NDArray[np.float64]


def heads() -> FigureRow:
    """What stands above the columns."""
    return FigureRow("", "A", "B", tr("B − A  ({level:.0%} interval)", level=LEVEL), head=True)


@dataclass(frozen=True)
class Pair:
    """One latency of both sides, the name of the theme's colour that B has, and the unit of both on one axis."""

    a: Histogram
    b: Histogram
    color: str
    unit: Unit


class ComparePainter:
    """Everything in `area`, from the left: charts as far as there is room, then the figures."""

    def __init__(self, painter: QPainter, theme: Theme, area: QRectF) -> None:
        self.painter, self.theme, self.area = painter, theme, area

    def paint(self, pair: Pair, rows: list[FigureRow], shown: tuple[bool, bool]) -> None:
        """shown: whether A, and whether B, is switched on."""
        rows = [heads(), *rows]
        widths = self._widths(rows)
        figures = min(self.area.width(), sum(widths))
        left = self.area.width() - figures - self.theme.px(24)
        charts = [self.distribution, self.percentiles][: max(0, int(left // self.theme.px(LEAST_CHART)))]
        width, top, height = left / max(len(charts), 1), self.area.top(), self.area.height()
        for n, chart in enumerate(charts):
            chart(QRectF(self.area.left() + n * width, top, width - self.theme.px(16), height), pair, shown)
        self.figures(QRectF(self.area.right() - figures, top, figures, height), rows, widths)

    # -- charts

    def distribution(self, box: QRectF, pair: Pair, shown: tuple[bool, bool]) -> None:
        """Shapes over a log axis, each as high as the other; a tick at each median."""
        range_, plot = common_range(pair), box.adjusted(0, 4, 0, -self.theme.px(AXIS))
        scale = plot.width() / (range_.high - range_.low)
        most = int(plot.width() // self.theme.px(72))
        major, minor = latency_ticks(range_.low, range_.high, most, pair.unit)
        self._axis(plot, [(plot.left() + (at - range_.low) * scale, text) for at, text in (*major, *minor)])
        for histogram, solid, on in zip((pair.a, pair.b), (False, True), shown, strict=True):
            if on and histogram.count:
                x, y = density_outline(histogram, range_.low, range_.high)
                points = self._points(plot.left() + (x - range_.low) * scale, plot.bottom() - y * plot.height() / 0.85)
                self._curve(points, pair.color, solid, plot.bottom())
                median = plot.left() + (np.log10(max(histogram.percentile(50), 1)) - range_.low) * scale
                self._median(plot, float(median), "B" if solid else "A", pair.color if solid else "text_muted")

    def percentiles(self, box: QRectF, pair: Pair, shown: tuple[bool, bool]) -> None:
        """Latency by percentile, whose axis gives each further nine the same room."""
        range_, plot = common_range(pair), box.adjusted(self.theme.px(58), 4, 0, -self.theme.px(AXIS))
        most = min(4.0, max(1.0, float(np.log10(max(pair.a.count, pair.b.count, 1)))))
        scale, height = plot.width() / most, plot.height() / (range_.high - range_.low)
        self._axis(plot, [(plot.left() + at * scale, localized(text)) for at, text in SHARES if at <= most])
        fit = int(plot.height() // self.theme.px(16))
        for at, text in latency_ticks(range_.low, range_.high, fit, pair.unit)[0]:
            self._level(plot, plot.bottom() - (at - range_.low) * height, text)
        for histogram, solid, on in zip((pair.a, pair.b), (False, True), shown, strict=True):
            if on and histogram.count:
                x = np.linspace(0, min(most, np.log10(histogram.count)), 160)
                y = np.log10(np.maximum(histogram.percentiles(100 * (1 - 10.0**-x)), 1))
                points = self._points(plot.left() + x * scale, plot.bottom() - (y - range_.low) * height)
                self._curve(points, pair.color, solid, None)

    def _points(self, x: Values, y: Values) -> QPolygonF:
        return QPolygonF(list(map(QPointF, x.tolist(), y.tolist())))

    def _curve(self, points: QPolygonF, color: str, solid: bool, ground: float | None) -> None:
        """B is solid, and filled down to the ground if there is one; A is dashed."""
        painter, theme = self.painter, self.theme
        if solid and ground is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(veil_brush(theme, color, 0.22))
            fill = QPolygonF(
                [QPointF(points.first().x(), ground), *points.toList(), QPointF(points.last().x(), ground)]
            )
            painter.drawPolygon(fill)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        style = Qt.PenStyle.SolidLine if solid else Qt.PenStyle.DashLine
        painter.setPen(QPen(theme.color(color if solid else "text_muted"), 1.8 * theme.stroke, style))
        painter.drawPolyline(points)

    def _median(self, plot: QRectF, x: float, name: str, color: str) -> None:
        """A dotted line with the side's name."""
        painter, theme = self.painter, self.theme
        painter.setPen(QPen(theme.color(color), 1.2, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        painter.setFont(theme.font(11, 600))
        width = theme.px(14)
        box = QRectF(x - width if name == "A" else x + 3, plot.top() - 2, width, theme.px(14))
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft, name)

    def _axis(self, plot: QRectF, ticks: list[tuple[float, str]]) -> None:
        """The line under a chart and what stands below it; a text that has no room is left out."""
        painter, theme = self.painter, self.theme
        painter.setPen(QPen(theme.color("grid"), 1))
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        painter.setFont(theme.font(11, mono=True))
        painter.setPen(theme.color("text_muted"))
        free = float("-inf")
        for x, text in sorted(ticks):
            width = painter.fontMetrics().horizontalAdvance(text)
            left = min(max(x - width / 2, plot.left()), plot.right() - width)
            if text and left > free:
                painter.drawText(QPointF(left, plot.bottom() + theme.px(13)), text)
                free = left + width + theme.px(8)

    def _level(self, plot: QRectF, y: float, text: str) -> None:
        """A line across with its value at the left."""
        painter, theme = self.painter, self.theme
        painter.setPen(QPen(theme.color("grid"), 1))
        painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
        painter.setFont(theme.font(11, mono=True))
        painter.setPen(theme.color("text_muted"))
        box = QRectF(plot.left() - theme.px(66), y - theme.px(8), theme.px(60), theme.px(16))
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    # -- figures

    def figures(self, box: QRectF, rows: list[FigureRow], widths: list[int]) -> None:
        """A table; rows that have no room are left out, the last first, and the last line says how many."""
        line, fitting = self.theme.px(LINE), column_room(widths, box.width())
        for n, row in enumerate(rows_that_fit(rows, max(1, int(box.height() // line)))):
            x = box.left()
            for column, width in enumerate(fitting):
                spread = fitting[WORDS] if column == DIFFERENCE and not row.words else 0
                self._cell(QRectF(x, box.top() + n * line, width + spread, line), row, column)
                x += width

    def _widths(self, rows: list[FigureRow]) -> list[int]:
        """Of the columns, so that each text has room; a difference without words has theirs as well."""
        step, gap = self.theme.px(STEP), self.theme.px(GAP)
        needed = [
            max(QFontMetricsF(self._font(row, column)).horizontalAdvance(str(row[column])) for row in rows) + gap
            for column in range(WORDS + 1)
        ]
        return [math.ceil(width / step) * step for width in needed]

    def _font(self, row: FigureRow, column: int) -> QFont:
        """A difference that cannot be chance is in bold."""
        bold = column == WORDS and row.strong
        return self.theme.font(12, 600 if bold else 400, mono=0 < column < WORDS and not row.head)

    def _cell(self, cell: QRectF, row: FigureRow, column: int) -> None:
        painter, words = self.painter, column == WORDS
        painter.setFont(self._font(row, column))
        muted = row.head or column == 0 or (words and not row.strong)
        painter.setPen(self.theme.color("text_muted" if muted else "text"))
        side = Qt.AlignmentFlag.AlignRight if column in NUMBERS else Qt.AlignmentFlag.AlignLeft
        inner = cell.adjusted(0, 0, -4, 0) if column in NUMBERS else cell.adjusted(self.theme.px(12), 0, 0, 0)
        text = painter.fontMetrics().elidedText(str(row[column]), Qt.TextElideMode.ElideRight, math.ceil(inner.width()))
        painter.drawText(inner, side | Qt.AlignmentFlag.AlignVCenter, text)


def column_room(widths: list[int], room: float) -> list[float]:
    """The widths of the columns where there is only so much room: words give way, then names, then all alike."""
    fitting, missing = list(map(float, widths)), max(sum(widths) - room, 0.0)
    for column, kept in GIVES_WAY.items():
        given = min(missing, fitting[column] * (1 - kept))
        fitting[column] -= given
        missing -= given
    share = room / sum(fitting) if missing else 1.0
    return [width * share for width in fitting]


def common_range(pair: Pair) -> LogRange:
    """The range that holds both."""
    range_, some = LogRange(), [histogram for histogram in (pair.a, pair.b) if histogram.count]
    range_.fit(min(h.percentile(0.1) for h in some), max(h.percentile(99.99) for h in some))
    return range_


def rows_that_fit(rows: list[FigureRow], most: int) -> list[FigureRow]:
    """The first of them, and in the last line how many there is no room for."""
    if len(rows) <= most:
        return rows
    left = len(rows) - most + 1
    more = tr_n("… {n} more row", "… {n} more rows", left)
    return [*rows[: most - 1], FigureRow(more, "", "", head=True)]
