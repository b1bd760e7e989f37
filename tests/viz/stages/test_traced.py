"""What the kernel's tracepoints tell is a journey's by its number, and makes of bounds what is measured."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from bellwire.engine.events import EVENT, ROLE_BITS, Clock, EventfdSignaller, EventKind, Events, Lane, ThreadRole
from bellwire.engine.folds.journeys import JOURNEY, Journeys
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.engine.scenarios.traits import Traits
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.stages.anatomy import followed_stages, load_anatomy
from bellwire.viz.stages.moments import MOMENTS, moments, none_of
from bellwire.viz.stages.shares import LONGEST, SHORTEST, Explained, RunShares
from bellwire.viz.stages.times import Known, times_of_stages
from bellwire.viz.stages.traced import TRACED, traced
from bellwire.viz.stages.way import StageWay, Traveled, WaysOf
from bellwire.viz.stages.when import SINCE, TOLD_BY

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
    (2050, EventKind.RUNS, VCPU, 9, 0),
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
    expected |= {"io_runs": 1601, "vcpu_runs": 2051}  # a thread gets its CPU for all that waits: the last time counts
    assert found(journey(**ROUND_TRIP), events) == expected
    assert found(journey(**ROUND_TRIP), np.flip(events)) == expected, "however they are sorted"
    assert found(journey(**ROUND_TRIP), events[:0]) == {}


def test_a_match_by_address_alone_is_not_where_the_search_begins() -> None:
    assert found(journey(**ROUND_TRIP), told((1100, EventKind.FAST_MMIO, 0x510, 5, 0), BY_MSI[3])) == {"msi": 1850}


def traits(name: str) -> Traits:
    return traits_of(load_scenario(name))


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
        ["guest-write", "io-bus", "io-run-queue", "io-on-cpu", "waiter"],
        ["signaller", "msi", "lapic", "vcpu-run-queue", "vcpu-on-cpu", "window", "handler"],
    )
    assert measured == out + back
    parts = [(share.stops[0].name, share.stops[-1].name, share.cycles, share.bound) for share in told_of.shares]
    assert parts == [
        ("guest-write", "emulate-pio", 100, ""),
        ("io-bus", "runnable", 150, ""),
        ("io-run-queue", "io-run-queue", 350, ""),
        ("io-on-cpu", "io-on-cpu", 100, ""),
        ("waiter", "waiter", 100, ""),
        ("signaller", "irqfd", 50, ""),
        ("msi", "msi", 20, ""),
        ("lapic", "vcpu", 20, ""),
        ("vcpu-run-queue", "vcpu-run-queue", 160, ""),
        ("vcpu-on-cpu", "vcpu-on-cpu", 150, ""),
        ("window", "window", 100, ""),
    ]


def test_without_the_kernel_all_is_as_it_was() -> None:
    assert LONGEST in {share.bound for share in explained(told()).shares}
    way = explained(told()).times.way
    assert not any(stop.began in TRACED for stop in way.stops)
    assert way.names == way_as_it_was("roundtrip").names


def way_as_it_was(name: str) -> StageWay:
    """The stages that the anatomy's paths have of themselves."""
    one = journey(**ROUND_TRIP)
    [(way, _)] = WaysOf(load_scenario(name), "kvm_intel").of(one, none_of(one))
    assert not {name for stop in way.stops for name in stop.stage.then} & set(way.names)
    return way


def test_a_thread_that_did_not_sleep_is_where_the_scheduler_says() -> None:
    """It is not woken, so that it waits for a CPU lies between other stamps; that it has one is measured."""
    awake = explained(told(*(row for row in BY_MSI if row[1] is not EventKind.WAKING)))
    parts = [(share.stops[0].name, share.stops[-1].name, share.cycles, share.bound) for share in awake.shares]
    assert ("io-on-cpu", "io-on-cpu", 100, "") in parts
    assert ("runnable", "io-run-queue", 200, SHORTEST) in parts  # its count was there before the guest went on
    assert ("lapic", "vcpu-run-queue", 180, "") in parts
    assert ("vcpu-on-cpu", "vcpu-on-cpu", 150, "") in parts
    assert sum(cycles for *_, cycles, _ in parts) == 1300


