"""Whether the file of a listed picture is the one that would be made: by what it holds, not by when it was written."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from bellwire.engine.errors import EngineError
from bellwire.viz.pictures.lists.listed import ListedPicture
from bellwire.viz.pictures.provenance import Provenance, read_provenance, refuse_picture, sha256_of
from bellwire.viz.text.versions import program_version


class FileState(StrEnum):
    """Of a listed picture's file."""

    FRESH = "up to date"
    OLD = "out of date"
    MISSING = "missing"
    FOREIGN = "not ours"  # it is there, and no picture of bellwire's


class StandingOfFile(NamedTuple):
    """Of a picture: what is so, why, and what its file says of itself, if it does."""

    state: FileState
    why: str = ""
    told: Provenance | None = None


class Standings:
    """Of the pictures of one list, whose recordings are read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hashes = dict[Path, str]()

    def of(self, one: ListedPicture) -> StandingOfFile:
        """How it stands with a picture's files."""
        path = self.folder / one.out
        if not path.exists():
            return StandingOfFile(FileState.MISSING)
        try:
            told = read_provenance(path) if path.is_file() else refuse_picture(path)
        except EngineError:
            return StandingOfFile(FileState.FOREIGN, f"{one.out} is there already, and is no picture of bellwire's")
        why = self._why_old(one, told)
        return StandingOfFile(FileState.OLD if why else FileState.FRESH, why, told)

    def _why_old(self, one: ListedPicture, told: Provenance) -> str:
        """What it was made from or by that is another one now; "" if nothing is."""
        program = f"bellwire {program_version()}"
        if told.program != program:
            return f"made by {told.program}"
        if (told.recording, told.sha256) != (one.recording.name, self._hash_of(one.recording)):
            return f"made of another {told.recording}"
        if told.command != one.asked.command(one.recording.name, f"{one.picture.view}{one.suffix}"):
            return f"made by {told.command}"
        if one.beside and not (self.folder / one.beside).exists():
            return f"{one.beside} is missing"
        return ""

    def _hash_of(self, recording: Path) -> str:
        """ "" if it cannot be read, which making the picture tells."""
        if recording not in self._hashes:
            try:
                self._hashes[recording] = sha256_of(self.folder / recording)
            except OSError:
                self._hashes[recording] = ""
        return self._hashes[recording]
