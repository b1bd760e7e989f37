"""Where a trace's rates are not known: slices on a track of their own, beside the counters, which cannot be empty.

A rate is too low where events were lost. What was only counted is all in the bin in which that is told, so that the
rates of a longer stretch are not known either.
"""

from __future__ import annotations

from dataclasses import dataclass

from bellwire.engine.events import EventKind, Lane
from bellwire.engine.exports.perfetto_flows import Row
from bellwire.engine.exports.perfetto_packets import TraceWriter, Type
from bellwire.engine.exports.perfetto_tracks import RATE_NS, ROOT, Tracks

TRACK, SLICE = "rates not known", "the rates here are not known"
MISSING = (EventKind.LOST, EventKind.PASSED_OVER)  # the rows that tell of it


@dataclass
class RatelessBins:
    """Bins whose rates are not known, the last one included, and of how many events."""

    first: int
    last: int
    lost: int = 0
    only_counted: int = 0


class UnknownRates:
    """Add each row that tells of missing events, in order, and tell it where the trace ends."""

    def __init__(self, writer: TraceWriter, tracks: Tracks) -> None:
        self._writer, self._tracks = writer, tracks
        self._stretch: RatelessBins | None = None
        self._told_to = 0  # number of the first bin behind those that are told

    def add(self, row: Row, since: int) -> None:
        """since: the ns from which on the events are missing."""
        first, last = since // RATE_NS, row.at // RATE_NS
        if row.kind == EventKind.LOST and row.id != Lane.KVM:
            self._join(RatelessBins(first, last, lost=row.arg))
        elif row.kind == EventKind.PASSED_OVER and first != last:
            self._join(RatelessBins(first, last, only_counted=row.arg))

    def _join(self, more: RatelessBins) -> None:
        """To the stretch that is under way, if they touch."""
        if self._stretch is not None and more.first > self._stretch.last + 1:
            self.end()
        there = self._stretch or RatelessBins(more.first, more.last)
        self._stretch = RatelessBins(
            max(min(more.first, there.first), self._told_to),
            max(more.last, there.last),
            more.lost + there.lost,
            more.only_counted + there.only_counted,
        )

    def end(self) -> None:
        """Writes the newest stretch: for as long as the values of its bins are shown, from the end of its first one."""
        if self._stretch is None:
            return
        track, new = self._tracks.of("unknown rates")
        if new:
            self._writer.track(track, TRACK, ROOT)
        told = {"events lost": self._stretch.lost, "events only counted": self._stretch.only_counted}
        begin, end = (self._stretch.first + 1) * RATE_NS, (self._stretch.last + 2) * RATE_NS
        self._writer.event(begin, Type.BEGIN, track, SLICE, "derived", told)
        self._writer.end(end, track, {})
        self._told_to, self._stretch = self._stretch.last + 1, None
