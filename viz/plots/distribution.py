"""How the latencies are distributed: one filled curve each over a log axis, since the last change of the wiring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.folds.omission import Paced
from bellwire.engine.language import tr, tr_later
from bellwire.viz.model.live import LiveModel
from bellwire.viz.plots.plot import Mark, Plot, clock_label, of_whole_run
from bellwire.viz.style.curves import Curve, LogRange, curves_of, latency_ticks, no_journey
from bellwire.viz.style.plain import plain_tip
from bellwire.viz.style.readout import Line
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import line_pen, veil_brush
from bellwire.viz.text.figures import Durations, count_of, duration, localized
from bellwire.viz.text.trust import bounds, corrected, footnote, no_times, why_not_corrected

if TYPE_CHECKING:
    from bellwire.viz.plots.canvas import CurveItem

    Items = dict[str, CurveItem]

MARKED = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9}
TAIL = {"p99": 99.0, "p99.9": 99.9, "p99.99": 99.99}
PREFERRED = (
    "round_trip",
    "doorbell",
    "injection",
    "store_cost",
)  # whose percentiles are marked: the first that is shown
CORRECTED = tr_later("p99 corrected")
COARSEST, FINEST = 8, 48  # bins a decade: the more values, the finer


class DistributionPlot(Plot):
    """Each curve is the share of its journeys at that latency. What was before the last change stays as a thin line."""

    title = tr_later("Distribution")
    name = "distribution"
    note = tr_later("Filled: since the last change of the wiring. Thin: before it. Dotted: percentiles.")
    left_margin = right_margin = 18.0
    pace = 2  # a histogram changes slowly

    def __init__(self, model: LiveModel, theme: Theme) -> None:
        super().__init__(model, theme)
        self.curves = curves_of(model.scenario)
        self.range = LogRange()
        self.empty = no_journey(model.scenario)
        self.fills: Items = {}
        self.lines: Items = {}
        self.ghosts: Items = {}
        self._computed: dict[tuple[Any, ...], Any] = {}
        self._ticked: tuple[Any, ...] = ()
        for curve in self.curves:
            self.add_legend(curve.name, tr(curve.label), curve.color)
        self.set_theme(theme)

    def furnish(self) -> None:
        """A filled curve, its line and a thin one for each latency; how high they are says nothing."""
        from bellwire.viz.plots.canvas import FillItem, line_item

        super().furnish()
        self.fills = {curve.name: FillItem() for curve in self.curves}
        self.ghosts = {curve.name: line_item() for curve in self.curves}
        self.lines = {curve.name: line_item() for curve in self.curves}
        for items in (self.fills, self.ghosts, self.lines):
            for item in items.values():
                self.canvas.box.addItem(item)
        self.canvas.axes["left"].hide()
        self.canvas.box.setYRange(0, 1, padding=0)

    def set_theme(self, theme: Theme) -> None:
        """The curves' colours too."""
        super().set_theme(theme)
        colors = {curve.name: curve.color for curve in self.curves}
        for name in self.lines:
            self.lines[name].setPen(line_pen(theme, colors[name]))
            self.fills[name].setBrush(veil_brush(theme, colors[name], 0.22))
            self.ghosts[name].setPen(line_pen(theme, colors[name], 1 / theme.stroke, 0.65))

    @property
    def since(self) -> dict[str, Histogram]:
        """The histograms of the present wiring."""
        return self.model.latencies.since

    def draw(self) -> str:
        """A curve for each latency that is shown."""
        if self.model.clock.emulated:
            return no_times()
        shown, before = self._shown(self.since), self._shown(self.model.latencies.before)
        values = [
            h[curve.name] for h, some in ((self.since, shown), (self.model.latencies.before, before)) for curve in some
        ]
        if not values:
            self.facts = ""
            some = any(h.count for h in self.since.values())
            return "" if some else no_journey(self.model.scenario, self.model.tally.irqs_kept)
        self._fit(values)
        self._draw_curves((self.fills, self.lines), self.since, shown)
        self._draw_curves((self.ghosts,), self.model.latencies.before, before)
        count = count_of(max(h.count for h in self.since.values()), "journey")
        self.facts = f"{count}, {self.model.all_so_far}" if self.model.seen.whole_run else count
        self.setToolTip(
            plain_tip(f"{self.note} {self._correction()} {footnote(self.model.latencies, of_whole_run(self.model))}")
        )
        return ""

    def _correction(self) -> str:
        """The tail of the marked latency, corrected for coordinated omission."""
        if not self.model.transport.following:
            return tr("What is corrected for coordinated omission is told of the present only.")
        marked = self.marked
        paced = self.paced(marked.name) if marked else Paced()
        if not marked or not paced.count:
            return why_not_corrected(self.model.latencies)
        values = self._known(
            paced.corrected, "tail", lambda h: [h.known_percentile(percent) for percent in TAIL.values()]
        )
        tail = ", ".join(f"{name} {duration(ns)}" for name, ns in zip(TAIL, values, strict=True))
        return tr(
            "The {latency} {corrected}: {tail}.", latency=tr(marked.label), corrected=corrected([paced]), tail=tail
        )

    def paced(self, name: str) -> Paced:
        """The latencies that a pace was behind, as of the present; of another moment none."""
        return self.model.latencies.paced[name] if self.model.transport.following else Paced()

    def _fit(self, values: list[Histogram]) -> None:
        """The range that holds every curve, and as many ticks as have room."""
        lows = [self._known(histogram, "low", lambda h: h.percentile(0.1)) for histogram in values]
        if self.range.fit(min(lows), max(h.max for h in values)):
            self.canvas.box.setXRange(self.range.low, self.range.high, padding=0)
        most = self.width() // self.theme.px(72)
        ticked = self.range.low, self.range.high, most, Durations.unit.name
        if self._ticked != ticked:
            self._ticked = ticked
            self.set_ticks("bottom", *latency_ticks(self.range.low, self.range.high, most))

    def _shown(self, histograms: dict[str, Histogram]) -> list[Curve]:
        there = [curve for curve in self.curves if self.shown(curve.name) and histograms[curve.name].count]
        return [curve for curve in there if self.model.latencies.known(curve.name)]

    def _draw_curves(self, items: Sequence[Items], histograms: dict[str, Histogram], shown: list[Curve]) -> None:
        for curve in self.curves:
            for item in items:
                item[curve.name].setVisible(curve in shown)
                if curve in shown:
                    line = self._known(histograms[curve.name], (self.range.low, self.range.high), self._outline)
                    item[curve.name].setData(*line)

    def _outline(self, histogram: Histogram) -> tuple[Any, Any]:
        return density_outline(histogram, self.range.low, self.range.high)

    def _known(self, histogram: Histogram, what: Any, compute: Callable[[Histogram], Any]) -> Any:
        """Something computed from a histogram, remembered as long as nothing is added to that."""
        key = (id(histogram), histogram.count, histogram.max, what)
        if key not in self._computed:
            self._computed = dict(list(self._computed.items())[-8 * len(self.curves) :])
            self._computed[key] = histogram, compute(histogram)  # which is kept, as another one would have its id
        return self._computed[key][1]

    @property
    def marked(self) -> Curve | None:
        """The latency whose percentiles are marked."""
        shown = {curve.name: curve for curve in self._shown(self.since)}
        return next((shown[name] for name in PREFERRED if name in shown), None)

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """Percentiles and the maximum of one latency, named; the readout."""
        marked = self.marked
        if marked is None:
            return
        histogram, color = self.since[marked.name], self.theme.color(marked.color)
        known = {name: histogram.known_percentile(percent) for name, percent in MARKED.items()}
        known["p50"] = self.model.latencies.p50(marked.name)
        marks = [
            Mark(self._pixel(value), f"{name}\n{duration(value)}", color, fine=True)
            for name, value in known.items()
            if value is not None
        ]
        box = self._place_of_maximum(painter, area, histogram)
        before = self._places_of_before(painter, area, marked, box, [mark.x for mark in marks])
        self.paint_marks(painter, area, marks, [box, *before])
        self._paint_before(painter, before)
        self._paint_maximum(painter, area, histogram, box)
        self.paint_readout(painter, area)

    def _pixel(self, ns: float) -> float:
        return self.canvas.pixel(float(np.log10(max(ns, 1.0))), 0).x()

    def _paint_maximum(self, painter: QPainter, area: QRectF, histogram: Histogram, box: QRectF) -> None:
        """A small triangle on the axis with its value, over the lines of percentiles."""
        x, y, side = self._pixel(histogram.max), area.bottom(), self.theme.px(5)
        painter.fillRect(box, self.theme.color("surface", self.theme.faded(0.85)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("text"))
        painter.drawPolygon([QPointF(x, y), QPointF(x - side, y - 1.6 * side), QPointF(x + side, y - 1.6 * side)])
        painter.setFont(self.theme.font(11, 500))
        painter.setPen(QPen(self.theme.color("text_muted")))
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, maximum_words(histogram))

    def _place_of_maximum(self, painter: QPainter, area: QRectF, histogram: Histogram) -> QRectF:
        """Where the value stands, left of the triangle's right corner or, where that has no room, right of it."""
        x, y, side = self._pixel(histogram.max), area.bottom(), self.theme.px(5)
        painter.setFont(self.theme.font(11, 500))
        box = QRectF(x - 200, y - 2 * side - painter.fontMetrics().height(), 200 + side, painter.fontMetrics().height())
        if box.right() > area.right() + 10:
            box.moveRight(area.right() + 10)
        box.setLeft(box.right() - painter.fontMetrics().horizontalAdvance(maximum_words(histogram)))
        if box.left() < area.left():
            box.moveLeft(x + 1.5 * side)
        return box

    def _before(self) -> str:
        """What the thin curve is from."""
        return tr("before {change}", change=self.model.exits.switched)

    def _places_of_before(
        self, painter: QPainter, area: QRectF, marked: Curve, maximum: QRectF, lines: Sequence[float]
    ) -> list[QRectF]:
        """Where it is said what the thin curve is from: left of its peak or right of it, where no line is, over the
        maximum's value; nowhere if there is no such curve, or no room."""
        histogram = self.model.latencies.before[marked.name]
        if not histogram.count:
            return []
        x, y = self._known(histogram, (self.range.low, self.range.high), self._outline)
        peak = self.canvas.pixel(float(x[np.argmax(y)]), float(y.max()))
        painter.setFont(self.theme.font(11, 500))
        metrics = painter.fontMetrics()
        wide, high = metrics.horizontalAdvance(self._before()), metrics.height()
        lefts = (peak.x() - 4 - wide, min(peak.x() + 4, area.right() - wide))
        inside = [left for left in lefts if left >= area.left()]
        if not inside:
            return []
        left = next((left for left in inside if not any(left - 2 < at < left + wide + 2 for at in lines)), inside[0])
        box = QRectF(left, peak.y() - high, wide, high)
        if box.intersects(maximum):
            box.moveBottom(maximum.top() - 2)
        box.moveTop(max(box.top(), 0.0))
        return [box]

    def _paint_before(self, painter: QPainter, places: Sequence[QRectF]) -> None:
        """Over the lines of percentiles, where there is no place beside them."""
        painter.setFont(self.theme.font(11, 500))
        for box in places:
            painter.fillRect(box, self.theme.color("surface", self.theme.faded(0.75)))
            painter.setPen(self.theme.color("text_muted"))
            painter.drawText(box, Qt.AlignmentFlag.AlignLeft, self._before())

    def readout(self, pointer: QPointF) -> list[Line]:
        """How much of each lies below the pointer; the tail of the marked one, and the clock's error."""
        ns = 10 ** float(self.canvas.box.mapSceneToView(pointer).x())
        lines = [Line(self.theme.color("text_muted"), tr("below"), duration(ns))]
        for curve in self._shown(self.since):
            histogram = self.since[curve.name]
            share = float(histogram.density([0, ns])[0]) / histogram.count
            lines.append(Line(self.theme.color(curve.color), tr(curve.label), localized(f"{share:.2%}")))
        return [*lines, *self._tail()]

    def _tail(self) -> list[Line]:
        """p99 of the marked latency as it is and corrected, and the clock's error."""
        lines, muted, marked = [], self.theme.color("text_muted"), self.marked
        if marked:
            paced = self.paced(marked.name)
            p99 = self.since[marked.name].known_percentile(99)
            lines.append(Line(muted, f"p99 {tr(marked.label)}", duration(p99)))
            lines += [Line(muted, tr(CORRECTED), duration(paced.corrected.known_percentile(99)))] if paced.count else []
        return [*lines, Line(muted, clock_label(self.model), bounds(self.model.latencies.clock_error))]


def maximum_words(histogram: Histogram) -> str:
    """ "max 1.2 ms"."""
    return tr("max {time}", time=duration(histogram.max))


def density_outline(histogram: Histogram, low: float, high: float) -> tuple[Any, Any]:
    """The curve over log10(ns); its highest point is at 0.8 of the height, so that all shapes can be compared."""
    fine = int(np.clip(1.6 * histogram.count ** (1 / 3), COARSEST, FINEST))
    edges = np.linspace(low, high, round((high - low) * fine) + 1)
    density = histogram.density(10**edges)
    return (edges[1:] + edges[:-1]) / 2, density / max(density.max(), 1e-9) * 0.8
