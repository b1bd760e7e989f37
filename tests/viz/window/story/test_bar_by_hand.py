"""Signals that are given by hand to a real guest: each view shows this very one, and a story tells it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.events import Setting
from bellwire.engine.live.session import Session
from bellwire.viz.diagram.captions import caption
from bellwire.viz.diagram.part_words import latency_text
from bellwire.viz.model.live import shown_latency
from bellwire.viz.model.moments.shown import rung_by_hand
from bellwire.viz.model.moments.telling import story_title
from bellwire.viz.style.theme import DARK
from bellwire.viz.text.figures import duration
from bellwire.viz.window.window import MainWindow, make_window
from tests.support.sessions import paced, wait_for

pytestmark = pytest.mark.kvm

D, R, T = Qt.Key.Key_D, Qt.Key.Key_R, Qt.Key.Key_T


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    """On a guest whose signals no pace drives."""
    made = make_window(Session(paced("roundtrip", per_second=0)), theme=DARK)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    assert QTest.qWaitForWindowExposed(made)
    made.activateWindow()
    wait_for(lambda: ticked(made) and made.model.present.tally.settings.get(Setting.PACE) == 0)
    yield made
    made.close()


def ticked(window: MainWindow) -> bool:
    window.frame.tick()
    return True


def press(window: MainWindow, key: Qt.Key) -> None:
    QTest.keyClick(window.focusWidget() or window, key)


def signalled(window: MainWindow, key: Qt.Key) -> None:
    """Once the journey of it has come."""
    total = window.model.journeys.total
    press(window, key)
    wait_for(lambda: ticked(window) and window.model.journeys.total > total)


def has_points(window: MainWindow, number: int) -> bool:
    """Whether the plot of latencies has a point of so many journeys."""
    window.frame.tick()
    model = window.model
    return int(model.past.course("injection", model.started_at, model.now)["count"].sum()) == number


def test_each_view_shows_this_very_signal(window: MainWindow) -> None:
    model = window.model
    for number, (key, what) in enumerate([(D, "Doorbell"), (R, "Interrupt"), (D, "Doorbell")], 1):
        signalled(window, key)
        wait_for(lambda: ticked(window) and bool(rung_by_hand(model).size))
        journey = rung_by_hand(model)
        assert int(journey["interrupt"][0]) == number
        assert caption(model).startswith(f"{what} #")
        for name in ("doorbell", "injection"):
            own = shown_latency(model, journey, name)
            assert (own is None) == (name == "doorbell" and key == R)
            assert latency_text(model, name) == duration(own)
            assert own is None or duration(own) in caption(model)
        wait_for(partial(has_points, window, number))


def test_a_story_tells_the_signal_that_is_given_while_stories_are_on(window: MainWindow) -> None:
    model, storyteller = window.model, window.commands.storyteller
    press(window, T)
    assert storyteller.awaits, "there is no journey yet"
    for number, (key, title) in enumerate([(D, "doorbell #1"), (D, "doorbell #2"), (R, "interrupt #3")], 1):
        press(window, key)
        assert storyteller.awaits
        wait_for(lambda: ticked(window) and model.story is not None)
        assert model.story is not None
        assert int(model.story.whole.journey["interrupt"][0]) == number
        assert story_title(model.story).startswith(f"Story of {title}, just signalled")
        assert caption(model) != ""
    press(window, T)
    signalled(window, D)
    assert model.story is None, "no story is on"


def test_a_story_of_before_does_not_hide_that_the_pace_is_by_hand_now(window: MainWindow) -> None:
    """It shows the past, in which a pace drove signals."""
    model, storyteller = window.model, window.commands.storyteller
    window.commands.set_pace(500.0)
    wait_for(lambda: ticked(window) and model.journeys.total > 20)
    press(window, T)
    told = model.story
    assert told is not None
    window.commands.set_pace(0.0)
    wait_for(lambda: ticked(window) and model.present.tally.settings.get(Setting.PACE) == 0)
    assert model.tally.settings.get(Setting.PACE) == 500
    rung = model.present.tally.doorbells_rung
    press(window, D)
    assert storyteller.awaits
    wait_for(lambda: ticked(window) and model.story is not None)
    assert model.story is not None
    assert int(model.story.whole.journey["seq"][0]) > rung
