"""Paints the bars, and the table of their parts, into a widget that is as high as they need; a click chooses."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from bellwire.engine.language import tr
from bellwire.viz.panels.explain.layout import BarsLayout, Cell, laid_out
from bellwire.viz.panels.explain.shown_bars import TimeBars
from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import plain_tip
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import hatch_of, hatched

PLACES = {"guest": "guest", "kernel": "kvm", "user space": "io_thread", "other process": "interrupt"}  # theme's colours
HATCH = 9  # pixels at 100 % text between the lines that say that no stamp divides or ends a part
Key = tuple[int, int]
Align = Qt.AlignmentFlag


class Aim(NamedTuple):
    """What is pointed at: a bar, and a part of it; None: the whole bar."""

    bar: int
    part: Key | None


class BarsChart(QWidget):
    """`chosen` is emitted with an Aim. tell: what to say of one."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, tell: Callable[[Aim], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme, self.tell = theme, tell
        self.bars = TimeBars()
        self.aim: Aim | None = None  # what the keyboard stands at
        self.pointed: Key | None = None
        self.room = 0  # height in which it is seen
        self._layouts: dict[bool, BarsLayout] = {}  # without a height, and with the one that there is
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(tr("Shares of each journey's time"))

    def show_bars(self, bars: TimeBars, theme: Theme) -> None:
        """Shows these from now on."""
        self.bars, self.theme = bars, theme
        self._layouts.clear()
        self.setCursor(Qt.CursorShape.PointingHandCursor if bars.way else Qt.CursorShape.ArrowCursor)
        if self.aim and (self.aim.bar >= len(bars.bars) or self.aim.part not in (None, *bars.letters)):
            self.aim = None
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        """Bars and table stand side by side where there is room."""
        return True

    def heightForWidth(self, width: int) -> int:
        """As all rows need."""
        return math.ceil(self._laid_out(width, 0).needs)

    def sizeHint(self) -> QSize:
        """Any width will do."""
        width = max(self.width(), 200)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """All rows; whoever holds it scrolls."""
        return QSize(100, self.heightForWidth(max(self.width(), 100)))

    def _laid_out(self, width: int, height: int) -> BarsLayout:
        known = self._layouts.get(height > 0)
        if known is None or known.of is not self.bars or (known.width, known.height) != (width, height):
            known = self._layouts[height > 0] = laid_out(self.bars, self.theme, width, height)
        return known

    @property
    def layout_now(self) -> BarsLayout:
        """Where everything is."""
        return self._laid_out(self.width(), max(self.room, 1))

    # -- painting

    @painting
    def paintEvent(self, _event: QPaintEvent) -> None:
        """Fills, then everything that is written."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        where = self.layout_now
        for row in where.stripes:
            painter.fillRect(row, self.theme.color("surface_raised"))
        for cell in where.segments:
            self._segment(painter, cell)
        for place, rect in where.samples.items():
            self._fill(painter, rect, (place,) if place else ("kernel",), hatched=not place)
        for cell in where.texts:
            self._text(painter, cell)
        self._marks(painter, where)

    def _segment(self, painter: QPainter, cell: Cell) -> None:
        """A part of a bar, with its name on a plain ground."""
        assert cell.part is not None
        share, _ = self.bars.bars[cell.bar].parts[cell.part]
        self._fill(painter, cell.rect, share.places, hatched=not share.sure)
        painter.setPen(QPen(self.theme.color("text" if self.theme.marked else "surface"), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(cell.rect)
        if not cell.text:
            return
        width = QFontMetricsF(cell.font).horizontalAdvance(cell.text) + self.theme.px(8)
        ground = QRectF(0, 0, width, cell.rect.height() * 0.72)
        ground.moveCenter(cell.rect.center())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color(PLACES[share.places[0]]))
        painter.drawRoundedRect(ground, 4, 4)
        painter.setFont(cell.font)
        painter.setPen(self.theme.color("text_on_accent"))
        painter.drawText(cell.rect, Align.AlignCenter, cell.text)

    def _fill(self, painter: QPainter, rect: QRectF, places: tuple[str, ...], hatched: bool) -> None:
        """In the colour of its first place, over a stripe in that of each other; hatched where it is not sure."""
        stripe = rect.height() * 0.25
        self._paint_place(painter, rect, places[0])
        for number, place in enumerate(places[1:]):
            bottom = rect.bottom() - number * stripe
            below = QRectF(rect.left(), bottom - stripe, rect.width(), stripe)
            self._paint_place(painter, below, place)
        if hatched:
            self._hatch(painter, rect)

    def _paint_place(self, painter: QPainter, rect: QRectF, place: str) -> None:
        """What is hatched has an outline, so that the smallest piece of it is seen."""
        color, hatch = self.theme.color(PLACES[place]), hatch_of(self.theme, PLACES[place])
        painter.fillRect(rect, self.theme.color("surface"))
        painter.fillRect(rect, hatched(color.rgba(), hatch))
        if hatch != "solid":
            painter.setPen(color)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))

    def _hatch(self, painter: QPainter, rect: QRectF) -> None:
        """Lines that grow with the text, unlike a brush's."""
        painter.save()
        painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
        painter.setPen(QPen(self.theme.color("surface", self.theme.faded(0.5)), self.theme.px(2)))
        step, height = self.theme.px(HATCH), rect.height()
        for number in range(int((rect.width() + height) / step) + 1):
            x = rect.left() + number * step
            painter.drawLine(round(x - height), round(rect.bottom()), round(x), round(rect.top()))
        painter.restore()

    def _text(self, painter: QPainter, cell: Cell) -> None:
        painter.setFont(cell.font)
        painter.setPen(self.theme.color(cell.color))
        metrics, text, room = QFontMetricsF(cell.font), cell.text, cell.rect.width()
        if metrics.horizontalAdvance(text) > room + 1:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room - 2)
        painter.drawText(cell.rect, cell.align | Align.AlignVCenter, text)

    def _marks(self, painter: QPainter, where: BarsLayout) -> None:
        """Around the parts that the pointer is at the row of, and around what the keyboard stands at."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for cell in where.segments:
            if cell.part == self.pointed:
                painter.setPen(QPen(self.theme.color("text"), 2))
                painter.drawRect(cell.rect.adjusted(1, 1, -1, -1))
        if self.hasFocus() and self.aim is not None:
            painter.setPen(QPen(self.theme.color("focus"), 3))
            painter.drawRect(where.of_aim(*self.aim).adjusted(1, 1, -1, -1))

    # -- pointing

    def aim_at(self, x: float, y: float) -> Aim | None:
        """What is there."""
        cell = self.layout_now.at(x, y)
        return None if cell is None else Aim(cell.bar, cell.part)

    def event(self, event: QEvent) -> bool:
        """Hovering over something says all that is known of it."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            aim = self.aim_at(event.pos().x(), event.pos().y())
            QToolTip.showText(event.globalPos(), plain_tip(self.tell(aim)) if aim else "", self)
            return True
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The same part is marked in all bars."""
        aim = self.aim_at(event.position().x(), event.position().y())
        self._point_at(aim.part if aim else None)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def _point_at(self, part: Key | None) -> None:
        if part != self.pointed:
            self.pointed = part
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Chooses what is there."""
        aim = self.aim_at(event.position().x(), event.position().y())
        if aim is not None and event.button() == Qt.MouseButton.LeftButton:
            self.aim = aim
            self.chosen.emit(aim)

    # -- the keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down from bar to bar, left and right from part to part, Enter or Space chooses."""
        steps = {
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
        }
        key = Qt.Key(event.key())
        if key in steps and self.bars.bars:
            self._step(*steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.aim is not None:
            self.chosen.emit(self.aim)
        else:
            super().keyPressEvent(event)

    def _step(self, down: int, right: int) -> None:
        """What there is no part of is passed over."""
        aim = self.aim or Aim(0, None)
        bar = min(max(aim.bar + down, 0), len(self.bars.bars) - 1) if self.aim else 0
        parts: list[Key | None] = [None, *self.bars.bars[bar].parts]
        at = parts.index(aim.part) if aim.part in parts else 0
        self.aim = Aim(bar, parts[min(max(at + right, 0), len(parts) - 1)])
        self.setAccessibleDescription(self.tell(self.aim))
        self.update()
