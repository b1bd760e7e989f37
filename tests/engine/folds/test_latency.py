"""Latencies, against numpy on all journeys at once."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from bellwire.engine.events import EVENT, Clock, EventKind, Events, Lane, Switch, end_to_end, event
from bellwire.engine.folds.journeys import JourneyTracker, finish
from bellwire.engine.folds.latency import (
    BIN_SECONDS,
    LATENCIES,
    RECENT,
    SERIES_BINS,
    SPANS,
    WARMUP_JOURNEYS,
    Latencies,
    Series,
    begin,
    cycles_of,
    is_counted,
)
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from tests.support.journey_streams import World, cut, scenario

CLOCK = Clock(1e9)  # a cycle is a nanosecond
COLD = CLOCK.cycles(0.1)


def run(steps: int, seed: int = 1, answered: bool = True) -> Events:
    return World(random.Random(seed), answered).run(steps)


def wire(tsc: int, switch: Switch, on: int) -> Events:
    return event(tsc, EventKind.WIRE, Lane.ENGINE, switch, 0, on)


def late(events: Events) -> Events:
    """The same events after the warm-up of a session that began at 0."""
    moved = events.copy()
    moved["tsc"] += np.uint64(COLD)
    return moved


def fed(*batches: Events) -> Latencies:
    latencies = Latencies(scenario(), CLOCK)
    for batch in batches:
        latencies.feed(batch)
    return latencies


def test_every_latency_is_what_its_stages_say() -> None:
    events = late(run(4000))
    journeys = JourneyTracker(scenario()).feed(events)
    latencies = fed(wire(0, Switch.IRQFD, 1), *cut(events, random.Random(2)))
    assert latencies.warmup == 0
    assert latencies.journeys == journeys.size
    for name, (start, end) in SPANS.items():
        there = [j for j in journeys if j[start] and j[end]]
        if name == "injection":  # an interrupt that answers several doorbells is one
            there = list({int(j["irq"]): j for j in there}.values())
        true = [int(j[end]) - int(j[start]) for j in there]
        assert latencies.histograms[name].counts.sum() == len(true)
        assert latencies.histograms[name].max == max(true)
        assert latencies.histograms[name].percentile(50) == pytest.approx(sorted(true)[(len(true) - 1) // 2], rel=1e-3)


def test_an_interrupt_that_answers_several_doorbells_is_counted_once() -> None:
    """Of a burst the host reads several at once: there were as many values as doorbells."""
    recording = Recording(path_of_shipped("irq-window+burst=8"))
    latencies, signalled = Latencies(recording.header.scenario, recording.header.clock), 0
    for events in recording.sorted_batches():
        latencies.feed(events)
        signalled += int(np.count_nonzero(events["kind"] == EventKind.IRQFD))
    counts = {name: latencies.histograms[name].count for name in LATENCIES}
    assert counts["injection"] <= signalled < counts["doorbell"] == counts["round_trip"]
    assert counts["injection"] >= signalled - latencies.warmup


def test_warm_up_is_left_out_and_counted() -> None:
    events = run(4000)
    latencies = fed(*cut(events, random.Random(3)))
    assert latencies.warmup == WARMUP_JOURNEYS
    ended_cold = fed(events[: events.size // 40])
    assert ended_cold.warmup == ended_cold.journeys > 0
    assert all(ended_cold.histograms[name].count == 0 for name in LATENCIES)


def test_which_journeys_are_warm_up_does_not_depend_on_how_events_are_cut() -> None:
    recording = Recording(path_of_shipped("virtqueue"))
    batches, latencies = list(recording.batches()), []
    for cut_into in (batches, [end_to_end(*batches)]):
        latencies.append(Latencies(recording.header.scenario, recording.header.clock))
        for batch in cut_into:
            latencies[-1].feed(batch)
    assert latencies[0].warmup == latencies[1].warmup > 0
    assert sorted(latencies[0].left_out) == sorted(latencies[1].left_out)


def test_a_first_signal_by_hand_counts() -> None:
    latencies = fed(wire(0, Switch.IRQFD, 1), late(run(40)))
    assert latencies.warmup == 0
    assert latencies.now("doorbell") is not None


def test_a_change_of_wiring_splits_by_when_a_journey_began() -> None:
    events = late(run(4000))
    middle = int(events["tsc"][events.size // 2])
    mixed = np.concatenate([events, wire(middle, Switch.IOEVENTFD, 0)])
    mixed = mixed[np.argsort(mixed["tsc"], kind="stable")]
    batches = [wire(0, Switch.IOEVENTFD, 1), *cut(mixed, random.Random(4))]
    latencies = fed(*batches)
    journeys = JourneyTracker(scenario()).feed(events)
    for name in LATENCIES:
        there = journeys[is_counted(journeys, name)]
        new = begin(there) >= middle
        assert latencies.before[name].count == int((~new).sum())
        assert latencies.since[name].count == int(new.sum())
        assert sorted(latencies.recent[name]) == sorted(cycles_of(there[new], name)[-RECENT:])


def check_the_same(whole: Latencies, parts: Latencies) -> None:
    """Two folds have the same latencies in each wiring."""
    assert [ended[:2] for ended in whole.ended] == [ended[:2] for ended in parts.ended]
    pairs = [(whole.since, parts.since), (whole.before, parts.before)]
    pairs += [(one[2], other[2]) for one, other in zip(whole.ended, parts.ended, strict=True)]
    for one, other in pairs:
        assert all((one[name].counts == other[name].counts).all() for name in LATENCIES)
    assert all(whole.recent[name].tolist() == parts.recent[name].tolist() for name in LATENCIES)


def test_of_several_changes_in_one_batch_each_wiring_keeps_its_journeys() -> None:
    events = late(run(4000))
    times = [int(events["tsc"][events.size * n // 6]) for n in range(1, 6)]
    mixed = np.concatenate([events, *(wire(tsc, Switch.IOEVENTFD, n % 2) for n, tsc in enumerate(times))])
    mixed = mixed[np.argsort(mixed["tsc"], kind="stable")]
    first = wire(0, Switch.IOEVENTFD, 1)
    whole = fed(first, mixed)
    check_the_same(whole, fed(first, *cut(mixed, random.Random(5))))
    assert len(whole.ended) == len(times)
    assert all(ended["store_cost"].count for _, _, ended, _ in whole.ended)


def test_a_whole_recording_in_one_batch_is_as_in_small_ones() -> None:
    """Of a lab that registers its ioeventfd anew every two seconds."""
    recording = Recording(path_of_shipped("lab-wrong-datamatch"))
    events = end_to_end(*recording.sorted_batches())
    whole, parts = (Latencies(recording.header.scenario, recording.header.clock) for _ in range(2))
    whole.feed(events)
    for batch in cut(events, random.Random(6)):
        parts.feed(batch)
    check_the_same(whole, parts)
    assert sum(ended["doorbell"].count > 100 for _, _, ended, _ in whole.ended) >= 2


def test_the_first_word_on_a_switch_is_no_change() -> None:
    latencies = fed(wire(10, Switch.IOEVENTFD, 1), wire(20, Switch.IRQFD, 0), wire(30, Switch.IRQFD, 0))
    assert latencies.changed_at == 0
    latencies.feed(wire(40, Switch.IRQFD, 1))
    assert latencies.changed_at == 40


def series_of(tsc: Any, ns: Any, cuts: int) -> Series:
    series = Series(CLOCK)
    for t, v in zip(np.array_split(tsc, cuts), np.array_split(ns, cuts), strict=True):
        series.record(t, v)
    return series


def test_a_series_does_not_depend_on_the_batches() -> None:
    random_ = np.random.default_rng(5)
    tsc = np.sort(random_.integers(0, CLOCK.cycles(1.0), 3000)).astype(np.uint64)
    ns = random_.lognormal(8, 1, 3000)
    whole, parts = series_of(tsc, ns, 1), series_of(tsc, ns, 77)
    assert (whole.rows == parts.rows).all()
    assert whole.rows["count"].sum() == 3000
    for row in whole.rows:
        values = ns[(tsc >= row["tsc"]) & (tsc < row["tsc"] + np.uint64(whole.bin_cycles))]
        assert row["max"] == pytest.approx(values.max())
        assert row["p50"] == pytest.approx(np.percentile(values, 50, method="inverted_cdf"))
        assert row["p99"] == pytest.approx(np.percentile(values, 99, method="inverted_cdf"))


def test_a_series_is_bounded() -> None:
    tsc = (np.arange(SERIES_BINS + 500) * CLOCK.cycles(BIN_SECONDS)).astype(np.uint64)
    series = series_of(tsc, np.ones(tsc.size), 9)
    assert series.rows.size == SERIES_BINS
    assert series.rows["tsc"][-1] == tsc[-1]


def test_between_reaches_over_the_edges() -> None:
    series = series_of(np.arange(0, 5 * 10**9, 5 * 10**7, dtype=np.uint64), np.ones(100), 1)
    rows = series.between(20 * 5 * 10**7 + 1, 30 * 5 * 10**7 - 1)
    assert (rows["tsc"][0], rows["tsc"][-1]) == (20 * 5 * 10**7, 30 * 5 * 10**7)


def test_an_empty_feed_yields_no_journeys() -> None:
    assert finish(fed().feed(np.empty(0, EVENT))).size == 0


def test_an_emulated_cpu_has_journeys_but_no_latency_that_is_told() -> None:
    events = late(run(4000))
    real, emulated = (Latencies(scenario(), Clock(1e9, emulated=told)) for told in (False, True))
    for latencies in (real, emulated):
        latencies.feed(events)
    assert emulated.journeys == real.journeys > 0
    for name in LATENCIES:
        assert emulated.histograms[name].count == real.histograms[name].count > 0
        assert real.known(name)
        assert not emulated.known(name)
        assert emulated.p50(name) is None
        assert emulated.counted(name).size == 0 < real.counted(name).size
        assert emulated.now(name) == real.now(name)  # by which slow motion is chosen
