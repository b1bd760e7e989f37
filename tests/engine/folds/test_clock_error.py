"""The bounds on what guest and host clock are apart hold the truth, whatever that is."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.engine.events import EVENT, Clock, EventKind, Events, Lane
from bellwire.engine.findings.pairing import pairing_findings
from bellwire.engine.folds.clock_error import AGREE_NS, Agreement, ClockError
from bellwire.engine.folds.journeys import JOURNEY, Journeys, JourneyTracker, no_journeys
from bellwire.engine.folds.latency import LATENCIES, Latencies
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.text.figures import grouped
from bellwire.viz.text.trust import agreement
from tests.support.journey_streams import World, cut, scenario
from tests.support.shifted import TURNS, shifted_run

CLOCK = Clock(2e9)
NONE = no_journeys()


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


def fed(journeys: Journeys, out_of_order: Journeys = NONE, offset: int | None = None) -> ClockError:
    error = ClockError(Clock(2e9, offset))
    error.feed(journeys, out_of_order)
    return error


def fine(offset: int) -> float:
    """As finely as what contradicts the order is kept."""
    return abs(offset) / 500 + 1


@settings(max_examples=30)
@given(st.integers(-(10**5), 10**5), st.integers(0, 99))
def test_the_true_offset_lies_within_the_bounds(offset: int, seed: int) -> None:
    error, journeys = ClockError(CLOCK), journeys_ahead(offset, seed)
    for part in np.array_split(journeys, 7):
        error.feed(part, NONE)
    assert error.least is not None
    assert error.most is not None
    assert error.least - fine(offset) <= offset <= error.most + fine(offset)
    assert error.most - error.least <= 200 + abs(offset) / 500  # a step of that world is 50 cycles at most
    assert error.apart == (not error.least <= 0 <= error.most)
    assert error.ns == (error.least / 2, error.most / 2)
    assert error.agreement is (Agreement.APART if error.apart else Agreement.AGREE)


def test_each_pair_of_stamps_bounds_its_own_side() -> None:
    for stages, bounds in {
        ("ring", "doorbell"): (-70, None),
        ("ring", "exit"): (-70, None),
        ("irq", "handler"): (None, 70),
        ("entry", "rung"): (None, 70),
        ("ring", "rung"): (None, None),
    }.items():
        journey = np.zeros(1, JOURNEY)
        journey[stages[0]], journey[stages[1]] = 1000, 1070
        error = fed(journey)
        assert (error.least, error.most) == bounds
        assert not error.apart
        assert error.agreement is Agreement.UNKNOWN  # with one bound nothing agrees


def test_far_bounds_are_no_agreement() -> None:
    far = int(AGREE_NS * 2) + 1  # cycles of that clock: half a ns each
    for stages in ((1000, 1000 + far, 2000, 2010), (1000, 1010, 2000, 2000 + far)):
        journey = np.zeros(1, JOURNEY)
        journey["ring"], journey["doorbell"], journey["irq"], journey["handler"] = stages
        assert fed(journey).agreement is Agreement.UNKNOWN
    journey["handler"] = 2010
    assert fed(journey).agreement is Agreement.AGREE


def test_a_rare_stamp_before_its_cause_is_not_believed() -> None:
    """But not more of them than one in a hundred."""
    journeys = np.zeros(1000, JOURNEY)
    journeys["irq"], journeys["handler"] = 10_000, 10_500
    early = journeys[:11].copy()
    early["handler"] = 9_000
    assert fed(journeys[:990], early[:10]).most == 500
    error = fed(journeys[:989], early)
    assert (error.most, error.apart) == (-1000, True)
    assert (error.journeys, error.contradicted) == (1000, 11)


@pytest.mark.parametrize(("journeys", "early", "agree"), [(3, 1, False), (20, 1, True), (20, 2, False), (90, 1, True)])
def test_of_few_journeys_too_a_single_stamp_before_its_cause_proves_nothing(
    journeys: int, early: int, agree: bool
) -> None:
    error = fed(journeys_ahead(0, 5)[:journeys])
    strange = journeys_ahead(-40_000, 6)[:early]
    error.feed(NONE, strange)
    assert error.contradicted == early
    assert (error.agreement is Agreement.AGREE) is agree


def test_the_kernels_word_is_held_against_the_bounds() -> None:
    journey = np.zeros(1, JOURNEY)
    journey["ring"], journey["doorbell"], journey["irq"], journey["handler"] = 1000, 1070, 2000, 2090
    error = fed(journey)
    assert [error.contradicts(offset) for offset in (None, 0, -70, 90, -71, 91)] == [False] * 4 + [True] * 2


@pytest.mark.parametrize("us", [1000, -1000, 300, -300])
@pytest.mark.parametrize(
    ("name", "blind"),
    [("roundtrip", 0), ("doorbell-pio", -1), ("doorbell-pio-exit", 0), ("irq-msi", 1), ("vm-to-vm", 1)],
)
def test_a_guests_clock_that_is_off_is_found_and_by_how_much(name: str, blind: int, us: int) -> None:
    """blind: on which side nothing tells, as no signal goes the other way; there nothing is said to agree."""
    clock, scenario = Clock(2e9), load_scenario(name)
    latencies = Latencies(scenario, clock)
    for part in np.array_split(shifted_run(scenario, clock.cycles(us / 1e6)), 40):
        latencies.feed(part)
    error, found = latencies.clock_error, pairing_findings(latencies)
    assert latencies.tracker.given_up == 0
    assert error.journeys >= TURNS - 2
    if us * blind > 0:
        assert error.agreement is Agreement.UNKNOWN
        return
    assert error.agreement is Agreement.APART
    assert error.contradicted > 0.8 * TURNS
    bound = min((ns for ns in error.ns if ns is not None), key=lambda ns: abs(ns / 1000 - us))
    assert bound / 1000 == pytest.approx(us, abs=40)
    assert f"{error.contradicted} of {error.journeys} journeys arrive before they were sent" in found[0].claim
    assert f"{grouped(error.contradicted)} of {grouped(error.journeys)} journeys" in agreement(error)
    assert [latency for latency in LATENCIES if latencies.known(latency)] == ["store_cost", "round_trip"]
    if name == "roundtrip":  # one clock, so as right as ever
        assert latencies.histograms["round_trip"].count == error.journeys - latencies.warmup
        assert latencies.histograms["round_trip"].max < 60_000


def test_clocks_that_agree_contradict_nothing() -> None:
    for name in ("roundtrip", "doorbell-pio", "doorbell-pio-exit", "irq-msi", "vm-to-vm"):
        scenario = load_scenario(name)
        latencies = Latencies(scenario, Clock(2e9))
        latencies.feed(shifted_run(scenario, 0))
        error = latencies.clock_error
        assert (error.contradicted, error.apart, pairing_findings(latencies)) == (0, False, [])
        assert error.journeys >= TURNS - 2


def test_what_is_told_a_moment_early_contradicts_nothing() -> None:
    """A handler reads its number after its time: what is signalled in between has the next handler, which is told of
    nothing new. Also again and again."""
    rows, now = [], 1000
    for start in range(1, 200, 4):
        for k in range(start, start + 4):  # each known to the handler of the one before
            rows.append((now + 10 * k + 1, EventKind.IRQFD, Lane.IO_THREAD, 0, 24, k, 0))
        covers = (2, 1, 1, 0)
        for k, covered in zip(range(start, start + 4), covers, strict=True):
            known = min(k + 1, start + 3)
            rows.append((now + 10 * k + 8, EventKind.HANDLER, Lane.GUEST, 0, 0x40, known, covered))
        now += 1000
    latencies = Latencies(load_scenario("irq-msi"), CLOCK)
    latencies.feed(np.sort(np.array(rows, EVENT), order="tsc"))
    assert (latencies.clock_error.contradicted, latencies.clock_error.journeys) == (0, 200)


def test_it_is_a_fold_that_latencies_carry() -> None:
    events: Events = World(random.Random(3), answered=True).run(2000)
    whole, parts = Latencies(scenario(), CLOCK), Latencies(scenario(), CLOCK)
    whole.feed(events)
    for part in cut(events, random.Random(5)):
        parts.feed(part)
    assert (whole.clock_error.least, whole.clock_error.most) == (parts.clock_error.least, parts.clock_error.most)
    assert whole.clock_error.least is not None


def test_between_two_guests_one_bound_is_all_there_is() -> None:
    latencies = Latencies(scenario(by="doorbell"), CLOCK)
    rows = [(10, EventKind.RING, Lane.GUEST, 0, 0, 1, 0), (20, EventKind.RUNG, Lane.GUEST, 0, 0, 1, 0)]
    rows += [(30, EventKind.HANDLER, Lane.GUEST, 1, 0, 1, 1)]
    assert latencies.feed(np.array(rows, EVENT)).size == 1
    assert latencies.clock_error.ns == (None, 10.0)
    assert latencies.clock_error.agreement is Agreement.UNKNOWN
    assert "the two guests' clocks" in agreement(latencies.clock_error)


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
    assert not error.contradicts(offset)
    assert error.contradicted == 0
