"""The events of one batch of a recording, out of its bytes: the door for events, as metadata.py is for what is said.

A column is taken as it lies there, or decompressed by itself, each checked for its place and size. What comes out are
events whose numbers are such as events have; nobody behind the door looks again.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bellwire.engine._core import lib
from bellwire.engine.events import (
    BUFFERS_ADDED,
    BUFFERS_USED,
    EVENT,
    FLAT_OUT,
    EventfdRole,
    EventfdSignaller,
    EventKind,
    Events,
    IrqIoctl,
    Lane,
    Operation,
    Setting,
    Switch,
)
from bellwire.engine.folds.beginning import Before
from bellwire.engine.kvm.gsi import GSI_COUNT
from bellwire.engine.outlet import MOST_AMOUNT
from bellwire.engine.recordings.arrow_stream import Codec, Message
from bellwire.engine.recordings.header import FIELDS, METADATA
from bellwire.engine.recordings.metadata import MOST_CYCLES, MOST_ROWS, batch_facts

MOST_SIGNALS = 2**56  # numbers of doorbells and interrupts, and whatever counts them
MOST_WATCHED = 2**60  # bits of Setting.KERNEL
MOST_LOST = 2**40  # events that one event tells of: those of a batch can be added up
MOST_REASONS, MOST_STATS, MOST_ERRNO, MOST_VMS = 256, 64, 4095, 16
MOST_THREADS, MOST_CPUS, MOST_CALLS = 2**32 - 1, 8191, 1023
LENGTH, AS_IT_IS = 8, -1  # bytes before a compressed column that say how long it will be; this if it is not compressed
SORT_BITS = ((0, 16), (16, 8), (24, 8), (32, 32))  # of EventKind.PASSED_OVER: from which bit on, how many
SLACK = 1 << 14  # bytes of padding, and of compression's own, in a batch
ROWS_LIMIT = MOST_ROWS
PADDING = 64  # bytes that Arrow may add to a column before it compresses it

MARGIN = 1 << 12  # events around those that a part is asked for: what asks next asks for a little more, most often
WORTH_A_PART = 2  # times as many events as a part has must be in a batch

Read = Callable[[int, int], bytes | memoryview]  # so many bytes at a place of the file; of one read, until the next one
Columns = Iterator[tuple[str, npt.NDArray[Any]]]


@dataclass(frozen=True)
class Most:
    """The largest that each number of an event can be."""

    id: int
    seq: int = MOST_SIGNALS
    arg: int = MOST_SIGNALS


# Of an event that takes part in a signal's way: numbers that count signals, and ids that tell a few things apart. So
# whoever counts, adds up or keeps a table by id needs no limits of his own.
SIGNALS = Most(id=2**32 - 1)
MOST: dict[EventKind, Most] = {
    EventKind.RING: SIGNALS,
    EventKind.RUNG: SIGNALS,
    EventKind.HANDLER: Most(id=0xFF),
    EventKind.EXIT: Most(id=MOST_REASONS - 1, arg=2**64 - 1),
    EventKind.ENTRY: Most(id=MOST_REASONS - 1, arg=2**64 - 1),
    EventKind.DOORBELL: Most(id=lib.BW_QUEUES_MAX - 1),
    EventKind.IRQFD: Most(id=GSI_COUNT - 1),
    EventKind.IRQ_IOCTL: Most(id=len(IrqIoctl) - 1),
    EventKind.WAIT: SIGNALS,
    EventKind.STAT: Most(id=MOST_STATS - 1, arg=MOST_CYCLES),
    EventKind.COUNT: Most(id=len(EventfdRole) - 1, arg=2**64 - 1),
    EventKind.WIRE: Most(id=len(Switch) - 1, seq=2**32, arg=1),
    EventKind.SETTING: Most(id=len(Setting) - 1, arg=FLAT_OUT),
    EventKind.LOST: Most(id=len(Lane) - 1, seq=MOST_CYCLES, arg=MOST_LOST),
    EventKind.PASSED_OVER: Most(id=MOST_AMOUNT, seq=2**64 - 1, arg=MOST_LOST),
    EventKind.FETCH: SIGNALS,
    EventKind.RESAMPLE: Most(id=GSI_COUNT - 1),
    EventKind.SUBMIT: Most(id=GSI_COUNT - 1),
    EventKind.BUFFERS: Most(id=max(BUFFERS_ADDED, BUFFERS_USED)),
    EventKind.WINDOW: SIGNALS,
    EventKind.BEFORE: Most(id=len(Before) - 1, seq=MOST_CYCLES, arg=MOST_STATS - 1),
    EventKind.REFUSED: Most(id=len(Operation) - 1, arg=MOST_ERRNO),
    EventKind.PIO: Most(id=2**16 - 1, arg=2**64 - 1),
    EventKind.MMIO: Most(id=2**32 - 1, arg=2**64 - 1),
    EventKind.FAST_MMIO: SIGNALS,
    EventKind.DEVICE_READ: Most(id=2**32 - 1, arg=2**64 - 1),
    EventKind.USER_EXIT: Most(id=MOST_REASONS - 1, arg=MOST_ERRNO),
    EventKind.WAKING: Most(id=MOST_THREADS, arg=MOST_CPUS),
    EventKind.RUNS: Most(id=MOST_THREADS, arg=MOST_CPUS),
    EventKind.WRITE: Most(id=MOST_THREADS, arg=MOST_CALLS),
    EventKind.WRITTEN: Most(id=MOST_THREADS, arg=MOST_CALLS),
    EventKind.MSI: Most(id=0xFF, arg=2**32 - 1),
    EventKind.WORK_QUEUED: Most(id=GSI_COUNT - 1),
    EventKind.WORK_STARTED: Most(id=GSI_COUNT - 1),
    EventKind.SET_IRQ: Most(id=GSI_COUNT - 1, arg=1),
    EventKind.ACCEPTED: Most(id=0xFF, arg=2**32 - 1),
    EventKind.INJECTED: Most(id=0xFF),
    EventKind.WOKEN: Most(id=1),
    EventKind.GUEST_EOI: Most(id=0xFF),
    EventKind.IOEVENTFD_WRITE: Most(id=2**32 - 1, arg=2**64 - 1),
    EventKind.EVENTFD_SIGNAL: Most(id=len(EventfdSignaller) - 1, arg=2**32 - 1),
    EventKind.IRQFD_WAKEUP: Most(id=GSI_COUNT - 1, arg=2**32 - 1),
    EventKind.IRQFD_INJECT: Most(id=GSI_COUNT - 1),
    EventKind.RESAMPLER_ACK: Most(id=GSI_COUNT - 1),
}
KNOWN_KINDS = np.isin(np.arange(1 << 16), list(EventKind))
MOST_OF = {  # by the number of the kind
    name: np.array(
        [getattr(MOST[EventKind(kind)], name) if KNOWN_KINDS[kind] else 0 for kind in range(max(EventKind) + 1)],
        np.uint64,
    )
    for name in ("id", "seq", "arg")
}


def check_rows(message: Message) -> None:
    """ValueError if this cannot be a batch of events; to be asked before its body is read."""
    if not 0 < message.rows <= ROWS_LIMIT or len(message.buffers) != 2 * len(FIELDS):
        raise ValueError("no batch of events")
    decoded = message.rows * EVENT.itemsize
    if message.body_size > decoded + decoded // 32 + SLACK:
        raise ValueError("a batch that carries what is not events")


def decoded(message: Message, data: bytes | memoryview) -> Events:
    """The events in a batch's `data`, header and body; ValueError if they cannot be events, or others were written."""
    check_rows(message)
    columns = dict(unpacked(message, data, message.codec) if message.codec else columns_of(message, data))
    about = message.metadata.get(METADATA)
    crc32 = batch_facts(about).crc32 if about is not None else None
    if crc32 is not None and crc32 != crc32_of(columns):
        raise ValueError("not what was written")
    if not plausible(columns):  # not of what is put together: a column in one piece is read several times as fast
        raise ValueError("not events")
    return put_together(columns, message.rows)


