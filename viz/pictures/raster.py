"""A drawing as a PNG file, the same bytes on each machine: no resolution, no time, and texts in a fixed order."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter

from bellwire.viz.pictures.drawing import Drawing

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RGB, RGBA = 2, 6  # PNG's kinds of colour
LEVEL = 6  # of compression


def image_of(drawing: Drawing) -> QImage:
    """Painted in pixels; premultiplied, as Qt paints best."""
    (width, height), scale = drawing.asked.pixels, drawing.asked.scale
    image = QImage(round(width * scale), round(height * scale), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(scale)
    image.setDotsPerMeterX(3780)
    image.setDotsPerMeterY(3780)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    drawing.paint(painter)
    painter.end()
    return image


def png_file(image: QImage, texts: Mapping[str, str]) -> bytes:
    """The file, with texts by keyword; those of PNG's own keywords are Title, Description, Software, Source, Comment.

    Written here, not by Qt: that would add the resolution, and what zlib it has decides its bytes.
    """
    opaque = image.convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.frombuffer(opaque.constBits(), np.uint8).reshape(opaque.height(), opaque.bytesPerLine() // 4, 4)
    pixels = pixels[:, : opaque.width()]
    kind = RGBA if (pixels[:, :, 3] != 255).any() else RGB
    lines = np.ascontiguousarray(pixels if kind == RGBA else pixels[:, :, :3])
    header = struct.pack(">IIBBBBB", opaque.width(), opaque.height(), 8, kind, 0, 0, 0)
    parts = [SIGNATURE, chunk(b"IHDR", header), *(text_chunk(key, text) for key, text in texts.items())]
    parts += [chunk(b"IDAT", zlib.compress(filtered(lines), LEVEL)), chunk(b"IEND", b"")]
    return b"".join(parts)


def filtered(lines: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    """Each line as what differs from the one above (PNG's filter 2), which deflates well; shape (height, width, n)."""
    height = lines.shape[0]
    flat = lines.reshape(height, -1)
    above = np.vstack([np.zeros_like(flat[:1]), flat[:-1]])
    made = np.empty((height, flat.shape[1] + 1), np.uint8)
    made[:, 0], made[:, 1:] = 2, flat - above
    return made.tobytes()


def chunk(kind: bytes, content: bytes) -> bytes:
    """A piece of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def text_chunk(key: str, text: str) -> bytes:
    """A text under a keyword, as UTF-8, not compressed."""
    return chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + text.encode())


def texts_in(png: bytes) -> dict[str, str]:
    """The texts of such a file; ValueError if it is no PNG."""
    if not png.startswith(SIGNATURE):
        raise ValueError("not a PNG file")
    found, at = dict[str, str](), len(SIGNATURE)
    while at + 12 <= len(png):
        (size,), kind = struct.unpack_from(">I", png, at), png[at + 4 : at + 8]
        content = png[at + 8 : at + 8 + size]
        if kind == b"iTXt" and content.count(b"\0") >= 5:
            key, rest = content.split(b"\0", 1)
            found[key.decode("latin-1")] = rest[2:].split(b"\0", 2)[2].decode(errors="replace")
        at += 12 + size
    return found
