"""Where the time of a recording's journeys goes, part by part; as JSON, and as what the tables are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bellwire.engine.events import Events, end_to_end
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.folds.latency import Latencies, begin
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.stages.moments import moments
from bellwire.viz.stages.shares import Explained, RunShares, Share, WayShares, percents, title_of, whole_latency_of
from bellwire.viz.stages.way import WaysOf
from bellwire.viz.text.trust import no_times

NONE_TOLD = "No journey came to its end after the warm-up, so there is nothing to divide."
CLOCKS_APART = "The clocks of guest and host are apart, so no part between a stamp of one and of the other can be told."
ROWS = {"median": 50.0, "p99": 99.0}
LEAST_HELD, MOST_HELD = 3, 32  # blocks of events: more than the least where journeys are as long; 64 MB at most


class ExplainedRecording:
    """A recording read through once, in blocks, of which as many are held as the journeys under way began in.

    What stamps beside its record tell of a journey that is longer than all that are held is not told.
    """

    def __init__(self, path: Path, progress: Callable[[float], None] = lambda share: None) -> None:
        self.recording = Recording(path)
        self.source = Replay(self.recording)
        scenario, host = self.source.scenario, self.source.host
        self.latencies = Latencies(scenario, self.source.clock, self.source.backend)
        self.run = RunShares(WaysOf(scenario, self.source.backend, host.get("kernel", "")), self.source.clock)
        self._held, self._held_from = list[Events](), 0  # the newest blocks, and from which TSC on they are all
        waiting = None
        for events in self.recording.sorted_batches(progress):
            self._held.append(events)
            journeys = self._counted(events)
            if waiting is not None:
                self._feed(waiting)
            waiting = journeys
            self._let_go(waiting)
        if waiting is not None:
            self._feed(waiting)

    def _let_go(self, waiting: Journeys) -> None:
        """Of the blocks in which no journey began that is under way, or waits for what comes behind its end."""
        first = int(begin(waiting).min(initial=2**64 - 1))
        while len(self._held) > LEAST_HELD:
            last = int(self._held[0]["tsc"].max(initial=0))
            needed = first <= last or self.latencies.tracker.under_way_since(last)
            if needed and len(self._held) <= MOST_HELD:
                return
            self._held_from = max(self._held_from, last + 1)
            del self._held[0]

    def _counted(self, events: Events) -> Journeys:
        """The journeys that a block completed and that are among the figures."""
        journeys = self.latencies.feed(events)
        return journeys[~np.isin(begin(journeys), self.latencies.left_out)]

    def _feed(self, journeys: Journeys) -> None:
        """What ends a call, or is heard of, behind a journey's end is in the block after it."""
        if not journeys.size:
            return
        first, older = np.uint64(begin(journeys).min()), self._held[:-LEAST_HELD]
        around = [block for block in older if block["tsc"].max(initial=0) >= first]
        events = end_to_end(*around, *self._held[-LEAST_HELD:])
        found = moments(journeys, events, traits_of(self.source.scenario))
        whole = begin(journeys) >= np.uint64(self._held_from)
        self.run.feed(journeys, {name: np.where(whole, times, np.uint64(0)) for name, times in found.items()})

    @property
    def why_none(self) -> str:
        """Why nothing is told; "" if something is."""
        if self.source.clock.emulated:
            return no_times()
        if self.latencies.clock_error.apart:
            return CLOCKS_APART
        return "" if self.run.told else NONE_TOLD

    def report(self) -> dict[str, Any]:
        """The JSON object of `bellwire explain --json`; times in ns."""
        return {
            "scenario": self.source.scenario.name,
            "host": self.source.host,
            "warmup": self.latencies.warmup,
            "missing": self.recording.warning,
            "why_nothing": self.why_none or None,
            "ways": [] if self.why_none else [self._way_report(way) for way in self.run.told],
        }

    def _way_report(self, way: WayShares) -> dict[str, Any]:
        return way_report(way) | {"kernel_told_nothing_of": self.run.left_out(way)}


def chosen_ones(way: WayShares) -> Iterator[tuple[str, Explained | None]]:
    """The journey nearest to the median, the one nearest to p99, and the slowest."""
    yield from ((name, way.nearest(percent)) for name, percent in ROWS.items())
    yield "slowest", way.slowest


def way_report(way: WayShares) -> dict[str, Any]:
    """One way of --json."""
    return {
        "way": title_of(way.way),
        "latency": whole_latency_of(way.way),
        "latency_ns": way.whole.summary(),
        "journeys": {name: told and journey_report(way, told) for name, told in chosen_ones(way)},
    }


def journey_report(way: WayShares, told: Explained) -> dict[str, Any]:
    """One journey with its parts, which add up to its cycles."""
    shares = percents([share.cycles for share in told.shares])
    return {
        "seq": int(told.journey["seq"][0]),
        "tsc": int(begin(told.journey)[0]),
        "cycles": told.cycles,
        "ns": round(way.clock.ns(told.cycles), 1),
        "parts": [share_report(way, *one) for one in zip(told.shares, shares, strict=True)],
    }


def share_report(way: WayShares, share: Share, percent: float) -> dict[str, Any]:
    """One part; median_ns: of the same part in all journeys that have it."""
    return {
        "stages": [stop.name for stop in share.stops],
        "title": share.title,
        "places": list(share.places),
        "cycles": share.cycles,
        "ns": round(way.clock.ns(share.cycles), 1),
        "percent": percent,
        "bound": share.bound or None,
        "rule": share.rule or None,
        "median_ns": way.median(share),
    }
