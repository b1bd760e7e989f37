"""Every stage has its sentence; its figures are what plain loops over the events find; a step changes it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from bellwire.engine.events import EventKind, Lane
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.stages.circumstances import Circumstances
from bellwire.viz.stages.narration import TOLD, narrate
from bellwire.viz.stages.narration_in import merged_signals
from bellwire.viz.stages.standpoint import Standpoint
from bellwire.viz.stages.story import Story
from bellwire.viz.stages.telling import Telling
from bellwire.viz.stages.way import Traveled, WaysOf
from bellwire.viz.text.figures import duration, grouped
from tests.support.told import told_of

NONE_ARRIVES = ("irq-masked",)  # all edges are lost at the pin
MOST_WORDS = 25  # that a sentence has which is to be read aloud


def steps_told(point: Standpoint, around: Circumstances) -> list[tuple[str, str]]:
    """The stages of its story, each with what is said."""
    story = Story(point)
    told = []
    for step in range(len(story.steps)):
        story.step = step
        told.append((story.standpoint.here.name, narrate(story.standpoint, around)))
    return told


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.”]) (?=[A-Z])", text)


def test_every_stage_that_a_way_can_have_is_told() -> None:
    ways, stages = load_anatomy().paths.values(), load_anatomy().stages.values()
    on_ways = {stage.name for way in ways for stage in (*way.stages, *way.beside)}
    assert set(TOLD) == on_ways | {name for stage in stages for name in stage.then}


@pytest.mark.parametrize("name", [scenario.name for scenario in list_scenarios()])
def test_each_step_says_something_else_in_short_sentences_with_true_figures(name: str) -> None:
    journeys = list(told_of(name))
    assert bool(journeys) is (name not in NONE_ARRIVES)
    for point, around in journeys:
        told = steps_told(point, around)
        for (_, before), (stage, after) in pairwise(told):
            assert before != after, stage
        for stage, text in told:
            assert text.endswith((".", "”.")), text
            assert "-" not in re.findall(r"[−-](?=\d)", text), text
            assert all(len(sentence.split()) <= MOST_WORDS for sentence in sentences(text)), text
            assert around.clock.emulated or said_falsely(stage, text, point, around) == "", text
        assert sleep_of(point, around) in " ".join(text for _, text in told)


def said_falsely(stage: str, text: str, point: Standpoint, around: Circumstances) -> str:
    """What a plain loop over the events finds, if the sentence does not say it; "" if it does."""
    expected = {
        "waiter": read_of,
        "handler": run_of,
        "goes-on": instruction_of,
        "enters-again": stop_of_guest,
        "call-over": call_of_signal,
    }.get(stage)
    found = expected(point, around) if expected else ""
    return "" if found in text else found


def read_of(point: Standpoint, around: Circumstances) -> str:
    for tsc, kind, _, _, _, _, arg in around.events.tolist():
        if kind == EventKind.DOORBELL and tsc == point.stamp("doorbell"):
            return "returns 1" if arg == 1 else f"takes {grouped(arg)} doorbells at once"
    return ""


def run_of(point: Standpoint, around: Circumstances) -> str:
    for tsc, kind, _, _, id, _, arg in around.events.tolist():
        if kind == EventKind.HANDLER and tsc == point.stamp("handler"):
            # of a level with a resamplefd each has a handler of its own, which may know of the next one already
            together = arg > 1 and Trait.RESAMPLE not in traits_of(around.scenario)
            return f"serves {merged_signals(Telling(point, around))} at once" if together else f"vector {id:#x} runs"
    return ""


def instruction_of(point: Standpoint, around: Circumstances) -> str:
    return duration(around.clock.ns(int(point.journey["rung"][0]) - int(point.journey["ring"][0])))


def stop_of_guest(point: Standpoint, around: Circumstances) -> str:
    return duration(around.clock.ns(int(point.journey["entry"][0]) - int(point.journey["exit"][0])))


def sleep_of(point: Standpoint, around: Circumstances) -> str:
    """How long the I/O thread slept, or when it went to sleep, counted from the doorbell."""
    doorbell, ring = point.stamp("doorbell"), int(point.journey["ring"][0])
    last = None
    for event in around.events.tolist():
        if event[2] == Lane.IO_THREAD and event[0] < doorbell:
            last = event
    if last is None or last[1] != EventKind.WAIT or not point.times.way.index("waiter", out=True) >= 0:
        return ""
    return duration(around.clock.ns(abs(ring - last[0])))


def call_of_signal(point: Standpoint, around: Circumstances) -> str:
    irq = point.stamp("irq")
    later = [event[0] for event in around.events.tolist() if event[2] == Lane.IO_THREAD and event[0] > irq]
    return duration(around.clock.ns(later[0] - irq))


def told_at(name: str, stage: str, left: bool = False) -> str:
    """What is said at a stage of the first journey that passes it; left: its ring was found full."""
    for point, around in told_of(name):
        leaving = around.stamped(point.stamp("fetched"), EventKind.EXIT)
        if stage in point.times.way.names and (not left or (leaving is not None and leaving["seq"])):
            return dict(steps_told(point, around))[stage]
    return ""


def test_why_a_vcpu_leaves_while_the_ring_keeps_doorbells() -> None:
    assert told_at("doorbell-coalesced-pio", "exit", left=True).startswith("Doorbell #170 finds the ring full")
    assert told_at("doorbell-coalesced-mmio", "exit").startswith("The guest accesses 0xd0000000 otherwise")


def test_the_guest_goes_on_before_the_vcpu_leaves_for_another_cause() -> None:
    point, around = next(iter(told_of("doorbell-coalesced-mmio")))
    stages = [stage for stage, _ in steps_told(point, around)]
    assert stages.index("goes-on") < stages.index("exit") < stages.index("relay")
    assert "after the guest went on" in dict(steps_told(point, around))["exit"]


def test_where_kvm_ends_the_interrupt_itself_it_does_so_before_the_handler_runs() -> None:
    """The recordings are of such a machine; on others the handler writes the EOI."""
    for name, order in (("kvm_pvm", ("eoi", "handler", "resample")), ("kvm_intel", ("handler", "eoi", "resample"))):
        ways = WaysOf(load_scenario("irq-level-resample"), name)
        way = ways.way(Traveled(False, True, False, False, False, True))
        assert way.names[-3:] == order


def test_a_doorbell_that_is_the_interrupt_is_what_the_handler_serves() -> None:
    assert "serves doorbell #" in told_at("vm-to-vm", "handler")
    assert "serves the answer to doorbell #" in told_at("vhost-user-blk", "handler")
    assert "serves interrupt #" in told_at("roundtrip", "handler")
