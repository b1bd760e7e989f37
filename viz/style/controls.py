"""The small widgets of the bar: a switch, a chip, a slider over a list of values. All can be worked by keyboard.

The window's own keys are single letters and Space. A control that has the focus keeps the keys that work it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QIcon, QKeyEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QWidget,
)

from bellwire.viz.style.icons import SIZE as GRID
from bellwire.viz.style.icons import icon, icon_color, logo, paint_icon, paint_logo
from bellwire.viz.style.painting import painting
from bellwire.viz.style.theme import DARK, Theme
from bellwire.viz.style.themes.lines_only import holds_lines

BUTTON_KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
SLIDER_KEYS = (
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
)
BELOW, ASIDE = 6, 8  # pixels between what pops up and its button, and the window's edge
COMBO_KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Home, Qt.Key.Key_End)


def keeps(event: QEvent, keys: Sequence[Qt.Key]) -> bool:
    """Whether the event asks if a key is the window's, and it is the control's own: then it is accepted."""
    if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
        return False
    if event.key() not in keys or event.modifiers():
        return False
    event.accept()
    return True


def presses(event: QKeyEvent, button: QAbstractButton) -> bool:
    """Whether a key clicks the button, beside Space, which Qt sees to: then it is clicked."""
    if event.key() not in BUTTON_KEYS[1:]:
        return False
    button.click()
    return True


def place_below(over: QWidget, widget: QWidget) -> None:
    """Moves what pops up under a widget, right edge under right edge, as far as the window has room for it there: the
    widget may be scrolled out of sight.
    """
    window = widget.window()
    room = QRect(window.mapToGlobal(QPoint()), window.size()).adjusted(ASIDE, 0, -ASIDE, 0)
    corner = widget.mapToGlobal(QPoint(widget.width() - over.width(), widget.height() + BELOW))
    x = max(min(corner.x(), room.right() + 1 - over.width()), room.left())
    over.move(x, max(min(corner.y(), room.bottom() + 1 - over.height()), room.top()))


class Button(QPushButton):
    """A push button that Space and Enter press while it has the focus; a click does not take the focus."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoDefault(True)

    def event(self, event: QEvent) -> bool:
        return keeps(event, BUTTON_KEYS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not presses(event, self):
            super().keyPressEvent(event)


class Pill(Button):
    """A state that a click ends; it says with an ellipsis that its words are longer, and its tooltip has them all."""

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QStylePainter(self), QStyleOptionButton()
        self.initStyleOption(option)
        room = self.width() - 2 * self.height() // 2
        option.text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, room)
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)


class IconButton(QToolButton):
    """A square button with an icon, which grows with the text: viz/style/stylesheet.py."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown, self._theme = "", DARK
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_icon(self, name: str, theme: Theme) -> None:
        """One of viz/style/icons.py."""
        self._shown, self._theme = name, theme
        self.setIcon(icon(name, theme))

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        """Where lines stay lines the icon is made of them; on a screen Qt paints its pixels."""
        painter = QStylePainter(self)
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        if self._shown and holds_lines(painter):
            option.icon = QIcon()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        if option.icon.isNull() and self._shown:
            side = self.iconSize().height()
            painter.translate((self.width() - side) / 2, (self.height() - side) / 2)
            paint_icon(painter, self._shown, icon_color(self._theme, self.isEnabled()), side / GRID)
        painter.end()

    def event(self, event: QEvent) -> bool:
        return keeps(event, BUTTON_KEYS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not presses(event, self):
            super().keyPressEvent(event)


class ProgramMark(QLabel):
    """The program's mark: pixels on a screen, and lines where they stay lines."""

    HEIGHT = 24  # pixels at 100 %

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setPixmap(logo(theme, theme.px(self.HEIGHT)))

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if holds_lines(painter):
            side = self._theme.px(self.HEIGHT)
            painter.translate(0, (self.height() - side) / 2)
            paint_logo(painter, self._theme, side)
            painter.end()
            return
        painter.end()
        super().paintEvent(event)


