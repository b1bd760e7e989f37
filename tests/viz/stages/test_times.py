"""When stages began: what is measured, what is bounded and by which stamp; and so where a journey may be."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.engine.folds.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT, JOURNEY, Journeys
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.stages.moments import FOREVER, MOMENTS, Moments, none_of
from bellwire.viz.stages.times import Known, StageTimes, times_of_stages
from bellwire.viz.stages.way import WaysOf

STAMPS = set(JOURNEY.names or ()) | set(MOMENTS)
SCENARIOS = {scenario.name: scenario for scenario in list_scenarios()}


def journey(**stamps: int) -> Journeys:
    one = np.zeros(1, JOURNEY)
    for name, value in stamps.items():
        one[name] = value
    return one


def times(name: str, one: Journeys, **found: int) -> StageTimes:
    moments = none_of(one) | {moment: np.array([tsc], np.uint64) for moment, tsc in found.items()}
    [(way, _)] = WaysOf(load_scenario(name), "kvm_intel").of(one, moments)
    return times_of_stages(way, one, moments)


def at(known: StageTimes, tsc: int) -> list[str]:
    """The stages at which the journey may be."""
    first, last = known.standing(tsc)
    return list(known.way.names[int(first[0]) : int(last[0]) + 1])


ROUND_TRIP = {"ring": 100, "rung": 140, "doorbell": 170, "irq": 180, "handler": 230}


def test_an_ioeventfd_has_signalled_when_the_guest_goes_on() -> None:
    known = times("roundtrip", journey(**ROUND_TRIP), returned=200)
    assert at(known, 100) == ["guest-write", "emulate-pio", "io-bus", "ioeventfd", "eventfd", "wait-queue", "runnable"]
    assert at(known, 139) == at(known, 100)
    assert at(known, 140) == ["runnable"]  # certain: the eventfd counts, and the I/O thread is still to run
    assert at(known, 170) == ["waiter"]
    assert at(known, 180) == ["signaller", "wait-queue", "irqfd", "msi", "lapic", "vcpu", "window"]
    assert at(known, 200) == ["vcpu", "window"]  # write() has returned, so the local APIC has it
    assert at(known, 230) == ["handler"]


def test_a_thread_that_is_awake_before_the_guest_goes_on_bounds_it_earlier() -> None:
    known = times("roundtrip", journey(ring=100, rung=175, doorbell=170, irq=180, handler=230))
    assert at(known, 169)[-1] == "runnable"
    assert at(known, 170) == ["waiter"]
    assert known.latest[0, known.way.index("eventfd", out=True)] == 170


def test_an_exit_is_measured_and_the_relay_is_over_when_kvm_run_is_called_again() -> None:
    one = journey(ring=100, exit=120, entry=150, rung=160, doorbell=155, irq=180, handler=230, heavy=HEAVY_DOORBELL)
    known = times("roundtrip", one)
    assert at(known, 110) == ["guest-write", "emulate-pio", "io-bus", "exit"]
    assert at(known, 120) == ["relay", "eventfd", "wait-queue", "runnable"]
    assert at(known, 150) == ["runnable"]
    assert known.known(known.way.index("relay", out=True)) is Known.MEASURED
    assert known.known(known.way.index("eventfd", out=True)) is Known.BOUNDED


def test_an_ioctl_has_no_irqfd_on_its_way() -> None:
    known = times("roundtrip", journey(**ROUND_TRIP, heavy=HEAVY_INTERRUPT), returned=200)
    assert known.way.names[-6:] == ("ioctl", "signal-msi", "lapic", "vcpu", "window", "handler")
    assert at(known, 200) == ["vcpu", "window"]


def test_what_no_stamp_ends_is_unknown() -> None:
    known = times("doorbell-pio", journey(ring=100))
    assert known.known(0) is Known.MEASURED
    assert {known.known(stop) for stop in range(1, len(known.way.stops))} == {Known.UNKNOWN}


def some_journeys(seed: int) -> tuple[Journeys, Moments]:
    """With stamps in the order in which they come, some of them missing."""
    chance, many = random.Random(seed), np.zeros(20, JOURNEY)
    moments = none_of(many)
    for row in range(many.size):
        tsc = 1000
        for name in ("ring", "exit", "entry", "rung", "doorbell", "irq", "handler"):
            tsc += chance.randint(1, 100)
            many[name][row] = tsc
        many["heavy"][row] = chance.choice([0, HEAVY_DOORBELL, HEAVY_INTERRUPT, 3])
        many["exit"][row] *= many["heavy"][row] & HEAVY_DOORBELL
        many["entry"][row] *= many["heavy"][row] & HEAVY_DOORBELL
        moments["returned"][row] = chance.choice([0, int(many["irq"][row]) + chance.randint(1, 300)])
    return many, moments


@given(st.integers(0, 10**6))
def test_bounds_hold_the_order_and_one_more_stamp_only_narrows_them(seed: int) -> None:
    many, moments = some_journeys(seed)
    ways = WaysOf(load_scenario("roundtrip"))
    for way, rows in ways.of(many, moments):
        known = times_of_stages(way, many[rows], {name: found[rows] for name, found in moments.items()})
        assert np.all(known.earliest <= known.latest)
        assert np.all(np.diff(known.earliest.astype(np.int64), axis=1) >= 0)
        assert np.all(np.diff(known.latest.astype(np.int64), axis=1) >= 0)
        fewer = times_of_stages(way, many[rows], none_of(many[rows]))
        assert np.all(fewer.earliest <= known.earliest)
        assert np.all(fewer.latest >= known.latest)
        for tsc in range(1000, 1800, 37):
            first, last = known.standing(tsc)
            assert np.all(first <= last)
            began = known.earliest[:, 0] <= tsc
            assert np.all(known.latest[np.arange(rows.size), first][began] <= tsc)


def test_every_stamp_that_the_anatomy_names_is_one() -> None:
    anatomy = load_anatomy()
    paths = anatomy.paths.values()
    named = {stage.began for stage in anatomy.stages.values()} | {
        stamp for path in paths for stamp in path.began.values()
    }
    by = {stamp for path in paths for stamps in path.by.values() for stamp in stamps}
    assert named - {""} <= STAMPS
    assert by == set(anatomy.bounds) <= STAMPS
    for path in paths:
        assert set(path.by) | set(path.began) | set(path.after) <= {stage.name for stage in path.stages}
        assert set(path.after.values()) <= STAMPS


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_way_of_every_scenario_begins_and_ends_with_a_stamp(name: str) -> None:
    """Whatever a journey of it can have been, as far as its record tells."""
    scenario = SCENARIOS[name]
    for heavy in (0, HEAVY_DOORBELL, HEAVY_INTERRUPT, HEAVY_DOORBELL | HEAVY_INTERRUPT):
        one = journey(ring=100 * bool(scenario.doorbell), handler=230 * bool(scenario.interrupt), heavy=heavy)
        [(way, _)] = WaysOf(scenario, "kvm_intel").of(one, none_of(one))
        assert way.stops[0].began in ("ring", "irq")
        assert way.stops[-1].began == ("handler" if scenario.interrupt else "doorbell")
        assert all(stop.began for stop in way.beside)
    assert FOREVER > 230
