"""A window whose frames come by themselves, on guests or on recordings in place of them: for what takes its time."""

from __future__ import annotations

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from bellwire.engine.recordings.shipped import replay_in_place_of
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.source import Source
from bellwire.viz.lessons.course import Course
from bellwire.viz.lessons.lesson import TimeOfScene
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.lesson.player import Coming
from bellwire.viz.window.window import MainWindow, make_window
from tests.support.sessions import PATIENCE

WHY = "There is no /dev/kvm here."
PATIENCE_MS = round(PATIENCE * 1000)


def in_place_of(scenario: Scenario) -> Source:
    """Its shipped recording, as where there is no KVM."""
    return replay_in_place_of(scenario, WHY)


def playing(qtbot: QtBot, source: Source, make_source: Callable[[Scenario], Source]) -> MainWindow:
    """Shown, and on its way; who asks for it closes it."""
    window = make_window(source, theme=DARK, make_source=make_source)
    qtbot.addWidget(window)
    window.resize(1280, 720)
    window.show()
    window.frame.start()
    return window


def position_is_on(window: MainWindow, course: Course) -> bool:
    """Whether what has to happen at the lesson's position has happened, and its story is told if it has one."""
    told = course.scene.telling is TimeOfScene.LIVE or window.model.story is not None
    return window.lessons.coming is Coming.ON and not course.unmet() and told
