"""What is announced to a screen reader: each new sentence, the urgent ones first, and never more than can be heard."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.window.access.announcements import CALM, PAUSE, Announcements, without_figures
from bellwire.viz.window.actions import BY_NAME
from tests.support.windows import staged


class Told:
    """A clock, and the texts that there are to be told."""

    def __init__(self, top: QWidget) -> None:
        self.now = 100.0
        self.texts = {"notice": "", "caption": ""}
        tell = {name: (lambda name=name: self.texts[name]) for name in self.texts}
        self.announced = Announcements(top, tell, lambda: self.now)

    def after(self, seconds: float, **texts: str) -> str:
        """What is announced so many seconds later, if these are the texts then."""
        self.now += seconds
        self.texts |= texts
        return self.announced.follow()


@pytest.fixture
def told(qtbot: QtBot) -> Told:
    top = QWidget()
    qtbot.addWidget(top)
    return Told(top)


def test_a_sentence_is_said_once_and_the_next_one_after_a_pause(told: Told) -> None:
    assert told.after(0, caption="It rings.") == "It rings."
    assert told.after(PAUSE, caption="It rings.") == ""
    assert told.after(0, caption="It leaves.") == "It leaves."
    assert told.after(PAUSE / 2, caption="It answers.") == ""
    assert told.after(PAUSE / 2) == "It answers."


def test_figures_alone_are_not_said_with_every_second(told: Told) -> None:
    assert told.after(0, caption="300 doorbells, 1.2 µs each.")
    assert told.after(PAUSE, caption="298 doorbells, 950 ns each.") == ""
    assert told.after(CALM - PAUSE) == "298 doorbells, 950 ns each."
    assert told.after(PAUSE, caption="No doorbell.") == "No doorbell."


def test_what_is_urgent_comes_first_and_what_comes_again_is_new(told: Told) -> None:
    assert told.after(0, notice="Not now.", caption="It rings.") == "Not now."
    assert told.after(PAUSE) == "It rings."
    assert told.after(PAUSE, notice="") == ""
    assert told.after(0, notice="Not now.") == "Not now."


def test_the_window_announces_its_sentences(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Qt is told; the clock is the test's."""
    announced: list[str] = []

    def update(event: QAccessibleEvent) -> None:
        assert isinstance(event, QAccessibleAnnouncementEvent)
        announced.append(event.message())

    monkeypatch.setattr(QAccessible, "isActive", staticmethod(lambda: True))
    monkeypatch.setattr(QAccessible, "updateAccessibility", staticmethod(update))
    with staged(qtbot) as stage:
        now = [0.0]
        stage.window.announcements._clock = lambda: now[0]
        stage.window.announcements._last = -PAUSE
        stage.run(90)
        now[0] += PAUSE
        stage.run(3)
        caption = stage.window.views.diagram.caption
        assert announced[-1] == stage.window.views.diagram.accessibleDescription()
        assert without_figures(announced[-1]) == without_figures(caption)
        BY_NAME["story_newest"].run(stage.window.commands)
        stage.run(3)
        before = len(announced)
        for _ in range(2):
            now[0] += PAUSE
            stage.run(3)
        assert len(announced) == before + 2
        assert announced[-2] == stage.window.story_bar.spoken
        stage.window.notice.say("This guest rings no doorbell.")
        now[0] += PAUSE
        stage.run(3)
        assert announced[-1] == "This guest rings no doorbell."
