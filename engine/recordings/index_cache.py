"""Indexes of recordings, kept on the disk so that a large one is read once: believed where there is no doubt at all.

Guarantees:
- What is found is what was put there, for this very recording as it is now: all of it stands under one digest, and
  names the recording by its `identity`. Anything else, cut off, altered, of another version or of another file, is as
  if it were not there.
- It is put there whole or not at all, under a name that is nobody's until it is on the disk.
- It is this user's own: what anybody else has put there, or could have, is neither read, waited for, nor removed.
- It is read, not mapped: a mapped file that somebody cuts off ends the process that looks at it.

A file is a digest of all that follows, the length of a JSON text, the text, and the tables that it names.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import platformdirs

from bellwire.engine.errors import RecordingError
from bellwire.engine.host.scratch import age_of
from bellwire.engine.host.text_files import open_file
from bellwire.engine.outputs import whole_or_not

VERSION = 12  # of what is in the cache
DIGEST, LENGTH = 32, 8  # bytes
MOST_TEXT = 1 << 26  # bytes of the JSON text
KEPT = 16  # indexes
SUFFIX, UNFINISHED = ".index", ".part"
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
PRIVATE = 0o600  # mode: what is in it was seen in somebody's recordings
ABANDONED = 3600.0  # seconds after which nobody writes to a file any more

Tables = dict[str, npt.NDArray[Any]]


def identity(file: os.stat_result, schema: bytes, entries: bytes) -> str:
    """What tells a recording from each other one, and from what it was before it was written to."""
    about = (VERSION, file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns)
    return digest_of(json.dumps(about).encode() + schema + entries).hex()


def digest_of(content: bytes | memoryview) -> bytes:
    """Another one for any other content."""
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


def cache() -> Path:
    """The folder of all of them."""
    return Path(platformdirs.user_cache_dir("bellwire")) / "recordings"


def is_own_folder(folder: Path) -> bool:
    """Whether nobody but this user could have put anything into it; a link to one is none."""
    try:
        about = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid() and not about.st_mode & OTHERS_WRITE


def own_content(path: Path, most: int) -> bytes | None:
    """What is in a file of this user's; None if it is somebody else's, or larger. OSError if it is none, or a link."""
    with open_file(path, os.O_NOFOLLOW) as file:
        about = os.fstat(file.fileno())
        return file.read() if about.st_uid == os.geteuid() and about.st_size <= most else None


def kept_index(of: str, tables: dict[str, np.dtype[Any]], most: int) -> tuple[dict[str, Any], Tables] | None:
    """What was kept of the recording with this identity; None if nothing was.

    tables: the types of those that are asked for; they come without a shape. most: bytes that they can have together.
    """
    if not is_own_folder(cache()):
        return None
    try:
        content = own_content(cache() / f"{of}{SUFFIX}", DIGEST + LENGTH + MOST_TEXT + most)
    except OSError:
        return None
    if content is None or digest_of(memoryview(content)[DIGEST:]) != content[:DIGEST]:
        return None
    start = DIGEST + LENGTH
    end = start + int.from_bytes(content[DIGEST:start], "little")
    about = json.loads(content[start:end])  # ours, by its digest
    if about["of"] != of:
        return None
    found: Tables = {}
    for name, dtype in tables.items():
        found[name] = np.frombuffer(content, dtype, about["sizes"][name], end)
        end += found[name].nbytes
    return about, found


def keep_index(of: str, about: dict[str, Any], tables: Tables) -> None:
    """Puts an index there; where it cannot be kept, it is made anew next time. about: whatever JSON can hold."""
    text = json.dumps({"of": of, "sizes": {name: table.size for name, table in tables.items()}, **about}).encode()
    content = b"".join((len(text).to_bytes(LENGTH, "little"), text, *(table.tobytes() for table in tables.values())))
    with contextlib.suppress(OSError, RecordingError):
        cache().mkdir(parents=True, exist_ok=True, mode=0o700)
        if not is_own_folder(cache()):
            return
        path = cache() / f"{of}{SUFFIX}"
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):  # not to be written through, or into
            path.unlink()
        with whole_or_not(path, force=True, mode=PRIVATE) as file:
            file.writelines((digest_of(content), content))
        forget_old()


def forget_old() -> None:
    """Removes all but the newest, and what was never finished."""
    there = sorted((age_of(path.lstat()), path) for path in cache().iterdir())
    finished = [path for _, path in there if not path.name.endswith(UNFINISHED)]
    abandoned = [path for age, path in there if path.name.endswith(UNFINISHED) and age > ABANDONED]
    for path in [*abandoned, *finished[KEPT:]]:
        if path.is_dir() and not path.is_symlink():  # of an earlier version
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
