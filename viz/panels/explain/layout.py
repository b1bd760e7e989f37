"""Where bars and table stand in a width: side by side where there is room, else the table below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF

from bellwire.engine.language import tr, tr_later
from bellwire.viz.panels.explain.shown_bars import PLACE_NAMES, TimeBar, TimeBars, part_name, time_words
from bellwire.viz.stages.shares import percent_words, title_of
from bellwire.viz.style.theme import DARK, Theme
from bellwire.viz.text.figures import duration

NAME, TEXT, SMALL = 15, 14, 12  # sizes of text
BAR, LINE, GAP = 26, 22, 8  # heights of a bar and of a line, and what is between, pixels at 100 % text
HIGHER = 16  # that a bar may be
BETWEEN = 28  # bars and table
SIDE_BY_SIDE = 1080  # pixels at 100 % text: what both need beside each other
BARS_SHARE = 0.38  # of the width
LEAST_TITLE = 170  # a part's title in one line with its figures
SAMPLE = 18
HATCHED = tr_later("hatched: a bound (≤ ≥), or not divided by any stamp")
Key = tuple[int, int]
LEFT, RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight


class Cell(NamedTuple):
    """Something that is painted. bar, part: what it is of; bar -1: nothing that can be chosen."""

    rect: QRectF
    text: str
    font: QFont
    bar: int = -1
    part: Key | None = None
    color: str = "text"
    align: Qt.AlignmentFlag = LEFT


@dataclass
class BarsLayout:
    """What is where in a width and a height; it needs one. samples: of the legend, by place; "": of what is hatched."""

    of: TimeBars | None = None
    theme: Theme = DARK
    width: int = -1
    height: int = 0
    needs: float = 0.0
    segments: list[Cell] = field(default_factory=list)
    texts: list[Cell] = field(default_factory=list)
    samples: dict[str, QRectF] = field(default_factory=dict)
    stripes: list[QRectF] = field(default_factory=list)

    def at(self, x: float, y: float) -> Cell | None:
        """What can be chosen there; a part before its bar."""
        cells = (*self.segments, *(cell for cell in self.texts if cell.bar >= 0))
        return next((cell for cell in cells if cell.rect.contains(x, y)), None)

    def of_aim(self, bar: int, part: Key | None) -> QRectF:
        """Where a part of a bar is painted, or the bar's name."""
        cells = self.segments if part else self.texts
        return next((cell.rect for cell in cells if (cell.bar, cell.part) == (bar, part)), QRectF())


def laid_out(bars: TimeBars, theme: Theme, width: int, height: int = 0) -> BarsLayout:
    """Bars and table in this width; beside the table the bars are higher where there is height for it."""
    made = BarsLayout(bars, theme, width, height)
    if bars.way is None:
        return made
    wide = width >= theme.px(SIDE_BY_SIDE)
    left = QRectF(0, 0, round(width * BARS_SHARE) if wide else width, 0)
    if wide and height:
        height -= round(Drawer(BarsLayout(bars, theme), theme, left).bars(0))
    bottom = Drawer(made, theme, left).bars(height if wide else 0)
    x = left.right() + theme.px(BETWEEN) if wide else 0
    table = Drawer(made, theme, QRectF(x, 0 if wide else bottom + theme.px(GAP), width - x, 0)).table()
    made.needs = max(bottom, table) + 2
    return made


