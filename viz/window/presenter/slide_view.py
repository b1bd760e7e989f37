"""A slide as it is painted: as large as there is room for, and never smaller than the last row can read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from bellwire.engine.foreign import shown
from bellwire.engine.language import tr_n
from bellwire.viz.lessons.course import ChoiceSoFar
from bellwire.viz.style.painting import painting
from bellwire.viz.style.theme import Theme, make_font
from bellwire.viz.text.figures import NO_BREAK, unparted
from bellwire.viz.text.verdicts import MARKS
from bellwire.viz.window.presenter.slide import Slide

LEAST = 1 / 40  # of the screen's height: no text is smaller
TITLE, TEXT, ASK, CHOICE, REASON, STATE = 1 / 23, 1 / 30, 1 / 28, 1 / 31, 1 / 34, LEAST
SIZES = (1.0, 0.9, 0.8, 0.7)  # of these, as there is room
MOST = 0.5  # of the screen's height that words may have; the rest is the picture's
MARGIN = 0.03  # of the screen's height, at the sides
ANSWER = 0.4  # of the width that a choice has where its reason stands beside it
LINE = 1.3  # of a font's pixels
WRAPPED = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap


@dataclass(frozen=True)
class Written:
    """Words in their place; `framed`: as a chip."""

    rect: QRectF
    words: str
    font: QFont
    color: str
    framed: bool = False


@dataclass(frozen=True)
class LaidOut:
    """A slide's words, the rows of its choices, and the height of it all, pixels."""

    written: tuple[Written, ...]
    rows: tuple[QRectF, ...]
    height: float


def least_pixels(screen: int) -> int:
    """Of a font, on a screen of this height."""
    return math.ceil(screen * LEAST)


def wrapped_height(words: str, font: QFont, width: float) -> float:
    """How much height these words take, wrapped."""
    return QFontMetricsF(font).boundingRect(QRectF(0, 0, width, 1e6), WRAPPED, words).height()


class SlideLayout:
    """Lays a slide out from the top down, in one size."""

    def __init__(self, slide: Slide, width: int, screen: int, size: float, with_text: bool) -> None:
        """screen: the height that sizes are shares of; width: pixels for all of it."""
        self.slide, self.screen, self.size = slide, screen, size
        self.left, self.width = screen * MARGIN, width - 2 * screen * MARGIN
        self.y = screen * MARGIN * 0.5
        self.written: list[Written] = []
        self.rows: list[QRectF] = []
        self._lay_title()
        if with_text:
            self._lay(slide.text, TEXT, "text")
        self.y += 0.3 * screen * TEXT if slide.ask else 0.0
        self._lay(slide.ask, ASK, "text", 600)
        for number, choice in enumerate(slide.choices, 1):
            self._lay_choice(number, choice)

    @property
    def made(self) -> LaidOut:
        """All of it."""
        return LaidOut(tuple(self.written), tuple(self.rows), self.y + self.screen * MARGIN * 0.4)

    def _font(self, share: float, weight: int = 400) -> QFont:
        pixels = round(self.screen * share * self.size)
        return make_font(max(pixels, least_pixels(self.screen)), weight, False)

    def _lay_title(self) -> None:
        state, font = self.slide.state, self._font(STATE, 600)
        wide = QFontMetricsF(font).horizontalAdvance(state) + font.pixelSize() if state else 0.0
        title = self._font(TITLE, 700)
        room = self.width - wide - title.pixelSize()
        if state:
            right = self.left + self.width - wide
            chip = QRectF(right, self.y + title.pixelSize() * 0.1, wide, LINE * font.pixelSize())
            self.written.append(Written(chip, state, font, "replay" if self.slide.replaying else "paused", True))
        self._put(self.slide.title, title, "text", self.left, room)

    def _lay(self, words: str, share: float, color: str, weight: int = 400) -> None:
        if words:
            self._put(words, self._font(share, weight), color, self.left, self.width)

    def _put(self, words: str, font: QFont, color: str, left: float, width: float) -> None:
        """Below what is there."""
        words = unparted(shown(words, lines=True))
        tall = wrapped_height(words, font, width)
        self.written.append(Written(QRectF(left, self.y, width, tall), words, font, color))
        self.y += tall + 0.25 * font.pixelSize()

    def _lay_choice(self, number: int, choice: ChoiceSoFar) -> None:
        """Its number, or who was right; its words, the hands for it; the reason beside or below."""
        font, why = self._font(CHOICE, 700 if choice.chosen or choice.right else 500), self._font(REASON)
        mark = MARKS[choice.right] if choice.answered else str(number)
        color = {None: "text", True: "live", False: "heavy"}[choice.right]
        indent, pad = 1.6 * font.pixelSize(), 0.2 * font.pixelSize()
        words = shown(with_hands(choice))
        beside = bool(choice.reason)
        wide = (self.width * ANSWER if beside else self.width) - indent - 2 * pad
        tall = wrapped_height(words, font, wide)
        top, left = self.y + pad, self.left + pad
        self.written.append(Written(QRectF(left, top, indent, tall), mark, font, color))
        self.written.append(Written(QRectF(left + indent, top, wide, tall), words, font, "text"))
        if beside:
            start = self.left + self.width * ANSWER + font.pixelSize()
            rest = self.left + self.width - start
            reason = wrapped_height(choice.reason, why, rest)
            self.written.append(Written(QRectF(start, top, rest, reason), choice.reason, why, "text"))
            tall = max(tall, reason)
        self.rows.append(QRectF(self.left, self.y, self.width, tall + 2 * pad))
        self.y += tall + 2.6 * pad


