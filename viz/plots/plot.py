"""A plot in a card: its canvas (viz/plots/canvas.py) has the curves and axes. Labels and marks are painted over them in
pixels, where they can be kept from covering each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from bellwire.engine.language import tr
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.card import PADDING, Card
from bellwire.viz.style.curves import TICK_SIZE, Ticks
from bellwire.viz.style.painting import painting
from bellwire.viz.style.readout import Line, paint_readout
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.turns import Turns

if TYPE_CHECKING:
    from bellwire.viz.plots.canvas import Canvas

LABEL_SIZE = 12
APART = 4  # pixels between what is written and a label right of it
LOW, LOW_HEADER = 150, 33  # pixels at 100 % text: a plot that is lower than this has a lower header
AROUND = 26  # the same: what axis and margin take of the canvas


def of_whole_run(model: LiveModel) -> str:
    """Of what time are what is left out of latencies, and the clock's error: no moment in the past has its own."""
    return "" if model.transport.following else model.all_so_far


def clock_label(model: LiveModel) -> str:
    """How the clock's error is called."""
    when = of_whole_run(model)
    return tr("clock error, {when}", when=when) if when else tr("clock error")


class Mark(NamedTuple):
    """A labelled vertical line at `x` pixels.

    fine: a dotted line with a small label, of a percentile. short: what it says where its text has no room. colors: of
    the lines of its text, where they are not all in its own.
    """

    x: float
    text: str
    color: QColor
    fine: bool = False
    short: str = ""
    colors: tuple[QColor, ...] = ()