def test_a_vcpu_that_had_its_cpu_all_along_waits_in_no_run_queue() -> None:
    running = explained(told(*(row for row in BY_MSI if row[2] != VCPU)))
    assert not {"vcpu-run-queue", "vcpu-on-cpu"} & set(running.times.way.names)
    assert {"io-run-queue", "io-on-cpu"} < set(running.times.way.names)


def test_journeys_of_one_course_are_counted_together_whatever_was_told_of_each_if_anything_was() -> None:
    run, one = RunShares(WaysOf(load_scenario("roundtrip"), "kvm_intel"), Clock(10**9)), journey(**ROUND_TRIP)
    for left_out in (VCPU, IO, 0, *(row[0] for row in BY_MSI)):
        stamped = moments(one, told(*(row for row in BY_MSI if left_out not in (row[0], row[2]))), traits("roundtrip"))
        run.feed(one, stamped)
    run.feed(one, none_of(one))
    [shares] = run.told
    assert shares.whole.count == 3 + len(BY_MSI)
    assert run.left_out(shares) == 1
    whole = explained(told(*BY_MSI))
    assert {share.stops[0].name: shares.median(share) for share in whole.shares} == {
        share.stops[0].name: share.cycles for share in whole.shares
    }


@pytest.mark.parametrize("name", [scenario.name for scenario in list_scenarios()])
def test_the_rank_of_a_stage_is_the_same_whatever_was_told(name: str) -> None:
    """Parts of two journeys are the same part where their ranks are."""
    ways = WaysOf(load_scenario(name), "kvm_intel")
    all_told = [frozenset(some) for n in range(3) for some in combinations(followed_stages(), n)]
    made = [ways.way(Traveled(True, True, False, False, False, False, further=told)) for told in all_told]
    ranks = {(stop.path, stop.name, rank) for way in made for stop, rank in zip(way.stops, way.ranks, strict=True)}
    assert len(ranks) == len({stage[:2] for stage in ranks}), "each has one rank"
    assert {way.course for way in made} == {made[0].course}


LOST = [n for n, row in enumerate(BY_MSI) if row[1] is not EventKind.RUNS]  # without those it is another way


@pytest.mark.parametrize("left_out", LOST)
def test_a_moment_that_was_lost_widens_only_what_it_measured(left_out: int) -> None:
    whole, partly = explained(told(*BY_MSI)), explained(told(*BY_MSI[:left_out], *BY_MSI[left_out + 1 :]))
    assert sum(share.cycles for share in partly.shares) == whole.cycles == 1300
    assert (partly.times.earliest <= whole.times.earliest).all()
    assert (partly.times.latest >= whole.times.latest).all()


def test_every_moment_has_a_name_of_its_own() -> None:
    assert len(set(MOMENTS)) == len(MOMENTS)
    assert set(none_of(journey())) == set(MOMENTS)


PROBED = [
    (1130, EventKind.IOEVENTFD_WRITE, 0x510, 5, 1),
    (1150, EventKind.EVENTFD_SIGNAL, EventfdSignaller.IOEVENTFD, 5, 31),
    (1840, EventKind.IRQFD_WAKEUP, 24, 9, 32),
]


def test_functions_that_are_probed_measure_what_tracepoints_leave_between_them() -> None:
    told_of = explained(np.sort(told(*BY_MSI, *PROBED), order="tsc"))
    parts = [(share.stops[0].name, share.stops[-1].name, share.cycles, share.bound) for share in told_of.shares]
    assert parts[:9] == [
        ("guest-write", "emulate-pio", 100, ""),
        ("io-bus", "io-bus", 30, ""),
        ("ioeventfd", "ioeventfd", 20, ""),
        ("eventfd", "runnable", 100, ""),
        ("io-run-queue", "io-run-queue", 350, ""),
        ("io-on-cpu", "io-on-cpu", 100, ""),
        ("waiter", "waiter", 100, ""),
        ("signaller", "wait-queue", 40, ""),
        ("irqfd", "irqfd", 10, ""),
    ]


