"""Puts the files below a folder `share`, and takes them away again.

Guarantees:
- What is there already as it should be is left alone; whatever cannot be written leaves all as it was: no file has its
  name before all of them are on the disk, and no folder that was made for them stays.
- What was removed leaves no folder behind that is empty because of it.
- A link is somebody else's, such as pipx's to the manual page: it stays, unless it leads nowhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.outputs import Output, begin_whole, cannot, reason, write_whole


class Put(NamedTuple):
    """What was done: paths below the folder."""

    written: list[str]
    there: list[str]  # already, and the same


def put_files(share: Path, files: Mapping[str, bytes]) -> Put:
    """Writes those that are not there; EngineError, and it is as it was before, if one cannot be."""
    before = {name: held_content(share / name) for name in files}
    put = Put([name for name in files if before[name] != files[name]], [])
    put.there.extend(name for name in files if before[name] == files[name])
    missing = [folder for folder in (share, *share.parents) if not folder.exists()]
    try:
        write_together({share / name: files[name] for name in put.written})
    except EngineError:
        with suppress(EngineError):
            undo(share, {name: before[name] for name in put.written})
        for folder in missing:
            with suppress(OSError):
                folder.rmdir()
        raise
    return put


def write_together(files: Mapping[Path, bytes]) -> None:
    """Gives them their names once all are on the disk; EngineError if one cannot be written."""
    with ExitStack() as ends:
        outputs = list[Output]()
        for path, content in files.items():
            make_room(path)
            outputs.append(begin_whole(path, force=True))
            ends.callback(outputs[-1].give_up)
            try:
                outputs[-1].file.write(content)
                outputs[-1].file.flush()
                os.fsync(outputs[-1].file.fileno())
            except OSError as error:
                raise cannot(path, reason(error)) from error
        for output in outputs:
            output.keep()


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
