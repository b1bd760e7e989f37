"""A chart of a journey that the kernel tells of: segments between its moments, without a gap and without a bound."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from bellwire.engine.events import EVENT, EventKind, Events, Lane, ThreadRole
from bellwire.engine.folds.journeys import JOURNEY, PARTNERED, Journeys
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.panels.sequence.chart import chart_of
from bellwire.viz.panels.sequence.inside import INSIDE, ORDER, rising
from bellwire.viz.panels.sequence.parts import GUEST, GUEST_B, IO, KVM, PARTNER, VCPU

IO_THREAD, VCPU_THREAD = ThreadRole.IO_THREAD, ThreadRole.VCPU
ROUND_TRIP = {"seq": 5, "ring": 1000, "rung": 1400, "doorbell": 1700, "irq": 1800, "handler": 2300, "interrupt": 9}
BY_MSI = [
    (1100, EventKind.PIO, 0x510, 5),
    (1250, EventKind.WAKING, IO_THREAD, 5),
    (1600, EventKind.RUNS, IO_THREAD, 5),
    (1870, EventKind.ACCEPTED, 0x40, 9),
    (1890, EventKind.WAKING, VCPU_THREAD, 9),
    (2050, EventKind.RUNS, VCPU_THREAD, 9),
    (2200, EventKind.INJECTED, 0x40, 9),
]


def told(rows: list[tuple[int, EventKind, int, int]], vm: int = 0) -> Events:
    return np.array([(tsc, kind, Lane.KVM, vm, id, seq, 1) for tsc, kind, id, seq in rows], EVENT)


def journey(**fields: int) -> Journeys:
    one = np.zeros(1, JOURNEY)
    for name, value in fields.items():
        one[name] = value
    return one


def test_every_wait_for_a_cpu_is_a_segment_of_its_own() -> None:
    chart = chart_of(journey(**ROUND_TRIP), told(BY_MSI), load_scenario("roundtrip"))
    assert [(one.text, one.source, one.target, one.cycles, one.color) for one in chart.segments] == [
        ("OUT 0x510", GUEST, KVM, 100, "doorbell"),
        ("eventfd signalled", KVM, KVM, 150, "doorbell"),
        ("in a run queue", KVM, IO, 350, "text_muted"),
        ("read() → 0", IO, IO, 100, "doorbell"),
        ("answers", IO, IO, 100, "io_thread"),
        ("write(irqfd)", IO, KVM, 70, "interrupt"),
        ("kicks the vCPU", KVM, KVM, 20, "interrupt"),
        ("in a run queue", KVM, KVM, 160, "text_muted"),
        ("on its way into the guest", KVM, KVM, 150, "interrupt"),
        ("injected", KVM, GUEST, 100, "interrupt"),
    ]
    assert chart.segments[2].name == "I/O thread woken → I/O thread on a CPU"
    assert not any(segment.bound for segment in chart.segments)


@pytest.mark.parametrize("seed", range(40))
def test_segments_follow_one_another_whatever_the_kernel_tells(seed: int) -> None:
    chance = random.Random(seed)
    events = told(chance.sample(BY_MSI, seed % 8))
    events["tsc"] += np.array([chance.choice([0, 0, 400]) for _ in events], np.uint64)
    events = np.sort(events, order="tsc")
    chart = chart_of(journey(**ROUND_TRIP), events, load_scenario("roundtrip"))
    assert all(before.end == after.start for before, after in pairwise(chart.segments))
    assert (chart.start, chart.end, chart.cycles) == (1000, 2300, 1300)
    assert all(segment.cycles > 0 for segment in chart.segments)


def test_a_doorbell_that_leaves_passes_the_vcpu_thread() -> None:
    one = journey(seq=5, ring=1000, exit=1200, entry=1500, rung=1600, doorbell=1700, heavy=1)
    rows = [(1100, EventKind.PIO, 0x510, 5), (1150, EventKind.USER_EXIT, 2, 5), (1300, EventKind.WAKING, IO_THREAD, 5)]
    chart = chart_of(one, told(rows), load_scenario("doorbell-pio-exit"))
    assert [segment.target for segment in chart.segments] == [KVM, KVM, VCPU, KVM, IO]
    assert [segment.text for segment in chart.segments][1:4] == ["nobody takes it", "KVM_EXIT_IO", "write(eventfd)"]


def test_a_doorbell_that_is_an_interrupt_arrives_in_the_other_guest() -> None:
    one = journey(seq=5, ring=1000, rung=1400, handler=2300)
    rows = [(1100, EventKind.PIO, 0x510, 5), (1870, EventKind.ACCEPTED, 0x40, 5), (2200, EventKind.INJECTED, 0x40, 5)]
    chart = chart_of(one, told(rows), load_scenario("vm-to-vm"))
    assert [(one.text, one.target) for one in chart.segments][1:] == [
        ("irqfd injects", KVM),
        ("on its way into the guest", KVM),
        ("injected", GUEST_B),
    ]


def test_what_another_process_answers_passes_it() -> None:
    one = journey(seq=5, ring=1000, rung=1400, handler=2300, heavy=PARTNERED)
    rows = [(1100, EventKind.PIO, 0x510, 5), (1870, EventKind.ACCEPTED, 0x40, 5)]
    chart = chart_of(one, told(rows), load_scenario("vhost-user-blk"))
    assert [segment.via for segment in chart.segments] == ["", PARTNER, ""]


def test_a_moment_that_contradicts_the_journeys_own_stamps_is_none() -> None:
    times = {"ring": 10, "pio": 12, "io_waking": 11, "io_runs": 40, "doorbell": 30}
    assert rising(times) == ["ring", "pio", "doorbell"]
    assert set(INSIDE) < set(ORDER)
