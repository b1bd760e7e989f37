"""What the journeys say: latencies, their histograms, their course over time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.events import Clock
from engine.histogram import Histogram
from engine.journeys import JOURNEY, Journeys, JourneyTracker, no_journeys

__all__ = ["JOURNEY", "LATENCIES", "Histogram", "JourneyTracker", "Journeys", "Latencies", "Series", "no_journeys"]

# name: (from stage, to stage)
SPANS = {
    "doorbell": ("ring", "doorbell"),
    "injection": ("irq", "handler"),
    "store_cost": ("ring", "rung"),
    "round_trip": ("ring", "handler"),
}
LATENCIES = tuple(SPANS)

WARMUP_SECONDS = 0.1
WARMUP_JOURNEYS = 50


def cycles_of(journeys: Journeys, name: str) -> npt.NDArray[np.int64]:
    """The latency `name` of those journeys that have it, in TSC cycles; shape (m,) with m <= n."""
    start, end = SPANS[name]
    has = (journeys[start] > 0) & (journeys[end] > 0)
    return (journeys[end][has] - journeys[start][has]).astype(np.int64)


class Latencies:
    """Histograms and courses of every latency, in ns.

    The first 100 ms, but at most 50 journeys, are warm-up: left out, counted in `warmup`.
    """

    def __init__(self, clock: Clock) -> None:
        self.histograms: dict[str, Histogram]  # since the start
        self.since: dict[str, Histogram]  # since the last split()
        self.before: dict[str, Histogram]  # between the last two split()s
        self.series: dict[str, Series]
        self.warmup: int  # journeys left out

    def feed(self, journeys: Journeys) -> None:
        """Adds the newest journeys."""

    def split(self) -> None:
        """The wiring has changed: from now on `since` starts anew and what it held is `before`."""


class Series:
    """A latency's course: count, p50, p99 and max of every 10 ms, for the last minutes."""
