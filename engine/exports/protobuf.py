"""As much of protobuf's encoding as writing takes: https://protobuf.dev/programming-guides/encoding/

Perfetto's own classes are used to test what is written with it; for writing millions of packets they are too slow, and
too large a thing to depend on.
"""

from __future__ import annotations

import struct

VARINT, FIXED64, LENGTH = 0, 1, 2  # wire types
LOW = 1 << 14  # a varint of two bytes holds less than that


def _low(number: int) -> bytes:
    return bytes((number,)) if number < 0x80 else bytes((number & 0x7F | 0x80, number >> 7))


# Most numbers are small, and of a large one most bytes are the same whatever it is: two bytes are looked up at a time.
ENDING = [_low(number) for number in range(LOW)]
GOING_ON = [bytes((number & 0x7F | 0x80, number >> 7 | 0x80)) for number in range(LOW)]


def varint(number: int) -> bytes:
    """A number from 0 to 2^64 - 1."""
    before = b""
    while number >= LOW:
        before += GOING_ON[number & (LOW - 1)]
        number >>= 14
    return before + ENDING[number]


def uint(field: int, number: int) -> bytes:
    """An enum, a bool or an integer that is not negative."""
    return varint(field << 3 | VARINT) + varint(number)


def sint(field: int, number: int) -> bytes:
    """An int64: negative ones as their two's complement."""
    return uint(field, number & 0xFFFF_FFFF_FFFF_FFFF)


def fixed64(field: int, number: int) -> bytes:
    """A number from 0 to 2^64 - 1, in eight bytes."""
    return varint(field << 3 | FIXED64) + struct.pack("<Q", number)


def double(field: int, number: float) -> bytes:
    """A floating-point number."""
    return varint(field << 3 | FIXED64) + struct.pack("<d", number)


def nested(field: int, content: bytes) -> bytes:
    """A message, or bytes."""
    return varint(field << 3 | LENGTH) + varint(len(content)) + content


def text_field(field: int, content: str) -> bytes:
    """A string."""
    return nested(field, content.encode())
