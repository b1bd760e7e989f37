"""pyqtgraph's curves and axes without its habits: no menu, no mouse that moves the view away, ticks only where we put
them.

pyqtgraph takes a fifth of a second to import: a plot imports this when it is drawn first, which is after an event has
been painted.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPen, QPolygonF

from bellwire.viz.style.curves import TICK_SIZE
from bellwire.viz.style.theme import Theme

AXIS_WIDTH, AXIS_HEIGHT = 52, 20
EVERYTHING = 100.0

Values = npt.NDArray[np.float64]


class OnCanvas(Protocol):
    """Who draws on a canvas: a widget that has these."""

    theme: Theme
    grid: list[float]

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """Paints over the curves."""

    def redraw(self) -> None:
        """Draws anew: the pointer has moved."""


class CurveItem(pg.PlotCurveItem):  # type: ignore[misc]
    """A pyqtgraph curve that does not look through its points for its bounds: our axes are seconds and log10."""

    def boundingRect(self) -> QRectF:
        """Everything that our axes can show. It must not change unless the scene is told, so it never does."""
        return QRectF(-EVERYTHING, -EVERYTHING, 2 * EVERYTHING, 2 * EVERYTHING)


class FillItem(CurveItem):
    """What is below a curve, down to 0, in its brush: one polygon, not a path of every few points as pyqtgraph's."""

    def paint(self, painter: QPainter, *_: object) -> None:
        """Without a line."""
        x, y = self.getData()
        if x is None or not x.size:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.opts["brush"])
        x, y = np.concatenate([x[:1], x, x[-1:]]), np.concatenate([[0], y, [0]])
        painter.drawPolygon(pg.functions.arrayToQPolygonF(x, y))


def line_item() -> CurveItem:
    """A curve drawn segment by segment: Qt strokes a wide smooth path 13 times slower than its segments."""
    item = CurveItem(connect="finite", antialias=True)
    item.setSegmentedLineMode("on")
    return item


class Canvas(pg.GraphicsView):  # type: ignore[misc]
    """A view box with an axis at its left and one below it, and the child of its plot.

    Not a PlotWidget: that makes three forms of settings for a context menu, which take longer than all else of it.
    """

    def __init__(self, plot: OnCanvas) -> None:
        super().__init__(parent=plot)
        self.plot = plot
        self.pointer: QPointF | None = None  # where the mouse is, if it is here
        self.enableMouse(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # the plot's own is asked for, around it
        self.setFrameStyle(0)
        self.setCacheMode(self.CacheModeFlag.CacheNone)  # the grid moves with the range
        self.box = pg.ViewBox(enableMenu=False, enableMouse=False, defaultPadding=0)
        self.axes = {side: pg.AxisItem(side, linkView=self.box) for side in ("bottom", "left")}
        self._lay_out()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def _lay_out(self) -> None:
        layout = self.centralLayout
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addItem(self.box, 0, 1)
        layout.addItem(self.axes["bottom"], 1, 1)
        layout.addItem(self.axes["left"], 0, 0)
        for axis in self.axes.values():
            axis.setZValue(0.5)  # above the curves
            axis.setStyle(tickLength=0, tickAlpha=255, hideOverlappingLabels=False)
            axis.enableAutoSIPrefix(False)

    def viewportEvent(self, event: QEvent) -> bool:
        """The card's tooltip belongs to its header; here the pointer has the readout."""
        return True if event.type() == QEvent.Type.ToolTip else bool(super().viewportEvent(event))

    def area(self) -> QRectF:
        """The rectangle inside the axes, in pixels."""
        return QRectF(self.box.sceneBoundingRect())

    def pixel(self, x: float, y: float) -> QPointF:
        """Where a point of the data is on the screen."""
        (left, width), (bottom, height) = self._scales()
        return QPointF(left + x * width, bottom - y * height)

    def pixels(self, x: Values, y: Values) -> QPolygonF:
        """Where points of the data are on the screen; x and y of shape (n,)."""
        (left, width), (bottom, height) = self._scales()
        if not x.size:  # of no points it makes a polygon without memory, which must not be drawn
            return QPolygonF()
        points: QPolygonF = pg.functions.arrayToQPolygonF(left + x * width, bottom - y * height)
        return points

    def _scales(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Of x and of y: the pixel of 0, and the pixels of a unit."""
        area, ((left, right), (low, high)) = self.area(), self.box.viewRange()
        width, height = area.width() / (right - left), area.height() / (high - low)
        return (area.left() - left * width, width), (area.bottom() + low * height, height)

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

    def set_theme(self, theme: Theme, left_margin: float, right_margin: float) -> None:
        """Colours and fonts of axes and grid; margins: pixels at 100 % text."""
        self.setBackground(theme.color("surface"))
        for axis in self.axes.values():
            axis.setPen(pg.mkPen(theme.color("text_muted" if theme.marked else "grid")))
            axis.setTickPen(pg.mkPen(theme.grid))
            axis.setTextPen(pg.mkPen(theme.text_muted))
            axis.setTickFont(theme.font(TICK_SIZE, mono=True))
        self.axes["left"].setWidth(theme.px(AXIS_WIDTH))
        self.axes["bottom"].setHeight(theme.px(AXIS_HEIGHT))
        self.centralLayout.setContentsMargins(theme.px(left_margin), theme.px(6), theme.px(right_margin), 0)
