"""When each stage of a journey began: measured, between two stamps, or not known; and so where it is at a moment.

Guarantees:
- A stage that a stamp measures has one time. Every other lies between an earliest and a latest time, which come of the
  stamps alone: stages follow one another, so none begins before what is measured earlier on the way or after what is
  measured later; and some have a stamp by which they had begun, or before which they had not (assets/anatomy.toml).
- One more stamp can only narrow what is known: no stage's bounds ever widen by it.
- At every moment of a journey there is a stage that it may be in, and those that it may be in are neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from bellwire.engine.folds.journeys import JOURNEY, Journeys
from bellwire.viz.stages.moments import FOREVER, Moments, Times
from bellwire.viz.stages.way import StageWay, Stop


class Known(StrEnum):
    """What is known of when a stage began."""

    MEASURED = "measured"
    BOUNDED = "bounded"
    UNKNOWN = "unknown"  # nothing says when at the latest


@dataclass(frozen=True)
class StageTimes:
    """Of n journeys that went the same way of m stops: TSC; shapes (n, m).

    latest: FOREVER where nothing says. earliest is latest where it is measured.
    """

    way: StageWay
    earliest: Times
    latest: Times

    def known(self, stop: int) -> Known:
        """What is known of a stop's beginning, of the first journey."""
        if self.latest[0, stop] == FOREVER:
            return Known.UNKNOWN
        return Known.MEASURED if self.earliest[0, stop] == self.latest[0, stop] else Known.BOUNDED

    def standing(self, tsc: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """The first and the last stop that each journey may be at, at `tsc`; shapes (n,)."""
        reached, possible = (self.latest <= np.uint64(tsc)).sum(axis=1), (self.earliest <= np.uint64(tsc)).sum(axis=1)
        first = np.maximum(reached - 1, 0)
        return first, np.maximum(possible - 1, first)


def times_of_stages(way: StageWay, journeys: Journeys, moments: Moments) -> StageTimes:
    """When the stages of journeys that all went this way began."""
    shape = journeys.size, len(way.stops)
    earliest, latest = np.zeros(shape, np.uint64), np.full(shape, FOREVER)
    for column, stop in enumerate(way.stops):
        stamp = stamps(stop.began, journeys, moments)
        earliest[:, column] = np.maximum(stamp, stamps(stop.after, journeys, moments))
        latest[:, column] = np.where(stamp > 0, stamp, first_there(stop, journeys, moments))
    earliest = np.maximum.accumulate(earliest, axis=1)
    latest = np.minimum.accumulate(latest[:, ::-1], axis=1)[:, ::-1]
    return StageTimes(way, np.minimum(earliest, latest), latest)


def first_there(stop: Stop, journeys: Journeys, moments: Moments) -> Times:
    """The stamp by which the stop had been reached, FOREVER if there is none; shape (n,)."""
    found = np.full(journeys.size, FOREVER)
    for name in reversed(stop.by):
        stamp = stamps(name, journeys, moments)
        found = np.where(stamp > 0, stamp, found)
    return found


def stamps(name: str, journeys: Journeys, moments: Moments) -> Times:
    """The stamps of this name, 0 where there is none; shape (n,)."""
    if name in moments:
        return moments[name]
    if name in (JOURNEY.names or ()):
        named: Times = journeys[name]
        return named
    return np.zeros(journeys.size, np.uint64)
