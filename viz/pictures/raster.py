"""A drawing as a PNG file, the same bytes on each machine: no resolution, no time, and texts in a fixed order."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from bellwire.viz.pictures.drawing import Drawing, paper
from bellwire.viz.style.painting import painter_on

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_CHUNKS = 1 << 16  # that are looked through: of 64 MB, chunks of 1 KB; a file of empty ones took seconds
RGB, RGBA = 2, 6  # PNG's kinds of colour
LEVEL = 3  # of compression: from 4 on it takes twice as long, and makes a tenth less

Bytes = npt.NDArray[np.uint8]


def image_of(drawing: Drawing) -> QImage:
    """Painted in pixels."""
    (width, height), scale = drawing.asked.pixels, drawing.asked.scale
    image = paper(round(width * scale), round(height * scale))
    image.setDevicePixelRatio(scale)
    with painter_on(image) as painter:
        drawing.paint(painter)
    return image


def png_file(image: QImage, texts: Mapping[str, str]) -> bytes:
    """The file, with texts by keyword; those of PNG's own keywords are Title, Description, Software, Source, Comment.

    Written here, not by Qt: that would add the resolution, and what zlib it has decides its bytes.
    """
    kind, form = (RGB, QImage.Format.Format_RGB888) if opaque(image) else (RGBA, QImage.Format.Format_RGBA8888)
    plain = image.convertToFormat(form)
    header = struct.pack(">IIBBBBB", plain.width(), plain.height(), 8, kind, 0, 0, 0)
    parts = [SIGNATURE, chunk(b"IHDR", header), *(text_chunk(key, text) for key, text in texts.items())]
    parts += [chunk(b"IDAT", zlib.compress(lines_of(plain).data, LEVEL)), chunk(b"IEND", b"")]
    return b"".join(parts)


def opaque(image: QImage) -> bool:
    """Whether nothing can be seen through any pixel."""
    if not image.hasAlphaChannel():
        return True
    made = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)  # which has to live as long as its pixels
    return int(np.bitwise_and.reduce(np.frombuffer(made.constBits(), np.uint32))) >> 24 == 255


def lines_of(plain: QImage) -> Bytes:
    """Its pixels as PNG has them, each line behind a byte that says that it is as it is; shape (height, 1 + bytes).

    As what differs from the line above it deflates worse here: even areas and letters repeat as they are.
    """
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    made = np.zeros((plain.height(), 1 + plain.width() * plain.depth() // 8), np.uint8)
    made[:, 1:] = rows[:, : made.shape[1] - 1]
    return made


def chunk(kind: bytes, content: bytes) -> bytes:
    """A piece of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def text_chunk(key: str, text: str) -> bytes:
    """A text under a keyword, as UTF-8, not compressed."""
    return chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + text.encode())


def texts_in(png: bytes) -> dict[str, str]:
    """The texts of such a file, as far as MOST_CHUNKS go; ValueError if it is no PNG."""
    if not png.startswith(SIGNATURE):
        raise ValueError("not a PNG file")
    found, at, left = dict[str, str](), len(SIGNATURE), MOST_CHUNKS
    while at + 12 <= len(png) and left:
        left -= 1
        (size,), kind = struct.unpack_from(">I", png, at), png[at + 4 : at + 8]
        content = png[at + 8 : at + 8 + size]
        if kind == b"iTXt" and content.count(b"\0") >= 5:
            key, rest = content.split(b"\0", 1)
            found[key.decode("latin-1")] = rest[2:].split(b"\0", 2)[2].decode(errors="replace")
        at += 12 + size
    return found
