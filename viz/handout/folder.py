"""A folder of files that comes into being as a whole or not at all."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bellwire.engine.host.scratch import LOCK, locked, take_abandoned_away
from bellwire.engine.language import tr
from bellwire.engine.outputs import UNFINISHED, cannot, reason, refuse_no_folder, unused_beside

TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)  # why no folder can take the name of what is there


def refuse_used(path: Path) -> None:
    """RecordingError if `path` is there and is no empty folder, or if its parent is none."""
    try:
        if path.is_dir():
            if next(path.iterdir(), None) is not None:
                raise cannot(path, tr("the folder is not empty; name another one, or a new one"))
        elif path.exists() or path.is_symlink():
            raise cannot(path, tr("it is there already, and is no folder"))
        else:
            refuse_no_folder(path, path.absolute().parent)
    except (OSError, ValueError) as error:
        raise cannot(path, reason(error)) from error


@contextmanager
def folder_or_nothing(path: Path) -> Iterator[Path]:
    """A folder to write files to, which gets its name once all is well; after an error or an interrupt it is gone.

    Behind one that was killed the next one there takes it away. EngineError if it cannot be made or written.
    """
    refuse_used(path)
    unfinished = unused_beside(path.resolve())
    take_abandoned_away(unfinished.parent, UNFINISHED)
    try:
        unfinished.mkdir()
        with locked(unfinished):
            yield unfinished
            (unfinished / LOCK).unlink()
        try:
            unfinished.rename(path.resolve())
        except OSError as error:
            if error.errno in TAKEN:
                raise cannot(path, tr("another program has made it meanwhile; that is what is there now")) from error
            raise
    except OSError as error:
        raise cannot(path, reason(error)) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
