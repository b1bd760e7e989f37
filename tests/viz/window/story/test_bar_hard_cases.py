"""Stories while something else happens: another source, a full memory, a theme, a seek, no journey: nothing false."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from bellwire.engine.folds.journeys import JOURNEY
from bellwire.viz.diagram.captions import caption
from bellwire.viz.model.history import History
from bellwire.viz.model.live import journey_span
from bellwire.viz.stages.story import Story
from bellwire.viz.style.theme import LIGHT
from bellwire.viz.window.window import MainWindow
from tests.support.windows import Stage, on_whole_run, staged_in_front

KEYS = Qt.Key


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    with staged_in_front(qtbot, 1280, 720) as made:
        yield made


def begun(stage: Stage, qtbot: QtBot) -> Story:
    stage.press(qtbot, KEYS.Key_T)
    story = stage.window.model.story
    assert story is not None
    return story


def test_another_scenario_ends_it(stage: Stage, qtbot: QtBot) -> None:
    begun(stage, qtbot)
    stage.window.commands.restart()
    stage.run(3)
    assert stage.window.model.story is None
    assert not stage.window.commands.storyteller.on
    assert stage.window.story_bar.isHidden()
    assert not stage.window.status.state.words.startswith("STORY")


def test_a_theme_and_a_size_of_text_leave_it_as_it_is(stage: Stage, qtbot: QtBot) -> None:
    story = begun(stage, qtbot)
    story.paused = True
    words = caption(stage.window.model), stage.window.story_bar.stage.text(), story.step
    stage.window.commands.next_theme()
    stage.window.commands.larger()
    stage.run(3)
    assert (caption(stage.window.model), stage.window.story_bar.stage.text(), story.step) == words
    assert stage.window.model.story is story


def test_memory_that_has_forgotten_its_journey_still_tells_it(stage: Stage, qtbot: QtBot) -> None:
    story = begun(stage, qtbot)
    model = stage.window.model
    model.journeys = History(JOURNEY, 16, journey_span)
    for _ in story.steps:
        stage.press(qtbot, KEYS.Key_Right)
        assert caption(model)
    assert story.step == len(story.steps) - 1
    assert model.story is story


@pytest.mark.parametrize("elsewhere", ["timeline", "part", "events", "end"])
def test_looking_elsewhere_ends_it_and_choosing_a_part_does_not(stage: Stage, qtbot: QtBot, elsewhere: str) -> None:
    story, model = begun(stage, qtbot), stage.window.model
    match elsewhere:
        case "timeline":
            model.scrub(model.playhead - 1000)
        case "part":
            model.selection.choose(part="driver")
        case "events":
            stage.window.commands.step_event()
        case "end":
            stage.press(qtbot, KEYS.Key_End)
    stage.run(3)
    assert (model.story is story) == (elsewhere == "part")
    assert stage.window.story_bar.isHidden() == (elsewhere != "part")
    assert model.transport.following == (elsewhere == "end")


@pytest.mark.parametrize("then", ["plays", "steps", "seeks"])
def test_a_run_that_ends_meanwhile_leaves_it_to_its_last_stage(stage: Stage, qtbot: QtBot, then: str) -> None:
    """As a replay does that has been played: the story goes on, and only a look elsewhere ends it."""
    story, model = begun(stage, qtbot), stage.window.model
    stage.source.stop()
    stage.run(3)
    assert not model.source.alive
    assert model.story is story
    match then:
        case "plays":
            story.advance(story.seconds * len(story.steps))
        case "steps":
            for _ in story.steps:
                stage.press(qtbot, KEYS.Key_Right)
        case "seeks":
            model.scrub(model.playhead - 1000)
    stage.run(3)
    assert (model.story is story) == (then != "seeks")
    assert stage.window.story_bar.isHidden() == (then == "seeks")
    if then != "seeks":
        assert story.step == len(story.steps) - 1
        assert stage.window.status.state.words.startswith("STORY")
        assert "has ended" not in caption(model)


@pytest.fixture
def masked(qtbot: QtBot) -> Iterator[MainWindow]:
    """On a scenario without journeys."""
    with on_whole_run(qtbot, scenario="irq-masked", theme=LIGHT) as window:
        yield window


def test_a_scenario_without_journeys_says_why_there_is_no_story(masked: MainWindow) -> None:
    masked.commands.toggle_story()
    masked.frame.tick()
    assert masked.model.story is None
    assert "masked pin" in masked.notice.words.text()
    assert not masked.commands.storyteller.awaits, "none will ever come"
    assert masked.story_bar.isHidden()


def told_at(window: MainWindow, stage: str) -> None:
    """The median's story, at this stage."""
    window.commands.story_of_median()
    story = window.model.story
    assert story is not None
    story.paused = True
    names = [story.stop_of(step).name for step in range(len(story.steps))]
    window.storyteller.go(names.index(stage) - story.step)
    window.frame.tick()
    window.views.diagram.refresh()


@pytest.mark.parametrize(("scenario", "count"), [("doorbell-coalesced-mmio", "1–16"), ("doorbell-pio", "1")])
def test_the_eventfd_counts_those_that_are_read_together(scenario: str, count: str, qtbot: QtBot) -> None:
    with on_whole_run(qtbot, scenario=scenario, theme=LIGHT) as window:
        told_at(window, "eventfd")
        assert window.views.diagram.counts["doorbell_fd"] == count


def test_where_kvm_ends_the_interrupt_its_part_shines(qtbot: QtBot) -> None:
    with on_whole_run(qtbot, scenario="irq-level-resample", theme=LIGHT) as window:
        told_at(window, "eoi")
        shining = {name for name, light in window.views.diagram._lit.items() if light.inside}
        assert "eoi" in shining
