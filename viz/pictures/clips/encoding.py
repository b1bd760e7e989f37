"""Frames as a file that others play, by PyAV: WebM and MP4 with the sentences in them, APNG and GIF.

The file comes to be in memory: it is whole before it has a name. With one version of PyAV its bytes are the same each
time.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, Protocol

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.language import tr
from bellwire.viz.pictures.clips.filming import Pixels
from bellwire.viz.pictures.clips.subtitles import Cue
from bellwire.viz.pictures.film_texts import apng_with_text
from bellwire.viz.pictures.provenance import KEY
from bellwire.viz.text.faults import library_remedy

CODECS = {  # by suffix: the codec, its pixels, and what it is asked for
    ".webm": ("libvpx-vp9", "yuv420p", {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"}),
    ".mp4": ("libx264", "yuv420p", {"crf": "20", "preset": "medium", "profile": "high"}),
    ".apng": ("apng", "rgb24", {"pred": "up"}),
}
TITLES = {".webm": "webvtt", ".mp4": "mov_text"}  # what sentences in a file are called
TOLD_IN = "synopsis"  # what both WebM and MP4 have a place for: provenance, as JSON
MUXING = {".apng": {"plays": "0"}}  # 0: for ever
THREADS = 2
MS = Fraction(1, 1000)
BT_709, LIMITED = 1, 1  # ITU's colours of HD, and its range: what players expect


class ClipFile(Protocol):
    """A file that takes frames and, once all have come, is there as bytes."""

    def add(self, pixels: Pixels) -> None:
        """The next frame."""

    def finish(self, cues: list[Cue], about: Mapping[str, str]) -> bytes:
        """The file. cues: what is said; about: its title and the like, where it can hold them."""


def pyav() -> Any:
    """PyAV's module; EngineError if it is not there."""
    try:
        import av
    except ImportError as error:
        raise EngineError(
            tr(
                "A clip is encoded by PyAV, which cannot be loaded ({why}): {remedy}",
                why=answer_of(error),
                remedy=library_remedy(error, "pip install av."),
            )
        ) from error
    return av


@contextmanager
def encoder_refusals_told() -> Iterator[None]:
    """What PyAV refuses in here is an EngineError. Some of it would be taken for an error of the written file."""
    try:
        yield
    except pyav().error.FFmpegError as error:
        raise EngineError(
            tr(
                "PyAV cannot encode the clip ({why}). It takes threads and memory: `ulimit -u` and `ulimit -v` say how "
                "much there may be.",
                why=answer_of(error),
            )
        ) from error


class VideoFile:
    """WebM, MP4 or APNG."""

    def __init__(self, suffix: str, size: tuple[int, int], rate: int) -> None:
        """suffix: one of CODECS. size: pixels; rate: frames a second."""
        self.suffix, self.rate, self._frames = suffix, rate, 0
        codec, self._format, options = CODECS[suffix]
        self._buffer, self._packets = io.BytesIO(), list[Any]()
        self._av = pyav()
        muxing = MUXING.get(suffix, {}) | {"fflags": "+bitexact"}
        self._container = self._av.open(self._buffer, "w", format=suffix[1:], options=muxing)
        self._stream = self._container.add_stream(codec, rate=rate, options=dict(options))
        self._stream.width, self._stream.height, self._stream.pix_fmt = *size, self._format
        context = self._stream.codec_context
        context.time_base, context.thread_count = Fraction(1, rate), THREADS
        if self._format.startswith("yuv"):
            context.color_primaries = context.color_trc = context.colorspace = BT_709
            context.color_range = LIMITED

    def add(self, pixels: Pixels) -> None:
        """The next frame."""
        frame = self._av.VideoFrame.from_ndarray(pixels, format="rgb24")
        if self._format != "rgb24":
            frame = frame.reformat(format=self._format, dst_colorspace=BT_709, dst_color_range=LIMITED)
        frame.pts, frame.time_base = self._frames, Fraction(1, self.rate)
        self._frames += 1
        self._packets += self._stream.encode(frame)

    def finish(self, cues: list[Cue], about: Mapping[str, str]) -> bytes:
        """The file, the sentences among the frames that they go with."""
        self._packets += self._stream.encode(None)
        self._container.metadata.update(about)
        said = self._sentences(cues) if self.suffix in TITLES else []
        for packet in sorted([*self._packets, *said], key=lambda one: one.dts * one.time_base):
            self._container.mux(packet)
        self._container.close()
        content = self._buffer.getvalue()
        return apng_with_text(content, KEY, about.get(TOLD_IN, "")) if self.suffix == ".apng" else content

    def _sentences(self, cues: list[Cue]) -> list[Any]:
        """The cues as packets of a stream of their own."""
        kind = TITLES[self.suffix]
        stream = self._container.add_mux_stream(kind)
        stream.time_base = MS
        packets = []
        for cue in cues:
            text = cue.text.encode()
            packet = self._av.Packet(text if kind == "webvtt" else len(text).to_bytes(2, "big") + text)
            packet.stream, packet.time_base = stream, MS
            packet.pts = packet.dts = round(1000 * cue.first / self.rate)
            packet.duration = round(1000 * cue.end / self.rate) - packet.pts
            packets.append(packet)
        return packets
