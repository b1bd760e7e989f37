"""What a story lights: the parts that its signal has come to, one more at a time, and none that is ahead of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bellwire.viz.diagram.blueprint import Blueprint, blueprint_of
from bellwire.viz.diagram.looked import not_reached
from bellwire.viz.diagram.still_words import Words
from bellwire.viz.diagram.stretches import is_kernels, shares_of, stops_along
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.telling import Teller, begin_story, end_story
from bellwire.viz.model.travel import Token
from bellwire.viz.stages.times import Known
from tests.support.shipped_models import shipped_model

KINDS = (  # of way
    "doorbell-pio",
    "doorbell-mmio-any",
    "doorbell-pio-exit",
    "doorbell-coalesced-mmio",
    "irq-ioapic",
    "irq-level-resample",
    "irq-line-level",
    "irq-signal-msi",
    "irq-window",
    "vhost-user-blk",
    "vm-to-vm",
    "self-doorbell",
    "io-uring",
    "two-vcpus-doorbell",
)


def told(model: LiveModel) -> Iterator[Token]:
    """The token at each step of a story."""
    assert begin_story(model, Teller.MEDIAN)
    story = model.story
    assert story is not None
    for step in range(len(story.steps)):
        story.step = step
        model.tell(story)
        [token] = model.tokens()
        yield token
    end_story(model)


def lit(model: LiveModel, plan: Blueprint) -> set[str]:
    return {name for name, passage in Words.of(model, plan).passages.items() if passage.lit and name in plan.wires}


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
@pytest.mark.parametrize("name", KINDS)
def test_a_story_lights_what_is_behind_its_signal_and_where_it_is(name: str, extended: bool) -> None:
    model = shipped_model(name)
    plan, before, dark, leg = blueprint_of(model.scenario, model.source.backend, extended), set[str](), 0, ""
    for token in told(model):
        assert model.story is not None
        point, now = model.story.standpoint, lit(model, plan)
        assert not now & not_reached(model, plan)
        dark += bool(not_reached(model, plan))
        if not token.beside and token.leg == leg:
            assert before <= now, point.here.name
        leg, before = ("", set()) if token.beside else (token.leg, now)
        assert token.somewhere == (not token.beside and point.known(point.stop) is not Known.MEASURED)
        assert bool(token.cycles) >= token.somewhere
    assert dark, "something was ahead of it"
    assert not not_reached(model, plan), "its end is the end"


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
@pytest.mark.parametrize("name", KINDS)
def test_while_the_kernel_holds_a_signal_it_stands_in_the_kernel(name: str, extended: bool) -> None:
    model, checked = shipped_model(name), 0
    plan = blueprint_of(model.scenario, model.source.backend, extended)
    boxes = [box.rect for box in plan.boxes.values() if is_kernels(box.stage)]
    left, right = min(rect[0] for rect in boxes), max(rect[0] + rect[2] for rect in boxes)
    for token in told(model):
        leg = plan.leg(token.leg, token.lane)
        assert token.way is not None
        stage = token.way.stops[token.first].stage
        if token.beside or stage.name in ("vcpu", "window", "exit", "eoi", "resample") or not leg.along:
            continue  # these lead out of the kernel
        stop = stops_along(plan, leg, token.leg, token.way).get(token.first)
        if stop is None or not is_kernels(stage.name):
            continue
        x = along(leg.points, stop.where.start), along(leg.points, stop.where.end)
        assert all(left - 1 <= one <= right + 1 for one in x), stage.name
        checked += 1
    assert checked


def along(points: tuple[tuple[float, float], ...], share: float) -> float:
    """How far to the right a line is at a share of its length."""
    shares = shares_of(points)
    for at in range(len(points) - 1):
        if share <= shares[at + 1]:
            part = (share - shares[at]) / (shares[at + 1] - shares[at] or 1.0)
            return points[at][0] + part * (points[at + 1][0] - points[at][0])
    return points[-1][0]
