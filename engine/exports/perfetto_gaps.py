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


@dataclass
class RatelessBins:
    """Bins whose rates are not known, the last one included, and of how many events."""

    first: int
    last: int
    lost: int = 0
    only_counted: int = 0


class UnknownRates:
    """Feed it each row of a trace, in order, and tell it where that ends."""

    def __init__(self, writer: TraceWriter, tracks: Tracks) -> None:
        self._writer, self._tracks = writer, tracks
        self._newest = 0  # ns of the row before
        self._stretch: RatelessBins | None = None
        self._told_to = 0  # number of the first bin behind those that are told

    def feed(self, row: Row, since: int) -> None:
        """since: of lost events the ns from which on; below 0: not known."""
        if row.kind == EventKind.LOST and row.id != Lane.KVM:
            self._add(RatelessBins(min(self._newest if since < 0 else since, row.at), row.at, lost=row.arg))
        elif row.kind == EventKind.PASSED_OVER and self._newest // RATE_NS != row.at // RATE_NS:
            self._add(RatelessBins(self._newest, row.at, only_counted=row.arg))
        self._newest = row.at

    def _add(self, more: RatelessBins) -> None:
        """Its first and last are ns."""
        first, last, there = more.first // RATE_NS, more.last // RATE_NS, self._stretch
        if there is not None and first > there.last + 1:
            self.end()
            there = None
        self._stretch = RatelessBins(
            max(min(first, there.first if there else first), self._told_to),
            max(last, there.last if there else last),
            more.lost + (there.lost if there else 0),
            more.only_counted + (there.only_counted if there else 0),
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
