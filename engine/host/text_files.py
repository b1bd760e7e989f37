"""The one door for small files that somebody else wrote: scenarios, lessons, lists of pictures."""

from __future__ import annotations

import errno
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from bellwire.engine.errors import EngineError, answer_and_remedy
from bellwire.engine.language import tr

OF_THE_MOMENT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)  # what is wrong then is not the file
MOST_PARTS = 16  # of a key with dots
LONG_KEY = re.compile(
    rf"(?:^|[\[{{,])[ \t]*(?:(?:[\w-]+|\"[^\"\n]*\"|'[^'\n]*')[ \t]*\.[ \t]*){{{MOST_PARTS}}}", re.MULTILINE
)


def small_file(path: Path, most: int, what: str, refusal: type[EngineError]) -> str:
    """The text in a file of at most `most` bytes, its lines ended by "\\n" alone; never waits, as for a FIFO.

    what: such files, as in "has more than 16 kB, which no scenario needs". `refusal`, one sentence, for any other file.
    """
    try:
        content = first_bytes(path, most + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a character of no name
        kind = EngineError if isinstance(error, OSError) and error.errno in OF_THE_MOMENT else refusal
        raise kind(f"{path}: cannot be read: {answer_and_remedy(error)}.") from error
    if len(content) > most:
        raise refusal(f"{path}: has more than {most >> 10} kB, which no {what} needs.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise refusal(f"{path}:{line}: is not in UTF-8: save it as such.") from error
    return text.replace("\r\n", "\n")


def toml_tables(text: str) -> dict[str, Any]:
    """What a TOML text holds. ValueError, in a few words, for what is none, and for what nobody would write.

    Of keys with hundreds of dots tomllib makes gigabytes, in minutes: a TOMLDecodeError, with its place, as its own.
    """
    if long := LONG_KEY.search(text):
        line, column = text.count("\n", 0, long.end()) + 1, long.end() - text.rfind("\n", 0, long.end())
        raise tomllib.TOMLDecodeError(f"A key has at most {MOST_PARTS} parts (at line {line}, column {column})")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:
        raise ValueError("a number has thousands of digits") from error
    except RecursionError as error:
        raise ValueError("tables and lists in one another without end") from error


def first_bytes(path: Path, most: int) -> bytes:
    """The first bytes of a file; OSError, also for what one would wait for: a FIFO, a device."""
    with open_file(path) as file:
        return file.read(most) or b""


@contextmanager
def open_file(path: Path, flags: int = 0) -> Iterator[IO[bytes]]:
    """A file to be read, as open_descriptor() opens it."""
    with open(open_descriptor(path, flags), "rb") as file:
        yield file


def open_descriptor(path: Path, flags: int = 0) -> int:
    """A file to be read; OSError at once for a folder, a FIFO or a device. flags: of open(2), more of them."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | flags)
    kind = os.fstat(file).st_mode
    if not stat.S_ISREG(kind):
        os.close(file)
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        raise OSError(tr("it is not a file"))
    return file
