"""Counts over time: each event in the bin of its time, in whatever order it comes."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import EVENT, STATS, Clock, EventKind, Lane, end_to_end, event
from bellwire.engine.folds.beginning import Before
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


def test_of_a_stream_in_the_middle_the_kernels_counters_do_not_begin_at_0() -> None:
    """All that a run had counted until then stood in one bin, where nobody had told how they stood."""
    rates, exits = Rates(Clock(2_000_000_000)), STATS.index("exits")
    began = event(rates.bin_cycles, EventKind.BEFORE, Lane.ENGINE, Before.RUNG, 40)
    looks = [
        event(n * rates.bin_cycles, EventKind.STAT, Lane.KVM, exits, 0, count) for n, count in ((2, 7000), (4, 7010))
    ]
    rates.feed(end_to_end(began, *looks), 5 * rates.bin_cycles)
    assert rates.between("kvm exits", 1, 6).tolist() == [0, 0, 0, 10, 0]
