"""A plot in a card: pyqtgraph's curves and axes without its habits.

No menu, no mouse that moves the view away, ticks only where we put them. Labels and marks are painted over the curves
in pixels, where they can be kept from covering each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from bellwire.engine.scenarios.scenario import Scenario
from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.card import PADDING, Card
from bellwire.viz.style.curves import Ticks
from bellwire.viz.style.painting import painting
from bellwire.viz.style.readout import Line, paint_readout
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.turns import Turns

AXIS_WIDTH, AXIS_HEIGHT = 52, 20
TICK_SIZE, LABEL_SIZE = 11, 12
EVERYTHING = 100.0

Values = npt.NDArray[np.float64]


class Mark(NamedTuple):
    """A labelled vertical line at `x` pixels."""

    x: float
    text: str
    color: QColor
    fine: bool = False  # a dotted line with a small label: a percentile


class CurveItem(pg.PlotCurveItem):  # type: ignore[misc]
    """A pyqtgraph curve that does not look through its points for its bounds: our axes are seconds and log10."""

    def boundingRect(self) -> QRectF:
        """Everything that our axes can show. It must not change unless the scene is told, so it never does."""
        return QRectF(-EVERYTHING, -EVERYTHING, 2 * EVERYTHING, 2 * EVERYTHING)


def line_item() -> CurveItem:
    """A curve drawn segment by segment: Qt strokes a wide smooth path 13 times slower than its segments."""
    item = CurveItem(connect="finite", antialias=True)
    item.setSegmentedLineMode("on")
    return item


class Canvas(pg.PlotWidget):  # type: ignore[misc]
    """The pyqtgraph widget of a Plot."""

    def __init__(self, plot: Plot) -> None:
        super().__init__(parent=plot)
        self.plot = plot
        self.pointer: QPointF | None = None  # where the mouse is, if it is here
        self.setMouseTracking(True)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setFrameStyle(0)
        self.setCacheMode(self.CacheModeFlag.CacheNone)  # the grid moves with the range
        self.box = self.getPlotItem().getViewBox()
        self.box.setMouseEnabled(False, False)
        self.box.setDefaultPadding(0)
        self.getPlotItem().layout.setContentsMargins(0, 0, 0, 0)
        for side in ("left", "bottom"):
            self.getAxis(side).setStyle(tickLength=0, tickAlpha=255, hideOverlappingLabels=False)
            self.getAxis(side).enableAutoSIPrefix(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def viewportEvent(self, event: QEvent) -> bool:
        """The card's tooltip belongs to its header; here the pointer has the readout."""
        return True if event.type() == QEvent.Type.ToolTip else bool(super().viewportEvent(event))

    def area(self) -> QRectF:
        """The rectangle inside the axes, in pixels."""
        return QRectF(self.box.sceneBoundingRect())

    def pixel(self, x: float, y: float) -> QPointF:
        """Where a point of the data is on the screen."""
        return self.pixels(np.array([x]), np.array([y]))[0]

    def pixels(self, x: Values, y: Values) -> list[QPointF]:
        """Where points of the data are on the screen."""
        area, ((left, right), (low, high)) = self.area(), self.box.viewRange()
        xs = area.left() + (x - left) * (area.width() / (right - left))
        ys = area.bottom() - (y - low) * (area.height() / (high - low))
        return list(map(QPointF, xs.tolist(), ys.tolist()))

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        """The surface, and a grid line at each tick of the left axis."""
        super().drawBackground(painter, rect)
        area = self.area()
        painter.setPen(QPen(self.plot.theme.color("grid"), 1))
        for value in self.plot.grid:
            y = round(self.pixel(0, value).y()) + 0.5
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))

    def drawForeground(self, painter: QPainter, _rect: QRectF) -> None:
        """Lets the plot paint its labels."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.plot.paint_over(painter, self.area())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follows the pointer for the readout."""
        self.pointer = event.position()
        self.plot.redraw()
        event.ignore()

    def leaveEvent(self, _event: QEvent) -> None:
        """No pointer, no readout."""
        self.pointer = None
        self.plot.redraw()

    def wheelEvent(self, event: QEvent) -> None:
        """Not ours: whoever holds the card may scroll."""
        event.ignore()


