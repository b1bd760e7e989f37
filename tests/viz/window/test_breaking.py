"""Break when, in the window: picked by keyboard, said by a pill, told by a notice that leads on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.events import EventKind
from bellwire.viz.model.breaks import Fits, LeftAnyway, Merged, OfKind, Slow
from bellwire.viz.style.theme import LIGHT
from bellwire.viz.window.breaking import FITS, KIND, LEFT, MERGED, SLOW, BreakPopover
from tests.support.windows import Stage, staged


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    with staged(qtbot, 1280, 720) as made:
        assert QTest.qWaitForWindowExposed(made.window)
        made.run()
        yield made


def popover(stage: Stage) -> BreakPopover:
    return stage.window.breaks.popover


OFFSCREEN = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # as offscreen says of popups


@OFFSCREEN
def test_every_condition_can_be_picked(stage: Stage) -> None:
    opened = popover(stage)
    stage.window.commands.break_when()
    assert opened.isVisible()
    opened.bound.setValue(30)
    assert opened.picked() == Slow("round_trip", 30_000)
    opened.choices.button(LEFT).setChecked(True)
    assert opened.picked() == LeftAnyway()
    opened.count.setValue(7)
    opened.choices.button(MERGED).setChecked(True)
    assert opened.picked() == Merged(7)
    opened.choices.button(KIND).setChecked(True)
    opened.kind.setCurrentText("exit")
    assert opened.picked() == OfKind(EventKind.EXIT)
    opened.choices.button(FITS).setChecked(True)
    assert opened.picked() is None
    opened.line.say("kind=exit")
    picked = opened.picked()
    assert isinstance(picked, Fits)
    assert picked.text == "kind=exit"
    opened.line.say("kind=nothing")
    assert opened.picked() is None
    opened._arm()
    assert opened.isVisible()
    assert "There is no kind" in opened.trouble.text()
    opened.hide()


def test_the_pill_says_what_is_armed_and_a_click_takes_it_back(stage: Stage) -> None:
    pill = stage.window.status.breaking
    assert pill.isHidden()
    stage.window.breaks.watch.arm(Slow("round_trip", 1e9))
    assert pill.isVisible()
    assert pill.text().startswith("break: round trip > 1.00 s")
    pill.click()
    assert stage.window.breaks.watch.wanted is None
    assert pill.isHidden()


def test_the_view_freezes_and_the_notice_leads_on(stage: Stage) -> None:
    window = stage.window
    popover(stage).choices.button(SLOW).setChecked(True)
    window.breaks.watch.arm(Slow("doorbell", 9_000))
    stage.run(60)
    assert window.model.state == "PAUSED"
    assert window.status.breaking.text().startswith("broke: ")
    assert window.notice.isVisible()
    assert "more than 9.00 µs" in window.notice.words.text()
    total = window.model.events.total
    stage.run(5)
    assert window.model.events.total > total
    window.notice.button.click()
    assert window.model.transport.following
    assert window.status.breaking.text().startswith("break: ")
    assert not window.notice.isVisible()


def test_what_is_armed_stays_armed_when_the_same_scenario_begins_anew(stage: Stage) -> None:
    before = stage.window.model
    stage.window.breaks.watch.arm(Merged(500))
    stage.window.commands.restart()
    assert stage.window.model is not before
    assert stage.window.breaks.watch.wanted == Merged(500)
    assert not stage.window.notice.isVisible()


def test_another_scenario_disarms_it_and_says_so(stage: Stage) -> None:
    window = stage.window
    window.breaks.watch.arm(Slow("injection", 1e9))
    window.commands.run_scenario_called("irq-msi")
    assert not window.breaks.watch.wanted
    assert window.status.breaking.isHidden()
    assert "injection > 1.00 s was set for Round trip" in window.notice.words.text()
    assert "no longer armed" in window.notice.words.text()
    window.notice.button.click()
    assert window.breaks.watch.wanted == Slow("injection", 1e9)
    assert not window.notice.isVisible()


def test_what_cannot_happen_in_the_next_scenario_is_not_offered_there(stage: Stage) -> None:
    window = stage.window
    for wanted, why in ((Slow("round_trip", 1e9), "it has no round trip"), (LeftAnyway(), "it has no ioeventfd")):
        window.commands.run_scenario_called("roundtrip")
        window.breaks.watch.arm(wanted)
        window.commands.run_scenario_called("irq-msi")
        assert window.breaks.watch.wanted is None
        assert window.notice.words.text().endswith(f"here {why}.")
        assert window.notice.button.isHidden()


@OFFSCREEN
def test_what_cannot_happen_is_refused_by_name(stage: Stage) -> None:
    """A break that is armed and can never come looks like one that has not come yet."""
    opened, watch = popover(stage), stage.window.breaks.watch
    stage.window.commands.break_when()
    opened.choices.button(KIND).setChecked(True)
    opened.kind.setCurrentText("window")
    opened._arm()
    assert opened.isVisible()
    assert opened.trouble.text() == "That cannot happen here: it has no event of kind window."
    assert watch.wanted is None
    opened.hide()
    stage.window.commands.break_when()
    assert opened.trouble.isHidden()
    opened.choices.button(LEFT).setChecked(True)
    opened._arm()
    assert not opened.isVisible()
    assert watch.wanted == LeftAnyway()


def test_escape_takes_it_back_once_nothing_is_chosen(stage: Stage, qtbot: QtBot) -> None:
    model, watch = stage.window.model, stage.window.breaks.watch
    watch.arm(Merged(500))
    model.step(-1)
    stage.press(qtbot, Qt.Key.Key_Escape)
    assert watch.wanted
    assert not model.selection.journeys.size
    stage.press(qtbot, Qt.Key.Key_Escape)
    assert watch.wanted is None


@OFFSCREEN
def test_it_fits_a_small_window_with_large_text(stage: Stage) -> None:
    stage.window.look.set_theme(LIGHT.scaled(1.5))
    stage.window.commands.break_when()
    opened = popover(stage)
    assert opened.width() <= stage.window.width()
    assert opened.height() <= stage.window.height()
    opened.hide()
    stage.window.breaks.watch.arm(Slow("round_trip", 1e9))
    stage.run(2)
    assert stage.window.status.minimumSizeHint().width() <= 1280
