"""The segments of a journey add up to its latency, stamp by stamp, in every machine and wiring."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.engine.events import EVENT, EventKind, Lane
from bellwire.engine.folds.journeys import JOURNEY, Journeys, finish
from bellwire.engine.folds.latency import begin
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.viz.model.journey_of import whole_length
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.sequence.chart import chart_of, span_of
from bellwire.viz.panels.sequence.parts import AT_LEAST, AT_MOST, GUEST, GUEST_B, IO, KVM, PARTNER, VCPU, Chart
from bellwire.viz.style.theme import Theme
from tests.support.batch_source import drained, world
from tests.support.fake_source import FakeSource
from tests.support.sessions import each, run

COLORS = {field.name for field in fields(Theme)}


def charts(model: LiveModel) -> list[tuple[Journeys, Chart]]:
    journeys = model.journeys.newest(200)
    rows = [journeys[n : n + 1] for n in range(journeys.size)]
    return [(row, chart_of(row, model.window(*span_of(row)), model.scenario)) for row in rows]


def check(journey: Journeys, chart: Chart, model: LiveModel) -> None:
    """What holds for every chart."""
    assert chart.cycles == int(whole_length(journey)[0])
    assert chart.start == int(begin(journey)[0])
    for one, next_ in zip(chart.segments, chart.segments[1:], strict=False):
        assert one.end == next_.start
    near = model.window(chart.start, chart.end)
    stamps = set(near["tsc"].tolist())
    for segment in chart.segments:
        assert segment.start < segment.end
        assert segment.color in COLORS
        if not segment.bound:
            assert {segment.start, segment.end} <= stamps
    names = {line.key for line in chart.lifelines}
    for segment in chart.segments:
        assert {segment.source, segment.target} <= names
        assert not segment.via or segment.via in names
    assert {aside.source for aside in chart.asides} | {aside.target for aside in chart.asides} <= names


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_segments_add_up_in_every_mixture_of_wirings(seed: int) -> None:
    model = drained(world(seed))
    for journey, chart in charts(model):
        check(journey, chart, model)


ONE_QUEUE = [some.name for some in list_scenarios() if not some.doorbell or some.doorbell.queues == 1]
MACHINES = ("roundtrip-userspace", "doorbell-fan-out", "doorbell-coalesced-pio", "irq-window", "irq-level-resample")
MORE_MACHINES = ("vm-to-vm", "self-doorbell", "io-uring", "virtqueue", "vhost-user-blk")


@pytest.mark.kvm
@pytest.mark.parametrize("scenario", each(*MACHINES, *MORE_MACHINES))
def test_segments_add_up_in_real_guests(scenario: str) -> None:
    session, events = run(load_scenario(scenario), 40)
    model = drained(events, scenario)
    made = charts(model)
    assert len(made) >= 10
    assert session.error is None
    for journey, chart in made:
        check(journey, chart, model)


@pytest.mark.parametrize("scenario", ONE_QUEUE)
def test_segments_add_up_in_every_scenario(scenario: str) -> None:
    source = FakeSource(scenario)
    source.start()
    model = LiveModel(source)
    for _ in range(20):
        source.run(1 / 20)
        model.tick(1 / 20)
    made = charts(model)
    assert made or source.scenario.interrupt is None or source.scenario.interrupt.masked
    for journey, chart in made:
        check(journey, chart, model)


def journey(**stages: int) -> Journeys:
    made = np.zeros(1, JOURNEY)
    made["seq"], made["batch"] = 7, 1
    for name, value in stages.items():
        made[name] = value
    return made


def chart(scenario: str, events: list[tuple[int, int, int, int, int, int, int]] = [], **stages: int) -> Chart:  # noqa: B006
    row = journey(**stages)
    made = chart_of(row, np.array(events, EVENT), load_scenario(scenario))
    assert made.cycles == int(finish(row)[0]) - int(begin(row)[0]) or made.end == (
        stages.get("handler") or stages["doorbell"]
    )
    return made


def ways(made: Chart) -> list[tuple[str, str, str]]:
    return [(segment.source, segment.target, segment.bound) for segment in made.segments]


def test_the_light_way_is_split_where_the_guest_goes_on() -> None:
    made = chart("roundtrip", ring=100, rung=130, doorbell=200, irq=220, handler=300)
    assert ways(made) == [(GUEST, KVM, AT_MOST), (KVM, IO, AT_LEAST), (IO, IO, ""), (IO, GUEST, "")]
    assert [segment.cycles for segment in made.segments] == [30, 70, 20, 80]
    assert made.segments[-1].via == KVM
    assert made.latency == "round trip"


def test_a_guest_that_goes_on_late_tells_nothing_of_the_signal() -> None:
    made = chart("roundtrip", ring=100, rung=250, doorbell=200, irq=220, handler=300)
    assert ways(made) == [(GUEST, IO, ""), (IO, IO, ""), (IO, GUEST, "")]
    assert made.segments[0].via == KVM


def test_whoever_ran_has_a_lifeline() -> None:
    """A recording may say that the I/O thread woke up for a doorbell whose way led elsewhere."""
    made = chart("vm-to-vm", ring=100, doorbell=150, rung=130, handler=200)
    assert IO in {active.lifeline for active in made.active}
    assert {active.lifeline for active in made.active} <= {line.key for line in made.lifelines}


def test_the_heavy_way_goes_by_the_vcpu_thread() -> None:
    made = chart(
        "roundtrip-userspace", ring=100, exit=150, entry=170, rung=180, doorbell=260, irq=280, handler=400, heavy=3
    )
    assert ways(made) == [
        (GUEST, VCPU, ""),
        (VCPU, VCPU, AT_MOST),
        (VCPU, IO, AT_LEAST),
        (IO, IO, ""),
        (IO, GUEST, ""),
    ]
    assert made.segments[0].text == "KVM_EXIT_IO"
    assert [aside.text for aside in made.asides] == ["KVM_RUN"]


def test_between_two_guests_there_is_no_host_thread() -> None:
    made = chart("vm-to-vm", ring=100, rung=130, handler=200)
    assert ways(made) == [(GUEST, KVM, AT_MOST), (KVM, GUEST_B, AT_LEAST)]
    assert {line.key for line in made.lifelines} == {GUEST, KVM, GUEST_B}
    assert made.latency == "doorbell"


def test_another_process_is_passed_without_a_stamp() -> None:
    made = chart("vhost-user-blk", ring=100, rung=130, handler=900, heavy=4)
    assert made.segments[-1].via == PARTNER
    assert made.latency == "round trip"
    assert any("other process" in note for note in made.notes)


def test_what_submits_or_calls_is_named_from_its_event() -> None:
    submit = chart(
        "io-uring", [(220, EventKind.SUBMIT, Lane.IO_THREAD, 0, 24, 7, 7)], ring=1, doorbell=200, irq=220, handler=300
    )
    assert "io_uring" in submit.segments[-1].text
    ioctl = chart("irq-line", [(220, EventKind.IRQ_IOCTL, Lane.IO_THREAD, 0, 0, 7, 0)], irq=220, handler=300, heavy=2)
    assert ioctl.segments[0].text == "KVM_IRQ_LINE"
    assert ioctl.latency == "injection"


def test_a_guest_that_holds_interrupts_off_splits_the_way_back() -> None:
    made = chart(
        "irq-window", [(250, EventKind.WINDOW, Lane.GUEST, 0, 0, 7, 0)], ring=1, doorbell=200, irq=220, handler=300
    )
    assert [segment.cycles for segment in made.segments[-2:]] == [30, 50]
    assert all(not segment.bound for segment in made.segments[-2:])


def test_the_end_of_an_interrupt_is_shown_where_it_is_stamped_and_said_where_not() -> None:
    resample = (400, EventKind.RESAMPLE, Lane.IO_THREAD, 0, 24, 7, 1)
    seen = chart("irq-level-resample", [resample], irq=220, handler=300)
    assert [aside.at for aside in seen.asides] == [400]
    assert not any("EOI" in note for note in seen.notes)
    assert any("EOI is not stamped" in note for note in chart("irq-msi", irq=220, handler=300).notes)
