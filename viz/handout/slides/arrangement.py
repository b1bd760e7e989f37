"""Where everything is on a slide of 16:9, in inches, how large the words are and in which colour: in PDF and PPTX."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bellwire.viz.handout.slides.deck import DeckLine, DeckSlide, LineKind

SLIDE = (13.333, 7.5)
EDGE_ROOM, BETWEEN = 0.5, 0.3
TITLE_TOP, TITLE_HEIGHT = 0.35, 0.75
TOP, BOTTOM = 1.2, 6.15  # of what is between title and caption
CAPTION_HEIGHT = 1.15
PICTURE_WIDTH = 9.0  # beside words; alone a picture may be wider
SIZES_OF_WORDS = (28, 24, 22, 20, 18, 16, 15, 14)  # points; the largest that has room
SIZES_OF_TITLES, SIZES_OF_CAPTIONS = (30, 26, 22), (15, 14, 13, 12)
AVERAGE_LETTER = 0.53  # of the size, wide
LEADING, APART = 1.25, 0.4  # of the size: from line to line, and more between paragraphs
POINTS_PER_INCH = 72
COLORS = {  # of a theme
    LineKind.PLAIN: "text",
    LineKind.STRONG: "text",
    LineKind.MUTED: "text_muted",
    LineKind.RIGHT: "guest",
    LineKind.WRONG: "heavy",
    LineKind.CODE: "text",
}
BOLD = (LineKind.STRONG, LineKind.RIGHT, LineKind.WRONG)


@dataclass(frozen=True)
class SlideArea:
    """In inches, from the slide's upper left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class WordsPlaced:
    """Paragraphs of one size, in points."""

    lines: tuple[DeckLine, ...]
    at: SlideArea
    points: float


@dataclass(frozen=True)
class Arranged:
    """A slide. picture: where it is, if it has one."""

    title: WordsPlaced
    words: WordsPlaced | None
    picture: SlideArea | None
    caption: WordsPlaced | None


def arrange(slide: DeckSlide) -> Arranged:
    """Everything in its place."""
    inner, height = SLIDE[0] - 2 * EDGE_ROOM, BOTTOM - TOP
    whole = SlideArea(EDGE_ROOM, TOP, inner, height)
    title = SlideArea(EDGE_ROOM, TITLE_TOP, inner, TITLE_HEIGHT)
    low = SlideArea(EDGE_ROOM, BOTTOM + 0.1, inner, CAPTION_HEIGHT)
    picture, words = None, whole
    if slide.shown:
        beside = SlideArea(EDGE_ROOM, TOP, PICTURE_WIDTH if slide.lines else inner, height)
        picture = contained(slide.shown.picture.size, beside, centred=not slide.lines)
        left = EDGE_ROOM + PICTURE_WIDTH + BETWEEN
        words = SlideArea(left, TOP, SLIDE[0] - EDGE_ROOM - left, height)
    return Arranged(
        fitted((DeckLine(slide.title, LineKind.STRONG),), title, SIZES_OF_TITLES),
        fitted(slide.lines, words, SIZES_OF_WORDS[slide.shown is not None and 3 :]) if slide.lines else None,
        picture,
        fitted(slide.below, low, SIZES_OF_CAPTIONS) if slide.below else None,
    )


def fits_beside(lines: tuple[DeckLine, ...]) -> bool:
    """Whether words have room beside a picture, in a size that can be read."""
    width = SLIDE[0] - 2 * EDGE_ROOM - PICTURE_WIDTH - BETWEEN
    return height_of(lines, width, SIZES_OF_WORDS[-1]) <= BOTTOM - TOP


def contained(size: tuple[int, int], at: SlideArea, centred: bool) -> SlideArea:
    """As large as it can be there, and not distorted."""
    scale = min(at.width / size[0], at.height / size[1])
    width, height = size[0] * scale, size[1] * scale
    return SlideArea(at.left + (at.width - width) / 2 * centred, at.top, width, height)


def fitted(lines: tuple[DeckLine, ...], at: SlideArea, sizes: tuple[int, ...]) -> WordsPlaced:
    """In the largest size in which they have room; else in the least one."""
    points = next((size for size in sizes if height_of(lines, at.width, size) <= at.height), sizes[-1])
    return WordsPlaced(lines, at, points)


def height_of(lines: tuple[DeckLine, ...], width: float, points: float) -> float:
    """How high they are, about, in inches."""
    return sum(rows_written(line, width, points) * LEADING + APART for line in lines) * points / POINTS_PER_INCH


def rows_written(line: DeckLine, width: float, points: float) -> int:
    """In how many rows a paragraph is broken, about: words are not."""
    room, rows, used = width * POINTS_PER_INCH / (points * AVERAGE_LETTER), 1, 0.0
    for length in word_lengths(line):
        if used and used + 1 + length > room:
            rows, used = rows + 1, 0.0
        rows += math.ceil(length / room) - 1
        used += length + (1 if used else 0)
    return rows


def word_lengths(line: DeckLine) -> Iterator[float]:
    """In letters; bold ones are wider, and those that are all equally wide."""
    wider = {LineKind.PLAIN: 1.0, LineKind.MUTED: 1.0, LineKind.CODE: 1.15}.get(line.kind, 1.08)
    yield from (len(word) * wider for word in line.text.split())
