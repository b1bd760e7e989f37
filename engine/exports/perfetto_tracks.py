"""Perfetto's tracks: each has a number, and is described when it is needed first. How a trace begins and ends."""

from __future__ import annotations

from collections.abc import Hashable

from bellwire.engine.exports.perfetto_packets import TraceWriter, Type
from bellwire.engine.recordings.recording import Recording

ROOT = 1  # uuid of the group of everything
RATE_NS = 50_000_000  # of a bin of the rates: each is that of the time before


def begin_trace(writer: TraceWriter, recording: Recording, title: str) -> None:
    """The group of everything, and the wall clock where it is known."""
    header = recording.header
    writer.track(ROOT, f"{title} ({header.backend or '?'}, {header.host.get('cpu', '?')})")
    if recording.first_ns:
        writer.wall_clock(0, recording.first_ns)


def end_trace(writer: TraceWriter, recording: Recording) -> None:
    """Says that it ends, if it has no length: of nothing but slices that have begun trace_processor makes bounds that
    end before they begin, which ui.perfetto.dev refuses."""
    if round(recording.seconds * 1e9) == 0:
        writer.event(0, Type.INSTANT, ROOT, "the recording ends", "derived")


class Tracks:
    """used: the largest number that is taken already."""

    def __init__(self, writer: TraceWriter, used: int) -> None:
        self._writer, self._used = writer, used
        self._given: dict[Hashable, int] = {}

    def of(self, key: Hashable) -> tuple[int, bool]:
        """Its number, and whether it is new, so that it is yet to be described."""
        new = key not in self._given
        return self._given.setdefault(key, self._used + 1 + len(self._given)), new

    def counter(self, key: Hashable, name: str, parent: int, unit: str) -> int:
        """The number of one that has values."""
        uuid, new = self.of(key)
        if new:
            self._writer.counter_track(uuid, name, parent, unit)
        return uuid
