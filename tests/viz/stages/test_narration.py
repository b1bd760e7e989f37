"""Every stage has its sentence; its figures are what plain loops over the events find; a step changes it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from bellwire.engine.events import EventKind, Lane
from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.stages.circumstances import Circumstances
from bellwire.viz.stages.narration import TOLD, narrate
from bellwire.viz.stages.standpoint import Standpoint
from bellwire.viz.stages.story import Story
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
    ways = load_anatomy().paths.values()
    assert set(TOLD) == {stage.name for way in ways for stage in (*way.stages, *way.beside)}


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
            assert said_falsely(stage, text, point, around) == "", text
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
            return f"serves {grouped(arg)} interrupts at once" if arg > 1 else f"vector {id:#x} runs"
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
