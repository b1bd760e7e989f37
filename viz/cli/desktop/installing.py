"""Puts the files below a folder `share`, and takes them away again.

Guarantees:
- What is there already as it should be is left alone; whatever cannot be written leaves all as it was: no file has its
  name before all of them are on the disk, and no folder that was made for them stays.
- What was removed leaves no folder behind that is empty because of it.
- A link is somebody else's, such as pipx's to the manual page: it stays, unless it leads nowhere.
- What somebody has changed since it was put there is kept beside it, under a name that nothing looks for.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.host.text_files import open_file
from bellwire.engine.outputs import Output, begin_whole, cannot, reason, write_whole

PUT = "bellwire/desktop.json"  # what was put where, by digests


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


def with_changed(share: Path, files: Mapping[str, bytes]) -> tuple[dict[str, bytes], dict[str, str]]:
    """The files, with a copy of each that is there and not as it was put there; and by their names those of copies."""
    before, copies, kept = digests_put(share), dict[str, bytes](), dict[str, str]()
    for name, content in files.items():
        there = held_content(share / name)
        if there is None or there == content or before.get(name) == digest_put(there):
            continue
        numbers = chain([""], map(str, count(2)))
        copy = next(copy for copy in (f"{name}{number}~" for number in numbers) if free_for(share / copy, there))
        copies[copy], kept[name] = there, copy
    put = json.dumps({name: digest_put(content) for name, content in files.items()}, indent=1).encode()
    return {**copies, **files, PUT: put}, kept


def free_for(path: Path, content: bytes) -> bool:
    """Whether nothing has this name, or what is to have it."""
    return not os.path.lexists(path) or (path.is_file() and held_content(path) == content)


def digests_put(share: Path) -> dict[str, str]:
    """What was put there last, as it was then; nothing is known of it if nobody can read that."""
    try:
        found = json.loads(held_content(share / PUT) or b"{}")
    except (ValueError, RecursionError, EngineError):
        return {}
    return found if isinstance(found, dict) else {}


def digest_put(content: bytes) -> str:
    """Another one for any other content."""
    return hashlib.sha256(content).hexdigest()


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
        with open_file(path) as file:
            return file.read()
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
