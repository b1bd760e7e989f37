"""The messages of an Arrow IPC file or stream, found without reading what they carry.

A stream is a row of messages: FF FF FF FF, the length of a flatbuffer (Message.fbs), the flatbuffer, its body. A file
is eight bytes that say so, a stream, and a footer that says where its messages are: without the footer, as long as it
is being written or once it was cut off, the stream in it is there all the same, so nothing here needs the footer.
Arrow's own reader wants the body of every message before it looks at the next one; to index a file of gigabytes at
once, only the flatbuffers are looked at here. Whatever they hold, the answer is a Message or a ValueError: no offset is
trusted.
Source: https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bellwire.engine.language import tr

FILE_MAGIC = b"ARROW1\0\0"  # what a file begins with, and a stream does not
CONTINUATION = b"\xff\xff\xff\xff"
END_OF_STREAM = CONTINUATION + b"\0\0\0\0"
SCHEMA, RECORD_BATCH = 1, 3  # MessageHeader
Codec = Literal["lz4", "zstd"]
CODECS: dict[int, Codec] = {0: "lz4", 1: "zstd"}  # CompressionType
PREFIX = 8  # bytes before the flatbuffer
HEADER_LIMIT = 1 << 23  # bytes of a flatbuffer, which bears our metadata
BODY_LIMIT = 1 << 30  # bytes of a body
ENTRIES_LIMIT = 1 << 10  # elements of a vector

Buffer = tuple[int, int]  # offset in the body, length


class FlatbufferTable:
    """A table of a flatbuffer. Fields are numbered as in the schema; ValueError where the bytes cannot be one."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._fields = at - self._number("<i", at)
        self._end = self._fields + self._number("<H", self._fields)

    def _number(self, layout: str, at: int) -> int:
        if not 0 <= at <= len(self._data) - struct.calcsize(layout):
            raise ValueError(tr("an offset that leads nowhere"))
        return int(struct.unpack_from(layout, self._data, at)[0])

    def _place(self, field: int) -> int:
        """Where a field is; 0 if the table has none."""
        entry = self._fields + 4 + 2 * field
        offset = self._number("<H", entry) if entry + 2 <= self._end else 0
        return self._at + offset if offset else 0

    def number(self, field: int, layout: str) -> int:
        """A scalar, in the layout of `struct`; 0 if it is not there."""
        place = self._place(field)
        return self._number(layout, place) if place else 0

    def table(self, field: int) -> FlatbufferTable | None:
        """A table; None if it is not there."""
        place = self._place(field)
        return FlatbufferTable(self._data, place + self._number("<I", place)) if place else None

    def _vector(self, field: int) -> tuple[int, int]:
        """Where its elements begin, and how many there are."""
        place = self._place(field)
        if not place:
            return 0, 0
        start = place + self._number("<I", place)
        count = self._number("<I", start)
        if count > ENTRIES_LIMIT:
            raise ValueError(tr("a vector that is too long"))
        return start + 4, count

    def tables(self, field: int) -> Iterator[FlatbufferTable]:
        """The elements of a vector of tables."""
        start, count = self._vector(field)
        for place in range(start, start + 4 * count, 4):
            yield FlatbufferTable(self._data, place + self._number("<I", place))

    def pairs(self, field: int) -> tuple[Buffer, ...]:
        """The elements of a vector of structs of two 64-bit numbers."""
        start, count = self._vector(field)
        if start + 16 * count > len(self._data):
            raise ValueError(tr("a vector that ends nowhere"))
        return tuple(struct.iter_unpack("<qq", self._data[start : start + 16 * count]))

    def string(self, field: int) -> bytes:
        """A string; b"" if it is not there."""
        place = self._place(field)
        if not place:
            return b""
        start = place + self._number("<I", place)
        end = start + 4 + self._number("<I", start)
        if end > len(self._data):
            raise ValueError(tr("a string that ends nowhere"))
        return self._data[start + 4 : end]


@dataclass(frozen=True)
class Message:
    """One message: where it is in the file, and what its flatbuffer says. Sizes are in bytes."""

    offset: int
    header_size: int  # PREFIX included
    body_size: int
    kind: int  # SCHEMA, RECORD_BATCH or another MessageHeader
    rows: int  # of a record batch
    buffers: tuple[Buffer, ...]  # of a record batch
    codec: Codec | None  # what a record batch is compressed with, as Arrow calls it
    metadata: dict[bytes, bytes]  # custom_metadata

    @property
    def size(self) -> int:
        """Header and body."""
        return self.header_size + self.body_size

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.offset + self.size


def stream_start(file: int) -> int:
    """Where the stream begins in what may be a file or a stream by itself; OSError."""
    return len(FILE_MAGIC) if os.pread(file, len(FILE_MAGIC), 0) == FILE_MAGIC else 0


def read_message(file: int, offset: int) -> Message | None:
    """The message there, its body unread; None at the mark that ends a stream.

    file: a descriptor that can be read at an offset. ValueError if there is no whole message; OSError.
    """
    prefix = os.pread(file, PREFIX, offset)
    if prefix == END_OF_STREAM:
        return None
    if len(prefix) < PREFIX or prefix[:4] != CONTINUATION:
        raise ValueError(tr("no message"))
    size = int.from_bytes(prefix[4:], "little")
    if not 0 < size <= HEADER_LIMIT:
        raise ValueError(tr("no message"))
    header = os.pread(file, size, offset + PREFIX)
    if len(header) < size:
        raise ValueError(tr("cut off"))
    message = parsed_message(header, offset)
    if message.end > os.fstat(file).st_size:
        raise ValueError(tr("cut off"))
    return message


def parsed_message(header: bytes, offset: int) -> Message:
    """The message of this flatbuffer, whose prefix is at `offset`; ValueError if it is none."""
    if len(header) < 4:
        raise ValueError(tr("no message"))
    message = FlatbufferTable(header, int.from_bytes(header[:4], "little"))
    kind, content, body_size = message.number(1, "<B"), message.table(2), message.number(3, "<q")
    if content is None or not 0 <= body_size <= BODY_LIMIT:
        raise ValueError(tr("no message"))
    metadata = {pair.string(0): pair.string(1) for pair in message.tables(4)}
    batch = content if kind == RECORD_BATCH else None
    return Message(
        offset,
        PREFIX + len(header),
        body_size,
        kind,
        batch.number(0, "<q") if batch else 0,
        batch.pairs(2) if batch else (),
        codec_of(batch.table(3)) if batch else None,
        metadata,
    )


def codec_of(compression: FlatbufferTable | None) -> Codec | None:
    """What a BodyCompression means; ValueError if it is none that is known."""
    if compression is None:
        return None
    codec, method = compression.number(0, "<b"), compression.number(1, "<b")
    if codec not in CODECS or method != 0:
        raise ValueError(tr("a compression that nobody knows"))
    return CODECS[codec]
