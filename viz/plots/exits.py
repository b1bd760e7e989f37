"""Exits per second, by who handled them and why: two sources that are never mixed up.

User space: our own EXIT events, one for each return of KVM_RUN. Kernel: KVM's counters of the vCPU, less what of them
went on to user space.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter

from bellwire.engine.events import exit_name
from bellwire.engine.language import tr, tr_later
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.past import Past
from bellwire.viz.model.rates import BAR, BIN_SECONDS
from bellwire.viz.plots.latency import spread_apart
from bellwire.viz.plots.overtime import SECONDS, OverTime
from bellwire.viz.plots.plot import LABEL_SIZE
from bellwire.viz.style.readout import Line
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import part_brush
from bellwire.viz.text.figures import short

# -- Exits as layers of bars, out of the rates: by who handled them, and why.
#
# User space: our own EXIT events, one for each return of KVM_RUN. Kernel: KVM's counters of the vCPU, less what of them
# went on to user space.

BAR_SECONDS = BAR * BIN_SECONDS
SPREAD = 3  # bins: as far apart as looks at KVM's counters are

# What KVM counts, and the KVM_EXIT_* reason that the same exit has if it goes on to user space.
KERNEL = (
    ("HLT", "halt_exits", "exit 5"),
    ("IO", "io_exits", "exit 2"),
    ("MMIO", "mmio_exits", "exit 6"),
    ("interrupt", "irq_exits", ""),
    ("irq window", "irq_window_exits", "exit 7"),
)

Bars = npt.NDArray[np.float64]


class Layer(NamedTuple):
    """One reason, by one handler: its share of each bar, per second."""

    handler: str  # "kernel" or "user"
    reason: str
    bars: Bars


def layers(past: Past, first: int, end: int, *, seen: bool = True) -> list[Layer]:
    """What happened in the bars first..end-1: the kernel's reasons, then user space's; none that is all zero.

    A bar that is not known is nan in each of them. seen: whether KVM_RUN's returns are; of another VMM's guest KVM
    counts those for MMIO, and of the others nobody tells which of them left the kernel.
    """
    names = [name for name in past.names(first * BAR, end * BAR) if name.startswith("exit ")]
    left = {name: bars_of(past.bins(name, first * BAR, end * BAR)) for name in names}
    nothing: Bars = np.zeros(max(end - first, 0))
    kernel = []
    for reason, counter, same in KERNEL:
        counted = sampled(past, f"kvm {counter}", first, end)
        handler = "kernel" if seen or counter != "mmio_exits" else "user"
        kernel.append(Layer(handler, reason, np.maximum(counted - left.get(same, nothing), 0)))
    user = [Layer("user", exit_name(int(name.split()[1])), bars) for name, bars in left.items()]
    known = sum((layer.bars for layer in kernel + user), nothing)
    rest = np.maximum(sampled(past, "kvm exits", first, end) - known, 0)
    found = [*kernel, Layer("kernel", "other", rest), *user]
    found.sort(key=lambda layer: layer.handler)
    return [layer for layer in found if np.nan_to_num(layer.bars).any()]


def bars_of(bins: Bars) -> Bars:
    """Counts in bins as rates in bars; nan if one of the bar's bins is."""
    return np.asarray(bins.reshape(-1, BAR).sum(axis=1) / BAR_SECONDS)


def sampled(past: Past, name: str, first: int, end: int) -> Bars:
    """The rate of a counter that is looked at only now and then: what it grew by is spread over the time since the last
    look, which is SPREAD bins if nothing else is known."""
    before = BAR
    bins = past.bins(name, first * BAR - before, end * BAR)
    unknown, bins = np.isnan(bins[before:].reshape(-1, BAR)).any(axis=1), np.nan_to_num(bins)
    looks = np.flatnonzero(bins)
    if not looks.size:
        return np.where(unknown, np.nan, 0.0)
    since = np.maximum(np.concatenate([[-1], looks[:-1]]), looks - SPREAD)
    grown = np.cumsum(bins[looks])
    at = np.concatenate([since + 1.0, looks + 1.0])
    total = np.concatenate([grown - bins[looks], grown])
    order = np.lexsort((total, at))
    edges = np.arange(before, bins.size + 1, BAR, dtype=np.float64)
    return np.where(unknown, np.nan, np.diff(np.interp(edges, at[order], total[order])) / BAR_SECONDS)


SHADES = (0.95, 0.7, 0.5, 0.35, 0.25)
SHARE_TO_NAME = 0.04  # of the height: what is smaller goes unnamed, but for the readout
NOTHING_YET = tr_later("Nothing has run yet")
WORDS = {"kernel": tr_later("kernel"), "user": tr_later("user space")}
REASONS = {"interrupt": tr_later("interrupt"), "irq window": tr_later("irq window"), "other": tr_later("other")}
COLORS = {"kernel": "kvm", "user": "heavy"}