def crc32_of(columns: Mapping[str, npt.NDArray[Any]]) -> int:
    """The checksum of a batch's events: of each column as it lies in an uncompressed file, one after the other."""
    crc = 0
    for field in FIELDS:
        crc = zlib.crc32(columns[field.name].data, crc)
    return crc


def kinds_in(message: Message, read: Read) -> npt.NDArray[np.uint16]:
    """The kinds of a batch's events, without the rest of it; ValueError if they are not there."""
    check_rows(message)
    if not message.codec:
        return piece(message, read, "kind", dict(column_places(message))["kind"], 0, message.rows)
    data = read(message.offset, message.size)
    return next(column for name, column in unpacked(message, data, message.codec) if name == "kind")


@dataclass(frozen=True)
class BatchPart:
    """Events of a batch that follow each other: all that it has from `since` to `until` (TSC; not included)."""

    since: int
    until: int
    events: Events

    def between(self, t0: int, t1: int) -> Events | None:
        """The events with t0 <= tsc < t1; None if the batch may have others."""
        if not self.since <= t0 <= t1 <= self.until:
            return None
        return self.events[slice(*np.searchsorted(self.events["tsc"], np.array([t0, t1], np.uint64)))]


def decoded_part(message: Message, read: Read, times: tuple[int, int], t0: int, t1: int) -> BatchPart | None:
    """The events of a batch with t0 <= tsc < t1 and MARGIN around them, without the rest of it.

    times: TSC of the first and the last one of the batch. None if it is compressed, or if they are so many that it can
    as well be read as a whole. ValueError if the batch has other times, or out of order, or if what was asked for
    cannot be events.
    """
    check_rows(message)
    if message.codec:
        return None
    places = dict(column_places(message))
    tsc = piece(message, read, "tsc", places["tsc"], 0, message.rows)  # not copied: it is looked at first
    if not never_earlier(tsc) or (tsc[0], tsc[-1]) != times:
        raise ValueError("not events")
    first, end = np.searchsorted(tsc, np.array([t0, t1], np.uint64)).tolist()
    first, end = max(first - MARGIN, 0), min(end + MARGIN, message.rows)
    if (end - first) * WORTH_A_PART > message.rows:
        return None
    since, until = int(tsc[first - 1]) + 1 if first else 0, int(tsc[end]) if end < message.rows else 2**64 - 1
    columns = {name: piece(message, read, name, place, first, end).copy() for name, place in places.items()}
    if not plausible(columns):
        raise ValueError("not events")
    return BatchPart(since, until, put_together(columns, end - first))


