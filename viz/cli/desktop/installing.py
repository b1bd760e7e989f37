"""Puts the files below a folder `share`, and takes them away again.

Guarantees:
- What is there already as it should be is left alone; whatever cannot be written leaves all as it was.
- What was removed leaves no folder behind that is empty because of it.
- A link is somebody else's, such as pipx's to the manual page: it stays, unless it leads nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.outputs import cannot, reason, write_whole


class Put(NamedTuple):
    """What was done: paths below the folder."""

    written: list[str]
    there: list[str]  # already, and the same


def put_files(share: Path, files: Mapping[str, bytes]) -> Put:
    """Writes those that are not there; EngineError, and it is as it was before, if one cannot be."""
    before = {name: held_content(share / name) for name in files}
    put = Put([], [])
    try:
        for name, content in files.items():
            if before[name] == content:
                put.there.append(name)
                continue
            put.written.append(name)
            make_room(share / name)
            write_whole(share / name, content, force=True)
    except EngineError:
        with suppress(EngineError):
            undo(share, {name: before[name] for name in put.written})
        raise
    return put


def undo(share: Path, before: Mapping[str, bytes | None]) -> None:
    """As it was."""
    take_files(share, [name for name, content in before.items() if content is None])
    for name, content in before.items():
        if content is not None:
            write_whole(share / name, content, force=True)


def take_files(share: Path, names: list[str]) -> list[str]:
    """Removes those that are there, and says which; EngineError if one cannot be."""
    taken = []
    for name in names:
        try:
            if (share / name).is_symlink():
                continue
            (share / name).unlink()
            taken.append(name)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            raise EngineError(f"{share / name} cannot be removed: {answer_of(error)}.") from error
        remove_empty(share, (share / name).parent)
    return taken


def held_content(path: Path) -> bytes | None:
    """What is in a file; None if it is not there."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise cannot(path, reason(error)) from error


def make_room(path: Path) -> None:
    """The folder of a file, with those above it, and no link in its place that leads nowhere."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() and not path.exists():
            path.unlink()
    except OSError as error:
        raise cannot(path, reason(error)) from error


def remove_empty(top: Path, folder: Path) -> None:
    """A folder and those above it, below `top`, as far as nothing is in them."""
    while folder != top:
        with suppress(FileNotFoundError):
            try:
                folder.rmdir()
            except OSError:
                return
        folder = folder.parent