class DrawnCard(Card):
    """A card with a canvas. It says what it draws in `draw`, with what in `furnish`, what it writes over it in
    `paint_over`."""

    left_margin, right_margin = 0.0, 8.0

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.empty = ""  # why there is nothing to see; "" if there is
        self._ticks: dict[str, tuple[Ticks, Ticks]] = {}
        self.grid: list[float] = []  # where the left axis has its ticks
        self._canvas: Canvas | None = None
        self.setAccessibleName(tr("plot: {title}", title=self.title))
        self.setMinimumSize(260, 120)

    @property
    def canvas(self) -> Canvas:
        """What it draws on, which is made when it is first asked for."""
        if self._canvas is None:
            from bellwire.viz.plots.canvas import Canvas

            self._canvas = Canvas(self)
            self._canvas.setAccessibleName(self.accessibleName())
            self._canvas.hide()
            self.furnish()
            self._place_canvas()
            for side, ticks in self._ticks.items():
                self.set_ticks(side, *ticks)
            self.set_theme(self.theme)
        return self._canvas

    def prepare(self) -> None:
        """Makes the canvas, so that the first redraw does not have to."""
        self.canvas.setHidden(bool(self.empty))

    def furnish(self) -> None:
        """Puts the curves on a canvas that has just been made; their colours are set_theme's."""

    @property
    def header(self) -> int:
        """Height of the title's line: the less of it, the more is left for the curves where there is little."""
        return self.theme.px(LOW_HEADER) if self.height() < self.theme.px(LOW) else super().header

    def redraw(self) -> None:
        """Draws what is held now."""
        canvas, before = self.canvas, self.empty
        self.empty = self.draw()
        canvas.setHidden(bool(self.empty))
        if self.empty != before:
            self.update()
        canvas.viewport().update()

    def draw(self) -> str:
        """Fills the curves; why there is nothing to see, or ""."""
        raise NotImplementedError

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """Paints labels and marks over the curves."""

    def set_ticks(self, side: str, major: Ticks, minor: Ticks | None = None) -> None:
        """The only ticks of an axis; grid lines go with them."""
        self._ticks[side] = major, minor or []
        if self._canvas is None:
            return
        if side == "left":
            self.grid = [value for value, _ in major]
            high = self._canvas.height() - self.theme.px(AROUND)
            major = thinned(major, high / (1.4 * self.theme.px(TICK_SIZE)))
        self._canvas.axes[side].setTicks([major, minor or []])

    def set_theme(self, theme: Theme) -> None:
        """Colours and fonts of axes and grid."""
        super().set_theme(theme)
        if self._canvas is not None:
            self._canvas.set_theme(theme, self.left_margin, self.right_margin)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The canvas fills the body; its axis reaches into the padding."""
        super().resizeEvent(event)
        self._place_canvas()
        if "left" in self._ticks:
            self.set_ticks("left", *self._ticks["left"])

    def _place_canvas(self) -> None:
        if self._canvas is not None:
            self._canvas.setGeometry(self.body.adjusted(-PADDING * 0.5, -6, 4, 2).toRect())

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        """The card, and why it is empty if it is."""
        super().paintEvent(event)
        if self.empty and self.says_why_empty:
            self.paint_reason(QPainter(self), self.empty)

    @property
    def says_why_empty(self) -> bool:
        """Whether it is known already that there is nothing to see."""
        return True

    def paint_marks(self, painter: QPainter, area: QRectF, marks: list[Mark], taken: Sequence[QRectF] = ()) -> None:
        """Vertical lines with labels beside them at the top, on the right, at the area's edge on the left.

        A label that would cover another, or something in `taken`, goes further down; one that has no room is short,
        or else left out, a large one also if it came into the lower half, where it would hide what is drawn.
        """
        for mark in marks:
            painter.setPen(QPen(mark.color, 1.2, Qt.PenStyle.DotLine if mark.fine else Qt.PenStyle.SolidLine))
            painter.drawLine(QPointF(mark.x, area.top()), QPointF(mark.x, area.bottom()))
        placed = [other.adjusted(0, 0, APART, 0) for other in taken]
        for mark in sorted(marks, key=lambda mark: mark.x):
            painter.setFont(self.theme.font(TICK_SIZE, mono=True) if mark.fine else self.theme.font(LABEL_SIZE, 600))
            lines = [QRectF(other.x - 1, area.top(), 2, area.height()) for other in marks if other is not mark]
            for text in filter(None, (mark.text, mark.short)):
                size = painter.boundingRect(QRectF(0, 0, 300, 100), 0, text)
                high = area.height() if mark.fine else max(area.height() / 2, size.height())
                room = QRectF(area.topLeft(), QSizeF(area.width(), high))
                label = on_a_side(mark.x, QRectF(size).adjusted(0, 0, APART, 0), room, placed, lines)
                if label is not None:
                    placed.append(label)
                    painter.fillRect(label, self.theme.color("surface", self.theme.faded(0.75)))
                    self._paint_label(painter, label, mark, text.splitlines())
                    break

    def _paint_label(self, painter: QPainter, label: QRectF, mark: Mark, lines: list[str]) -> None:
        """Each line in its own colour."""
        usual, high = self.theme.color("text_muted") if mark.fine else mark.color, label.height() / len(lines)
        for n, line in enumerate(lines):
            place = QRectF(label.left(), label.top() + n * high, label.width(), high)
            painter.setPen(mark.colors[n] if mark.colors else usual)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line)

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


class Plot(DrawnCard):
    """Base of every plot of a model.

    refresh() may be called at any rate; the plot redraws when its turn comes, only while it can be seen, and not before
    there is an event: until then it is a card that says what it waits for.
    """

    pace = 1  # redraws at every turn, or at every second one...

    @classmethod
    def suits(cls, scenario: Scenario) -> bool:
        """Whether the scenario has what this plot shows; where it has not, the plot is left out."""
        return True

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.model = model
        self.empty = tr("No journey yet")
        self._looked = False  # whether it has drawn what is held
        self._turns = Turns(self.pace)

    def refresh(self) -> None:
        """Redraws if it is time; called once a frame."""
        if self.isVisible() and self.model.present.tally.recorded and self._turns.come():
            self.redraw()

    def redraw(self) -> None:
        """Draws what is held now."""
        self._looked = True
        super().redraw()

    @property
    def says_why_empty(self) -> bool:
        """Before there is an event, and once it has looked: on a busy machine its first turn is a while away."""
        return self._looked or not self.model.present.tally.recorded


def on_a_side(x: float, label: QRectF, area: QRectF, taken: Sequence[QRectF], lines: Sequence[QRectF]) -> QRectF | None:
    """A place beside `x`, on the left too, that covers nothing taken and that no line crosses, which it would name."""
    free = [*taken, *lines]
    return beside(x, label, area, free) or beside(x - 10 - label.width(), label, area, free)


def beside(x: float, label: QRectF, area: QRectF, taken: Sequence[QRectF]) -> QRectF | None:
    """The highest place for a label at `x` that is in the area and covers nothing taken; None if there is none."""
    left = x + 5 if x + 5 + label.width() <= area.right() else x - 5 - label.width()
    place = QRectF(left, area.top(), label.width(), label.height())
    while any(place.intersects(other) for other in taken):
        place.translate(0, 4)
    return place if place.bottom() <= area.bottom() and place.left() >= area.left() else None


def thinned(ticks: Ticks, most: float) -> Ticks:
    """The same ticks, with the texts of at most `most` of them, evenly."""
    step = max(1, -(-len(ticks) // max(1, int(most))))
    return [(at, text if n % step == 0 else "") for n, (at, text) in enumerate(ticks)]