class ExitsPlot(OverTime):
    """Stacked bars of a quarter of a second: the kernel's below, user space's on top."""

    title = tr_later("Exits per second")
    name = "exits"
    note = tr_later(
        "Kernel: handled by KVM, by its own counters. User space: returns of KVM_RUN to the VMM, by our own count."
    )
    right_margin = 76.0

    def __init__(self, model: LiveModel, theme: Theme) -> None:
        super().__init__(model, theme)
        self.empty = tr(NOTHING_YET)
        self.layers: list[Layer] = []
        self.first_bar = 0  # its number, counted from TSC 0
        self.top = 0.0
        self._small = 0
        self.add_legend("kernel", tr(WORDS["kernel"]), "kvm", area=True)
        self.add_legend("user", tr(WORDS["user"]), "heavy", area=True)
        self.set_theme(theme)

    def draw(self) -> str:
        """The layers of every complete bar in the window."""
        self.first_bar, end = self.bars
        seen = Trait.REAL_QEMU not in self.model.traits
        found = layers(self.model.past, self.first_bar, end, seen=seen)
        self.layers = [layer for layer in found if self.shown(layer.handler)]
        heights = np.nansum([layer.bars for layer in self.layers], axis=0) if self.layers else np.zeros(1)
        self._fit(max(float(heights.max()), 10.0))
        self.facts = tr("KVM's counters | our exits")
        return "" if self.model.past.size else tr(NOTHING_YET)

    def _fit(self, highest: float) -> None:
        """A round top for the axis; it comes down only when it has been too high for a while."""
        top = rounded_top(highest * 1.05)
        self._small = self._small + 1 if top < self.top else 0
        if top > self.top or self._small > 48:
            self.top, self._small = top, 0
            self.canvas.box.setYRange(0, top, padding=0)
            self.set_ticks("left", [(top * part / 2, short(top * part / 2)) for part in (0, 1, 2)])

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """Bars, the reasons' names, marks and the readout."""
        if self.top <= 0:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setClipRect(area)
        self.paint_unknown(painter, area)
        self._paint_bars(painter, area)
        painter.setClipping(False)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_names(painter, area)
        self.paint_changes(painter, area)
        self.paint_readout(painter, area)

    def brush(self, layer: Layer) -> QBrush:
        """The handler's colour; its reasons from strong to pale, or with ever less ink."""
        order = [other.reason for other in self.layers if other.handler == layer.handler]
        return part_brush(self.theme, COLORS[layer.handler], order.index(layer.reason), SHADES)

    def _paint_bars(self, painter: QPainter, area: QRectF) -> None:
        width = area.width() * BAR_SECONDS / SECONDS
        below = np.zeros(self.layers[0].bars.size if self.layers else 0)
        lefts = [self._left(area, i) for i in range(below.size)]
        for layer in self.layers:
            brush, above = self.brush(layer), below + np.nan_to_num(layer.bars)
            tops = area.bottom() - area.height() * above / self.top
            bottoms = area.bottom() - area.height() * below / self.top
            for i in np.flatnonzero(layer.bars > 0):
                painter.fillRect(QRectF(lefts[i], tops[i], max(width - 1.5, 1), bottoms[i] - tops[i]), brush)
            below = above

    def _left(self, area: QRectF, bar: int) -> float:
        tsc = (self.first_bar + bar) * BAR * self.model.rates.bin_cycles
        start, end = self.edges
        return area.left() + area.width() * (tsc - start) / (end - start)

    def _paint_names(self, painter: QPainter, area: QRectF) -> None:
        """Each reason's name at the height of its part of the newest bars."""
        painter.setFont(self.theme.font(LABEL_SIZE, 500))
        height, below = painter.fontMetrics().height() * 0.95, 0.0
        named: list[tuple[float, Layer]] = []
        for layer in self.layers:
            now = float(np.nan_to_num(layer.bars[-4:]).mean())
            if now > self.top * SHARE_TO_NAME:
                named.append((area.bottom() - area.height() * (below + now / 2) / self.top, layer))
            below += now
        named.sort(key=lambda pair: pair[0])
        for y, (_, layer) in zip(spread_apart([y for y, _ in named], height, area), named, strict=False):
            painter.setPen(self.theme.color(COLORS[layer.handler]))
            box = QRectF(area.right() + 8, y - height / 2, self.theme.px(self.right_margin) - 8, height)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name_of_layer(layer))

    def readout(self, pointer: QPointF) -> list[Line]:
        """Every reason of the bar at the pointer."""
        cycles = self.model.rates.bin_cycles * BAR
        bar = self.x_to_tsc(pointer.x()) // cycles - self.first_bar
        start = (self.first_bar + bar) * cycles
        if why := self.model.past.missing(start, start + cycles - 1, counts=True):
            return [Line(self.theme.color("text_muted"), tr("not known: {why}", why=why), "")]
        if not self.layers or not 0 <= bar < self.layers[0].bars.size:
            return []
        return [
            Line(
                self.theme.color(COLORS[layer.handler]),
                f"{tr(WORDS[layer.handler])}, {reason_words(layer.reason)}",
                f"{short(float(layer.bars[bar]))} /s",
            )
            for layer in reversed(self.layers)
            if layer.bars[bar] > 0
        ] or [Line(self.theme.color("text_muted"), tr("no exits"), "")]


def reason_words(reason: str) -> str:
    """What a reason is called; of KVM_EXIT_* its own name."""
    return tr(REASONS[reason]) if reason in REASONS else reason


def name_of_layer(layer: Layer) -> str:
    """A reason that both may have, and of user space's that it is."""
    reason = reason_words(layer.reason)
    return tr("user {reason}", reason=reason) if layer.handler == "user" else reason


def rounded_top(value: float) -> float:
    """The next 1, 2, 4, 6 or 10 times a power of ten."""
    size = 10.0 ** np.floor(np.log10(value))
    return float(next(step * size for step in (1, 2, 4, 6, 10) if step * size >= value * 0.999))
