"""One of the pictures that a list asks for: of which recording, what is asked, and the file that it goes to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bellwire.engine.errors import EngineError
from bellwire.engine.foreign import shell_line
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.clips.clip_asked import ClipAsked


class ShotListError(EngineError):
    """A list of pictures is wrong, or there is none; the text names file, line, column, key and what is allowed."""


@dataclass(frozen=True)
class ListedPicture:
    """name: of its shot. place: where that stands, as "shots.toml:12:1". out: its file, from the list's folder.

    recording: a file, from the list's folder; scenario: "", or that of which the recording is shipped. beside: a file
    that is made with it, if any: a picture's sidecar, what is said in a clip.
    """

    name: str
    place: str
    out: Path
    asked: PictureAsked | ClipAsked
    recording: Path
    scenario: str = ""
    beside: Path | None = None

    @property
    def picture(self) -> PictureAsked:
        """What it shows; of a clip, where it begins."""
        return self.asked.begins if isinstance(self.asked, ClipAsked) else self.asked

    @property
    def source(self) -> str:
        """Its recording, as the list names it."""
        return self.scenario or str(self.recording)

    @property
    def suffix(self) -> str:
        """Of its file, which says its format."""
        return self.out.suffix.lower()

    @property
    def command(self) -> str:
        """The line that makes it alone, in the list's folder."""
        line = self.asked.command(self.source, str(self.out))
        return f"{line} --replay" if self.scenario else line

    @property
    def files(self) -> list[Path]:
        """All that is made of it."""
        return [self.out, *([self.beside] if self.beside else [])]


@dataclass(frozen=True)
class ShotList:
    """All of them, in the order of the file. folder: that of the list, from which all paths go."""

    path: Path
    pictures: tuple[ListedPicture, ...]

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.path.absolute().parent

    def again(self, *names: str) -> str:
        """The line that makes some of its shots anew."""
        only = [word for name in dict.fromkeys(names) for word in ("--only", name)]
        return shell_line(["bellwire", "shots", "build", str(self.path), "--force", *only])


def shipped_from(scenario: str) -> Path:
    """The recording of a scenario that is shipped, whatever the folder is."""
    return path_of_shipped(scenario).absolute()
