"""A clip as a GIF: 256 colours that are chosen from all of its frames, so that each frame is what differs in it."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from bellwire.viz.pictures.clips.encoding import TOLD_IN, pyav
from bellwire.viz.pictures.clips.filming import Pixels
from bellwire.viz.pictures.clips.subtitles import Cue
from bellwire.viz.pictures.film_texts import gif_with_comment

COLORS = 256
HUNDREDTHS = Fraction(1, 100)  # of a second, in which a GIF counts
QUICK = 1  # level of compression


class FramesKept:
    """Frames in memory, each as what differs from the one before: they are nearly alike."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._last: Pixels | None = None
        self._shape: tuple[int, ...] = ()

    def add(self, pixels: Pixels) -> bool:
        """The next frame; False if it is the same as the one before."""
        before = np.zeros_like(pixels) if self._last is None else self._last
        new = self._last is None or not np.array_equal(before, pixels)
        self._kept.append(zlib.compress((pixels ^ before).tobytes(), QUICK) if new else b"")
        self._last, self._shape = pixels, pixels.shape
        return new

    def __iter__(self) -> Iterator[Pixels]:
        """All of them, in order."""
        pixels = np.zeros(self._shape, np.uint8)
        for kept in self._kept:
            if kept:
                pixels = pixels ^ np.frombuffer(zlib.decompress(kept), np.uint8).reshape(self._shape)
            yield pixels


class GifFile:
    """A GIF that goes on for ever."""

    def __init__(self, size: tuple[int, int], rate: int) -> None:
        """size: pixels; rate: frames a second."""
        self._av, self.size, self.rate = pyav(), size, rate
        self._frames = FramesKept()
        self._colors = Sieve(self._av, "palettegen", f"max_colors={COLORS}:reserve_transparent=1", (*size, "rgb24"))

    def add(self, pixels: Pixels) -> None:
        """The next frame."""
        if self._frames.add(pixels):
            self._colors.push(self._framed(pixels))

    def finish(self, cues: list[Cue], about: Mapping[str, str]) -> bytes:
        """The file, which can hold no sentences; what is known of it is its comment."""
        buffer = io.BytesIO()
        with self._av.open(buffer, "w", format="gif", options={"loop": "0", "fflags": "+bitexact"}) as container:
            stream = container.add_stream("gif", rate=self.rate)
            stream.width, stream.height, stream.pix_fmt = *self.size, "pal8"
            stream.codec_context.time_base = HUNDREDTHS
            for frame in self._in_few_colors():
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return gif_with_comment(buffer.getvalue(), about.get(TOLD_IN, ""))

    def _in_few_colors(self) -> Iterator[Any]:
        """All frames, without noise between the colours: what stands still costs nothing."""
        self._colors.push(None)
        palette = self._colors.pull()
        palette.pts, palette.time_base = 0, HUNDREDTHS
        of = palette.width, palette.height, palette.format.name
        sieve = Sieve(self._av, "paletteuse", "dither=none", (*self.size, "bgra"), of)
        sieve.push(palette, 1)
        sieve.push(None, 1)
        for number, pixels in enumerate(self._frames):
            sieve.push(self._framed(pixels, round(100 * number / self.rate)).reformat(format="bgra"))
            yield from sieve.ready()
        sieve.push(None)
        yield from sieve.ready()

    def _framed(self, pixels: Pixels, pts: int = 0) -> Any:
        frame = self._av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = pts, HUNDREDTHS
        return frame


class Sieve:
    """A filter of FFmpeg's."""

    def __init__(self, av: Any, name: str, words: str, *takes: tuple[int, int, str]) -> None:
        """words: how it is set; takes: width, height and pixel format of each of its inputs."""
        self._graph, self._waits = av.filter.Graph(), (av.error.BlockingIOError, av.error.EOFError)
        node, self._sink = self._graph.add(name, words), self._graph.add("buffersink")
        self._inputs = [
            self._graph.add_buffer(width=width, height=height, format=form, time_base=HUNDREDTHS)
            for width, height, form in takes
        ]
        for at, of in enumerate(self._inputs):
            of.link_to(node, 0, at)
        node.link_to(self._sink)
        self._graph.configure()

    def push(self, frame: Any, at: int = 0) -> None:
        """A frame for an input; None: it was the last one."""
        self._inputs[at].push(frame)

    def pull(self) -> Any:
        """The next frame; PyAV's BlockingIOError or EOFError if there is none yet, or any more."""
        return self._sink.pull()

    def ready(self) -> Iterator[Any]:
        """All frames that are there."""
        while True:
            try:
                frame = self.pull()
            except self._waits:
                return
            frame.pict_type = 0
            yield frame
