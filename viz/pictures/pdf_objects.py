"""A PDF file of Qt's taken apart and put together again: its fonts hold the second in which they were made, packed.

Qt writes each object on its own, and a table of where they are; nothing else of PDF is known here.
"""

from __future__ import annotations

import re
import struct
import zlib

import numpy as np

FONT_FILE = re.compile(rb"\d+ 0 obj\n<<\n/Length1 \d+ ?\n/Length (\d+) 0 R\n/Filter /FlateDecode\n>>\nstream\n")
BEGINNING, REFERENCE = re.compile(rb"(\d+) 0 obj"), re.compile(rb"\b(\d+) 0 R\b")
STREAM = b"stream\n"
FONT_TAG = re.compile(rb"(/FontName /)[A-Z]{6}\+")
LEVEL = 9  # of compression
WHOLE_SUM = 0xB1B0AFBA  # what all of a TrueType file adds up to
ADJUSTMENT, CREATED, TIMES = 8, 20, 16  # places in its table `head`: of the sum, of both times, and their bytes


class PdfObjects:
    """The objects by number, in the order of the file, each from its number to its end."""

    def __init__(self, pdf: bytes) -> None:
        start = int(pdf[pdf.rindex(b"startxref") :].split()[1])
        table, _, rest = pdf[start:].partition(b"trailer")
        self.trailer = b"trailer" + rest[: rest.rindex(b"startxref")]
        entries = [line.split() for line in table.splitlines()[2:] if line.strip()]
        places = {number: int(entry[0]) for number, entry in enumerate(entries) if entry[2] == b"n"}
        order = sorted(places, key=places.__getitem__)
        ends = [*(places[number] for number in order[1:]), start]
        self.size = len(entries)
        self.head = pdf[: places[order[0]]]
        self.objects = {number: pdf[places[number] : end] for number, end in zip(order, ends, strict=True)}

    def forget_when_fonts_were_made(self) -> None:
        """In each font that is in it."""
        for number, content in list(self.objects.items()):
            if found := FONT_FILE.match(content):
                font = zlib.decompressobj().decompress(content[found.end() :])
                packed = zlib.compress(without_times(font), LEVEL)
                self.objects[number] = found[0] + packed + b"\nendstream\nendobj\n"
                self.objects[int(found[1])] = b"%s 0 obj\n%d\nendobj\n" % (found[1], len(packed))

    def renumber_by_use(self) -> None:
        """In the order in which they are referred to: Qt writes fonts in that of their hashes, which may be any."""
        order = dict[int, int]()
        left = references_in(self.trailer)[::-1]
        while left:
            number = left.pop()
            if number not in order and number in self.objects:
                order[number] = len(order) + 1
                left += references_in(self.objects[number])[::-1]
        for number in self.objects:  # what nobody refers to
            order.setdefault(number, len(order) + 1)
        self.objects = {new: renumbered(self.objects[old], order) for old, new in order.items()}
        self.trailer = renumbered(self.trailer, order)

    def joined(self) -> bytes:
        """The file, with a table of where they are now."""
        places, parts, at = dict[int, int](), [self.head], len(self.head)
        for number, content in self.objects.items():
            places[number] = at
            parts.append(content)
            at += len(content)
        lines = [
            b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 65535 f \n"
            for number in range(self.size)
        ]
        table = b"xref\n0 %d\n" % self.size + b"".join(lines)
        return b"".join([*parts, table, self.trailer, b"startxref\n%d\n%%%%EOF\n" % at])


def references_in(content: bytes) -> list[int]:
    """The numbers of the objects that one refers to."""
    return [int(found[1]) for found in REFERENCE.finditer(content.partition(STREAM)[0])]


def renumbered(content: bytes, order: dict[int, int]) -> bytes:
    """An object, or the trailer, by its new number, which a font's name has in it too, and by those it refers to."""
    head, stream, rest = content.partition(STREAM)
    found = BEGINNING.match(head)
    if found:
        number = order[int(found[1])]
        head = BEGINNING.sub(b"%d 0 obj" % number, head, count=1)
        head = FONT_TAG.sub(lambda name: b"%s%s+" % (name[1], tag_of_font(number)), head)
    head = REFERENCE.sub(lambda one: b"%d 0 R" % order.get(int(one[1]), 0), head)
    return head + stream + rest


def tag_of_font(number: int) -> bytes:
    """Six capitals, as PDF has them before the name of a font of which only a part is there."""
    letters = [number // 26**place % 26 for place in range(6)]
    return bytes(ord("A") + letter for letter in letters)


def without_times(font: bytes) -> bytes:
    """A TrueType file that does not say when it was made."""
    made = bytearray(font)
    for entry in range(12, 12 + 16 * struct.unpack_from(">H", font, 4)[0], 16):
        tag, _, place, length = struct.unpack_from(">4sIII", font, entry)
        if tag == b"head":
            made[place + ADJUSTMENT : place + ADJUSTMENT + 4] = bytes(4)
            made[place + CREATED : place + CREATED + TIMES] = bytes(TIMES)
            struct.pack_into(">I", made, entry + 4, sum_of(made[place : place + length]))
            struct.pack_into(">I", made, place + ADJUSTMENT, (WHOLE_SUM - sum_of(made)) % 2**32)
    return bytes(made)


def sum_of(content: bytes | bytearray) -> int:
    """The checksum of a part of such a file."""
    padded = bytes(content) + bytes(-len(content) % 4)
    return int(np.frombuffer(padded, ">u4").sum(dtype=np.uint64)) % 2**32
