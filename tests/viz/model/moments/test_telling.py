"""A story goes through a real journey stage by stage, moves only the view, and ends when one looks elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

import bellwire.viz.model.live
from bellwire.engine.events import EVENT, EventKind, Lane
from bellwire.engine.folds.journeys import JOURNEY, no_journeys
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.diagram.journey_words import journey_caption, journey_figures
from bellwire.viz.model.history import History
from bellwire.viz.model.journey_of import whole_length
from bellwire.viz.model.live import LiveModel, journey_span
from bellwire.viz.model.moments.telling import (
    Teller,
    begin_story,
    end_story,
    journey_told,
    stopwatch_reason,
    stopwatch_words,
    story_title,
)
from bellwire.viz.stages.mark import StageMark
from bellwire.viz.stages.story import STAGE_SECONDS, Story
from tests.support.batch_source import drained, model_of
from tests.support.emulated import SAID
from tests.support.shifted import shifted_run
from tests.support.shipped_models import shipped_model


@pytest.fixture
def model() -> Iterator[LiveModel]:
    made = shipped_model("roundtrip")
    made.to_newest()
    yield made
    end_story(made)


def told(model: LiveModel) -> Story:
    assert model.story is not None
    return model.story


def test_a_story_tells_every_stage_in_its_order_and_the_view_is_at_each(model: LiveModel) -> None:
    assert begin_story(model, Teller.SLOWEST)
    story, seen, total = told(model), [told(model).step], model.events.total
    while not story.over:
        assert model.playhead == story.standpoint.tsc
        model.move(STAGE_SECONDS / 2)
        seen.append(story.step)
    assert sorted(set(seen)) == list(range(len(story.steps)))
    assert seen == sorted(seen)
    assert model.story is story, "it stands at its end until somebody goes elsewhere"
    assert model.events.total == total
    assert story_title(story).endswith("the slowest")


def test_it_pauses_and_begins_again(model: LiveModel) -> None:
    begin_story(model, Teller.NEWEST)
    story = told(model)
    model.move(STAGE_SECONDS * 2.5)
    story.paused = True
    model.move(100 * STAGE_SECONDS)
    assert story.step == 2
    story.again()
    model.tell(story)
    assert (story.step, model.playhead) == (0, story.whole.start)


@pytest.mark.parametrize("elsewhere", ["step", "scrub", "play", "choose"])
def test_whoever_looks_elsewhere_ends_it(model: LiveModel, elsewhere: str) -> None:
    begin_story(model, Teller.MEDIAN)
    model.move(0.01)
    assert model.story is not None
    if elsewhere == "step":
        model.step(+1)
    elif elsewhere == "scrub":
        model.scrub(model.playhead + 1000)
    elif elsewhere == "play":
        model.transport.play()
    else:
        model.selection.choose(journeys=no_journeys())
    model.move(0.01)
    assert model.story is None


def test_its_end_is_the_present(model: LiveModel) -> None:
    begin_story(model, Teller.NEWEST)
    end_story(model)
    assert (model.story, model.transport.following, model.selection.journeys.size) == (None, True, 0)


def test_the_journey_may_be_forgotten_meanwhile(model: LiveModel, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_story(model, Teller.NEWEST)
    story = told(model)
    monkeypatch.setattr(model, "journeys", History(JOURNEY, 16, journey_span))
    model.move(STAGE_SECONDS * (len(story.steps) + 1))
    assert story.over
    assert model.story is story


def test_which_journey_is_told(model: LiveModel) -> None:
    lengths = np.concatenate([whole_length(some) for some in model.journeys])
    lengths = lengths[~np.isnan(lengths)]
    median = float(whole_length(journey_told(model, Teller.MEDIAN))[0])
    assert abs(median - np.median(lengths)) == np.abs(lengths - np.median(lengths)).min()
    newest = journey_told(model, Teller.NEWEST)
    assert journey_told(model, Teller.CHOSEN) == newest
    model.step(-1)
    model.step(-1)
    assert journey_told(model, Teller.CHOSEN) == model.selection.journeys != newest


def test_the_median_is_that_of_all_journeys_however_many_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first two thirds take 100 cycles and are held no more; of the others one in ten does, and nine take 900."""
    monkeypatch.setattr(bellwire.viz.model.live, "JOURNEY_LIMIT", 1)
    number = np.arange(1, 60_001)
    took = np.where((number <= 40_000) | (number % 10 == 0), 100, 900)
    events = np.zeros(2 * number.size, EVENT)
    events["kind"] = np.repeat([EventKind.IRQFD, EventKind.HANDLER], number.size)
    events["lane"] = np.repeat([Lane.IO_THREAD, Lane.GUEST], number.size)
    events["seq"], events["arg"] = np.tile(number, 2), np.repeat([0, 1], number.size)
    events["tsc"] = np.concatenate([number * 1000, number * 1000 + took]) + 10**9
    model = model_of(np.array_split(np.sort(events, order="tsc"), 50), "irq-msi")
    for _ in range(50):
        model.drain()
    assert sum(map(len, model.journeys)) < number.size / 2
    assert whole_length(journey_told(model, Teller.MEDIAN)).tolist() == [100]


def test_the_stopwatch_says_what_is_measured_and_what_is_only_bounded(model: LiveModel) -> None:
    begin_story(model, Teller.SLOWEST)
    story, words = told(model), []
    for step in range(len(story.steps)):
        story.step = step
        words.append((story.current.earliest == story.current.latest, stopwatch_words(model, story)))
    assert {"≤" in text for measured, text in words if measured} == {False}
    assert {text[0] in "≤≥" for measured, text in words if not measured} == {True}
    shortened = story.waits
    assert len(shortened) == len(story.steps)
    assert any(shortened), "the slowest of all waited somewhere"
    assert sum(shortened) <= story.steps[-1].earliest


def test_of_an_emulated_cpu_no_view_gives_a_time_nor_the_sign_of_a_bound() -> None:
    model = shipped_model("roundtrip@kvm_amd")
    model.to_newest()
    begin_story(model, Teller.NEWEST)
    story, said = told(model), list[str]()
    for step in range(len(story.steps)):
        story.step = step
        assert (stopwatch_words(model, story), stopwatch_reason(model, story)) == ("–", SAID)
        said += [StageMark(story.standpoint, told).words(model.clock) for told in (True, False)]
    assert said
    assert [text for text in said if "–" in text or "≤" in text or "≥" in text] == []


def test_of_clocks_that_are_apart_no_story_gives_a_time() -> None:
    """As no figure does: "98 µs to the I/O thread, measured" was off by what the clocks are apart."""
    model = drained(shifted_run(load_scenario("roundtrip"), -25_000))
    begin_story(model, Teller.MEDIAN)
    story, said = told(model), list[str]()
    for step in range(len(story.steps)):
        story.go(step - story.step)
        model.tell(story)
        assert (stopwatch_words(model, story), stopwatch_reason(model, story)) == ("–", "the clocks are apart")
        said.append(journey_caption(model))
    assert all("How long that took is not known: the clocks that stamped it are apart." in words for words in said)
    figures = journey_figures(model, story.whole.journey)
    assert re.search(r": – to the I/O thread by ioeventfd, – back to the handler by irqfd, [\d.]+ µs for", figures)