class Toggle(QAbstractButton):
    """On or off, with its name beside it. On is said by the knob's side, its mark and its colour."""

    TRACK, HEIGHT, GAP = 46, 26, 9

    def __init__(self, text: str, color: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme, self.color = theme, color
        self.setText(text)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        px = self.theme.px
        width = QFontMetricsF(self.theme.font(14, 600)).horizontalAdvance(self.text())
        return QSize(px(self.TRACK) + px(self.GAP) + round(width) + 6, px(self.HEIGHT) + 6)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def event(self, event: QEvent) -> bool:
        return keeps(event, BUTTON_KEYS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not presses(event, self):
            super().keyPressEvent(event)

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        px, on, live = self.theme.px, self.isChecked(), self.isEnabled()
        height = px(self.HEIGHT)
        track = QRectF(3, (self.height() - height) / 2, px(self.TRACK), height)
        fill = self.theme.color(self.color if on else "surface_raised", 1 if live else 0.4)
        edge = self.theme.color(self.color if on else "border_strong", 1 if live else 0.5)
        painter.setPen(QPen(edge, 1.5))
        painter.setBrush(fill)
        painter.drawRoundedRect(track, height / 2, height / 2)
        self._paint_knob(painter, track, on, live)
        painter.setPen(self.theme.color("text" if live else "text_muted"))
        painter.setFont(self.theme.font(14, 600))
        words = QRectF(track.right() + px(self.GAP), 0, self.width(), self.height())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.hasFocus():
            self._paint_focus(painter)

    def _paint_knob(self, painter: QPainter, track: QRectF, on: bool, live: bool) -> None:
        """A disc; on it is at the right and bears a bar, off at the left and bears a ring."""
        radius = track.height() / 2 - self.theme.px(3)
        x = track.right() - track.height() / 2 if on else track.left() + track.height() / 2
        center = QPointF(x, track.center().y())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("text_on_accent" if on else "text_muted", 1 if live else 0.6))
        painter.drawEllipse(center, radius, radius)
        painter.setPen(QPen(self.theme.color(self.color if on else "surface_raised"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if on:
            painter.drawLine(center - QPointF(0, radius * 0.4), center + QPointF(0, radius * 0.4))
        else:
            painter.drawEllipse(center, radius * 0.4, radius * 0.4)

    def _paint_focus(self, painter: QPainter) -> None:
        painter.setPen(QPen(self.theme.color("focus"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)


class Chip(QLabel):
    """A short fact in a rounded frame, with or without a coloured dot.

    For a screen reader it is a text, as a label is.
    """

    def __init__(self, theme: Theme, mono: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme, self.mono = theme, mono
        self.words, self.dot, self.color = "", "", "text_muted"
        self._least = 0.0  # width in which it makes do
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def say(self, words: str, color: str = "text_muted", dot: str = "") -> None:
        """Shows `words`; dot is "", "circle" (goes on), "bars" (paused) or "square" (none)."""
        if (words, color, dot) == (self.words, self.color, self.dot):
            return
        wider = len(words) != len(self.words) or dot != self.dot
        self.words, self.color, self.dot = words, color, dot
        self.setAccessibleName(words)
        if wider:
            self.updateGeometry()
        self.update()

    def shorten(self, least: float) -> None:
        """Makes do with so many pixels at 100 % text, with an ellipsis; 0: it is seen as a whole."""
        if least != self._least:
            self._least = least
            self.updateGeometry()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self._font()).horizontalAdvance(self.words)
        return QSize(round(width) + self.theme.px(26 + (16 if self.dot else 0)), self.theme.px(27))

    def minimumSizeHint(self) -> QSize:
        size = self.sizeHint()
        return size.boundedTo(QSize(self.theme.px(self._least), size.height())) if self._least else size

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(self.theme.color(self.theme.edge), 1))
        painter.setBrush(self.theme.color("surface_raised"))
        painter.drawRoundedRect(frame, frame.height() / 2, frame.height() / 2)
        inset = self.theme.px(13)
        if self.dot:
            mark = QPointF(inset + self.theme.px(3), self.height() / 2)
            paint_dot(painter, self.dot, mark, self.theme.px(4.5), self.theme.color(self.color))
            inset += self.theme.px(16)
        painter.setFont(self._font())
        painter.setPen(self.theme.color("text" if self.dot else self.color))
        room = QRectF(inset, 0, self.width() - inset - self.theme.px(10), self.height())
        words = QFontMetricsF(self._font()).elidedText(self.words, Qt.TextElideMode.ElideRight, room.width() + 1)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip, words)

    def _font(self) -> QFont:
        return self.theme.font(12.5, 400 if self.mono else 600, self.mono)


def paint_dot(painter: QPainter, shape: str, at: QPointF, half: float, color: QColor) -> None:
    """A state's mark: its shape says what its colour says."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    if shape == "circle":
        painter.drawEllipse(at, half, half)
    elif shape == "bars":
        for side in (-1, 1):
            painter.drawRect(QRectF(at.x() + side * half * 0.6 - half * 0.3, at.y() - half, half * 0.7, 2 * half))
    elif shape == "triangle":
        painter.drawPolygon(
            QPolygonF([at + QPointF(half, 0), at + QPointF(-half * 0.8, -half), at + QPointF(-half * 0.8, half)])
        )
    else:
        painter.drawRect(QRectF(at.x() - half * 0.8, at.y() - half * 0.8, half * 1.6, half * 1.6))


class Choice(QSlider):
    """A slider over a list of values, in even steps: logarithmic if the list is. `chosen` tells what was picked."""

    chosen = Signal(float)

    def __init__(self, values: Sequence[float], words: Callable[[float], str], parent: QWidget | None = None) -> None:
        """words: a value as it is shown, and read out."""
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.values, self.words = list(values), words
        self.setRange(0, len(self.values) - 1)
        self.setPageStep(3)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._name = ""
        self.valueChanged.connect(lambda index: self.chosen.emit(self.values[index]))
        self.valueChanged.connect(self._tell)

    def value_text(self) -> str:
        """The value in words."""
        return self.words(self.values[self.value()])

    def setAccessibleName(self, name: str) -> None:
        """What is chosen; the value is read out with it, as Qt itself would only know its place in the list."""
        self._name = name
        self._tell()

    def _tell(self) -> None:
        """To whoever reads the screen out, if it is something new."""
        told = f"{self._name}: {self.value_text()}"
        if told != self.accessibleName():
            super().setAccessibleName(told)
            self.setAccessibleDescription(self.value_text())

    def show_value(self, value: float) -> None:
        """Moves to the nearest value, without telling."""
        nearest = min(range(len(self.values)), key=lambda index: distance(self.values[index], value))
        if nearest != self.value() and not self.isSliderDown():
            self.blockSignals(True)
            self.setValue(nearest)
            self.blockSignals(False)
            self._tell()

    def event(self, event: QEvent) -> bool:
        return keeps(event, SLIDER_KEYS) or super().event(event)


def distance(one: float, other: float) -> float:
    """How far apart two values are on a log scale; equal infinities are not."""
    if one == other:
        return 0.0
    return abs(max(one, 0.1) / max(other, 0.1) - 1) if one >= other else abs(max(other, 0.1) / max(one, 0.1) - 1)


class Combo(QComboBox):
    """A combo box with a drawn arrow, which says with an ellipsis that its text is longer."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def event(self, event: QEvent) -> bool:
        return keeps(event, COMBO_KEYS) or super().event(event)

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        words = self.rect().adjusted(self.theme.px(14), 0, -self.theme.px(32), 0)
        elided = self.fontMetrics().elidedText(
            self.currentText() or self.placeholderText(), Qt.TextElideMode.ElideRight, words.width()
        )
        painter.setPen(self.theme.color("text"))
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, elided)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.theme.color("text_muted"), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        x, y = self.width() - self.theme.px(18), self.height() / 2
        painter.drawPolyline(QPolygonF([QPointF(x - 4, y - 2), QPointF(x, y + 2.5), QPointF(x + 4, y - 2)]))
