"""What a call hands to the kernel: a struct's members with their places and values, and its bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bellwire.engine._core import ffi

UNKNOWN = "··"  # a byte that differs from run to run
ROW = 16  # bytes a row of a hex dump


@dataclass(frozen=True)
class Field:
    """A member. offset, size: bytes. value: None if it differs from run to run, as a file descriptor's number does.

    text: the value in the words of C.
    """

    name: str
    offset: int
    size: int
    value: int | None
    text: str


@dataclass(frozen=True)
class Arguments:
    """A struct, or whatever else the kernel reads. struct: its name in C, or what it is."""

    struct: str
    fields: tuple[Field, ...]
    data: bytes

    def hex(self) -> list[str]:
        """The bytes, two digits each, a row of 16 a line; those not known are dots."""
        hidden = {n for f in self.fields if f.value is None for n in range(f.offset, f.offset + f.size)}
        digits = [UNKNOWN if n in hidden else f"{byte:02x}" for n, byte in enumerate(self.data)]
        return [" ".join(digits[n : n + ROW]) for n in range(0, len(digits), ROW)]

    def literal(self, indent: str = "    ") -> str:
        """The struct as C initializes it: members that are 0 are left out."""
        lines = [f"{indent}    .{field.name} = {field.text}," for field in self.fields if field.value != 0]
        return "\n".join(["{", *lines, f"{indent}}}"])


def arguments_of(struct: Any, texts: Mapping[str, str], unknown: Mapping[str, bool] | None = None) -> Arguments:
    """Of a struct that the core has made. texts: values in words, by member; unknown: those that are not known."""
    hidden = {name for name, yes in (unknown or {}).items() if yes}
    fields = tuple(
        Field(name, offset, size, None if name in hidden else value, texts.get(name, c_number(value)))
        for name, offset, size, value in struct_members(struct)
    )
    kind = ffi.typeof(struct)
    return Arguments(kind.cname, fields, bytes(ffi.buffer(ffi.addressof(struct))))


def struct_members(struct: Any, name: str = "", offset: int = 0) -> Iterator[tuple[str, int, int, int]]:
    """(name, offset, size, value) of each number in a struct; those of a union are its owner's business."""
    for member, field in ffi.typeof(struct).fields:
        value, place = getattr(struct, member), offset + field.offset
        if member == "pad" or field.type.kind == "union":
            continue
        if field.type.kind == "array":
            size = ffi.sizeof(field.type.item)
            yield from ((f"{name}{member}[{n}]", place + n * size, size, int(item)) for n, item in enumerate(value))
        else:
            yield f"{name}{member}", place, ffi.sizeof(field.type), int(value)


def c_number(value: int) -> str:
    """As C writes it: small ones in decimal."""
    return str(value) if value < 256 else f"{value:#x}"
