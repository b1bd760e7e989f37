"""A PDF file of Qt's taken apart and put together again: its fonts hold the second in which they were made, packed.

Qt writes each object on its own, and a table of where they are; nothing else of PDF is known here.
"""

from __future__ import annotations

import re
import struct
import zlib

import numpy as np

FONT_FILE = re.compile(rb"\d+ 0 obj\n<<\n/Length1 \d+ ?\n/Length (\d+) 0 R\n/Filter /FlateDecode\n>>\nstream\n")
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
