"""Latency over time: the median of every 50 ms, with the longest as a dot above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from bellwire.engine.folds.latency import BIN_SECONDS
from bellwire.engine.language import tr, tr_later
from bellwire.viz.model.live import LiveModel
from bellwire.viz.plots.overtime import OverTime
from bellwire.viz.plots.plot import LABEL_SIZE, clock_label, of_whole_run
from bellwire.viz.style.curves import Curve, LogRange, curves_of, latency_ticks, no_journey
from bellwire.viz.style.plain import plain_tip
from bellwire.viz.style.readout import Line
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import line_pen
from bellwire.viz.text.figures import Durations, duration
from bellwire.viz.text.trust import bounds, footnote, no_times

if TYPE_CHECKING:
    from bellwire.viz.plots.canvas import CurveItem

LEAST_ROOM, AROUND_NAME = 72.0, 13.0  # pixels at 100 % text: for names at the ends of lines, and of it around each
GAP_SECONDS = 1.25  # a line does not lead over a longer silence


class LatencyPlot(OverTime):
    """One line a latency, on a log axis, with its name at the end."""

    title = tr_later("Latency")
    name = "latency"

    def __init__(self, model: LiveModel, theme: Theme) -> None:
        super().__init__(model, theme)
        self.curves = curves_of(model.scenario)
        self.empty = no_journey(model.scenario)
        self.lines: dict[str, CurveItem] = {}
        self.rows: dict[str, Any] = {}
        self.range = LogRange()
        self._ticked: tuple[float, float, str] = (0.0, 0.0, "")
        for curve in self.curves:
            self.add_legend(curve.name, tr(curve.label), curve.color)
        self.set_theme(theme)

    def told_note(self) -> str:
        """What is between two points of a line."""
        return tr("Lines: the median of every {ms:.0f} ms. Dots: the longest in it.", ms=BIN_SECONDS * 1000)

    def furnish(self) -> None:
        """One line a latency."""
        from bellwire.viz.plots.canvas import line_item

        super().furnish()
        self.lines = {curve.name: line_item() for curve in self.curves}
        for line in self.lines.values():
            self.canvas.box.addItem(line)

    def set_theme(self, theme: Theme) -> None:
        """The lines' colours too, and room for their names: small type is not as much smaller as the rest."""
        self.right_margin = room_for([tr(curve.label) for curve in self.curves], theme)
        super().set_theme(theme)
        colors = {curve.name: curve.color for curve in self.curves}
        for name, line in self.lines.items():
            line.setPen(line_pen(theme, colors[name]))

    def draw(self) -> str:
        """One line a latency from its Series."""
        if self.model.clock.emulated:
            return no_times()
        start, end = self.edges
        latencies, past = self.model.latencies, self.model.past
        self.rows = {curve.name: past.course(curve.name, start, end) for curve in self.curves}
        self.rows |= {name: rows[:0] for name, rows in self.rows.items() if not latencies.known(name)}
        for curve in self.curves:
            self._draw_line(curve)
        self._fit()
        self.facts = tr("median per {ms:.0f} ms", ms=BIN_SECONDS * 1000)
        self.setToolTip(plain_tip(f"{self.note} {footnote(self.model.latencies, of_whole_run(self.model))}"))
        if any(series.rows.size for series in self.model.latencies.series.values()):
            return ""
        return no_journey(self.model.scenario, self.model.tally.irqs_kept)

    def _draw_line(self, curve: Curve) -> None:
        rows, line = self.rows[curve.name], self.lines[curve.name]
        line.setVisible(self.shown(curve.name) and rows.size > 0)
        if line.isVisible():
            x, y = self.seconds(rows["tsc"]), np.log10(np.maximum(rows["p50"], 1.0))
            line.setData(*with_gaps(x, y))

    def _fit(self) -> None:
        """The range that holds every shown line, and the dots as far as they go."""
        shown = [self.rows[curve.name] for curve in self._shown()]
        if shown and self.range.fit(min(r["p50"].min() for r in shown), max(r["max"].max() for r in shown)):
            self.canvas.box.setYRange(self.range.low, self.range.high, padding=0.03)
        ticked = self.range.low, self.range.high, Durations.unit.name
        if self._ticked != ticked:
            self._ticked = ticked
            self.set_ticks("left", *latency_ticks(self.range.low, self.range.high, 5))

    def _shown(self) -> list[Curve]:
        return [curve for curve in self.curves if self.shown(curve.name) and self.rows[curve.name].size]

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """Dots for the longest, names at the lines' ends, marks, and the readout."""
        painter.save()
        painter.setClipRect(area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self.paint_unknown(painter, area)
        for curve in self._shown():
            self._paint_dots(painter, curve)
            self._paint_alone(painter, curve)
        painter.restore()
        self._paint_names(painter, area)
        self.paint_changes(painter, area)
        self.paint_readout(painter, area)

    def _paint_dots(self, painter: QPainter, curve: Curve) -> None:
        rows = self.rows[curve.name]
        some = rows[rows["max"] > rows["p50"] * 1.15]
        if not some.size:
            return
        x, y = self.seconds(some["tsc"]), np.log10(np.maximum(some["max"], 1.0))
        painter.setPen(QPen(self.theme.color(curve.color, self.theme.faded(0.5)), 2))
        painter.drawPoints(self.canvas.pixels(x, y))

    def _paint_alone(self, painter: QPainter, curve: Curve) -> None:
        """A median with nobody beside it is no line: one signal, rung by hand."""
        rows = self.rows[curve.name]
        x = self.seconds(rows["tsc"])
        far = np.concatenate([[True], np.diff(x) > GAP_SECONDS, [True]])
        alone = rows[far[:-1] & far[1:]]
        if not alone.size:
            return
        painter.setPen(QPen(self.theme.color(curve.color), self.theme.px(6), c=Qt.PenCapStyle.RoundCap))
        y = np.log10(np.maximum(alone["p50"], 1.0))
        painter.drawPoints(self.canvas.pixels(self.seconds(alone["tsc"]), y))

    def _paint_names(self, painter: QPainter, area: QRectF) -> None:
        """The name of each line at the height of its end, pushed apart where they would meet."""
        painter.setFont(self.theme.font(LABEL_SIZE, 500))
        height = painter.fontMetrics().height() * 0.95
        ends = sorted((self._end(curve), curve) for curve in self._shown())
        for y, (_, curve) in zip(spread_apart([y for y, _ in ends], height, area), ends, strict=False):
            painter.setPen(self.theme.color(curve.color))
            box = QRectF(area.right() + 8, y - height / 2, self.theme.px(self.right_margin), height)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, tr(curve.label))

    def _end(self, curve: Curve) -> float:
        newest = np.sort(self.rows[curve.name]["p50"][-20:])
        return self.canvas.pixel(0, float(np.log10(max(newest[newest.size // 2], 1.0)))).y()

    def readout(self, pointer: QPointF) -> list[Line]:
        """The values of the bin at the pointer."""
        at = np.uint64(max(self.x_to_tsc(pointer.x()), 0))
        lines = []
        for curve in self._shown():
            rows = self.rows[curve.name]
            row = rows[max(int(np.searchsorted(rows["tsc"], at, "right")) - 1, 0)]
            p99 = row["p99"] if row["count"] >= 100 else None  # else nothing lies beyond it
            value = tr(
                "median {median}  p99 {p99}  max {longest}",
                median=duration(row["p50"]),
                p99=duration(p99),
                longest=duration(row["max"]),
            )
            lines.append(Line(self.theme.color(curve.color), tr(curve.label), value))
        return [
            *lines,
            Line(self.theme.color("text_muted"), clock_label(self.model), bounds(self.model.latencies.clock_error)),
        ]


def room_for(names: list[str], theme: Theme) -> float:
    """How wide the names at the lines' ends are, pixels at 100 % text."""
    metrics = QFontMetricsF(theme.font(LABEL_SIZE, 500))
    widest = max((metrics.horizontalAdvance(name) for name in names), default=0.0)
    return max(LEAST_ROOM, widest / theme.scale + AROUND_NAME)


def with_gaps(x: Any, y: Any) -> tuple[Any, Any]:
    """The same line with a nan wherever nothing was heard for too long."""
    gaps = np.flatnonzero(np.diff(x) > GAP_SECONDS) + 1
    if not gaps.size:
        return x, y
    return np.insert(x, gaps, np.nan), np.insert(y, gaps, np.nan)


def spread_apart(ys: list[float], height: float, area: QRectF) -> list[float]:
    """Rising heights moved so that neighbours are `height` apart and all lie in the area; the last are left out if not
    all have room."""
    placed: list[float] = []
    for y in ys[: max(1, int(area.height() / height))]:
        placed.append(max(y, placed[-1] + height) if placed else max(y, area.top() + height / 2))
    limit = area.bottom() - height / 2
    for i in reversed(range(len(placed))):
        placed[i] = min(placed[i], limit)
        limit = placed[i] - height
    return placed
