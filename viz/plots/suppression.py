"""How many signals each buffer of a virtqueue takes: what driver and device keep from each other is seen as what is
missing to one.

Kicks are the doorbells that the guest has rung, by the buffers that its driver has added; interrupts, by the buffers
that the device has given back. Each point speaks of the second before it, as the sentence below the diagram does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from bellwire.engine.events import BUFFERS_ADDED, BUFFERS_USED
from bellwire.engine.language import tr, tr_later
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.past import Past
from bellwire.viz.model.rates import BAR, SECOND
from bellwire.viz.plots.exits import BAR_SECONDS
from bellwire.viz.plots.latency import spread_apart
from bellwire.viz.plots.overtime import OverTime
from bellwire.viz.plots.plot import LABEL_SIZE
from bellwire.viz.style.curves import TICK_SIZE
from bellwire.viz.style.readout import Line
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import line_pen
from bellwire.viz.text.figures import localized

if TYPE_CHECKING:
    from bellwire.viz.plots.canvas import CurveItem

Ratios = npt.NDArray[np.float64]
ROOM_FOR_WORDS = 5  # lines of text that the plot is high, at least, to have words in it
NO_BUFFER = tr_later("No buffer yet")
LEAST_TOP = 1.15  # of the axis: the line at one is always in it


class Signal(NamedTuple):
    """One kind of signal: as the rates call it, by which buffers, as the plot calls it, in full and in short, and its
    colour."""

    name: str
    buffers: int
    label: str
    short: str
    color: str


SIGNALS = (
    Signal("doorbells", BUFFERS_ADDED, tr_later("kicks"), tr_later("kicks"), "doorbell"),
    Signal("interrupts", BUFFERS_USED, tr_later("interrupts"), tr_later("irqs"), "interrupt"),
)


class SuppressionPlot(OverTime):
    """One line a kind of signal: signals per buffer in a second, a point each quarter of a second."""

    title = tr_later("Signals per buffer")
    name = "suppression"
    right_margin = 72.0

    @classmethod
    def suits(cls, scenario: Scenario) -> bool:
        """Where this program is the device, so that it sees every buffer."""
        return scenario.virtqueue is not None

    def __init__(self, model: LiveModel, theme: Theme) -> None:
        super().__init__(model, theme)
        self.empty = tr(NO_BUFFER)
        self.lines: dict[str, CurveItem] = {}
        self.ratios: dict[str, Ratios] = {}
        self.first_bar = 0  # its number, counted from TSC 0
        self.top = 0.0
        for signal in SIGNALS:
            self.add_legend(signal.name, tr(signal.label), signal.color)
        self.set_theme(theme)

    def told_note(self) -> str:
        """What is divided by what."""
        return tr(
            "Every {seconds} s, of the second before: doorbells rung by buffers added, and interrupts signalled by "
            "buffers used. At 1 every buffer has its own; below, the other side had asked not to be told.",
            seconds=localized(f"{BAR_SECONDS:g}"),
        )

    def furnish(self) -> None:
        """One line a kind of signal."""
        from bellwire.viz.plots.canvas import line_item

        super().furnish()
        self.lines = {signal.name: line_item() for signal in SIGNALS}
        for line in self.lines.values():
            self.canvas.box.addItem(line)

    def set_theme(self, theme: Theme) -> None:
        """The lines' colours too."""
        super().set_theme(theme)
        colors = {signal.name: signal.color for signal in SIGNALS}
        for name, line in self.lines.items():
            line.setPen(line_pen(theme, colors[name]))

    def draw(self) -> str:
        """A line through the ends of all bars, as far as there was a buffer in the second before."""
        self.first_bar, end = self.bars
        self.ratios = {one.name: ratios_per_buffer(self.model.past, one, self.first_bar, end) for one in SIGNALS}
        ends = (np.arange(self.first_bar, end) + 1) * BAR * self.model.rates.bin_cycles
        for signal in SIGNALS:
            self.lines[signal.name].setVisible(self.shown(signal.name))
            self.lines[signal.name].setData(self.seconds(ends), self.ratios[signal.name])
        self._fit()
        self.facts = tr("of the second before")
        return "" if any(np.isfinite(ratios).any() for ratios in self.ratios.values()) else tr(NO_BUFFER)

    def _fit(self) -> None:
        values = np.concatenate([ratios[np.isfinite(ratios)] for ratios in self.ratios.values()])
        top = max(LEAST_TOP, float(values.max(initial=0)) * 1.05)
        if top != self.top:
            self.top = top
            self.canvas.box.setYRange(0, top, padding=0)
            step = 0.5 if top < 3 else float(np.ceil(top / 4))
            self.set_ticks("left", [(at, localized(f"{at:g}")) for at in np.arange(0, top, step).tolist()])

    def _shown(self) -> list[Signal]:
        return [one for one in SIGNALS if self.shown(one.name) and np.isfinite(self.ratios[one.name]).any()]

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """The line at one, the newest values at the lines' ends, marks, and the readout."""
        if not self.ratios:
            return
        self.paint_unknown(painter, area)
        self._paint_one(painter, area)
        self._paint_ends(painter, area)
        self.paint_changes(painter, area)
        self.paint_readout(painter, area)

    def _paint_one(self, painter: QPainter, area: QRectF) -> None:
        """Where nothing is suppressed."""
        y = round(self.canvas.pixel(0, 1).y()) + 0.5
        painter.setPen(QPen(self.theme.color("text_muted"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setFont(self.theme.font(TICK_SIZE))
        height = painter.fontMetrics().height()
        box = QRectF(area.left() + 6, y + 1, area.width() - 6, height)
        if box.height() < area.height() / ROOM_FOR_WORDS:
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, tr("one each: nothing suppressed"))

    def _paint_ends(self, painter: QPainter, area: QRectF) -> None:
        """Each line's newest value and name at the height of its end, pushed apart where they would meet."""
        painter.setFont(self.theme.font(LABEL_SIZE, 500))
        height = painter.fontMetrics().height() * 0.95
        ends = sorted((self.canvas.pixel(0, newest_ratio(self.ratios[one.name])).y(), one) for one in self._shown())
        for y, (_, one) in zip(spread_apart([y for y, _ in ends], height, area), ends, strict=False):
            painter.setPen(self.theme.color(one.color))
            box = QRectF(area.right() + 8, y - height / 2, self.theme.px(self.right_margin) - 8, height)
            ratio = localized(f"{newest_ratio(self.ratios[one.name]):.2f}")
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, f"{ratio} {tr(one.short)}")

    def readout(self, pointer: QPointF) -> list[Line]:
        """The values of the bar at the pointer."""
        bar = self.x_to_tsc(pointer.x()) // self.model.rates.bin_cycles // BAR - self.first_bar
        lines = []
        for one in self._shown():
            ratios = self.ratios[one.name]
            if 0 <= bar < ratios.size:
                value = tr("no buffer")
                if np.isfinite(ratios[bar]):
                    value = tr("{number} per buffer", number=localized(f"{ratios[bar]:.2f}"))
                lines.append(Line(self.theme.color(one.color), tr(one.label), value))
        return lines


def ratios_per_buffer(past: Past, signal: Signal, first: int, end: int) -> Ratios:
    """Signals by buffers in the second that ends with each of the bars first..end-1; nan: not known, or no buffer."""
    counted, moved = (
        seconds_of(past.bins(name, end=end * BAR, first=(first + 1) * BAR - SECOND))
        for name in (signal.name, f"buffers {signal.buffers}")
    )
    ratios: Ratios = np.divide(counted, moved, out=np.full(moved.shape, np.nan), where=moved > 0)
    return ratios


def seconds_of(bins: Ratios) -> Ratios:
    """Counts in bins as those of the second that ends with each bar; nan if one of the second's bins is."""
    if bins.size < SECOND:
        return np.empty(0)
    sums: Ratios = np.lib.stride_tricks.sliding_window_view(bins, SECOND)[::BAR].sum(axis=1)
    return sums


def newest_ratio(ratios: Ratios) -> float:
    """The last that there is; of nothing, 0."""
    known = ratios[np.isfinite(ratios)]
    return float(known[-1]) if known.size else 0.0
