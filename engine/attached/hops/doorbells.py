"""Who is woken by each doorbell, and how long after the guest's store that thread has a CPU.

A thread is woken by a doorbell if the vCPU that has rung it wakes it before it does anything else. A doorbell that
wakes nobody found its reader awake, or is an interrupt at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from bellwire.engine.attached.hops.places import DoorbellKey, SeenPlaces
from bellwire.engine.attached.hops.rows import NONE, HopRows, Indices, Mask
from bellwire.engine.events import Clock
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.kernel.records import RecordKind

# From a store to the waking it takes one or two microseconds; what an interrupt of the host's wakes meanwhile comes
# later. An emulated CPU takes its time.
AT_ONCE_SECONDS, EMULATED_SECONDS = 10e-6, 200e-6

WokenBy = tuple[DoorbellKey, int]  # and the thread that it wakes


class DoorbellFold:
    """rung: by doorbell. woken, latencies: by doorbell and the thread that it wakes; ns from store to running."""

    def __init__(self, clock: Clock) -> None:
        self.rung = Counter[DoorbellKey]()
        self.woken = Counter[WokenBy]()
        self.latencies = defaultdict[WokenBy, Histogram](Histogram)
        self._clock = clock
        self._at_once = clock.cycles(EMULATED_SECONDS if clock.emulated else AT_ONCE_SECONDS)

    def feed(self, rows: HopRows, places: SeenPlaces, doorbell: Indices) -> None:
        """The next batch. doorbell: the one that each row rings."""
        for number in doorbells_in(doorbell[rows.new]):
            self.rung[places.doorbells[number]] += int(np.count_nonzero(doorbell[rows.new] == number))
        wakes = self._wakes(rows, doorbell)
        self._count(rows, places, doorbell, np.flatnonzero(wakes & rows.new))
        self._measure(rows, places, doorbell, wakes)

    def _wakes(self, rows: HopRows, doorbell: Indices) -> Mask:
        """Which rows are wakings by a doorbell."""
        by_one = rows.of(RecordKind.WAKING) & (rows.cause >= 0)
        by_one &= doorbell[rows.cause] >= 0
        at_once = rows.tsc - rows.tsc[rows.ran] <= self._at_once
        wakes: Mask = by_one & at_once
        return wakes

    def _count(self, rows: HopRows, places: SeenPlaces, doorbell: Indices, wakings: Indices) -> None:
        for key in by_whom(rows, places, doorbell, wakings):
            self.woken[key] += 1

    def _measure(self, rows: HopRows, places: SeenPlaces, doorbell: Indices, wakes: Mask) -> None:
        """A thread that gets a CPU next after it was woken; one that had it still was not waited for."""
        runs = rows.of(RecordKind.RUNS) & rows.new & (rows.previous >= 0)
        runs &= wakes[rows.previous]
        ends = np.flatnonzero(runs)
        wakings = rows.previous[ends]
        ns = self._clock.ns_array((rows.tsc[ends] - rows.tsc[rows.cause[wakings]]).astype(np.int64))
        times = defaultdict[WokenBy, list[float]](list)
        for key, one in zip(by_whom(rows, places, doorbell, wakings), ns.tolist(), strict=True):
            times[key].append(one)
        for key, some in times.items():
            self.latencies[key].record(some)


def by_whom(rows: HopRows, places: SeenPlaces, doorbell: Indices, wakings: Indices) -> list[WokenBy]:
    """Of each of these wakings the doorbell and who is woken."""
    numbers, threads = doorbell[rows.cause[wakings]].tolist(), rows.subject[wakings].tolist()
    return [(places.doorbells[number], thread) for number, thread in zip(numbers, threads, strict=True)]


def doorbells_in(values: Indices) -> list[int]:
    """Which there are, but for NONE."""
    found: list[int] = np.unique(values[values != NONE]).tolist()
    return found
