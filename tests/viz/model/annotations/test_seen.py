"""An annotation is shown at its moment: of a part always, of an event while it is read, of a stage while it lasts."""

from __future__ import annotations

import pytest

from bellwire.engine.events import EventKind
from bellwire.engine.recordings.annotations.annotation import (
    Annotation,
    AnnotationKind,
    EventPin,
    PartPin,
    Pin,
    StagePin,
)
from bellwire.viz.model.annotations.pins import event_pin_of, go_to_annotation, stage_pin_at, stage_pin_now
from bellwire.viz.model.annotations.seen import SEEN_AT_ONCE, annotations_seen
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.telling import Teller, begin_story
from bellwire.viz.model.steps import begin_and_end
from tests.support.fake_source import HZ
from tests.support.models import run, running


@pytest.fixture
def model() -> LiveModel:
    return running(1.0)[1]


def put(model: LiveModel, pin: Pin) -> None:
    """A note that is neither new nor chosen."""
    model.annotations.all = (*model.annotations.all, Annotation(AnnotationKind.NOTE, "look", pin))


def look(model: LiveModel, tsc: int) -> tuple[int, ...]:
    model.transport.seek(tsc)
    model.move(0.01)
    return annotations_seen(model)


def test_of_a_part_it_is_always_shown(model: LiveModel) -> None:
    put(model, PartPin("driver"))
    assert annotations_seen(model) == look(model, model.now // 2) == (0,)


def test_of_an_event_it_is_shown_at_that_event_and_on_in_its_journey(model: LiveModel) -> None:
    journey = model.journeys.newest(3)[:1]
    start, end = begin_and_end(journey)
    doorbell = int(journey["doorbell"][0])
    event = model.window(doorbell, doorbell)[:1]
    put(model, event_pin_of(event))
    assert look(model, start) == look(model, doorbell - 1) == ()
    assert look(model, doorbell) == look(model, end) == (0,)
    assert look(model, end + 10 * (end - start)) == ()


def test_of_an_event_it_is_shown_as_long_as_it_is_read() -> None:
    """In real time, where the event was over before anybody could see it."""
    source, model = running(0.5)
    put(model, PartPin("driver", model.now + 1000))
    run(source, model, 0.1)
    assert annotations_seen(model) == (0,)
    run(source, model, 3.5)
    assert annotations_seen(model) == (0,)
    run(source, model, 1.0)
    assert annotations_seen(model) == ()


def test_who_goes_to_the_present_has_not_passed_what_is_between() -> None:
    source, model = running(4.0)
    put(model, PartPin("driver", model.now - 3 * HZ))
    put(model, PartPin("driver", model.now - 2 * HZ))
    assert look(model, model.now - 3 * HZ) == (0,)
    model.to_newest()
    run(source, model, 0.1)
    assert annotations_seen(model) == ()


def test_of_a_stage_it_is_shown_while_the_signal_is_there(model: LiveModel) -> None:
    """In a story, stage by stage: at that stage of that journey."""
    assert begin_story(model, Teller.NEWEST)
    story = model.story
    assert story is not None
    pins = {}
    for step in range(len(story.steps)):
        story.step = step
        model.tell(story)
        pins[step] = stage_pin_now(model)
    assert len(set(pins.values())) == len(story.steps) > 5
    wanted = 3
    pin = pins[wanted]
    assert pin is not None
    put(model, pin)
    story.paused = True
    seen = []
    for step in range(len(story.steps)):
        story.step = step
        model.tell(story)
        model.annotations.advance(model.playhead, model.playhead, 0.0, still=True)
        seen.append(annotations_seen(model) == (0,))
    assert seen[wanted]
    other = [step for step, shown in enumerate(seen) if shown and pins[step] and pins[step].tsc != pin.tsc]  # type: ignore[union-attr]  # all are there
    assert other == []
    assert not all(seen)


def test_what_is_chosen_is_shown_and_where_it_leads_it_is_chosen(model: LiveModel) -> None:
    journey = model.journeys.newest(5)[:1]
    doorbell = int(journey["doorbell"][0])
    event = model.window(doorbell, doorbell)[:1]
    stage = stage_pin_at(model, journey, doorbell)
    assert stage is not None
    for pin in (event_pin_of(event), stage, PartPin("driver", doorbell), PartPin("wakes")):
        put(model, pin)
    for index, one in enumerate(model.annotations.all):
        model.to_newest()
        go_to_annotation(model, index)
        model.move(0.01)
        assert model.annotations.chosen == index
        assert index in annotations_seen(model)
        assert one.tsc in (None, model.playhead)
    model.to_newest()
    go_to_annotation(model, 0)
    assert model.selection.events[0] == event[0]
    assert model.selection.journeys["seq"][0] == journey["seq"][0]


def test_no_more_at_once_than_leave_something_of_the_picture(model: LiveModel) -> None:
    for _ in range(3 * SEEN_AT_ONCE):
        put(model, PartPin("driver"))
    assert len(annotations_seen(model)) == SEEN_AT_ONCE


@pytest.mark.parametrize("tsc", [0, 1, 2**62, 2**63 - 1])
def test_what_a_file_says_may_be_anywhere_and_of_nothing(model: LiveModel, tsc: int) -> None:
    for pin in (
        EventPin(tsc, EventKind.HANDLER, 2**63 - 1, 255),
        StagePin(2**63 - 1, tsc, "x", tsc),
        PartPin("x", tsc),
    ):
        put(model, pin)
    for index in range(3):
        go_to_annotation(model, index)
        model.move(0.01)
        annotations_seen(model)
        assert model.past.first <= model.playhead <= model.now
