"""The events of one batch of a recording, out of its bytes.

What is not compressed is taken as it lies there, column by column, each checked for its place and size; what is, as in
recordings of format 1, is left to Arrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bellwire.engine.events import EVENT, EventfdRole, EventKind, Events, Lane, Operation, Setting, Switch
from bellwire.engine.folds.beginning import Before
from bellwire.engine.recordings.arrow_stream import Message
from bellwire.engine.recordings.header import FIELDS

ROWS_LIMIT = 1 << 24  # events
PADDING = 64  # bytes that Arrow may add to a column before it compresses it

Columns = Iterator[tuple[str, npt.NDArray[Any]]]

# How many ids there are of the kinds whose ids are an enum.
IDS = {
    EventKind.BEFORE: len(Before),
    EventKind.COUNT: len(EventfdRole),
    EventKind.WIRE: len(Switch),
    EventKind.SETTING: len(Setting),
    EventKind.LOST: len(Lane),
    EventKind.REFUSED: len(Operation),
}
KNOWN_KINDS = np.isin(np.arange(1 << 16), list(EventKind))


def check_rows(message: Message) -> None:
    """ValueError if this cannot be a batch of events; to be asked before its body is read."""
    if not 0 < message.rows <= ROWS_LIMIT or len(message.buffers) != 2 * len(FIELDS):
        raise ValueError("no batch of events")


def decoded(message: Message, data: bytes, schema: bytes) -> Events:
    """The events in a batch's `data`, header and body; ValueError, or an error of Arrow, if they cannot be events.

    schema: the file's first message.
    """
    check_rows(message)
    events = np.empty(message.rows, EVENT)
    for name, column in unpacked(message, data, schema) if message.compressed else columns_of(message, data):
        events[name] = column
    if not plausible(events):
        raise ValueError("not events")
    return events


def columns_of(message: Message, data: bytes) -> Columns:
    """Name and values of each column as they lie there. Each has two buffers; the first, of nulls, is empty."""
    for field, nulls, (offset, size) in zip(FIELDS, message.buffers[::2], message.buffers[1::2], strict=True):
        dtype, start = EVENT[field.name], message.header_size + offset
        if nulls[1] or size != message.rows * dtype.itemsize or offset < 0 or start + size > len(data):
            raise ValueError("a column that is not there")
        yield field.name, np.frombuffer(data, dtype, message.rows, start)


def unpacked(message: Message, data: bytes, schema: bytes) -> Columns:
    """The same of a compressed batch; first looks whether each column says that it will be as large as it must."""
    for field, (offset, _) in zip(FIELDS, message.buffers[1::2], strict=True):
        start, wanted = message.header_size + offset, message.rows * EVENT[field.name].itemsize
        padding = int.from_bytes(data[start : start + 8], "little") - wanted
        if offset < 0 or not 0 <= padding <= PADDING:
            raise ValueError("a column that is not there")
    # As a stream of its own, because only a stream's reader can be kept from starting threads.
    stream = pa.BufferReader(schema + data)
    batch = pa.ipc.open_stream(stream, options=pa.ipc.IpcReadOptions(use_threads=False)).read_next_batch()
    batch.validate(full=True)
    for field in FIELDS:
        yield field.name, batch.column(field.name).to_numpy()


def plausible(events: Events) -> bool:
    """Whether these are events in the order of their time, of kinds and ids that exist."""
    kinds, tsc = events["kind"], events["tsc"]
    known = bool(KNOWN_KINDS[kinds].all() and (events["lane"] < len(Lane)).all())
    ids = all((events["id"][kinds == kind] < limit).all() for kind, limit in IDS.items())
    return known and ids and bool((tsc[1:] >= tsc[:-1]).all())
