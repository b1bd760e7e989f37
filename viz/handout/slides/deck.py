"""What slides hold, before they are PDF or PPTX: titles, texts, a picture, notes; nothing of how it looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bellwire.viz.handout.document import Picture


class LineKind(StrEnum):
    """What a line of a slide is."""

    PLAIN = "plain"
    STRONG = "strong"
    MUTED = "muted"
    RIGHT = "right"
    WRONG = "wrong"
    CODE = "code"


@dataclass(frozen=True)
class DeckLine:
    """A paragraph."""

    text: str
    kind: LineKind = LineKind.PLAIN


@dataclass(frozen=True)
class SlidePicture:
    """The same picture in pixels and in lines. svg: the file. said: the sentence that belongs below it, if any."""

    picture: Picture
    svg: bytes
    said: str = ""


@dataclass(frozen=True)
class DeckSlide:
    """One slide. name: for files, in plain letters. notes: for who speaks."""

    name: str
    title: str
    lines: tuple[DeckLine, ...] = ()
    shown: SlidePicture | None = None
    caption: str = ""
    notes: tuple[str, ...] = ()

    @property
    def below(self) -> tuple[DeckLine, ...]:
        """What stands at its bottom: what happens in the picture, and of which moment it is."""
        said = self.shown.said if self.shown else ""
        lines = DeckLine(said), DeckLine(self.caption, LineKind.MUTED)
        return tuple(line for line in lines if line.text)


@dataclass(frozen=True)
class Deck:
    """All slides of a lesson, in order. shown: when what is seen on the last of them happened, in UTC."""

    title: str
    slides: tuple[DeckSlide, ...]
    shown: datetime
