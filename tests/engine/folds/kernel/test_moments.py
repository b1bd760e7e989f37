"""The moments of a journey in the kernel: by number, and of a CPU that a thread gets, by time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from bellwire.engine.events import EventfdSignaller, EventKind, Events, Lane, ThreadRole, end_to_end, event, no_events
from bellwire.engine.folds.journeys import JOURNEY, Journeys
from bellwire.engine.folds.kernel.moments import COURSE, KernelMoments, SignalTimes, last_between

AT = {  # of doorbell 7 and its interrupt 3
    "ring": 100,
    "pio": 110,
    "ioeventfd": 112,
    "signalled": 115,
    "io_waking": 120,
    "io_runs": 150,
    "doorbell": 160,
    "irq": 170,
    "write": 175,
    "irqfd": 178,
    "msi": 180,
    "accepted": 185,
    "vcpu_waking": 190,
    "vcpu_runs": 230,
    "injected": 240,
    "handler": 250,
}
KINDS = {
    "pio": (EventKind.PIO, 0x510, 7),
    "ioeventfd": (EventKind.IOEVENTFD_WRITE, 0x510, 7),
    "signalled": (EventKind.EVENTFD_SIGNAL, EventfdSignaller.IOEVENTFD, 7),
    "io_waking": (EventKind.WAKING, ThreadRole.IO_THREAD, 7),
    "io_runs": (EventKind.RUNS, ThreadRole.IO_THREAD, 7),
    "write": (EventKind.WRITE, ThreadRole.IO_THREAD, 3),
    "irqfd": (EventKind.IRQFD_WAKEUP, 24, 3),
    "msi": (EventKind.MSI, 0x40, 3),
    "accepted": (EventKind.ACCEPTED, 0x40, 3),
    "vcpu_waking": (EventKind.WAKING, ThreadRole.VCPU, 3),
    "vcpu_runs": (EventKind.RUNS, ThreadRole.VCPU, 3),
    "injected": (EventKind.INJECTED, 0x40, 3),
}


def told(**changed: int) -> Events:
    """What the kernel tells of that journey; 0: it does not."""
    times = {name: changed.get(name, AT[name]) for name in KINDS}
    events = [event(times[name], kind, Lane.KVM, id, seq) for name, (kind, id, seq) in KINDS.items() if times[name]]
    return np.sort(end_to_end(no_events(), *events), order="tsc")


def journey(**changed: int) -> Journeys:
    """What the program's own stamps tell of it."""
    journeys = np.zeros(1, JOURNEY)
    journeys["seq"], journeys["interrupt"] = 7, 3
    for stage in ("ring", "doorbell", "irq", "handler"):
        journeys[stage] = changed.get(stage, AT[stage])
    return journeys


def moments(events: Events, journeys: Journeys) -> dict[str, int]:
    """Those that are known."""
    fold = KernelMoments()
    fold.feed(events)
    (found,) = fold.of(journeys)
    return {name: int(found[name]) for name in COURSE if found[name]}


def test_every_moment_that_is_told_has_its_place() -> None:
    assert moments(told(), journey()) == AT


@pytest.mark.parametrize("seed", range(10))
def test_it_does_not_matter_how_the_events_are_cut(seed: int) -> None:
    fold, events = KernelMoments(), told()
    for since, until in pairwise([0, *np.sort(np.random.default_rng(seed).integers(100, 260, 4)).tolist(), 999]):
        fold.feed(events[(events["tsc"] >= since) & (events["tsc"] < until)])
    (found,) = fold.of(journey())
    assert {name: int(found[name]) for name in AT} == AT


@pytest.mark.parametrize("name", list(KINDS))
def test_what_is_not_told_is_not_there_and_changes_no_other_moment(name: str) -> None:
    assert moments(told(**{name: 0}), journey()) == {other: at for other, at in AT.items() if other != name}


def test_a_completion_is_the_interrupts_and_no_doorbells() -> None:
    completed = event(176, EventKind.EVENTFD_SIGNAL, Lane.KVM, EventfdSignaller.OTHER, 3)
    ended = event(300, EventKind.EVENTFD_SIGNAL, Lane.KVM, EventfdSignaller.RESAMPLER, 3)
    assert moments(end_to_end(told(), completed, ended), journey()) == AT | {"completed": 176}