def piece(message: Message, read: Read, name: str, place: int, first: int, end: int) -> npt.NDArray[Any]:
    """The values first..end-1 of the column that lies at `place` in the message."""
    dtype = EVENT[name]
    return np.frombuffer(
        read(message.offset + place + first * dtype.itemsize, (end - first) * dtype.itemsize), dtype, end - first
    )


def put_together(columns: Mapping[str, npt.NDArray[Any]], count: int) -> Events:
    """Events of these columns, all of shape (count,)."""
    events = np.empty(count, EVENT)
    for name, column in columns.items():
        events[name] = column
    return events


def column_places(message: Message) -> Iterator[tuple[str, int]]:
    """Name and place in the message of each column that lies there as it is; ValueError if it does not.

    Each has two buffers; the first, of nulls, is empty.
    """
    for field, nulls, (offset, size) in zip(FIELDS, message.buffers[::2], message.buffers[1::2], strict=True):
        wanted = message.rows * EVENT[field.name].itemsize
        if nulls[1] or size != wanted or offset < 0 or offset + size > message.body_size:
            raise ValueError("a column that is not there")
        yield field.name, message.header_size + offset


def columns_of(message: Message, data: bytes | memoryview) -> Columns:
    """Name and values of each column as they lie there."""
    if len(data) < message.size:
        raise ValueError("a column that is not there")
    for name, place in column_places(message):
        yield name, np.frombuffer(data, EVENT[name], message.rows, place)


