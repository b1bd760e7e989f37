"""What a picture holds of where it comes from: its recording, the machine, and the command that makes it again.

The same as JSON in each format, beside what programs show by themselves: a title, a caption, a text in its place.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import Any

from bellwire.engine.errors import answer_and_remedy
from bellwire.engine.host.text_files import first_bytes, open_file
from bellwire.engine.language import tr
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.pictures.asked import PictureAsked, PictureError, read_asked
from bellwire.viz.pictures.film_texts import comment_in_gif, json_in_film
from bellwire.viz.pictures.moment import MomentError
from bellwire.viz.pictures.raster import texts_in
from bellwire.viz.text.versions import program_version

NAMESPACE = "https://bellwire.invalid/ns/picture/1"  # of XML; a name, behind which there is nothing
KEY = "bellwire"  # of PNG's texts
VERSION = 1
HALVES = re.compile("[\ud800-\udfff]")  # of characters, as Python reads such bytes
PIECE = 1 << 20  # bytes of a recording that are read at a time
IN_SVG = b"<bellwire:provenance", b">", b"</bellwire:provenance>"  # before the text, and behind it
FILMS = b"\x1a\x45\xdf\xa3"  # with which a WebM begins
MOST = 64 << 20  # bytes of a picture that is read


@dataclass(frozen=True)
class Provenance:
    """recording: the name of its file; sha256: of that file; command: makes the picture again, where the file is."""

    recording: str
    sha256: str
    scenario: str
    backend: str
    program: str
    command: str
    asked: PictureAsked
    caption: str = ""
    alt: str = ""

    def as_json(self) -> str:
        """As it is in a picture, in one line."""
        return encodable(json.dumps(self._table, ensure_ascii=False, separators=(",", ":"), sort_keys=True))

    @property
    def title(self) -> str:
        """What the picture is of."""
        return f"{self.scenario}: {self.asked.view}"

    def sidecar(self) -> str:
        """The same for people and programs, as a file beside the picture."""
        return encodable(json.dumps(self._table, ensure_ascii=False, indent=2, sort_keys=True)) + "\n"

    @property
    def _table(self) -> dict[str, Any]:
        return asdict(self) | {"version": VERSION, "asked": self.asked.options()}


def encodable(text: str) -> str:
    """JSON with an escape in place of each byte of a file's name that is no UTF-8."""
    return HALVES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def provenance_of(
    recording: Recording, asked: PictureAsked, source: str, suffix: str, told: tuple[str, str]
) -> Provenance:
    """Of a picture. source: the words that name the recording in its command; told: its caption and its alt text."""
    header = recording.header
    return Provenance(
        recording=Path(source).name,
        sha256=hash_kept(recording.path),
        scenario=header.scenario.name,
        backend=header.backend,
        program=f"bellwire {program_version()}",
        command=asked.command(source, f"{asked.view}{suffix}"),
        asked=asked,
        caption=told[0],
        alt=told[1],
    )


def hash_kept(path: Path) -> str:
    """The hash of a recording, once for all its pictures."""
    about = path.stat()
    return hash_of_this(path.absolute(), (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns))


@lru_cache(maxsize=8)
def hash_of_this(path: Path, identity: tuple[int, ...]) -> str:
    """That of a file as it is; it is another one once its identity is."""
    return sha256_of(path)


def sha256_of(path: Path) -> str:
    """The hash of a file, in hexadecimal; OSError, also for what has no end: a device, a FIFO."""
    made = hashlib.sha256()
    with open_file(path) as file:
        while piece := file.read(PIECE):
            made.update(piece)
    return made.hexdigest()


# -- read back


def read_provenance(path: Path) -> Provenance:
    """What a picture says of itself; PictureError if it says nothing, or cannot be read."""
    try:
        text = told_in(first_bytes(path, MOST))
        return provenance_from(json_told(text)) if text else refuse_picture(path)
    except OSError as error:
        raise PictureError(tr("{path} cannot be read: {why}.", path=path, why=answer_and_remedy(error))) from error
    except (ValueError, TypeError, LookupError, MomentError) as error:
        raise PictureError(tr("{path}: what it says of its recording makes no sense.", path=path)) from error


def refuse_picture(path: Path) -> Provenance:
    """Raises why nothing is known of a file."""
    raise PictureError(tr("{path} is no picture of bellwire's: it does not say which recording it is of.", path=path))


def told_in(content: bytes) -> str:
    """The JSON in a picture's file, or in a clip's; "" if there is none."""
    if content.startswith(b"\x89PNG"):
        return texts_in(content).get(KEY, "")
    if content.startswith(b"GIF8"):
        return comment_in_gif(content)
    if content.startswith(FILMS) or content[4:8] == b"ftyp":
        return json_in_film(content)
    return unescape(between_tags(content).decode())


def between_tags(content: bytes) -> bytes:
    """What stands in the first such element of an SVG; empty if there is none. A file that is none takes no longer."""
    at = 0
    for tag in IN_SVG:
        begins = at
        at = content.find(tag, begins)
        if at < 0:
            return b""
        at += len(tag)
    return content[begins : at - len(tag)]


def json_told(text: str) -> dict[str, Any]:
    """The JSON object in a text; ValueError if it is none."""
    try:
        told = json.loads(text)
    except RecursionError as error:
        raise ValueError("lists in one another without end") from error
    if not isinstance(told, dict):
        raise ValueError("no object")
    return told


def provenance_from(told: dict[str, Any]) -> Provenance:
    """From JSON; ValueError, TypeError or KeyError if it is of another kind."""
    if told["version"] != VERSION:
        raise ValueError(told["version"])
    names = ("recording", "sha256", "scenario", "backend", "program", "command", "caption", "alt")
    words = {name: str(told[name]) for name in names}
    return Provenance(asked=read_asked([str(word) for word in told["asked"]]), **words)
