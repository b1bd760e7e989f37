"""Counts over time: each event in the bin of its time, in whatever order it comes."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import EVENT, Clock, EventKind, Lane
from bellwire.viz.model.rates import BINS, Rates


def test_an_event_that_came_late_counts_in_the_bin_of_its_time() -> None:
    """Of a guest that scribbles over its stamps any event of a batch may be older than the one before."""
    counted = []
    numbers = np.array([3, BINS + 40, BINS + 30, BINS + 90, 4, BINS + 91])  # of bins, two of which are no longer held
    for order in (np.arange(numbers.size), np.argsort(numbers, kind="stable")):
        rates = Rates(Clock(2_000_000_000))
        events = np.zeros(numbers.size, EVENT)
        events["tsc"], events["kind"], events["lane"] = numbers[order] * rates.bin_cycles, EventKind.RING, Lane.GUEST
        rates.feed(events, (BINS + 99) * rates.bin_cycles)
        counted.append(rates.between("rings of 0", BINS + 25, BINS + 100).tolist())
    assert counted[0] == counted[1]
    assert sum(counted[0]) == numbers.size - 2