def unpacked(message: Message, data: bytes | memoryview, codec: Codec) -> Columns:
    """The same of a compressed batch: each column is as long as it says, and says to be as long as it must."""
    for field, nulls, (offset, size) in zip(FIELDS, message.buffers[::2], message.buffers[1::2], strict=True):
        dtype, start = EVENT[field.name], message.header_size + offset
        if nulls[1] or offset < 0 or size < LENGTH or start + size > len(data):
            raise ValueError("a column that is not there")
        length = int.from_bytes(data[start : start + LENGTH], "little", signed=True)
        packed = data[start + LENGTH : start + size]
        wanted = message.rows * dtype.itemsize
        if length != AS_IT_IS and not wanted <= length <= wanted + PADDING:
            raise ValueError("a column of another length")
        column = packed if length == AS_IT_IS else decompressed(packed, length, codec)
        if len(column) < wanted:
            raise ValueError("a column of another length")
        yield field.name, np.frombuffer(column, dtype, message.rows)


def decompressed(packed: bytes | memoryview, length: int, codec: Codec) -> bytes:
    """What was compressed, which has `length` bytes; ValueError. Never makes more of it, whatever it holds."""
    try:
        with pa.CompressedInputStream(pa.BufferReader(packed), codec) as stream:
            found = bytes(stream.read(length + 1))
    except (OSError, ValueError, MemoryError, pa.ArrowException) as error:
        raise ValueError(f"no {codec}") from error
    if len(found) != length:
        raise ValueError("a column of another length")
    return found


def plausible(events: Events | Mapping[str, npt.NDArray[Any]]) -> bool:
    """Whether these are events in the order of their time, of kinds that exist, with numbers that they can have."""
    kinds, tsc = events["kind"], events["tsc"]
    if events["lane"].max(initial=0) >= len(Lane) or events["vm"].max(initial=0) >= MOST_VMS:
        return False
    there = np.flatnonzero(np.bincount(kinds))
    if not KNOWN_KINDS[there].all():
        return False
    if not all(small_enough(events[name], kinds, there, most) for name, most in MOST_OF.items()):
        return False
    in_order = never_earlier(tsc) and bool((tsc[-1:] <= MOST_CYCLES).all())
    settings, passed_over = kinds == EventKind.SETTING, kinds == EventKind.PASSED_OVER
    return (
        in_order
        and settings_plausible(events["id"][settings], events["arg"][settings])
        and sorts_plausible(events["seq"][passed_over])
    )


def never_earlier(tsc: npt.NDArray[np.uint64]) -> bool:
    """Whether no time is earlier than the one before it."""
    return bool((tsc[1:] >= tsc[:-1]).all())


def small_enough(
    values: npt.NDArray[Any], kinds: npt.NDArray[Any], there: npt.NDArray[np.intp], most: npt.NDArray[np.uint64]
) -> bool:
    """Whether no value is larger than its kind's may be; there: the kinds that there are, by number.

    If all of them are as small as any kind's must be, nobody has to look which is whose.
    """
    return bool(values.size == 0 or values.max() <= most[there].min() or (values <= most[kinds]).all())


def sorts_plausible(sorts: npt.NDArray[np.uint64]) -> bool:
    """Whether what was passed over was of kinds and ids that exist; sorts: as engine/outlet.py makes them."""
    kinds, lanes, vms, ids = (sorts >> np.uint64(at) & np.uint64(2**bits - 1) for at, bits in SORT_BITS)
    known = bool(KNOWN_KINDS[kinds].all() and (lanes < len(Lane)).all() and (vms < MOST_VMS).all())
    return known and bool((ids <= MOST_OF["id"][kinds]).all())


def settings_plausible(settings: npt.NDArray[np.uint32], values: npt.NDArray[np.uint64]) -> bool:
    """Whether settings have small values but for the pace, which may be FLAT_OUT, the length of a stall, and bits."""
    most = np.full(len(Setting), 2**32, np.uint64)
    most[Setting.PACE], most[Setting.STALLED], most[Setting.KERNEL] = FLAT_OUT, MOST_SIGNALS, MOST_WATCHED
    return bool((values <= most[settings]).all())
