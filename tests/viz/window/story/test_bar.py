"""A story in the window: keys, buttons and the palette tell it, and the bar says whose it is and the true time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.viz.stages.story import Story
from tests.support.windows import Stage, staged_in_front

KEYS = Qt.Key


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    with staged_in_front(qtbot, 1280, 720) as made:
        yield made


def told(stage: Stage) -> Story:
    story = stage.window.model.story
    assert story is not None
    return story


def test_keys_tell_it_stage_by_stage_and_end_it(stage: Stage, qtbot: QtBot) -> None:
    bar = stage.window.story_bar
    assert bar.isHidden()
    stage.press(qtbot, KEYS.Key_T)
    story = told(stage)
    assert bar.isVisible()
    assert bar.title.text().startswith("Story of doorbell #")
    assert stage.window.status.state.words.startswith("STORY")
    assert stage.window.status.state.dot == "triangle"
    recorded = stage.window.model.events.total
    stage.press(qtbot, KEYS.Key_Space)
    assert story.paused
    assert stage.window.status.state.dot == "bars"
    assert stage.window.model.events.total > recorded, "the capture goes on"
    at = story.step
    stage.press(qtbot, KEYS.Key_Right)
    stage.press(qtbot, KEYS.Key_Right)
    stage.press(qtbot, KEYS.Key_Left)
    assert (told(stage), story.step) == (story, at + 1)
    assert bar.stage.text() == story.standpoint.here.stage.title
    stage.press(qtbot, KEYS.Key_Home)
    assert story.step == 0
    stage.press(qtbot, KEYS.Key_Escape)
    assert stage.window.model.story is None
    assert bar.isHidden()
    stage.press(qtbot, KEYS.Key_T)
    stage.press(qtbot, KEYS.Key_End)
    assert stage.window.model.story is None
    assert stage.window.model.transport.following


def test_its_pace_is_kept_from_story_to_story(stage: Stage, qtbot: QtBot) -> None:
    stage.press(qtbot, KEYS.Key_T)
    stage.press(qtbot, KEYS.Key_BracketLeft)
    slower = told(stage).seconds
    stage.press(qtbot, KEYS.Key_BracketRight)
    stage.press(qtbot, KEYS.Key_BracketRight)
    faster = told(stage).seconds
    assert faster < slower
    stage.press(qtbot, KEYS.Key_T)
    stage.press(qtbot, KEYS.Key_T)
    assert told(stage).seconds == faster
    assert stage.window.story_bar.pace.text() == f"{faster:g} s a stage"


def test_buttons_and_segments_do_the_same(stage: Stage) -> None:
    QTest.mouseClick(stage.window.controls.transport["story"], Qt.MouseButton.LeftButton)
    stage.run(2)
    story, bar = told(stage), stage.window.story_bar
    QTest.mouseClick(bar.buttons["story_play"], Qt.MouseButton.LeftButton)
    QTest.mouseClick(bar.buttons["stage"], Qt.MouseButton.LeftButton)
    assert (story.paused, story.step) == (True, 1)
    end = QPoint(bar.segments.width() - 2, bar.segments.height() // 2)
    QTest.mouseClick(bar.segments, Qt.MouseButton.LeftButton, pos=end)
    assert story.step == len(story.steps) - 1
    assert bar.segments.words_at(story.step).startswith(f"{len(story.steps)}: {story.standpoint.here.stage.title}")
    QTest.mouseClick(bar.buttons["again"], Qt.MouseButton.LeftButton)
    assert (story.step, story.paused) == (0, False)
    QTest.mouseClick(bar.buttons["story"], Qt.MouseButton.LeftButton)
    assert stage.window.model.story is None


@pytest.mark.parametrize("which", ["newest", "median", "slowest"])
def test_the_palette_tells_the_journey_that_it_names(stage: Stage, which: str) -> None:
    entries = dict(stage.window.menus.entries())
    entries[f"Story of the {which}"]()
    stage.run(2)
    assert told(stage).which == f"the {which}"


def test_at_its_end_it_says_so_and_is_told_again(stage: Stage, qtbot: QtBot) -> None:
    stage.press(qtbot, KEYS.Key_T)
    story, bar = told(stage), stage.window.story_bar
    story.go(len(story.steps))
    story.advance(story.seconds)
    stage.run(3)
    assert story.over
    assert "It is told" in bar.title.text()
    assert stage.window.status.state.dot == "bars"
    stage.run(200)
    assert told(stage) is story, "no other one begins by itself"
    stage.press(qtbot, KEYS.Key_Space)
    assert (told(stage), story.step, story.over) == (story, 0, False)
    assert "It is told" not in bar.title.text()


def test_whoever_cannot_see_it_hears_where_it_is(stage: Stage, qtbot: QtBot) -> None:
    stage.press(qtbot, KEYS.Key_T)
    stage.press(qtbot, KEYS.Key_Space)
    bar, heard = stage.window.story_bar, set()
    for _ in told(stage).steps:
        stage.press(qtbot, KEYS.Key_Right)
        heard.add((bar.accessibleDescription(), bar.segments.accessibleDescription()))
    assert len(heard) == len(told(stage).steps) - 1
    assert all(button.accessibleName() for button in bar.buttons.values())
