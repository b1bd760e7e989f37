"""The bounds on what guest and host clock are apart hold the truth, whatever that is."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.engine.events import EVENT, Clock, EventKind, Events, Lane
from bellwire.engine.folds.clock_error import ClockError
from bellwire.engine.folds.journeys import JOURNEY, Journeys, JourneyTracker
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import load_scenario
from tests.support.journey_streams import World, cut, scenario

CLOCK = Clock(2e9)


def journeys_ahead(offset: int, seed: int) -> Journeys:
    """Journeys of a world whose guest's clock is `offset` cycles ahead, with the guest's stamps as it wrote them."""
    journeys = JourneyTracker(scenario()).feed(World(random.Random(seed), answered=True).run(600))
    for stage in ("ring", "rung", "handler"):
        there = journeys[stage] > 0
        journeys[stage][there] += np.int64(offset + 10**6).astype(np.uint64)
    for stage in ("exit", "entry", "doorbell", "irq"):
        there = journeys[stage] > 0
        journeys[stage][there] += np.uint64(10**6)
    return journeys


@settings(max_examples=30)
@given(st.integers(-(10**5), 10**5), st.integers(0, 99))
def test_the_true_offset_lies_within_the_bounds(offset: int, seed: int) -> None:
    error, journeys = ClockError(CLOCK), journeys_ahead(offset, seed)
    for part in np.array_split(journeys, 7):
        error.feed(part)
    assert error.least is not None
    assert error.most is not None
    assert error.least <= offset <= error.most
    assert error.most - error.least <= 200  # a step of that world is 50 cycles at most
    assert error.apart == (not error.least <= 0 <= error.most)
    assert error.ns == (error.least / 2, error.most / 2)


def test_each_pair_of_stamps_bounds_its_own_side() -> None:
    for stages, bounds in {
        ("ring", "doorbell"): (-70, None),
        ("ring", "exit"): (-70, None),
        ("irq", "handler"): (None, 70),
        ("entry", "rung"): (None, 70),
        ("ring", "rung"): (None, None),
    }.items():
        journey, error = np.zeros(1, JOURNEY), ClockError(CLOCK)
        journey[stages[0]], journey[stages[1]] = 1000, 1070
        error.feed(journey)
        assert (error.least, error.most) == bounds
        assert not error.apart


def test_it_is_a_fold_that_latencies_carry() -> None:
    events: Events = World(random.Random(3), answered=True).run(2000)
    whole, parts = Latencies(scenario(), CLOCK), Latencies(scenario(), CLOCK)
    whole.feed(events)
    for part in cut(events, random.Random(5)):
        parts.feed(part)
    assert (whole.clock_error.least, whole.clock_error.most) == (parts.clock_error.least, parts.clock_error.most)
    assert whole.clock_error.least is not None


def test_between_two_guests_no_host_stamps_anything() -> None:
    latencies = Latencies(scenario(by="doorbell"), CLOCK)
    rows = [(10, EventKind.RING, Lane.GUEST, 0, 0, 1, 0), (20, EventKind.RUNG, Lane.GUEST, 0, 0, 1, 0)]
    rows += [(30, EventKind.HANDLER, Lane.GUEST, 1, 0, 1, 1)]
    assert latencies.feed(np.array(rows, EVENT)).size == 1
    assert latencies.clock_error.ns == (None, None)


@pytest.mark.kvm
def test_a_real_guest_says_what_the_kernel_says() -> None:
    session = Session(load_scenario("roundtrip"), limit=40)
    with session:
        latencies = Latencies(session.scenario, session.clock)
        while latencies.journeys < 40 and session.alive:
            latencies.feed(session.take())
            time.sleep(0.01)
    latencies.feed(session.take())
    assert float(session.host["tsc_khz"]) == pytest.approx(session.clock.hz / 1000)
    error, offset = latencies.clock_error, int(session.host.get("tsc_offset", 0))
    assert error.least is not None
    assert error.most is not None
    assert error.least <= offset <= error.most