@pytest.mark.parametrize("left_out", range(len(PROBED)))
def test_a_function_that_is_not_there_leaves_its_stage_bounded(left_out: int) -> None:
    whole = explained(np.sort(told(*BY_MSI, *PROBED), order="tsc"))
    partly = explained(np.sort(told(*BY_MSI, *PROBED[:left_out], *PROBED[left_out + 1 :]), order="tsc"))
    assert sum(share.cycles for share in partly.shares) == whole.cycles
    assert (partly.times.earliest <= whole.times.earliest).all()
    assert (partly.times.latest >= whole.times.latest).all()


def test_a_line_is_lowered_when_its_function_was_entered_and_not_when_the_device_heard_of_it() -> None:
    scenario = load_scenario("irq-level-resample")
    one = journey(seq=0, irq=1000, handler=2000, interrupt=3)
    heard = told((2900, EventKind.RESAMPLE, 5, 3, 1))
    heard["lane"] = Lane.IO_THREAD

    def lowered(events: Events) -> tuple[int, int]:
        stamped = moments(one, events, traits_of(scenario))
        [(way, _)] = WaysOf(scenario, "kvm_amd").of(one, stamped)
        times, at = times_of_stages(way, one, stamped), way.index("resample", out=False)
        return int(times.earliest[0, at]), int(times.latest[0, at])

    assert lowered(heard) == (2900, 2900)
    assert lowered(np.concatenate([told((2600, EventKind.RESAMPLER_ACK, 5, 3, 0)), heard])) == (2600, 2600)
    by_the_host = told((1900, EventKind.RESAMPLER_ACK, 5, 3, 0))
    assert lowered(np.concatenate([by_the_host, heard])) == (2900, 2900)


def test_a_device_that_heard_before_the_handler_ran_does_not_hear_of_the_next_interrupt_instead() -> None:
    before = told((1900, EventKind.RESAMPLE, 5, 3, 1), (1910, EventKind.IRQFD, 5, 4, 0))
    events = np.concatenate([before, told((2900, EventKind.RESAMPLE, 5, 4, 1))])
    traits = traits_of(load_scenario("irq-level-resample"))
    own, next_ = (journey(seq=0, irq=irq, handler=2000, interrupt=number) for irq, number in ((1000, 3), (1910, 4)))
    assert [int(moments(one, events, traits)["resampled"][0]) for one in (own, next_)] == [0, 2900]


def test_a_completion_of_io_uring_is_measured_where_the_kernel_signals_it() -> None:
    scenario, one = load_scenario("io-uring"), journey(**ROUND_TRIP)
    signalled = told((1150, *PROBED[1][1:]), (1830, EventKind.EVENTFD_SIGNAL, EventfdSignaller.OTHER, 9, 32))
    stamped = moments(one, signalled, traits_of(scenario))
    [(way, _)] = WaysOf(scenario, "kvm_intel").of(one, stamped)
    times = times_of_stages(way, one, stamped)
    assert int(times.latest[0, way.index("eventfd", out=False)]) == 1830
    assert times.known(way.index("eventfd", out=False)) is Known.MEASURED


def test_each_stamp_of_the_kernel_has_its_words() -> None:
    anatomy = load_anatomy()
    named = {stage.traced for stage in anatomy.stages.values()} - {""}
    named |= {stamp for path in anatomy.paths.values() for stamp in path.began.values()} & set(TRACED)
    assert named <= set(TRACED) & TOLD_BY.keys() & SINCE.keys()
