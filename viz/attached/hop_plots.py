"""The live plots of a VMM that is attached to: how often, and after how long. They look as the main window's do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from bellwire.engine.attached.hops.figures import CURVE_EDGES, HopFigures, HopLatency
from bellwire.engine.language import tr, tr_later
from bellwire.viz.plots.overtime import NOW, time_ticks
from bellwire.viz.plots.plot import DrawnCard, Mark
from bellwire.viz.style.curves import Curve, LogRange, Ticks, latency_ticks
from bellwire.viz.style.readout import Line
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import line_pen, veil_brush
from bellwire.viz.text.figures import duration, grouped, localized, short

if TYPE_CHECKING:
    from bellwire.viz.plots.canvas import CurveItem

Values = npt.NDArray[np.float64]
SECONDS = 10.0
STEPS = (1, 2, 3, 4, 6, 8, 10)  # times a power of ten, where an axis may end
HIGHEST = 0.8  # of the height: the peak of each distribution


class HopPlot(DrawnCard):
    """A plot of the newest figures. It says what it draws in `draw`."""

    curves: tuple[Curve, ...] = ()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.hops: HopFigures | None = None
        self.empty = tr("Nothing was heard yet")
        self.lines: dict[str, CurveItem] = {}
        self.fills: dict[str, CurveItem] = {}
        for curve in self.curves:
            self.add_legend(curve.name, tr(curve.label), curve.color)
        self.set_theme(theme)

    def furnish(self) -> None:
        """A filled line for each curve."""
        from bellwire.viz.plots.canvas import FillItem, line_item

        self.fills = {curve.name: FillItem() for curve in self.curves}
        self.lines = {curve.name: line_item() for curve in self.curves}
        for item in (*self.fills.values(), *self.lines.values()):
            self.canvas.box.addItem(item)

    def show_hops(self, hops: HopFigures | None) -> None:
        """From now on these."""
        self.hops = hops
        if self.isVisible():
            self.redraw()

    def set_theme(self, theme: Theme) -> None:
        """The curves' colours too."""
        super().set_theme(theme)
        for curve in self.curves if self.lines else ():
            self.lines[curve.name].setPen(line_pen(theme, curve.color))
            self.fills[curve.name].setBrush(veil_brush(theme, curve.color, 0.16))

    def put(self, curve: Curve, x: Values, y: Values, there: bool) -> None:
        """Draws a curve, if it is shown and there."""
        for item in (self.fills[curve.name], self.lines[curve.name]):
            item.setVisible(there and self.shown(curve.name))
            if item.isVisible():
                item.setData(x, y)


class RatePlot(HopPlot):
    """Doorbells and interrupts a second, over the last seconds."""

    title = tr_later("Rate")
    name = "hop_rates"
    right_margin = 16.0
    note = tr_later(
        "Doorbells that KVM takes itself, and interrupts that others signal, in every tenth of a second; "
        "the number is the doorbells of the last second."
    )
    curves = (
        Curve("doorbells", tr_later("doorbells"), "doorbell"),
        Curve("interrupts", tr_later("interrupts"), "interrupt"),
    )

    def furnish(self) -> None:
        """The seconds along the axis."""
        super().furnish()
        self.canvas.box.setXRange(-SECONDS, 0, padding=0)

    def draw(self) -> str:
        """Counts a second in each bin."""
        hops = self.hops
        if hops is None or not hops.rates.size:
            return tr("Nothing was heard yet")
        rates = hops.rates / hops.bin_seconds
        x = (np.arange(rates.shape[1]) - rates.shape[1] + 0.5) * hops.bin_seconds
        recent = rates[:, x >= -SECONDS]
        top = nice_top(float(recent.max()) if recent.size else 0.0)
        self.canvas.box.setYRange(0, top, padding=0)
        self.set_ticks("left", rate_ticks(top))
        self.set_ticks("bottom", time_ticks(2, NOW))
        for curve, y in zip(self.curves, rates, strict=True):
            self.put(curve, x, y, True)
        self.facts = tr("{rate}/s", rate=grouped(float(np.mean(rates[0][-10:]))))
        return ""

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """The readout."""
        self.paint_readout(painter, area)

    def readout(self, pointer: QPointF) -> list[Line]:
        """The rates in the bin under the pointer."""
        hops = self.hops
        if hops is None or not hops.rates.size:
            return []
        ago = -float(self.canvas.box.mapSceneToView(pointer).x())
        at = hops.rates.shape[1] - 1 - int(ago / hops.bin_seconds)
        lines = [Line(self.theme.color("text_muted"), "", localized(f"-{max(ago, 0):.1f} s"))]
        if 0 <= at < hops.rates.shape[1]:
            for curve, counts in zip(self.curves, hops.rates, strict=True):
                told = f"{grouped(float(counts[at]) / hops.bin_seconds)}/s"
                lines.append(Line(self.theme.color(curve.color), tr(curve.label), told))
        return lines