class Plot(Card):
    """Base of every plot. A plot says what it draws in `draw`, what it writes over it in `paint_over`.

    refresh() may be called at any rate; the plot redraws when its turn comes, and only while it can be seen.
    """

    right_margin = 8.0
    pace = 1  # redraws at every turn, or at every second one...

    @classmethod
    def suits(cls, scenario: Scenario) -> bool:
        """Whether the scenario has what this plot shows; where it has not, the plot is left out."""
        return True

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.model = model
        self.empty = "No journey yet"  # why there is nothing to see; "" if there is
        self._ticks: dict[str, tuple[Ticks, Ticks]] = {}
        self.grid: list[float] = []  # where the left axis has its ticks
        self.canvas = Canvas(self)
        self.setAccessibleName(f"plot: {self.title}")
        self.canvas.setAccessibleName(f"plot: {self.title}")
        self.canvas.hide()
        self._turns = Turns(self.pace)
        self.setMinimumSize(260, 120)

    def refresh(self) -> None:
        """Redraws if it is time; called once a frame."""
        if self.isVisible() and self._turns.come():
            self.redraw()

    def redraw(self) -> None:
        """Draws what the model holds now."""
        self.empty = self.draw()
        if self.canvas.isHidden() != bool(self.empty):
            self.canvas.setHidden(bool(self.empty))
            self.update()
        self.canvas.viewport().update()

    def draw(self) -> str:
        """Fills the curves from the model; why there is nothing to see, or ""."""
        raise NotImplementedError

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """Paints labels and marks over the curves."""

    def set_ticks(self, side: str, major: Ticks, minor: Ticks | None = None) -> None:
        """The only ticks of an axis; grid lines go with them."""
        self._ticks[side] = major, minor or []
        if side == "left":
            self.grid = [value for value, _ in major]
            major = thinned(major, self.canvas.height() / (1.4 * self.theme.px(TICK_SIZE)))
        self.canvas.getAxis(side).setTicks([major, minor or []])

    def set_theme(self, theme: Theme) -> None:
        """Colours and fonts of axes and grid."""
        super().set_theme(theme)
        self.canvas.setBackground(theme.color("surface"))
        for side in ("left", "bottom"):
            axis = self.canvas.getAxis(side)
            axis.setPen(pg.mkPen(theme.grid))
            axis.setTickPen(pg.mkPen(theme.grid))
            axis.setTextPen(pg.mkPen(theme.text_muted))
            axis.setTickFont(theme.font(TICK_SIZE, mono=True))
        self.canvas.getAxis("left").setWidth(theme.px(AXIS_WIDTH))
        self.canvas.getAxis("bottom").setHeight(theme.px(AXIS_HEIGHT))
        self.canvas.getPlotItem().layout.setContentsMargins(0, theme.px(6), theme.px(self.right_margin), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The canvas fills the body; its axis reaches into the padding."""
        super().resizeEvent(event)
        self.canvas.setGeometry(self.body.adjusted(-PADDING * 0.5, -6, 4, 2).toRect())
        if "left" in self._ticks:
            self.set_ticks("left", *self._ticks["left"])

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        """The card, and why it is empty if it is."""
        super().paintEvent(event)
        if self.empty:
            self.paint_reason(QPainter(self), self.empty)

    def paint_marks(self, painter: QPainter, area: QRectF, marks: list[Mark], taken: Sequence[QRectF] = ()) -> None:
        """Vertical lines with labels beside them at the top, on the right, at the area's edge on the left.

        A label that would cover another, or something in `taken`, goes further down; one that has no room is left out,
        a large one also if it came into the lower half, where it would hide what is drawn.
        """
        for mark in marks:
            painter.setPen(QPen(mark.color, 1.2, Qt.PenStyle.DotLine if mark.fine else Qt.PenStyle.SolidLine))
            painter.drawLine(QPointF(mark.x, area.top()), QPointF(mark.x, area.bottom()))
        placed = list(taken)
        for mark in sorted(marks, key=lambda mark: mark.x):
            painter.setFont(self.theme.font(TICK_SIZE, mono=True) if mark.fine else self.theme.font(LABEL_SIZE, 600))
            size = painter.boundingRect(QRectF(0, 0, 300, 100), 0, mark.text)
            high = area.height() if mark.fine else max(area.height() / 2, size.height())
            label = beside(mark.x, QRectF(size), QRectF(area.topLeft(), QSizeF(area.width(), high)), placed)
            if label is not None:
                placed.append(label)
                painter.fillRect(label, self.theme.color("surface", 0.75))
                painter.setPen(self.theme.color("text_muted") if mark.fine else mark.color)
                painter.drawText(label, Qt.AlignmentFlag.AlignLeft, mark.text)

    def readout(self, pointer: QPointF) -> list[Line]:
        """What is to be read at the pointer."""
        return []

    def paint_readout(self, painter: QPainter, area: QRectF) -> None:
        """A fine line under the pointer and what it reads there, on the side that has room."""
        pointer = self.canvas.pointer
        lines = self.readout(pointer) if pointer is not None and area.contains(pointer) else []
        if pointer is None or not lines:
            return
        painter.setPen(QPen(self.theme.color("text_muted"), 1))
        painter.drawLine(QPointF(pointer.x(), area.top()), QPointF(pointer.x(), area.bottom()))
        paint_readout(painter, self.theme, area, pointer, lines)


def beside(x: float, label: QRectF, area: QRectF, taken: Sequence[QRectF]) -> QRectF | None:
    """The highest place for a label at `x` that is in the area and covers nothing taken; None if there is none."""
    left = x + 5 if x + 5 + label.width() <= area.right() else x - 5 - label.width()
    place = QRectF(left, area.top(), label.width(), label.height())
    while any(place.intersects(other) for other in taken):
        place.translate(0, 4)
    return place if place.bottom() <= area.bottom() else None


def thinned(ticks: Ticks, most: float) -> Ticks:
    """The same ticks, with the texts of at most `most` of them, evenly."""
    step = max(1, -(-len(ticks) // max(1, int(most))))
    return [(at, text if n % step == 0 else "") for n, (at, text) in enumerate(ticks)]
