"""The whole window on a synthetic source: keys, switches, states, sizes, and an end that leaves nothing behind."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QMenu,
    QScrollBar,
    QSlider,
    QWidget,
)
from pytestqt.qtbot import QtBot

from bellwire.engine.errors import EngineError, GuestError
from bellwire.engine.events import Clock, EventKind, Events, Lane, Setting, event
from bellwire.engine.scenarios.rules import GROUPS
from bellwire.engine.scenarios.scenario import Scenario, list_scenarios
from bellwire.engine.source import Label, Order
from bellwire.engine.verdict import Verdict
from bellwire.viz.attached.attach_window import AttachWindow
from bellwire.viz.diagram.still_words import Words
from bellwire.viz.panels import PANELS
from bellwire.viz.panels.events.panel import EventsPanel
from bellwire.viz.plots.plot import Plot
from bellwire.viz.style.theme import DARK, LIGHT, Theme
from bellwire.viz.text.figures import Durations
from bellwire.viz.window.about import about_text
from bellwire.viz.window.actions import ACTIONS, BY_NAME, MENUS
from bellwire.viz.window.commands import Commands
from bellwire.viz.window.frame import SLOW
from bellwire.viz.window.menus import HELD_DOWN, keys_now, sections
from bellwire.viz.window.settings import Settings
from bellwire.viz.window.window import make_window
from tests.support.fake_source import FakeSource
from tests.support.windows import Stage, settle, staged_in_front

KEYS = Qt.Key


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    with staged_in_front(qtbot, 1600, 900) as made:
        yield made


def test_space_pauses_the_view_and_goes_on(stage: Stage, qtbot: QtBot) -> None:
    stage.press(qtbot, KEYS.Key_Space)
    assert stage.window.status.state.words == "PAUSED"
    rung = stage.window.model.present.tally.doorbells_rung
    stage.run()
    assert stage.window.model.present.tally.doorbells_rung > rung
    stage.press(qtbot, KEYS.Key_Period)
    assert stage.window.status.state.words == "LIVE"


@pytest.mark.parametrize(
    ("key", "command"),
    [
        (KEYS.Key_I, "ioeventfd off"),
        (KEYS.Key_Q, "irqfd off"),
        (KEYS.Key_D, "ring"),
        (KEYS.Key_R, "interrupt"),
        (KEYS.Key_H, "running False"),
    ],
)
def test_keys_command_the_source(stage: Stage, qtbot: QtBot, key: Qt.Key, command: str) -> None:
    stage.press(qtbot, key)
    assert stage.source.commands == [command]


def test_switch_shows_what_the_events_say(stage: Stage, qtbot: QtBot) -> None:
    switch = stage.window.controls.switches["ioeventfd"]
    assert switch.isChecked()
    stage.source.order(Order.IOEVENTFD, False)
    stage.run()
    assert not switch.isChecked()
    QTest.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert stage.source.commands == ["ioeventfd off", "ioeventfd on"]


def test_a_control_in_focus_keeps_its_keys(stage: Stage, qtbot: QtBot) -> None:
    switch = stage.window.controls.switches["irqfd"]
    switch.setFocus()
    stage.press(qtbot, KEYS.Key_Space)
    assert stage.source.commands == ["irqfd off"]
    assert not stage.window.model.transport.paused


def test_steps_and_slow_motion(stage: Stage, qtbot: QtBot) -> None:
    model = stage.window.model
    stage.press(qtbot, KEYS.Key_Left)
    first = int(model.selection.journeys["seq"][0])
    stage.press(qtbot, KEYS.Key_Left)
    assert int(model.selection.journeys["seq"][0]) == first - 1
    stage.press(qtbot, KEYS.Key_Right)
    assert int(model.selection.journeys["seq"][0]) == first
    stage.press(qtbot, KEYS.Key_Home)
    assert int(model.selection.journeys["seq"][0]) == 1
    stage.press(qtbot, KEYS.Key_BracketLeft)
    assert model.transport.factor == 2
    assert stage.window.status.factor.words == "1 : 2"
    stage.press(qtbot, KEYS.Key_Space)
    stage.run()
    assert re.fullmatch(r"LIVE, [0-9.]+ s BACK", stage.window.status.state.words)
    stage.press(qtbot, KEYS.Key_BracketRight)
    stage.press(qtbot, KEYS.Key_End)
    assert model.transport.following
    stage.run()
    assert stage.window.status.state.words == "LIVE"


def test_pace_slider_tells_the_source(stage: Stage) -> None:
    slider = stage.window.controls.pace
    slider.setValue(slider.maximum())
    slider.setValue(0)
    assert stage.source.commands == ["pace inf", "pace 0.0"]
    assert stage.window.controls.pace_value.text() == "by hand"


def test_another_scenario_replaces_the_source_and_stops_the_old_one(stage: Stage, qtbot: QtBot) -> None:
    stage.press(qtbot, KEYS.Key_2)
    model = stage.window.model
    assert model.scenario == next(one for one in list_scenarios() if one.group == GROUPS[1]) != stage.source.scenario
    assert model.source is not stage.source
    assert stage.window.windowTitle().startswith(model.scenario.title)
    qtbot.waitUntil(lambda: stage.source.stopped == 1)
    assert stage.window.controls.scenarios.currentText() == model.scenario.title


def test_a_scenario_that_cannot_start_leaves_the_old_one_running(stage: Stage, qtbot: QtBot) -> None:
    def fails(_scenario: Scenario) -> FakeSource:
        raise_ = FakeSource()
        raise_.start = broken  # type: ignore[method-assign]
        return raise_

    def broken() -> None:
        raise EngineError("KVM_CREATE_VM: Device or resource busy (EBUSY).")

    stage.window.shown.make_source = fails
    stage.press(qtbot, KEYS.Key_2)
    assert stage.window.model.source is stage.source
    assert stage.window.notice.isVisible()
    assert "EBUSY" in stage.window.notice.words.text()
    stage.press(qtbot, KEYS.Key_Escape)
    assert not stage.window.notice.isVisible()


def test_a_guest_that_dies_says_why_once(stage: Stage) -> None:
    stage.source.error, stage.source.alive = GuestError("The guest took fault 13 and ended.", Verdict.FAULT), False
    stage.run()
    assert stage.window.notice.words.text() == "The guest took fault 13 and ended."
    assert stage.window.status.state.words == "ENDED"
    stage.window.notice.hide()
    stage.run()
    assert not stage.window.notice.isVisible()


def test_replay_says_so_everywhere_and_cannot_be_switched(qtbot: QtBot) -> None:
    source = FakeSource(label=Label.REPLAY)
    window = make_window(source, theme=LIGHT, reason="No /dev/kvm: this is a recording.")
    qtbot.addWidget(window)
    stage = Stage(window, source)
    window.show()
    stage.run()
    assert window.status.state.words == "REPLAY"
    assert "REPLAY" in window.windowTitle()
    assert window.notice.words.text() == "No /dev/kvm: this is a recording."
    switch = window.controls.switches["ioeventfd"]
    assert not switch.isEnabled()
    assert switch.toolTip() == "a recording cannot be changed"
    window.commands.play_or_pause()
    stage.run(1)
    assert window.status.state.words == "REPLAY, PAUSED"
    before = window.model
    window.commands.restart()
    assert window.model is not before
    assert (window.model.source, source.stopped) == (source, 0)
    window.close()


def test_no_kvm_says_why_and_offers_a_recording(qtbot: QtBot) -> None:
    window = make_window(None, reason="/dev/kvm is missing: load kvm_intel or kvm_amd.", theme=DARK)
    qtbot.addWidget(window)
    window.show()
    window.frame.tick()
    window.frame.tick()
    assert window.status.state.words == "NO KVM"
    assert window.empty is not None
    assert "load kvm_intel" in window.empty.accessibleName()
    assert not window.controls.singles["ring"].isEnabled()
    window.close()


def test_the_route_changes_by_its_action_and_where_it_cannot_the_notice_says_why(stage: Stage) -> None:
    stage.window.run_action(BY_NAME["route"])
    assert stage.source.commands == ["route"]
    stage.source.can = lambda order: "There is one route."  # type: ignore[method-assign]
    stage.window.run_action(BY_NAME["route"])
    assert stage.source.commands == ["route"]
    assert stage.window.notice.words.text() == "There is one route."


def test_the_inside_of_the_kernel_is_watched_until_it_is_chosen_again(stage: Stage) -> None:
    action, menus = BY_NAME["kernel"], stage.window.menus
    for watched, word in ((0, "kernel True"), (0b101, "kernel False"), (0, "kernel True")):
        stage.source.tell(EventKind.SETTING, Setting.KERNEL, watched)
        stage.run()
        menus.refresh()
        assert menus.actions["kernel"].isChecked() == bool(watched)
        stage.window.run_action(action)
        assert stage.source.commands[-1] == word


def test_what_was_asked_of_a_session_is_asked_of_the_next_one(stage: Stage) -> None:
    before = stage.source
    for action in ("restart", "restart"):  # of the one after that, too
        stage.window.run_action(BY_NAME[action])
        stage.window.frame.tick()
        after = stage.window.model.source
        assert isinstance(after, FakeSource)
        assert after is not before
        assert after.asked_as is before
        before = after


def test_a_guest_that_is_held_says_so_where_its_state_is_said(stage: Stage, qtbot: QtBot) -> None:
    state = stage.window.status.state
    stage.run()
    assert state.accessibleName() == "LIVE"
    stage.source.tell(EventKind.SETTING, Setting.RUNNING, 0)
    stage.run()
    assert state.accessibleName() == "LIVE, HELD"
    assert "HELD: " in state.toolTip()
    stage.press(qtbot, KEYS.Key_Space)
    assert state.accessibleName().startswith("PAUSED, HELD")
    stage.press(qtbot, KEYS.Key_Space)
    stage.source.alive = False
    stage.run()
    assert "HELD" not in state.accessibleName() + state.toolTip()


def test_a_warning_is_shown_until_it_is_over(stage: Stage) -> None:
    notice = stage.window.notice
    stage.source.warning = "The guest has not said that it is ready."
    stage.run()
    assert notice.isVisible()
    assert notice.words.text() == stage.source.warning
    notice.hide()
    stage.run()
    assert not notice.isVisible()
    stage.source.warning = "Something else."
    stage.run()
    assert notice.isVisible()
    stage.source.warning = ""
    stage.run()
    assert not notice.isVisible()


def test_themes_text_and_presenter(stage: Stage, qtbot: QtBot) -> None:
    window = stage.window
    window.commands.next_theme()
    assert window.look.theme.name == "light"
    stage.press(qtbot, KEYS.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert window.look.theme.scale == pytest.approx(1.1)
    stage.press(qtbot, KEYS.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert window.look.theme.scale == 1
    stage.press(qtbot, KEYS.Key_P)
    assert window.look.presenting
    assert window.presenter.audience is not None
    stage.press(qtbot, KEYS.Key_Escape)
    assert not window.look.presenting


def test_key_help_shows_every_key(stage: Stage, qtbot: QtBot) -> None:
    stage.press(qtbot, KEYS.Key_F1)
    assert stage.window.keys.isVisible()
    said = [text for _, rows in sections() for _, text in rows]
    assert {action.text for action in ACTIONS if action.keys} <= set(said)
    assert len(said) == len(set(said))
    stage.press(qtbot, KEYS.Key_Escape)
    assert not stage.window.keys.isVisible()


def test_palette_finds_and_does(stage: Stage, qtbot: QtBot) -> None:
    stage.window.commands.show_palette()
    palette = stage.window.palette_
    assert palette.geometry() == stage.window.rect()
    QTest.keyClicks(palette.line, "one inter")
    assert palette.list.count() == 1
    QTest.keyClick(palette.line, KEYS.Key_Return)
    assert stage.source.commands == ["interrupt"]
    assert not palette.isVisible()


def test_running_vmms_are_in_one_window_of_its_own(stage: Stage) -> None:
    for _ in range(2):
        stage.window.run_action(BY_NAME["attach"])
    (attached,) = stage.window.findChildren(AttachWindow)
    assert attached.isVisible()
    assert attached.isWindow()
    stage.window.look.set_theme(LIGHT)
    assert attached.picture.theme is stage.window.look.theme
    attached.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert stage.window.findChildren(AttachWindow) == []


def test_every_action_is_one_of_the_commands_in_a_menu_and_no_key_is_used_twice() -> None:
    own = [
        action for action in ACTIONS if action.run.__name__ != "<lambda>"
    ]  # but for those made for each panel, curve
    assert all(getattr(Commands, action.run.__name__) is action.run for action in own)
    assert {action.menu for action in ACTIONS} == set(MENUS)
    for presenting in (False, True):
        keys = [key.toString() for action in ACTIONS for key in keys_now(action, presenting)]
        assert len(keys) == len(set(keys))
    assert {key for action in ACTIONS for key in action.keys} >= {"B", ".", "W", "PgUp", "PgDown", "F5", "Esc"}


INTERACTIVE = (QAbstractButton, QComboBox, QAbstractSlider, QLineEdit, QAbstractSpinBox, QAbstractItemView, Plot)
PART_OF_ANOTHER = (QScrollBar, QHeaderView)


def named(widget: QWidget) -> bool:
    """By itself, by its text, or as a part of one that is."""
    own = widget.accessibleName() or getattr(widget, "text", str)()
    parent = widget.parentWidget()
    inside = isinstance(parent, (QComboBox, QAbstractSpinBox, QAbstractItemView, QLineEdit))
    return bool(own) or (inside and parent is not None and named(parent))


def test_every_menu_is_one_column_on_a_screen_of_720_lines(stage: Stage) -> None:
    stage.window.resize(1280, 720)
    stage.run()
    for menu in stage.window.menus.bar.findChildren(QMenu):
        rows = [menu.actionGeometry(action) for action in menu.actions() if action.isVisible()]
        assert sum(row.height() for row in rows) < 700, menu.title()


def test_every_widget_that_can_be_used_has_a_name(stage: Stage) -> None:
    for panel in PANELS:
        stage.window.commands.show_panel(panel.name)
        stage.run(1)
        some = [part for part in stage.window.findChildren(QWidget) if part.isVisible()]
        used = [part for part in some if isinstance(part, INTERACTIVE) and not isinstance(part, PART_OF_ANOTHER)]
        assert len(used) > 10
        assert [part for part in used if not named(part)] == []


def test_the_focus_goes_back_where_it_was_when_the_palette_closes(stage: Stage) -> None:
    window = stage.window
    window.activateWindow()
    slider, palette = window.status.slow, window.palette_
    for before in (None, slider):
        if before is None and window.focusWidget() is not None:
            window.focusWidget().clearFocus()
        elif before is not None:
            before.setFocus()
        palette.open()
        assert window.focusWidget() is palette.line
        palette.hide()
        assert window.focusWidget() is before


def test_every_control_has_a_name_and_says_its_key(stage: Stage) -> None:
    controls = [
        widget
        for kind in (QAbstractButton, QComboBox, QSlider)
        for widget in stage.window.findChildren(kind)
        if widget.isVisible()
    ]
    assert len(controls) > 10
    assert [w for w in controls if not (w.accessibleName() or getattr(w, "text", str)())] == []
    transport = stage.window.controls.transport
    assert "(Space)" in transport["play"].toolTip()
    assert "(→)" in transport["step"].toolTip()
    assert "(I)" in stage.window.controls.switches["ioeventfd"].toolTip()


@pytest.mark.parametrize("theme", [DARK, LIGHT.scaled(1.5)], ids=["dark 100 %", "light 150 %"])
@pytest.mark.parametrize("size", [(1280, 720), (1600, 900), (2560, 1440)])
def test_nothing_overlaps_or_is_cut_off(stage: Stage, size: tuple[int, int], theme: Theme) -> None:
    window = stage.window
    window.look.set_theme(theme)
    window.resize(*size)
    QApplication.processEvents()  # the layouts
    stage.run(2)
    QApplication.processEvents()
    assert (window.width(), window.height()) == size
    for row in (window.status, window.controls, window.views):
        parts = [
            part
            for part in row.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
            if part.isVisible() and not part.isWindow()
        ]
        assert_apart(row, parts)
        assert all(row.rect().contains(part.geometry()) for part in parts)
    chips = (window.status.state, window.status.backend, window.status.dropped, window.status.factor)
    assert all(chip.width() >= chip.sizeHint().width() for chip in chips)


def assert_apart(row: QWidget, parts: list[QWidget]) -> None:
    """No two parts of a row cover each other."""
    for n, one in enumerate(parts):
        for other in parts[n + 1 :]:
            assert not one.geometry().intersects(other.geometry()), (row, one, other)


def test_what_was_dropped_is_the_same_wherever_it_is_said(stage: Stage) -> None:
    """The bar said it of the present and ten times a second, the caption and the numbers of what is shown."""
    window, source = stage.window, stage.source
    stage.run(70)
    taken, said, lost = source.take, set(), 0

    def lossy(most: int | None = None) -> Events:
        """One event more is lost with each frame."""
        nonlocal lost
        lost += 1
        return np.concatenate([taken(most), event(source.now(), EventKind.LOST, Lane.ENGINE, Lane.VCPU, 0, 1)])

    source.take = lossy  # type: ignore[method-assign]
    for _ in range(60):
        source.run(1 / 60)
        window.frame.tick()
        numbers = " ".join(number.label for number in window.views.numbers.numbers)
        told = [re.findall(r"(\d+)(?: events?)? dropped", text) for text in (window.status.dropped.words, numbers)]
        told.append(re.findall(r"(\d+) events? dropped", window.views.diagram.caption))
        said.add(str(told))
        assert len({count for counts in told for count in counts if count != "0"}) <= 1, told
    assert len(said) > 2
    assert lost > 10


def test_picture_is_written(stage: Stage, tmp_path: Path) -> None:
    stage.window.files.save_picture(tmp_path / "window.png")
    assert (tmp_path / "window.png").stat().st_size > 20_000
    notice = stage.window.notice
    assert (notice.isVisible(), str(tmp_path / "window.png") in notice.words.text()) == (True, True)
    notice.second.click()
    assert QGuiApplication.clipboard().text() == str(tmp_path / "window.png")
    stage.window.files.save_picture(tmp_path / "missing" / "window.png")
    assert "cannot be written" in stage.window.notice.words.text()


def test_the_scenario_says_first_what_it_is_for(stage: Stage, qtbot: QtBot) -> None:
    window = stage.window
    purpose = window.views.purpose
    assert purpose.text() == window.model.scenario.purpose
    for width, height, lines in ((1920, 1080, 1), (1280, 720, 1), (1280, 720, 2)):
        window.look.set_theme(DARK.scaled(1.5 if lines == 2 else 1.0))
        window.resize(width, height)
        qtbot.wait(20)
        assert purpose.height() >= purpose.heightForWidth(purpose.width()), "none of it is cut off"
        assert round(purpose.height() / purpose.fontMetrics().lineSpacing()) == lines
        assert purpose.geometry().bottom() < window.views.middle.y()


def test_a_purpose_is_told_anew_when_a_wire_is_cut(stage: Stage, qtbot: QtBot) -> None:
    purpose = stage.window.views.purpose
    stage.source.order(Order.IOEVENTFD, False)
    stage.run()
    assert purpose.text() == f"As shipped: {stage.window.model.scenario.purpose} Here: ioeventfd=off."
    qtbot.wait(20)
    assert purpose.height() >= purpose.heightForWidth(purpose.width()), "none of it is cut off"


def test_closing_stops_the_source(stage: Stage) -> None:
    stage.window.close()
    assert stage.source.stopped == 1
    assert not stage.window.frame._timer.isActive()


def test_frame_shows_fewer_frames_when_they_cost_too_much(stage: Stage) -> None:
    frame = stage.window.frame
    for seconds in (0.002, 0.03):  # on a busy machine it may show fewer already
        frame.spent.extend([seconds] * 9)
        frame._adapt()
    assert frame.interval == SLOW
    frame.spent.extend([0.002] * 9)
    frame._adapt()
    assert frame.interval == 16


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_the_popover_is_inside_the_screen(stage: Stage, qtbot: QtBot) -> None:
    QTest.mouseClick(stage.window.controls.more, Qt.MouseButton.LeftButton)
    popover = stage.window.controls.popover
    assert popover.isVisible()
    window = QRect(stage.window.mapToGlobal(QPoint(0, 0)), stage.window.size())
    assert window.contains(popover.geometry())
    popover.burst.setValue(3)
    popover.idle_buttons["spin"].click()
    assert stage.source.commands == ["burst 8", "idle spin"]
    popover.hide()


def test_u_says_every_duration_in_another_unit(stage: Stage, qtbot: QtBot) -> None:
    """Large numbers, diagram and menu follow, also while the view is paused; cycles are those of the source shown."""
    window = stage.window
    stage.press(qtbot, KEYS.Key_Space)
    for unit, said in (("ns", "ns"), ("us", "µs"), ("cycles", "cycles"), ("fitting", "µs")):
        stage.press(qtbot, KEYS.Key_U)
        assert window.look.unit == unit
        assert window.views.numbers.numbers[0].unit == said
        window.menus.refresh()
        checked = [
            name for name, action in window.menus.actions.items() if name.startswith("unit-") and action.isChecked()
        ]
        assert checked == [f"unit-{unit}"]
    window.run_action(BY_NAME["unit-cycles"])
    words = Words.of(window.model, window.views.diagram.blueprint)
    assert all(pill.endswith("cycles") for pill in words.pills.values())
    other = FakeSource()
    other.clock = Clock(1e9)
    other.start()
    window.shown.show_source(other)
    assert Durations.unit.size == 1.0


def test_x_shows_the_extended_diagram_and_the_window_remembers_it(stage: Stage, qtbot: QtBot) -> None:
    window = stage.window
    window.settings = Settings()
    simple = window.views.diagram.blueprint
    stage.press(qtbot, KEYS.Key_X)
    assert window.views.diagram.blueprint.lights
    stage.press(qtbot, KEYS.Key_X)
    assert window.views.diagram.blueprint == simple
    stage.press(qtbot, KEYS.Key_X)
    window.close()
    assert Settings().extended


def test_the_unit_is_remembered(stage: Stage) -> None:
    settings = Settings()
    assert settings.unit == "fitting"
    stage.window.settings = settings
    stage.window.look.set_unit("ns")
    stage.window.close()
    assert Settings().unit == "ns"
    settings._store.setValue("unit", "fortnights")
    assert Settings().unit == "fitting"


def test_about_says_how_far_the_clocks_can_be_apart(stage: Stage) -> None:
    text = about_text(stage.source, stage.window.model.latencies.clock_error)
    assert "clocks: guest and host clocks agree to within −" in text


def test_a_panel_below_gets_a_useful_height_and_gives_it_back(stage: Stage) -> None:
    views = stage.window.views
    stage.window.resize(1280, 720)
    stage.run()
    before = views.middle.sizes()
    views.show_panel("events")
    assert views.below.height() >= 240 > before[1]
    views.show_panel("events")
    assert views.middle.sizes() == before


@pytest.mark.parametrize("name", ["explain", "events"])
def test_what_comes_above_the_diagram_beside_a_panel_leaves_it_a_useful_height(stage: Stage, name: str) -> None:
    window, views = stage.window, stage.window.views
    window.resize(1280, 688)  # a screen of 720 lines, less a title

    def seen() -> tuple[bool, bool]:
        settle(window)
        return views.diagram.height() >= 220, views.panel(name).isVisible()

    stage.run()
    window.notice.say("Choose a part of the diagram.")
    views.show_panel(name)
    assert seen() == (True, True)
    window.commands.toggle_story()
    stage.run()
    assert seen() == (True, True)
    assert views.diagram.isVisible()
    window.notice.hide()
    assert seen() == (True, True)


def test_large_text_in_a_small_window_leaves_a_panel_below_all_the_room(stage: Stage) -> None:
    views = stage.window.views
    stage.window.resize(1280, 720)
    stage.window.look.set_theme(replace(DARK, scale=1.5))
    stage.run()
    assert (views.diagram.isVisible(), views.below.folded, views.timeline.isVisible()) == (True, True, False)
    views.show_panel("events")
    assert (views.panel("events").isVisible(), views.diagram.isVisible()) == (True, False)
    views.show_panel("sequence")
    assert (views.panel("sequence").isVisible(), views.below.folded) == (True, True)


def test_no_panel_in_front_gives_the_diagram_its_room_back(stage: Stage) -> None:
    views = stage.window.views
    stage.window.resize(1280, 720)
    stage.window.look.set_theme(replace(DARK, scale=1.5))
    stage.run()
    for name, diagram in (("explain", False), ("", True)):
        views.front(name)
        assert (views.panel("explain").isVisible(), views.diagram.isVisible()) == (not diagram, diagram)


def test_tabs_that_are_all_there_is_room_for_bring_what_they_say_and_give_the_room_back(stage: Stage) -> None:
    views = stage.window.views
    stage.window.resize(1280, 720)
    stage.window.look.set_theme(replace(DARK, scale=1.5))
    stage.run()
    bar = views.below.bar
    tab = bar.tabRect(0).center()
    for button in (None, views.below.back):  # once more the tab, or the button beside it
        QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=tab)
        assert (views.timeline.isVisible(), views.diagram.isVisible()) == (True, False)
        if button is None:
            QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=tab)
        else:
            button.click()
        assert (views.timeline.isVisible(), views.diagram.isVisible()) == (False, True)


def test_the_diagram_comes_back_from_behind_a_panel_as_high_as_it_was(stage: Stage) -> None:
    views = stage.window.views
    stage.window.look.set_theme(replace(DARK, scale=1.5))
    stage.run()
    before = views.middle.sizes()
    assert all(before)
    views.show_panel("events")
    assert not views.top.isVisible()
    views.show_panel("sequence")
    assert views.below.isVisible()
    assert views.middle.sizes() == pytest.approx(before, abs=20)


def test_only_what_moves_on_goes_on_while_its_key_is_held_down(stage: Stage) -> None:
    """A theme thirty times a second kept the window for half a minute after that."""
    menus = stage.window.menus
    assert {name for name, made in menus.actions.items() if made.autoRepeat()} == HELD_DOWN
    assert not any(made.autoRepeat() for made in menus._digits.values())

    def press_sha(held: bool) -> None:
        """I, where the layout is Russian."""
        none = Qt.KeyboardModifier.NoModifier
        stage.window.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, 0x428, none, "ш", held))

    press_sha(held=True)
    assert stage.source.commands == []
    press_sha(held=False)
    assert stage.source.commands == ["ioeventfd off"]


def test_text_that_is_as_large_as_it_may_be_is_not_made_so_once_more(stage: Stage) -> None:
    look, themes = stage.window.look, list[Theme]()
    look.size_text(9.0)
    look.theme_changed.connect(lambda: themes.append(look.theme))
    stage.window.commands.larger()
    assert themes == []
    stage.window.commands.smaller()
    assert len(themes) == 1


def test_what_costs_too_much_waits_and_tokens_go_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock of the processor that says of each full frame that it took 40 ms."""
    frame, shown, spent = stage.window.frame, [], [0.0]

    def show(everything: bool) -> None:
        shown.append(everything)
        spent[0] += 0.04 if everything else 0.001

    monkeypatch.setattr("bellwire.viz.window.frame.thread_time", lambda: spent[0])
    monkeypatch.setattr("bellwire.viz.window.frame.SELDOM", 1e9)
    monkeypatch.setattr(frame, "_show", show)
    frame._redrawn = 1e12
    for _ in range(120):
        frame.tick()
    assert len(shown) == 120
    assert 10 < sum(shown) < 25  # of sixty that there are where each costs little


def test_end_brings_every_view_to_the_present(stage: Stage, qtbot: QtBot) -> None:
    views, model = stage.window.views, stage.window.model
    events = views.bring_panel("events")
    assert isinstance(events, EventsPanel)
    stage.run()
    events.redraw()
    views.timeline.pan(-0.5)
    events.list.scroll(-20)
    model.scrub(model.past.first)

    def following() -> list[bool]:
        return [views.timeline.view.following, events.list.following, model.transport.following]

    assert not any(following())
    stage.press(qtbot, KEYS.Key_End)
    assert all(following())


def test_nothing_is_collected_while_qt_walks_through_the_widgets(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A widget that was garbage would die in the midst of it."""
    collects: list[bool] = []
    monkeypatch.setattr(QApplication, "setStyleSheet", lambda *_: collects.append(gc.isenabled()))
    gc.enable()
    stage.window.look.set_theme(LIGHT)
    assert collects == [False, False]  # the sheet before is taken off first
    assert gc.isenabled()


def test_a_windows_garbage_is_collected_in_its_own_thread(stage: Stage) -> None:
    """In a thread that reads a recording a widget's end would wait for this one, and this one for that."""
    assert stage.window.isVisible()
    assert not gc.isenabled()