def with_hands(choice: ChoiceSoFar) -> str:
    """A choice, and how many hands were raised for it."""
    if not choice.hands:
        return choice.text
    said = tr_n("{choice}   {n} hand", "{choice}   {n} hands", choice.hands, choice=choice.text)
    words, gap, count = said.rpartition("   ")
    return f"{words}{gap}{count.replace(' ', NO_BREAK)}"  # a number is not parted from what it counts


def layouts(slide: Slide, width: int, screen: int) -> Iterator[LaidOut]:
    """From the largest to the smallest; where it is answered the text makes room first, as the reasons say more."""
    if slide.answered:
        yield SlideLayout(slide, width, screen, SIZES[0], True).made
    for size in SIZES:
        yield SlideLayout(slide, width, screen, size, not slide.answered).made


def largest(made: Iterator[LaidOut], height: float) -> LaidOut:
    """The first one that is no higher than that, else the last one."""
    for one in made:
        if one.height <= height:
            break
    return one


def has_room(slide: Slide, width: int, screen: int) -> bool:
    """Whether its words leave the picture its share, in this width."""
    return largest(layouts(slide, width, screen), MOST * screen).height <= MOST * screen


class SlideView(QWidget):
    """Shows a slide in the upper part of a screen; chosen: a click was for this choice, from 0."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.slide = Slide((), "", "", "")
        self.laid_out = LaidOut((), (), 0.0)
        self._of: tuple[object, ...] = ()  # what the layout is of
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_slide(self, slide: Slide, width: int, screen: int) -> int:
        """Lays it out; the height that it needs, pixels. While it is about the same it takes no less than before."""
        if (slide, width, screen) != self._of:
            same = self._of[1:] == (width, screen) and slide.key == self.slide.key
            least = self.laid_out.height if same and not slide.choices else 0.0
            self._of = slide, width, screen
            self.slide = slide
            made = largest(layouts(slide, width, screen), MOST * screen)
            self.laid_out = LaidOut(made.written, made.rows, max(made.height, least))
            self.setAccessibleName(slide.spoken)
            self.update()
        return round(self.laid_out.height)

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.theme = theme
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Chooses what is clicked at."""
        for number, row in enumerate(self.laid_out.rows):
            if row.contains(event.position()):
                self.chosen.emit(number)

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        self.paint_on(QPainter(self))

    def paint_on(self, painter: QPainter) -> None:
        """All of it, as it is now."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self.theme.color("background"))
        self._paint_rows(painter)
        for one in self.laid_out.written:
            self._paint_words(painter, one)

    def _paint_rows(self, painter: QPainter) -> None:
        """Behind each choice how many were for it; around that which is right, or chosen so far."""
        most = max((choice.hands for choice in self.slide.choices), default=0)
        for row, choice in zip(self.laid_out.rows, self.slide.choices, strict=True):
            radius = min(row.height() / 4, 12.0)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.color("surface_raised"))
            painter.drawRoundedRect(row, radius, radius)
            if choice.hands:
                share = QRectF(row)
                share.setWidth(row.width() * (ANSWER if choice.reason else 1.0) * choice.hands / most)
                painter.setBrush(self.theme.color("focus", 0.25))
                painter.drawRoundedRect(share, radius, radius)
            if choice.right or (choice.chosen and choice.right is None):
                painter.setPen(QPen(self.theme.color("live" if choice.right else "selection"), 3))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(row, radius, radius)

    def _paint_words(self, painter: QPainter, one: Written) -> None:
        painter.setFont(one.font)
        painter.setPen(self.theme.color(one.color))
        if one.framed:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(one.rect, one.rect.height() / 2, one.rect.height() / 2)
            painter.drawText(one.rect, Qt.AlignmentFlag.AlignCenter, one.words)
        else:
            painter.drawText(one.rect, WRAPPED, one.words)
