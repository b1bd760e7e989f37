"""What the kernel's tracepoints tell is a journey's by its number, and makes of bounds what is measured."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine.events import EVENT, ROLE_BITS, EventKind, Events, Lane, ThreadRole
from bellwire.engine.folds.journeys import JOURNEY, Journeys
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.stages.moments import MOMENTS, moments, none_of
from bellwire.viz.stages.shares import LONGEST, Explained
from bellwire.viz.stages.times import Known, times_of_stages
from bellwire.viz.stages.traced import TRACED, traced
from bellwire.viz.stages.way import WaysOf

IO, VCPU = ThreadRole.IO_THREAD | 77 << ROLE_BITS, ThreadRole.VCPU | 78 << ROLE_BITS
ROUND_TRIP = {"seq": 5, "ring": 1000, "rung": 1400, "doorbell": 1700, "irq": 1800, "handler": 2300, "interrupt": 9}
BY_MSI = [
    (1100, EventKind.PIO, 0x510, 5, 1),
    (1250, EventKind.WAKING, IO, 5, 0),
    (1600, EventKind.RUNS, IO, 5, 1),
    (1850, EventKind.MSI, 0x40, 9, 0),
    (1870, EventKind.ACCEPTED, 0x40, 9, 0),
    (1890, EventKind.WAKING, VCPU, 9, 1),
    (1950, EventKind.WRITTEN, IO, 9, 1),
    (2200, EventKind.INJECTED, 0x40, 9, 1),
]


def told(*rows: tuple[int, int, int, int, int]) -> Events:
    return np.array([(tsc, kind, Lane.KVM, 0, id, seq, arg) for tsc, kind, id, seq, arg in rows], EVENT)


def journey(**fields: int) -> Journeys:
    one = np.zeros(1, JOURNEY)
    for name, value in fields.items():
        one[name] = value
    return one


def found(one: Journeys, events: Events) -> dict[str, int]:
    return {name: int(tsc[0]) for name, tsc in traced(one, events).items() if tsc[0]}


def test_each_moment_is_found_by_its_number() -> None:
    others = [(tsc + 1, kind, id, seq + 1, arg) for tsc, kind, id, seq, arg in BY_MSI]
    nobodys = [(900, EventKind.ACCEPTED, 0x20, 0, 0), (901, EventKind.WAKING, IO, 0, 0)]
    events = np.sort(told(*BY_MSI, *others, *nobodys), order="tsc")
    expected = {"pio": 1100, "io_waking": 1250, "msi": 1850, "accepted": 1870, "vcpu_waking": 1890, "injected": 2200}
    assert found(journey(**ROUND_TRIP), events) == expected
    assert found(journey(**ROUND_TRIP), np.flip(events)) == expected, "however they are sorted"
    assert found(journey(**ROUND_TRIP), events[:0]) == {}


def test_a_match_by_address_alone_is_not_where_the_search_begins() -> None:
    assert found(journey(**ROUND_TRIP), told((1100, EventKind.FAST_MMIO, 0x510, 5, 0), BY_MSI[3])) == {"msi": 1850}


def explained(events: Events) -> Explained:
    scenario, one = load_scenario("roundtrip"), journey(**ROUND_TRIP)
    stamped = moments(one, events, traits_of(scenario))
    [(way, _)] = WaysOf(scenario, "kvm_intel").of(one, stamped)
    return Explained(one, stamped, times_of_stages(way, one, stamped))


def test_what_was_bounded_is_measured() -> None:
    told_of = explained(told(*BY_MSI))
    stops = told_of.times.way.stops
    measured = [stop.name for i, stop in enumerate(stops) if told_of.times.known(i) is Known.MEASURED]
    out, back = (
        ["guest-write", "io-bus", "runnable", "waiter"],
        ["signaller", "msi", "lapic", "vcpu", "window", "handler"],
    )
    assert measured == out + back
    parts = [(share.stops[0].name, share.stops[-1].name, share.cycles, share.bound) for share in told_of.shares]
    assert parts == [
        ("guest-write", "emulate-pio", 100, ""),
        ("io-bus", "wait-queue", 150, ""),
        ("runnable", "runnable", 450, ""),
        ("waiter", "waiter", 100, ""),
        ("signaller", "irqfd", 50, ""),
        ("msi", "msi", 20, ""),
        ("lapic", "lapic", 20, ""),
        ("vcpu", "vcpu", 310, ""),
        ("window", "window", 100, ""),
    ]


def test_without_the_kernel_all_is_as_it_was() -> None:
    assert LONGEST in {share.bound for share in explained(told()).shares}
    assert not any(stop.began in TRACED for stop in explained(told()).times.way.stops)


@pytest.mark.parametrize("left_out", range(len(BY_MSI)))
def test_a_moment_that_was_lost_widens_only_what_it_measured(left_out: int) -> None:
    whole, partly = explained(told(*BY_MSI)), explained(told(*BY_MSI[:left_out], *BY_MSI[left_out + 1 :]))
    assert sum(share.cycles for share in partly.shares) == whole.cycles == 1300
    assert (partly.times.earliest <= whole.times.earliest).all()
    assert (partly.times.latest >= whole.times.latest).all()


def test_every_moment_has_a_name_of_its_own() -> None:
    assert len(set(MOMENTS)) == len(MOMENTS)
    assert set(none_of(journey())) == set(MOMENTS)