@pytest.mark.parametrize(("at", "known"), [(300, 300), (245, 0)])
def test_an_end_that_came_before_the_handler_was_the_hosts_as_it_injected(at: int, known: int) -> None:
    fold = KernelMoments()
    fold.feed(end_to_end(told(), event(at, EventKind.RESAMPLER_ACK, Lane.KVM, 5, 3)))
    (found,) = fold.of(journey())
    assert int(found["acknowledged"]) == known


def test_a_thread_that_was_preempted_has_its_cpu_when_it_came_back() -> None:
    again = event(158, EventKind.RUNS, Lane.KVM, ThreadRole.IO_THREAD, 0)
    assert moments(end_to_end(told(), again), journey())["io_runs"] == 158


def test_of_two_guests_only_the_one_that_is_interrupted_waits_for_a_cpu() -> None:
    runs = end_to_end(*(event(at, EventKind.RUNS, Lane.KVM, ThreadRole.VCPU) for at in (228, 235)))
    run = event(AT["handler"], EventKind.HANDLER, Lane.GUEST, 0x40, 3, 1)
    runs["vm"], run["vm"] = (1, 0), 1
    events = np.sort(end_to_end(told(vcpu_runs=0), runs, run), order="tsc")
    assert moments(events, journey())["vcpu_runs"] == 228


def test_a_cpu_that_a_thread_had_before_is_none_that_it_waited_for() -> None:
    assert "io_runs" not in moments(told(io_runs=90), journey())


def test_an_interrupt_that_was_merged_with_a_newer_one_was_injected_with_it() -> None:
    newer = told()
    newer["seq"][newer["kind"] == EventKind.INJECTED] = 5
    assert moments(newer, journey())["injected"] == AT["injected"]


def test_what_comes_after_the_handler_has_served_another_one() -> None:
    found = moments(told(accepted=300, injected=310, vcpu_waking=0), journey())
    assert found.keys() & {"accepted", "injected", "msi"} == set()
    assert "write" in found
    late = moments(told(msi=280, accepted=0, injected=0, vcpu_waking=0, vcpu_runs=0), journey())
    assert late.keys() == AT.keys() - {"msi", "accepted", "injected", "vcpu_waking", "vcpu_runs"}


def test_where_the_doorbell_is_the_interrupt_it_goes_by_the_doorbells_number() -> None:
    direct = journey(doorbell=0, irq=0)
    direct["interrupt"] = 0
    events = told()
    events["seq"] = 7
    assert moments(events, direct)["injected"] == AT["injected"]


def test_a_doorbell_that_nobody_answers_has_no_moments_of_another_ones_interrupt() -> None:
    unanswered = journey(irq=0, handler=0)
    unanswered["seq"], unanswered["interrupt"] = 3, 0
    assert moments(told(), unanswered).keys() == {"ring", "doorbell", "io_runs"}


def test_a_call_that_is_entered_after_the_handler_has_nothing_to_do_with_it() -> None:
    assert "write" not in moments(told(write=280, accepted=300, injected=310, vcpu_waking=0), journey())


def test_moments_of_no_signal_are_left_out_and_out_of_order_they_are_found() -> None:
    some = SignalTimes()
    batch = end_to_end(*(event(at, EventKind.MSI, Lane.KVM, 0x40, seq) for at, seq in ((1, 0), (2, 9), (3, 4))))
    some.add(batch)
    assert some.of(np.array([4, 9, 5, 0], np.uint64)).tolist() == [3, 2, 0, 0]
    assert some.of(np.array([5, 10], np.uint64), covering=True).tolist() == [2, 0]


def test_the_last_time_in_a_stretch() -> None:
    times = np.array([10, 20, 30], np.uint64)
    since, until = np.array([5, 21, 40, 0], np.uint64), np.array([25, 29, 50, 9], np.uint64)
    assert last_between(times, since, until).tolist() == [20, 0, 0, 0]