class Drawer:
    """Fills a layout from the top of an area on."""

    def __init__(self, made: BarsLayout, theme: Theme, area: QRectF) -> None:
        assert made.of is not None
        self.made, self.theme, self.area, self.bars_shown = made, theme, area, made.of
        self.y, self.figure_size = area.top(), float(TEXT)  # of the table: smaller where it has no room

    def advance_of(self, text: str, font: QFont) -> float:
        """How wide a text is."""
        return QFontMetricsF(font).horizontalAdvance(text) + 2

    def add(
        self,
        x: float,
        width: float,
        text: str,
        font: QFont,
        bar: int = -1,
        part: Key | None = None,
        color: str = "text",
        align: Qt.AlignmentFlag = LEFT,
    ) -> None:
        """A text in the line that begins at `y`."""
        rect = QRectF(x, self.y, width, self.theme.px(LINE))
        self.made.texts.append(Cell(rect, text, font, bar, part, color, align))

    # -- the bars

    def bars(self, spare: float) -> float:
        """The way's name, the bars, the legend; where they end. spare: height that there is for higher bars."""
        px, shown = self.theme.px, self.bars_shown
        high = px(BAR) + min(max(int(spare / len(shown.bars)), 0), px(HIGHER))
        assert shown.way is not None
        name, time = self.theme.font(NAME, 600), self.theme.font(TEXT, mono=True)
        self.add(0, self.area.width(), title_of(shown.way), self.theme.font(SMALL), color="text_muted")
        self.y += px(LINE)
        names = max(self.advance_of(bar.called, name) for bar in shown.bars) + px(GAP)
        times = max(self.advance_of(self.whole_of(bar), time) for bar in shown.bars) + px(GAP + 2)
        for number, bar in enumerate(shown.bars):
            line = (high - px(LINE)) / 2
            self.y += line
            self.add(0, names, bar.called, name, bar=number)
            self.add(names, times - px(GAP + 2), self.whole_of(bar), time, bar=number, align=RIGHT)
            self.y -= line
            left = names + times
            self.segments(number, bar, QRectF(left, self.y, self.area.width() - left, high))
            self.y += high + px(GAP)
        self.legend()
        return self.y

    def whole_of(self, bar: TimeBar) -> str:
        """How long its journey took."""
        return duration(self.bars_shown.clock.ns(bar.told.cycles)) if bar.told else "–"

    def whole_words(self, bar: TimeBar) -> str:
        """The same as a part of itself."""
        return f"{self.whole_of(bar)} {percent_words(100, alone=True)}"

    def segments(self, number: int, bar: TimeBar, room: QRectF) -> None:
        """The parts of a bar side by side; or why there are none."""
        if bar.told is None:
            font = self.theme.font(TEXT)
            self.made.texts.append(Cell(room, f"– {bar.why}", font, color="text_muted"))
            return
        font, x = self.theme.font(TEXT, 600), room.left()
        for key, (share, _) in bar.parts.items():
            width = room.width() * share.cycles / bar.told.cycles
            rect = QRectF(x, room.top(), width, room.height())
            text = self.fitting(self.names_of(key, bar), font, width - self.theme.px(10))
            self.made.segments.append(Cell(rect, text, font, number, key))
            x += width

    def names_of(self, key: Key, bar: TimeBar) -> Sequence[str]:
        """What a part may be called in its bar, the longest first."""
        share, percent = bar.parts[key]
        letter = self.bars_shown.letters[key]
        return (f"{letter}  {percent_words(percent, share.bound, len(bar.parts) == 1)}".replace("  <", " <"), letter)

    def fitting(self, texts: Sequence[str], font: QFont, width: float) -> str:
        """The first that has room; "" if none has."""
        return next((text for text in texts if self.advance_of(text, font) <= width), "")

    def legend(self) -> None:
        """Which colour is which place, and what hatching means; in as many lines as it needs."""
        px, font, x = self.theme.px, self.theme.font(SMALL), 0.0
        hatched = any(not share.sure for bar in self.bars_shown.bars for share, _ in bar.parts.values())
        for place in (*self.bars_shown.places, *([""] if hatched else [])):
            text = tr(PLACE_NAMES[place]) if place else tr(HATCHED)
            width = self.advance_of(text, font)
            if x and x + px(SAMPLE + 4) + width > self.area.width():
                x, self.y = 0.0, self.y + px(LINE)
            self.made.samples[place] = QRectF(x, self.y + px(5), px(SAMPLE), px(LINE - 10))
            room = min(width, self.area.width() - x - px(SAMPLE + 6))
            self.add(x + px(SAMPLE + 6), room, text, font, color="text_muted")
            x += px(SAMPLE + 6) + width + px(14)
        self.y += px(LINE)

    # -- the table

    def table(self) -> float:
        """A row a part, a column a bar, each with time and share; then the wholes. Where it ends."""
        px, shown = self.theme.px, self.bars_shown
        widths = [self.column_width(bar) for bar in shown.bars]
        title = self.area.width() - sum(widths)
        stacked = title < px(LEAST_TITLE)  # a part's title above its figures
        if stacked and title < 0:
            share = self.area.width() / sum(widths)
            self.figure_size = math.floor(TEXT * share * 10) / 10
            widths = [width * share for width in widths]
        title = self.area.width() if stacked else title
        left = self.area.right() - sum(widths)
        self.heads(widths, left)
        for number, key in enumerate(shown.letters):
            top = self.y
            self.part_title(key, title - px(GAP))
            if stacked:
                self.y += px(LINE)
            self.figures(key, widths, left)
            self.y += px(LINE)
            if number % 2 == 0:
                self.made.stripes.append(QRectF(self.area.left(), top, self.area.width(), self.y - top))
        self.wholes(widths, left)
        return self.y

    @property
    def figure_font(self) -> QFont:
        """Of times and shares."""
        return self.theme.font(self.figure_size, mono=True)

    def column_width(self, bar: TimeBar) -> float:
        """Of the widest cell; as wide for every bar of the same figures, whatever comes."""
        cells = [self.figure(bar, key) for key in self.bars_shown.letters]
        texts = [bar.called, *cells, self.whole_words(bar)]
        return max(self.advance_of(text, self.figure_font) for text in texts) + self.theme.px(18)

    def figure(self, bar: TimeBar, key: Key) -> str:
        """Time and share, in columns of their own by their equal digits."""
        if key not in bar.parts:
            return "–"
        share, percent = bar.parts[key]
        return f"{time_words(self.bars_shown.clock, share)} {percent_words(percent, alone=len(bar.parts) == 1):>7}"

    def heads(self, widths: Sequence[float], left: float) -> None:
        """The names of the columns."""
        font = self.theme.font(self.figure_size, 600)
        for number, (bar, width) in enumerate(zip(self.bars_shown.bars, widths, strict=True)):
            self.add(left, width - 4, bar.called, font, bar=number, align=RIGHT)
            left += width
        self.y += self.theme.px(LINE)

    def part_title(self, key: Key, width: float) -> None:
        """Its letter and its stages."""
        font, letter = self.theme.font(TEXT), self.bars_shown.letters[key]
        bold, x = self.theme.font(TEXT, 600), self.area.left() + self.theme.px(4)
        room = self.theme.px(20)
        at = next(number for number, bar in enumerate(self.bars_shown.bars) if key in bar.parts)
        self.add(x, room, letter, bold, bar=at, part=key)
        self.add(x + room, width - room, part_name(self.bars_shown.titles[key]), font, bar=at, part=key)

    def figures(self, key: Key, widths: Sequence[float], left: float) -> None:
        """Those of a part, a cell a bar."""
        for number, (bar, width) in enumerate(zip(self.bars_shown.bars, widths, strict=True)):
            color = "text" if key in bar.parts else "text_muted"
            self.add(left, width - 4, self.figure(bar, key), self.figure_font, number, key, color, RIGHT)
            left += width

    def wholes(self, widths: Sequence[float], left: float) -> None:
        """The last row."""
        font, name = self.theme.font(TEXT, 600), tr("the whole")
        x, width = self.area.left() + self.theme.px(4), self.advance_of(name, font)
        self.add(x, width, name, font)
        if left < x + width:
            self.y += self.theme.px(LINE)
        for number, (bar, width) in enumerate(zip(self.bars_shown.bars, widths, strict=True)):
            text = self.whole_words(bar) if bar.told else "–"
            self.add(left, width - 4, text, self.figure_font, bar=number, align=RIGHT)
            left += width
        self.y += self.theme.px(LINE)
