"""The packets of a Perfetto trace: tracks, slices, instants, counters, flows.

Field numbers are those of protos/perfetto/trace/trace_packet.proto, track_event/*.proto and clock_snapshot.proto.
Names are written once and referred to by number afterwards ("interned").
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import IO

from bellwire.engine.exports.protobuf import FIXED64, LENGTH, double, nested, sint, text_field, uint, varint

SEQUENCE = 1  # the number of our only writer
STATE_CLEARED, NEEDS_STATE = 1, 2  # TracePacket.SequenceFlags
BOOTTIME, REALTIME = 6, 1  # BuiltinClock
OTHER_UNIT = 0  # CounterDescriptor.Unit

Flowing = tuple[list[int], list[int]]  # flows that pass through an event, flows that end there

# What is the same in every packet of an event is put together once.
PACKET, END_OF_PACKET = varint(1 << 3 | LENGTH), uint(10, SEQUENCE)
AT, STATE, TRACK_EVENT = varint(8 << 3), uint(13, NEEDS_STATE), varint(11 << 3 | LENGTH)
DETAIL = varint(4 << 3 | LENGTH)
PASSES, ENDS_HERE = varint(47 << 3 | FIXED64), varint(48 << 3 | FIXED64)
eight_bytes: Callable[[int], bytes] = struct.Struct("<Q").pack


class Type(IntEnum):
    """TrackEvent.Type."""

    BEGIN = 1
    END = 2
    INSTANT = 3
    COUNTER = 4


class TraceWriter:
    """Writes packets to a file. Tracks are numbered by whoever describes them, from 1. Times are in ns."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._names: dict[str, int] = {}
        self._categories: dict[str, int] = {}
        self._keys: dict[str, int] = {}
        self._heads: dict[tuple[Type, int, str, str], bytes] = {}
        self._details: dict[str, tuple[bytes, ...]] = {}
        self._packet(uint(13, STATE_CLEARED) + uint(87, 1))

    def _packet(self, content: bytes) -> None:
        self._file.write(PACKET + varint(len(content) + len(END_OF_PACKET)) + content + END_OF_PACKET)

    def wall_clock(self, at: int, unix_ns: int) -> None:
        """The trace's moment `at` was this moment of the wall clock."""
        clocks = ((BOOTTIME, at), (REALTIME, unix_ns))
        snapshot = b"".join(nested(1, uint(1, clock) + uint(2, time)) for clock, time in clocks)
        self._packet(uint(8, at) + nested(6, snapshot + uint(2, BOOTTIME)))

    def track(self, uuid: int, name: str, parent: int = 0, rank: int = 0) -> None:
        """Describes a track of slices and instants, or a group of tracks, ordered by rank below its parent."""
        explicit_order = 3
        self._describe(uuid, name, parent, uint(11, explicit_order) + sint(12, rank))

    def counter_track(self, uuid: int, name: str, parent: int, unit: str) -> None:
        """Describes a track of values."""
        self._describe(uuid, name, parent, nested(8, uint(3, OTHER_UNIT) + text_field(6, unit)))

    def _describe(self, uuid: int, name: str, parent: int, more: bytes) -> None:
        self._packet(nested(60, uint(1, uuid) + (uint(5, parent) if parent else b"") + text_field(2, name) + more))

    def event(
        self,
        at: int,
        type: Type,
        track: int,
        name: str,
        category: str,
        details: dict[str, int] | None = None,
        flows: Flowing = ([], []),
    ) -> None:
        """A slice's begin, or an instant. flows: those that pass through it, those that end here."""
        new: list[bytes] = []
        head = self._heads.get((type, track, name, category))
        if head is None:
            head = uint(3, self._number(self._categories, category, 1, new))
            head += uint(10, self._number(self._names, name, 2, new)) + uint(9, type) + uint(11, track)
            self._heads[type, track, name, category] = head
        self._place(at, head, details or {}, flows, new)

    def end(self, at: int, track: int, details: dict[str, int], flows: Flowing = ([], [])) -> None:
        """Ends the newest slice of the track that is open."""
        self._place(at, uint(9, Type.END) + uint(11, track), details, flows, [])

    def _place(self, at: int, content: bytes, details: dict[str, int], flows: Flowing, new: list[bytes]) -> None:
        """Writes an event of this content. new: what is defined in the same packet."""
        for key, value in details.items():
            number = varint(value)
            content += (self._details.get(key) or self._detail(key, new))[len(number)] + number
        for flow in flows[0]:
            content += PASSES + eight_bytes(flow)
        for flow in flows[1]:
            content += ENDS_HERE + eight_bytes(flow)
        self._track_event(at, content, new)

    def _detail(self, key: str, new: list[bytes]) -> tuple[bytes, ...]:
        """What stands before a detail's value, by how many bytes that has."""
        named = uint(1, self._number(self._keys, key, 3, new)) + varint(3 << 3)
        self._details[key] = tuple(DETAIL + varint(len(named) + size) + named for size in range(11))
        return self._details[key]

    def count(self, at: int, track: int, value: float, category: str) -> None:
        """A counter's value from now on."""
        new: list[bytes] = []
        content = uint(9, Type.COUNTER) + uint(11, track)
        content += uint(3, self._number(self._categories, category, 1, new))
        content += sint(30, value) if isinstance(value, int) else double(44, value)
        self._track_event(at, content, new)

    def _track_event(self, at: int, content: bytes, new: list[bytes]) -> None:
        interned = nested(12, b"".join(new)) if new else b""
        self._packet(AT + varint(at) + STATE + interned + TRACK_EVENT + varint(len(content)) + content)

    def _number(self, table: dict[str, int], name: str, field: int, new: list[bytes]) -> int:
        """The number of a name; one that is new is defined in the same packet."""
        if name not in table:
            table[name] = len(table) + 1
            new.append(nested(field, uint(1, table[name]) + text_field(2, name)))
        return table[name]
