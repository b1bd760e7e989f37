"""A picture held against the one that has just been made of the same list: the same, told of otherwise, or changed.

Bytes are compared first. Then of a PNG its pixels, of a clip its frames, of SVG and PDF what they hold; these are shown
in pixels, too, where a program that draws them is installed. Which version made a picture makes it no other one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from bellwire.engine.errors import EngineError
from bellwire.viz.pictures.clips.clip_asked import CLIP_FORMATS
from bellwire.viz.pictures.clips.encoding import pyav
from bellwire.viz.pictures.lists.drawn_elsewhere import png_of_vectors
from bellwire.viz.pictures.provenance import json_told, told_in
from bellwire.viz.pictures.raster import SIGNATURE, png_file
from bellwire.viz.text.figures import grouped

PixelArray = npt.NDArray[np.uint8]  # shape (height, width, 4): red, green, blue, opacity

FADED = 0.25  # of a picture's contrast that is left where it is the same
MARK = (214, 0, 106, 255)  # where it is not
PROGRAM = re.compile(rb'("|&quot;)program("|&quot;):("|&quot;)[^"&\\]*("|&quot;)')
LENGTHS = re.compile(rb"/Length \d+")
WORDS = ("caption", "alt", "recording", "sha256", "scenario", "backend", "command")  # that count, beside what is seen


class Likeness(StrEnum):
    """Of two files of one picture."""

    SAME = "the same"
    RETOLD = "the same picture"  # by another version, or packed otherwise
    CHANGED = "changed"


@dataclass(frozen=True)
class FileComparison:
    """what: in words, how they differ; "" if they do not. difference: a PNG that shows where, if that can be shown."""

    likeness: Likeness
    what: str = ""
    difference: bytes = b""


def compared_files(before: bytes, after: bytes, suffix: str) -> FileComparison:
    """Two files of a picture, as there was one and as it is made now."""
    if before == after:
        return FileComparison(Likeness.SAME)
    told = told_otherwise(before, after)
    if suffix in (".svg", ".pdf"):
        return compared_vectors(before, after, suffix, told)
    frames = compared_frames if suffix in CLIP_FORMATS else compared_pixels
    seen = frames(before, after)
    if seen is None:
        return FileComparison(
            Likeness.CHANGED if told else Likeness.RETOLD, told or "made or packed by another version"
        )
    return FileComparison(Likeness.CHANGED, " ".join(filter(None, (seen[0], told))), seen[1])


def told_otherwise(before: bytes, after: bytes) -> str:
    """What a file says of itself that is another thing now, but for who made it; "" if that is nothing."""
    one, other = (provenance_table(content) for content in (before, after))
    names = [name for name in WORDS if one.get(name) != other.get(name)]
    return f"What it says of itself differs: {', '.join(names)}." if names else ""


def provenance_table(content: bytes) -> dict[str, Any]:
    """What it says of itself; empty if that is nothing."""
    try:
        return json_told(told_in(content))
    except ValueError:
        return {}


# -- in pixels


def compared_pixels(before: bytes, after: bytes) -> tuple[str, bytes] | None:
    """How two PNGs differ to the eye, and a picture of that; None if they do not."""
    one, other = pixels_in(before), pixels_in(after)
    if one is None or other is None:
        return "It is no picture any more.", b""
    return differing_pixels(one, other)


def differing_pixels(one: PixelArray, other: PixelArray) -> tuple[str, bytes] | None:
    """The same of pixels."""
    if one.shape != other.shape:
        sizes = [f"{pixels.shape[1]} × {pixels.shape[0]}" for pixels in (one, other)]
        return f"{sizes[0]} pixels have become {sizes[1]}.", b""
    differs = (one != other).any(axis=2)
    count = int(differs.sum())
    if not count:
        return None
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    room = f"{int(columns[-1]) - left + 1} × {int(rows[-1]) - top + 1}"
    share = 100 * count / differs.size
    words = f"{grouped(count)} of {grouped(differs.size)} pixels ({share:.2g} %) differ, in {room} at {left}, {top}."
    return words, marked_png(other, differs)


def marked_png(pixels: PixelArray, differs: npt.NDArray[np.bool_]) -> bytes:
    """The picture faded, and in a colour of its own what differs."""
    grey = pixels[:, :, :3].mean(axis=2)
    made = np.full_like(pixels, 255)
    made[:, :, :3] = (255 - FADED * (255 - grey)).astype(np.uint8)[:, :, None]
    made[differs] = MARK
    height, width = differs.shape
    held = made.tobytes()  # which a QImage does not keep
    image = QImage(held, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return png_file(image, {"Title": "What differs"})


def pixels_in(content: bytes) -> PixelArray | None:
    """Those of a PNG; None if it is none."""
    image = QImage.fromData(content) if content.startswith(SIGNATURE) else QImage()
    if image.isNull():
        return None
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return rows[:, : image.width()].copy()


# -- in frames


def compared_frames(before: bytes, after: bytes) -> tuple[str, bytes] | None:
    """How two clips differ to the eye, and where the first frame that does; None if they do not."""
    counts, first = [0, 0], ""
    found: tuple[str, bytes] | None = None
    try:
        for one, other in zip_longest(frames_in(before), frames_in(after)):
            counts = [counts[0] + (one is not None), counts[1] + (other is not None)]
            if found is None and one is not None and other is not None:
                found = differing_pixels(one, other)
                first = f"Frame {counts[0]}: " if found else ""
    except EngineError:
        return "It is no clip any more.", b""
    if counts[0] != counts[1]:
        return (
            f"The number of frames was {counts[0]} and is {counts[1]}.",
            b"" if found is None else found[1],
        )
    return found and (f"{first}{found[0]}", found[1])


def frames_in(content: bytes) -> Iterator[PixelArray]:
    """Those of a clip; EngineError if it is none."""
    av = pyav()
    try:
        with av.open(io.BytesIO(content), "r") as read:
            for frame in read.decode(video=0):
                yield frame.to_ndarray(format="rgba")
    except av.error.FFmpegError as error:
        raise EngineError(str(error)) from error


# -- in lines and text


def compared_vectors(before: bytes, after: bytes, suffix: str, told: str) -> FileComparison:
    """Two SVG or PDF files. told: what they say of themselves that differs, in words."""
    if without_program(before) == without_program(after):
        return FileComparison(Likeness.RETOLD, "made by another version")
    drawn = [png_of_vectors(content, suffix) for content in (before, after)]
    seen = compared_pixels(drawn[0], drawn[1]) if all(drawn) else None
    words = seen[0] if seen else lines_in_words(before, after) if suffix == ".svg" else "Its content differs."
    words += " Drawn by another program it looks the same." if all(drawn) and not seen else ""
    return FileComparison(Likeness.CHANGED, " ".join(filter(None, (words, told))), seen[1] if seen else b"")


def without_program(content: bytes) -> bytes:
    """A file that does not say which version made it; a PDF, nor how long that is."""
    content = PROGRAM.sub(b"", content)
    return LENGTHS.sub(b"", content).rpartition(b"\nxref\n")[0] if content.startswith(b"%PDF") else content


def lines_in_words(before: bytes, after: bytes) -> str:
    """How many lines of a file are in one of them alone."""
    one, other = set(before.splitlines()), set(after.splitlines())
    return f"Of its file's lines {len(one - other)} have gone, and {len(other - one)} have come."


def compared_beside(before: bytes, after: bytes, name: str) -> str:
    """What differs in a file that is made with a picture, in words; "" if that is nothing but who made it."""
    if before == after:
        return ""
    try:
        one, other = (json_told(content.decode()) | {"program": ""} for content in (before, after))
    except ValueError:
        return f"{name} differs."
    return f"{name} differs." if one != other else ""
