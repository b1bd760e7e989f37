"""The messages of an Arrow stream: found as Arrow writes them, refused wherever they are bent."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from bellwire.engine.recordings.arrow_stream import RECORD_BATCH, SCHEMA, Message, parsed_message, read_message

TABLE = pa.table({"a": pa.array([1, 2, 3], pa.int64()), "b": pa.array([4, 5, 6], pa.uint8())})


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """A stream of one batch that says something about itself."""
    path = tmp_path / "stream.arrow"
    with pa.ipc.new_stream(str(path), TABLE.schema) as writer:
        writer.write_batch(TABLE.to_batches()[0], custom_metadata={b"key": b"value"})
    file = os.open(path, os.O_RDONLY)
    yield file
    os.close(file)


def messages(file: int) -> list[Message]:
    """All of them."""
    found: list[Message] = []
    while message := read_message(file, found[-1].end if found else 0):
        found.append(message)
    return found


def test_messages_are_found_with_what_they_say(file: int) -> None:
    schema, batch = messages(file)
    assert (schema.kind, schema.offset, schema.body_size, schema.metadata) == (SCHEMA, 0, 0, {})
    assert (batch.kind, batch.offset, batch.rows, batch.codec) == (RECORD_BATCH, schema.end, 3, None)
    assert batch.metadata == {b"key": b"value"}
    (_, _), (offset, size), (_, _), (other, _) = batch.buffers
    body = os.pread(file, batch.body_size, batch.offset + batch.header_size)
    assert body[offset : offset + size] == b"".join(n.to_bytes(8, "little") for n in (1, 2, 3))
    assert body[other : other + 3] == bytes([4, 5, 6])


def test_a_bent_flatbuffer_is_a_message_or_a_value_error(file: int) -> None:
    batch = messages(file)[1]
    header = os.pread(file, batch.header_size - 8, batch.offset + 8)
    rng, refused = random.Random(1), 0
    for _ in range(3000):
        bent = bytearray(header)
        for _ in range(rng.randint(1, 4)):
            bent[rng.randrange(len(bent))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        try:
            parsed_message(bytes(bent[: rng.choice((len(bent), rng.randrange(len(bent))))]), 0)
        except ValueError:
            refused += 1
    assert 0 < refused < 3000


@pytest.mark.parametrize("start", [b"", b"\xff\xff\xff\xff", b"PAR1PAR1", b"\xff\xff\xff\xff\xff\xff\xff\xff"])
def test_what_is_no_message_is_a_value_error(start: bytes, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(start)
    file = os.open(tmp_path / "other", os.O_RDONLY)
    try:
        with pytest.raises(ValueError, match="no message"):
            read_message(file, 0)
    finally:
        os.close(file)
