"""Everything that can be worked has a name and is reached by the keys: in the window, in popovers and in dialogs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.panels import PANELS
from bellwire.viz.window.about import About
from bellwire.viz.window.actions import ACTIONS, BY_NAME
from bellwire.viz.window.window import MainWindow
from tests.support.asking import asking
from tests.support.heard import Role, heard_in, reached_by_tab, unnamed, unreached
from tests.support.windows import on_whole_run, settle, staged

# What is worked with the pointer, and by keys of the window: its playhead is moved by steps, a stage by → and ←.
BY_KEYS = {"Minimap": ("step", "step_back", "home"), "Segments": ("step", "step_back", "home")}


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    """On all of a recorded run, with its newest journey chosen."""
    with on_whole_run(qtbot, 1600, 900) as made:
        made.model.selection.choose(journeys=made.model.journeys.newest(1))
        yield made


def amiss(top: QWidget) -> list[str]:
    return [*unnamed(top), *unreached(top, set(BY_KEYS))]


def test_what_is_worked_otherwise_has_its_keys() -> None:
    assert all(BY_NAME[name].keys for names in BY_KEYS.values() for name in names)


def test_what_has_no_name_and_what_no_key_reaches_is_found(qtbot: QtBot) -> None:
    with on_whole_run(qtbot) as top:
        top.controls.more.setAccessibleName("")
        top.controls.more.setToolTip("")
        top.controls.singles["ring"].setFocusPolicy(Qt.FocusPolicy.NoFocus)
        settle(top)
        found = amiss(top)
        assert any("IconButton" in one for one in found)
        assert any("Ring" in one for one in found)


def test_the_window_and_each_panel(window: MainWindow) -> None:
    found: dict[str, list[str]] = {}
    for front in ("", *(panel.name for panel in PANELS)):
        if front:
            window.views.bring_panel(front)
        settle(window)
        found[front] = amiss(window)
    assert {front: wrong for front, wrong in found.items() if wrong} == {}
    heard = {one.role for one in heard_in(window)}
    assert {Role.MenuBar, Role.Button, Role.Slider, Role.CheckBox, Role.PageTabList, Role.Grip} <= heard


def test_the_states_and_the_numbers_are_texts(window: MainWindow) -> None:
    """Painted by themselves they were fillers, which a screen reader passes over."""
    settle(window)
    texts = [one.name for one in heard_in(window) if one.role == Role.StaticText]
    assert {window.status.state.words, window.status.backend.words, window.status.factor.words} <= set(texts)
    assert any(text.startswith("doorbell p50") for text in texts)


def test_story_lesson_and_notice(qtbot: QtBot) -> None:
    with staged(qtbot, 1600, 900) as stage:
        stage.run(60)
        window = stage.window
        BY_NAME["story_newest"].run(window.commands)
        window.notice.say("This guest rings no doorbell.", "Mend it", lambda: None)
        stage.run(3)
        assert amiss(window) == []
        BY_NAME["story"].run(window.commands)
        window.lessons.begin(asking(), here=True)
        stage.run(60)
        window.lesson_bar.shows_notes.setChecked(True)
        settle(window)
        assert len(window.lesson_bar.question.rows) == 2
        assert amiss(window) == []
        reached = {str(widget.accessibleName()) for widget in reached_by_tab(window)}
        assert {"choice 1: Many", "choice 2: None", "hands for choice 2", "end the lesson"} <= reached


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # as offscreen says of popups
def test_popovers_dialogs_and_what_lies_over_the_window(window: MainWindow) -> None:
    settle(window)
    window.model.selection.choose(part="exit")
    settle(window)
    assert window.views.part_card.isVisible()
    assert amiss(window) == []
    for popover in (window.breaks.popover, window.controls.popover):
        popover.show()
        settle(window)
        assert amiss(popover) == []
        popover.hide()
    about = About(window.model.source, window.model.present.latencies.clock_error, window)
    about.show()
    assert amiss(about) == []
    about.close()
    for over in (window.keys, window.palette_):
        over.open()
        settle(window)
        assert unnamed(over) == []
        window.commands.clear()
        assert not over.isVisible()


def test_every_menu_is_in_the_palette_by_name(window: MainWindow) -> None:
    """So whatever has no key of its own is done by typing its name."""
    lines = [text for text, _ in window.menus.entries()]
    assert [action.text for action in ACTIONS if not any(line.startswith(action.text) for line in lines)] == []
    assert BY_NAME["palette"].keys


def test_what_divides_the_window_is_moved_by_keys(window: MainWindow) -> None:
    settle(window)
    divider = window.views.top.handle(1)
    divider.setFocus()
    before = window.views.top.sizes()
    QTest.keyClick(divider, Qt.Key.Key_Left)
    assert window.views.top.sizes()[0] < before[0]
    QTest.keyClick(divider, Qt.Key.Key_Right)
    assert window.views.top.sizes() == before


def test_a_term_is_told_by_the_keyboard(qtbot: QtBot) -> None:
    with staged(qtbot, 1600, 900) as stage:
        stage.window.lessons.begin(asking(), here=True)
        stage.run(30)
        assert "<a " in stage.window.lesson_bar.text.text()
        assert stage.window.lesson_bar.text in reached_by_tab(stage.window)
