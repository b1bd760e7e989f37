"""What a handout holds, before it is HTML or PDF: plain texts, pictures, and where in which recording they are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bellwire.viz.lessons.course import ChoiceSoFar


@dataclass(frozen=True)
class Picture:
    """A picture as a PNG file. size: pixels. alt: what it shows, for whoever does not see it."""

    png: bytes
    size: tuple[int, int]
    alt: str


@dataclass(frozen=True)
class KeptRecording:
    """A recording that lies beside the handout. title: of its scenario."""

    name: str
    title: str
    size: int  # bytes
    seen_on: str
    replayed: bool  # it was not made for this handout


@dataclass(frozen=True)
class Seen:
    """What was to be seen at a position of the lesson. caption: of the pictures, with the moment in its recording."""

    pictures: tuple[Picture, ...]
    caption: str
    recording: str = ""  # the name of its file, "" if there is none
    seconds: float = 0.0  # of the moment, after the recording's first event
    replayed: bool = False


@dataclass(frozen=True)
class AskedAnswer:
    """A question with what the run said of each choice, and what was seen then."""

    number: int  # of the question, from 1
    ask: str
    choices: tuple[ChoiceSoFar, ...]  # of no hands at all, if nobody counted them
    seen: Seen


@dataclass(frozen=True)
class HandoutStep:
    """A step of the lesson, its text with the figures of the run."""

    title: str
    text: tuple[str, ...]  # paragraphs; one that begins with a bullet is an item of a list
    seen: Seen
    asked: AskedAnswer | None = None


@dataclass(frozen=True)
class Handout:
    """A lesson to read afterwards. host: on which machine it was seen; why: there is no guest, "" if there was."""

    name: str
    title: str
    minutes: int
    knows: tuple[str, ...]
    steps: tuple[HandoutStep, ...]
    homework: tuple[str, ...]
    commands: tuple[str, ...]
    recordings: tuple[KeptRecording, ...]
    host: Mapping[str, str]
    why: str
    made: str  # when, as a date


@dataclass(frozen=True)
class HandoutFiles:
    """What was written. pdf: None if it was not wanted."""

    html: Path
    pdf: Path | None
    recordings: tuple[Path, ...]

    def moved(self, folder: Path) -> HandoutFiles:
        """The same files, in another folder."""
        pdf = folder / self.pdf.name if self.pdf else None
        return HandoutFiles(folder / self.html.name, pdf, tuple(folder / path.name for path in self.recordings))