class TimesPlot(HopPlot):
    """How long the hops take: a filled curve each over a log axis."""

    title = tr_later("Latency")
    name = "hop_times"
    note = tr_later(
        "Woken: from the guest's store to the woken thread's having a CPU. Taken: from an interrupt's message to the "
        "vCPU that takes it. Journey: from a doorbell that was alone under way to its answer. Dotted: percentiles of "
        "the first."
    )
    left_margin = right_margin = 18.0
    curves = (
        Curve("waking", tr_later("woken"), "doorbell"),
        Curve("taking", tr_later("taken"), "interrupt"),
        Curve("journeys", tr_later("journey"), "roundtrip"),
    )

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.range = LogRange()

    def furnish(self) -> None:
        """How high the curves are says nothing."""
        super().furnish()
        self.canvas.axes["left"].hide()
        self.canvas.box.setYRange(0, 1, padding=0)

    def _latencies(self) -> dict[str, HopLatency]:
        hops = self.hops or HopFigures()
        return {"waking": hops.waking, "taking": hops.taking, "journeys": hops.journeys}

    def draw(self) -> str:
        """A curve for each that was measured."""
        latencies = self._latencies()
        shown = [latencies[c.name] for c in self.curves if self.shown(c.name) and latencies[c.name].max is not None]
        if not any(one.max is not None for one in latencies.values()):
            return tr("No hop was measured yet")
        ends = [np.flatnonzero(one.curve) for one in shown if one.curve.any()]
        if ends and self.range.fit(
            float(CURVE_EDGES[min(at[0] for at in ends)]), float(CURVE_EDGES[max(at[-1] for at in ends) + 1])
        ):
            self.canvas.box.setXRange(self.range.low, self.range.high, padding=0)
        most = max(self.width() // self.theme.px(72), 2)
        self.set_ticks("bottom", *latency_ticks(self.range.low, self.range.high, most))
        middle = (np.log10(CURVE_EDGES[1:]) + np.log10(CURVE_EDGES[:-1])) / 2
        for curve in self.curves:
            density = smoothed(latencies[curve.name].curve)
            there = latencies[curve.name].max is not None
            self.put(curve, middle, density / max(density.max(), 1e-9) * HIGHEST, there)
        self.facts = tr("since {seconds:.0f} s", seconds=self.hops.seconds) if self.hops else ""
        return ""

    def _marked(self) -> tuple[Curve, HopLatency] | None:
        """The first that is shown and was measured."""
        latencies = self._latencies()
        return next(
            ((c, latencies[c.name]) for c in self.curves if self.shown(c.name) and latencies[c.name].p50 is not None),
            None,
        )

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """Percentiles, and the readout."""
        if marked := self._marked():
            curve, latency = marked
            color = self.theme.color(curve.color)
            places = ((name, ns) for name, ns in (("p50", latency.p50), ("p99", latency.p99)) if ns)
            pixels = ((self.canvas.pixel(float(np.log10(ns)), 0).x(), f"{name} {duration(ns)}") for name, ns in places)
            marks = [Mark(x, text, color, True) for x, text in pixels]
            self.paint_marks(painter, area, marks)
        self.paint_readout(painter, area)

    def readout(self, pointer: QPointF) -> list[Line]:
        """How much of each lies below the pointer."""
        ns = 10 ** float(self.canvas.box.mapSceneToView(pointer).x())
        lines = [Line(self.theme.color("text_muted"), tr("below"), duration(ns))]
        for curve in self.curves:
            counts = self._latencies()[curve.name].curve
            if counts.any() and self.shown(curve.name):
                share = float(counts[CURVE_EDGES[1:] <= ns].sum() / counts.sum())
                lines.append(Line(self.theme.color(curve.color), tr(curve.label), localized(f"{share:.1%}")))
        return lines


def smoothed(counts: Values) -> Values:
    """Neighbours shared out, so that few values make a hill and no fence; the sum stays."""
    return np.convolve(counts, (0.05, 0.25, 0.4, 0.25, 0.05), "same")


def nice_top(most: float) -> float:
    """The next round number; at least 10."""
    power = 10 ** np.floor(np.log10(max(most, 10.0)))
    return float(next(step * power for step in STEPS if step * power >= max(most, 10.0)))


def rate_ticks(top: float) -> Ticks:
    """0, the half and the top."""
    return [(top * part, short(top * part)) for part in (0.0, 0.5, 1.0)]
