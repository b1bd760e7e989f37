"""A plot over the last seconds before the playhead, with the changes of the wiring as marks."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from bellwire.engine.events import Switch
from bellwire.engine.language import tr, tr_later
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.rates import BAR
from bellwire.viz.plots.plot import Mark, Plot
from bellwire.viz.style.curves import Ticks
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import veil_brush
from bellwire.viz.text.figures import localized

SECONDS = 10.0
ASIDE = 22  # pixels that the name of the right edge may stand out, whatever language it is in
VEIL = 0.12  # opacity, over what is not known
TOGETHER = 3.0  # pixels: changes so near to one another are one line
# What the right edge is: the present, or the moment that the view has been brought to.
NOW, THEN = tr_later("now"), tr_later("then")
SWITCH_COLORS = {Switch.IOEVENTFD: "doorbell", Switch.IRQFD: "interrupt"}


class OverTime(Plot):
    """x is in seconds before the playhead, -10..0. What is newest is at the right edge."""

    def __init__(self, model: LiveModel, theme: Theme) -> None:
        super().__init__(model, theme)
        self._edge = NOW

    def furnish(self) -> None:
        """The seconds along the axis."""
        self.canvas.box.setXRange(-SECONDS, 0, padding=0)
        self.canvas.axes["bottom"].setStyle(hideOverlappingLabels=ASIDE)

    def resizeEvent(self, event: Any) -> None:
        """As many ticks as there is room for."""
        super().resizeEvent(event)
        self._name_times()

    def redraw(self) -> None:
        """What the right edge is called goes with what the view shows."""
        edge = NOW if self.model.transport.following else THEN
        if edge != self._edge:
            self._edge = edge
            self._name_times()
        super().redraw()

    def _name_times(self) -> None:
        self.set_ticks("bottom", time_ticks(2 if self.width() < self.theme.px(400) else 5, self._edge))

    @property
    def edges(self) -> tuple[int, int]:
        """The window's TSC: from, to."""
        return self.model.playhead - self.model.clock.cycles(SECONDS), self.model.playhead

    @property
    def bars(self) -> tuple[int, int]:
        """The numbers (TSC // rates.bin_cycles // BAR) of the first bar in the window and of the one after the last
        that is over: where the second ends that everything else speaks of."""
        return self.edges[0] // self.model.rates.bin_cycles // BAR, self.model.second[1] // BAR

    def seconds(self, tsc: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """TSC as x; same shape."""
        return (tsc.astype(np.int64) - self.model.playhead) / self.model.clock.hz

    def x_to_tsc(self, pixel: float) -> int:
        """The TSC at a place on the screen."""
        area = self.canvas.area()
        start, end = self.edges
        return round(start + (end - start) * (pixel - area.left()) / max(area.width(), 1))

    def paint_unknown(self, painter: QPainter, area: QRectF) -> None:
        """A veil where what happened is not known, but for what is not over yet."""
        start, end = self.edges
        for stretch in self.model.past.uncounted(start, end):
            left, right = ((tsc - start) / (end - start) for tsc in stretch)
            box = QRectF(area.left() + area.width() * left, area.top(), area.width() * (right - left), area.height())
            painter.fillRect(box, veil_brush(self.theme, "text_muted", VEIL))

    def paint_changes(self, painter: QPainter, area: QRectF) -> None:
        """A mark at each change of the wiring in the window."""
        start, end = self.edges
        marks: list[Mark] = []
        for change in self.model.changes:
            x = area.left() + area.width() * (change.tsc - start) / (end - start)
            if not start <= change.tsc <= end:
                continue
            color = self.theme.color(SWITCH_COLORS[change.switch])
            if marks and x - marks[-1].x < TOGETHER:  # at one line: both switches thrown at once
                last = marks[-1]
                text, short = f"{last.text}\n{change.text}", f"{last.short}\n{change.short}"
                marks[-1] = last._replace(text=text, short=short, colors=(*last.colors, color))
            else:
                marks.append(Mark(x, change.text, color, short=change.short, colors=(color,)))
        self.paint_marks(painter, area, marks)


def time_ticks(parts: int, edge: str) -> Ticks:
    """Evenly spaced ticks with the words a viewer would use; edge: what the last one is called."""
    step = SECONDS / parts
    ticks = [(-step * n, localized(f"-{step * n:g} s")) for n in range(1, parts)]
    return [(0.0, tr(edge)), *ticks, (-SECONDS, tr("{seconds} s before", seconds=f"{SECONDS:g}"))]
