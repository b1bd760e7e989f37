"""Sockets that have a name in the file system: the kernel takes 107 bytes of it, and a path may be longer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 107  # bytes of sun_path, and a zero


@contextmanager
def socket_name(path: Path) -> Iterator[str]:
    """The path or, of one that is too long, another name of the same place, which holds as long as this is open.

    OSError if there is no such folder.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
