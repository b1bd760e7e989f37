"""Bins hold what the events say, however they are cut and however long ago it was."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.engine.events import EventKind, Events, Lane, event
from bellwire.engine.folds.journeys import JOURNEY, Journeys, JourneyTracker, no_journeys
from bellwire.engine.folds.spans import Spans, awake, flights, instruction, user_space
from bellwire.viz.model.live import LiveModel
from bellwire.viz.timeline import columns as past_module
from bellwire.viz.timeline import density
from bellwire.viz.timeline.columns import HeldColumns
from bellwire.viz.timeline.density import (
    BINS,
    COARSER,
    FINEST_SECONDS,
    Bins,
    Density,
    Occupancy,
    cycles_by_bin,
    spread_over_bins,
)
from bellwire.viz.timeline.lanes import cover, lanes_of
from bellwire.viz.timeline.scene import EXACT, look
from tests.support.fake_source import HZ, FakeSource
from tests.support.journey_streams import World, cut, scenario

ROWS = ("instruction0", "user0", "flight", "awake")


def occupied(batches: list[Events], hz: float) -> Occupancy:
    occupancy, tracker = Occupancy(hz), JourneyTracker(scenario())
    for batch in batches:
        occupancy.feed(batch, tracker.feed(batch))
    return occupancy


def test_bins_hold_what_the_events_say_however_they_are_cut() -> None:
    events = World(random.Random(5), True).run(2000)
    events["kind"][np.flatnonzero(events["lane"] == Lane.IO_THREAD)[::3]] = EventKind.WAIT
    t0, t1 = int(events["tsc"][0]), int(events["tsc"][-1]) + 1
    hz = 1e4 * (t1 - t0) / 500  # 500 bins in all
    whole, parts = occupied([events], hz), occupied(cut(events, random.Random(1)), hz)
    edges = np.array([t0, t1], np.uint64)
    journeys = JourneyTracker(scenario()).feed(events)
    spans = (instruction(events), user_space(events), flights(journeys), awake(events))
    for row, some in zip(ROWS, spans, strict=True):
        true = cover(some, edges)[0]
        assert true > 0
        assert whole.bins.sums(row, t0 - 10**6, t1 + 10**6, 10**4).sum() == pytest.approx(true, rel=1e-6), row
        assert parts.bins.sums(row, t0 - 10**6, t1 + 10**6, 10**4).sum() == pytest.approx(true, rel=1e-6), row


def test_shares_lie_between_nothing_and_all() -> None:
    events = World(random.Random(5), True).run(2000)
    occupancy = occupied([events], 1e7)
    t0, t1 = int(events["tsc"][0]), int(events["tsc"][-1])
    for row in ROWS:
        share = occupancy.share(row, t0, t1, 200)
        assert share.shape == (200,)
        assert 0 <= share.min() <= share.max() <= 1
    assert occupancy.share("flight", t1 + 10**9, t1 + 2 * 10**9, 50).max() == 0
    assert occupancy.share("no such row", t0, t1, 50).max() == 0


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 900)), min_size=1, max_size=30))
def test_spread_gives_each_bin_what_lies_in_it(spans: list[tuple[int, int]]) -> None:
    start = np.array([s for s, _ in spans], np.uint64)
    end = start + np.array([n for _, n in spans], np.uint64)
    numbers, amounts = spread_over_bins(start, end, 100)
    held = np.bincount(numbers, amounts, minlength=60)
    edges = np.arange(0, 6100, 100).astype(np.uint64)
    assert held == pytest.approx(cover(Spans(start, end), edges))


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 4000)), min_size=1, max_size=30), st.integers(1, 200))
def test_bins_have_the_same_cycles_one_by_one_and_at_once(spans: list[tuple[int, int]], width: int) -> None:
    start = np.array([s for s, _ in spans], np.uint64)
    end = start + np.array([n for _, n in spans], np.uint64)
    each, at_once = (
        np.bincount(numbers, cycles, minlength=9001)
        for numbers, cycles in (spread_over_bins(start, end, width), cycles_by_bin(Spans(start, end), width))
    )
    assert each.tolist() == at_once.tolist()


def test_spans_over_each_other_are_not_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    start = np.arange(50_000, dtype=np.uint64)
    spans, spread = Spans(start, start + np.uint64(500_000)), list[int]()
    monkeypatch.setattr(density, "spread_over_bins", lambda start, *_: spread.append(start.size))
    numbers, cycles = cycles_by_bin(spans, 1000)
    assert not spread
    assert (numbers.size, cycles.sum()) == (550, 50_000 * 500_000)
    apart = Spans(start * np.uint64(10**6), start * np.uint64(10**6) + np.uint64(2000))
    cycles_by_bin(apart, 1000)
    assert spread == [50_000]


def test_what_is_long_ago_is_held_in_wider_bins() -> None:
    bins = Bins(HZ)
    width = round(HZ * FINEST_SECONDS)
    for second in range(0, 4000, 10):
        bins.roll_to(second * HZ + width)
        bins.add("row", np.array([second * HZ // width]), np.array([1.0]))
    newest = 3990 * HZ + width
    assert bins.sums("row", 0, newest, 1)[0] == pytest.approx(400, abs=1.01)
    finest = newest - BINS * width
    assert bins.sums("row", finest + width, newest + HZ, 10_000).sum() == pytest.approx(1)
    coarse = bins.sums("row", 0, 2000 * HZ, 200)
    assert coarse.sum() == pytest.approx(200, abs=1.01)
    assert (coarse > 0).sum() >= 190  # ten seconds apart: still told from each other
    assert COARSER**7 * width < 10 * HZ


def test_what_comes_late_is_counted_and_what_comes_too_late_harms_nobody() -> None:
    bins = Bins(HZ)
    width = bins.width
    bins.roll_to(BINS * width * 3)
    bins.add("row", np.array([BINS * 3 - 5, 7]), np.array([2.0, 3.0]))
    assert bins.sums("row", 0, BINS * width * 3, 1)[0] == pytest.approx(5)
    assert bins.sums("row", (BINS * 2 + 1) * width, BINS * width * 3, 1)[0] == pytest.approx(2)


def test_density_counts_every_event_once_by_its_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_module, "MOST", 500)
    source = FakeSource()
    source.start()
    model = LiveModel(source)
    past = HeldColumns(model)
    for n in range(40):
        source.run(0.05)
        model.tick(0.05)
        if n % 3 == 0:
            past.counts(model.events.first, model.events.last, 10)
    ready, around = [past.ready], (model.events.first - HZ, model.events.last + HZ)
    for _ in range(60):
        counts = past.counts(*around, 100)
        past.busy(list(ROWS), model.events.first, model.events.last, 10)
    assert [*ready, past.ready] == [False, True]
    held = model.window(0, 2**62)["lane"]
    for where in Lane:
        assert counts[where].sum() == pytest.approx((held == where).sum()), where
    whole = Density(HZ)
    whole.feed(model.window(0, 2**62))
    assert whole.counts(*around, 100)[Lane.GUEST] == pytest.approx(counts[Lane.GUEST])


def test_a_stretch_longer_than_the_finest_ring_is_whole_in_the_wider_ones() -> None:
    bins, seconds = Bins(HZ), 40
    start, end = 7 * HZ + 12_345, (7 + seconds) * HZ
    assert seconds > BINS * FINEST_SECONDS
    bins.roll_to(end)
    bins.add_spans("row", Spans(np.array([start], np.uint64), np.array([end], np.uint64)))
    for pixels in (40, 400, 1600):
        share = bins.sums("row", start, end, pixels) * pixels / (end - start)
        inner = share[pixels // 40 : -pixels // 40]  # a bin at an end is full in part
        assert inner == pytest.approx(np.ones(inner.size), rel=0.01)
    newest = round(BINS * FINEST_SECONDS * HZ * 0.9)
    assert bins.sums("row", end - newest, end, 1000).sum() == pytest.approx(newest, rel=0.01)


def test_a_long_stretch_is_drawn_whole_from_within_it_and_from_afar() -> None:
    model = LiveModel(FakeSource())
    start, end = 10**12, 10**12 + 5 * HZ
    ends = ((start, EventKind.EXIT), (end, EventKind.ENTRY))
    left = np.concatenate([event(tsc, kind, Lane.VCPU, 2, 0, 0) for tsc, kind in ends])
    model._fold(left)
    model.past.feed(left, end)
    past, lanes = HeldColumns(model), lanes_of(model.scenario, 1)
    for seconds in (1e-6, 1e-3, 0.1, 1.0):
        middle, half = (start + end) // 2, round(seconds * HZ / 2)
        found = look(past, lanes, middle - half, middle + half, HZ, 1000).spans["user0"]
        assert (found.start.tolist(), found.end.tolist()) == ([start], [end]), seconds
    busy = past.busy(["user0"], start, end, 50)["user0"]
    assert busy[1:-1] == pytest.approx(np.ones(48), rel=0.01)


def test_where_too_many_journeys_are_under_way_they_are_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LiveModel(FakeSource("irq-msi"))
    start, end = 10**12, 10**12 + HZ // 10
    signalled = np.zeros(EXACT + 1, JOURNEY)
    signalled["seq"] = signalled["interrupt"] = np.arange(1, EXACT + 2)
    signalled["irq"], signalled["handler"] = start, end
    model.events.append(event(end, EventKind.HANDLER, Lane.GUEST, 0, EXACT + 1, EXACT + 1))
    past, lanes, fetched = HeldColumns(model), lanes_of(model.scenario, 1), list[int]()

    def fetch(t0: int, _t1: int) -> Journeys:
        fetched.append(t0)
        return no_journeys()

    monkeypatch.setattr(model.past, "journeys", fetch)
    model.journeys.append(signalled[:EXACT])
    look(past, lanes, start + 100, start + 200, HZ, 1000)
    assert len(fetched) == 1
    model.journeys.append(signalled[EXACT:])
    shares = look(past, lanes, start + 10**6, end - 10**6, HZ, 1000).shares
    assert len(fetched) == 1
    assert shares is not None
    assert shares["flight"].tolist() == [1] * 1000
