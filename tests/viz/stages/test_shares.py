"""The parts of a journey add up to its whole; a bound is a bound; a run's journeys are what its histograms say."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.engine.events import Clock
from bellwire.engine.folds.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT, JOURNEY, PARTNERED, Journeys
from bellwire.engine.folds.latency import cycles_of, has
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.viz.stages.moments import Moments, none_of
from bellwire.viz.stages.shares import (
    LONGEST,
    SHORTEST,
    Explained,
    RunShares,
    percent_words,
    percents,
    title_of,
    whole_latency_of,
)
from bellwire.viz.stages.times import times_of_stages
from bellwire.viz.stages.way import StageWay, WaysOf

GHZ = Clock(1_000_000_000)  # a cycle is a nanosecond
ROUND_TRIP = {"ring": 1000, "rung": 1400, "doorbell": 1700, "irq": 1800, "handler": 2300}
NAMES = (
    "roundtrip",
    "roundtrip-userspace",
    "irq-ioapic",
    "irq-level-resample",
    "vm-to-vm",
    "vhost-user-blk",
    "doorbell-pio",
)


def explained(way: StageWay, journey: Journeys, moments: Moments) -> Explained:
    return Explained(journey, moments, times_of_stages(way, journey, moments))


def one_told(name: str, stamps: dict[str, int], **found: int) -> Explained:
    one = np.zeros(1, JOURNEY)
    for stamp, tsc in stamps.items():
        one[stamp] = tsc
    moments = none_of(one) | {moment: np.array([tsc], np.uint64) for moment, tsc in found.items()}
    [(way, _)] = WaysOf(load_scenario(name), "kvm_intel").of(one, moments)
    return explained(way, one, moments)


def parts(told: Explained) -> list[tuple[str, str, int, str]]:
    return [(share.stops[0].name, share.stops[-1].name, share.cycles, share.bound) for share in told.shares]


def test_a_bound_divides_what_no_stamp_does() -> None:
    told = one_told("roundtrip", ROUND_TRIP, returned=1950)
    assert parts(told) == [
        ("guest-write", "wait-queue", 400, LONGEST),
        ("runnable", "runnable", 300, SHORTEST),
        ("waiter", "waiter", 100, ""),
        ("signaller", "lapic", 150, LONGEST),
        ("vcpu", "window", 350, SHORTEST),
    ]
    assert told.cycles == 1300
    assert "inside of the guest's instruction" in told.shares[0].rule
    assert told.shares[0].rule == told.shares[1].rule
    assert told.shares[0].title == "The guest writes … the wait queue's entries are called"
    assert told.shares[0].places == ("kernel", "guest")


def test_a_bound_behind_the_next_stamp_divides_nothing() -> None:
    told = one_told("roundtrip", ROUND_TRIP | {"rung": 1750}, returned=2400)
    assert parts(told) == [
        ("guest-write", "runnable", 700, ""),
        ("waiter", "waiter", 100, ""),
        ("signaller", "window", 500, ""),
    ]
    assert {share.rule for share in told.shares} == {""}


def test_a_journey_without_an_end_has_no_shares() -> None:
    told = one_told("roundtrip", {"ring": 1000})
    assert (told.cycles, told.shares) == (0, ())


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=9).filter(any))
def test_shares_add_up_to_a_hundred(cycles: list[int]) -> None:
    shares = percents(cycles)
    assert round(sum(shares) * 10) == 1000
    assert all(abs(share - 100 * one / sum(cycles)) < 0.1 for share, one in zip(shares, cycles, strict=True))


def test_none_of_several_parts_is_all_of_it_and_none_is_nothing() -> None:
    words = [percent_words(one) for one in percents([10**9, 1])]
    assert words == ["> 99.9 %", "< 0.1 %"]
    assert [percent_words(100, bound) for bound in ("≥", "≤")] == ["> 99.9 %", "≤ 100.0 %"]
    assert [percent_words(0, bound) for bound in ("≥", "≤")] == ["≥ 0.0 %", "< 0.1 %"]
    assert percent_words(100, alone=True) == "100.0 %"
    assert percent_words(45.12, "≥") == "≥ 45.1 %"


def random_journeys(name: str, seed: int, count: int = 30) -> tuple[Journeys, Moments]:
    """As the scenario can have them, whatever was switched; some stamps late or missing."""
    scenario, chance = load_scenario(name), random.Random(seed)
    many = np.zeros(count, JOURNEY)
    moments = none_of(many)
    many["seq"] = np.arange(1, count + 1)
    for row in many:
        heavy = chance.choice([0, HEAVY_DOORBELL, HEAVY_INTERRUPT, 3])
        stamps = ["ring", *["exit", "entry"] * (heavy & 1), "doorbell"] if scenario.doorbell else []
        stamps += ["irq", "handler"] if scenario.interrupt else []
        if name == "vm-to-vm":
            stamps = ["ring", "handler"]
        if name == "vhost-user-blk":
            stamps, heavy = ["ring", "handler"], PARTNERED
        tsc = chance.randint(10**6, 10**7)
        for stamp in stamps:
            tsc += chance.randint(1, 5000)
            row[stamp] = tsc
        row["heavy"] = heavy
        if scenario.doorbell and chance.random() < 0.8:
            row["rung"] = int(row["ring"]) + chance.randint(1, 9000)
    called = many["irq"] + np.array([chance.randint(1, 9000) for _ in many], np.uint64)
    moments["returned"] = np.where(many["irq"] > 0, called, np.uint64(0))
    return many, moments


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_the_parts_of_every_journey_add_up_to_its_latency(name: str, seed: int) -> None:
    many, moments = random_journeys(name, seed)
    for way, rows in WaysOf(load_scenario(name), "kvm_intel").of(many, moments):
        latency = whole_latency_of(way)
        assert has(many[rows], latency).all()
        for row in rows:
            one = {moment: tsc[row : row + 1] for moment, tsc in moments.items()}
            told = explained(way, many[row : row + 1], one)
            assert sum(share.cycles for share in told.shares) == told.cycles == cycles_of(many[[row]], latency)[0]
            assert all(share.cycles > 0 for share in told.shares)
            assert all(bool(share.bound) == bool(share.rule) for share in told.shares)
            passed = [stop for share in told.shares for stop in share.stops]
            assert passed == list(way.stops[: len(passed)])


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_the_same_however_it_is_cut(name: str) -> None:
    many, moments = random_journeys(name, 7, 400)
    at_once, cut = (RunShares(WaysOf(load_scenario(name), "kvm_intel"), GHZ) for _ in range(2))
    at_once.feed(many, moments)
    for part in np.array_split(np.arange(many.size), 13):
        cut.feed(many[part], {moment: tsc[part] for moment, tsc in moments.items()})
    assert sum(way.whole.count for way in at_once.told) == many.size
    assert set(at_once.by_course) == set(cut.by_course)
    for course, told in at_once.by_course.items():
        other = cut.by_course[course]
        assert told.whole.count == other.whole.count
        assert told.slowest is not None
        assert other.slowest is not None
        assert told.slowest.cycles == other.slowest.cycles == told.whole.max
        middle = told.nearest(50)
        assert middle is not None
        assert abs(middle.cycles - told.whole.percentile(50)) <= 1 + told.whole.percentile(50) / 1024
        for share in middle.shares:
            assert told.median(share) == other.median(share) is not None


def test_the_median_of_a_part_is_of_all_journeys_that_have_it() -> None:
    many = np.zeros(99, JOURNEY)
    many["seq"] = np.arange(1, 100)
    for stamp, tsc in ROUND_TRIP.items():
        many[stamp] = tsc
    many["doorbell"] += np.arange(99, dtype=np.uint64)
    many["irq"] += np.arange(99, dtype=np.uint64)
    many["handler"] += np.arange(99, dtype=np.uint64)
    run = RunShares(WaysOf(load_scenario("roundtrip"), "kvm_intel"), GHZ)
    run.feed(many, none_of(many))
    [way] = run.told
    assert way.slowest is not None
    assert [way.median(share) for share in way.slowest.shares] == [400, 349, 100, 500]
    assert way.nearest(99) is None  # nothing lies beyond it
    assert title_of(way.way) == "Doorbell by ioeventfd, then: Interrupt by irqfd, as a message"


def test_every_scenario_has_a_latency_that_its_ways_add_up_to() -> None:
    for scenario in list_scenarios():
        one = np.zeros(1, JOURNEY)
        one["ring"], one["doorbell"] = (1000, 1100) if scenario.doorbell else (0, 0)
        one["irq"], one["handler"] = (1200, 1300) if scenario.interrupt else (0, 0)
        [(way, _)] = WaysOf(scenario, "kvm_intel").of(one, none_of(one))
        assert whole_latency_of(way) in ("round_trip", "doorbell", "injection")
        assert explained(way, one, none_of(one)).shares, scenario.name
