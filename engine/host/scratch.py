"""Folders for what need not last: nobody else's, gone with whoever uses them, taken away behind one that was killed.

A file in it is locked as long as its user lives, so that the next user of such a folder knows which ones were left.
(The folder itself is locked by whoever gives a file in it a name: engine/outputs.py.)
"""

from __future__ import annotations

import fcntl
import math
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.language import tr

SCRATCH, LOCK = "bellwire-scratch-", ".used"
YOUNG = 60.0  # seconds in which a folder may be without its lock: it is being made


@contextmanager
def scratch_folder(beside: Path | None = None) -> Iterator[Path]:
    """A folder of mode 0700, in that for temporary files or `beside` others. EngineError if it cannot be made."""
    try:
        parent = beside or Path(tempfile.gettempdir())
        take_abandoned_away(parent)
        made = tempfile.TemporaryDirectory(prefix=SCRATCH, dir=parent, ignore_cleanup_errors=True)
    except OSError as error:
        raise no_folder(error) from error
    with made as name, locked(Path(name)) as folder:
        yield folder


def no_folder(error: OSError) -> EngineError:
    """What to say, and do."""
    return EngineError(
        tr(
            "No folder for temporary files can be made: {why}. TMPDIR can name a folder that has room.",
            why=answer_of(error),
        )
    )


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """The folder, which says by a lock that it is used."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise no_folder(error) from error
    try:
        with suppress(OSError):  # not every file system has locks
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        os.close(lock)


def take_abandoned_away(parent: Path, pattern: str = f"{SCRATCH}*") -> None:
    """Removes the folders there, of such names, whose users were killed, as far as they are this user's."""
    with suppress(OSError):
        for folder in parent.glob(pattern):
            if is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)


def age_of(about: os.stat_result) -> float:
    """Seconds since it was changed; of what is newer than now, because the clock was set back since, more than any."""
    age = time.time() - about.st_mtime
    return age if age > -YOUNG else math.inf


def is_abandoned(folder: Path) -> bool:
    """Whether it is ours, no longer being made, and nobody holds its lock."""
    try:
        about = folder.lstat()
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid() or age_of(about) < YOUNG:
            return False
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # somebody's, or the file system has no locks
        return False
    finally:
        os.close(lock)
    return True
