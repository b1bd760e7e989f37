"""What takes the stage: where no guest can run, the recording of each scenario that is chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from bellwire.engine.errors import NoKvmError
from bellwire.engine.recordings.shipped import replay_in_place_of
from bellwire.engine.scenarios.scenario import Scenario, load_scenario
from bellwire.engine.source import Order
from bellwire.viz.model.live import recorded
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.actions import BY_NAME
from bellwire.viz.window.scenario_list import NAME, ScenarioLines, fill, show_scenario
from bellwire.viz.window.window import MainWindow, make_window

WHY = "There is no /dev/kvm: sudo modprobe kvm_intel"
LACKS = "This host has no /dev/vhost-net: do this."


def refuse() -> None:
    raise NoKvmError(WHY)


@pytest.fixture
def laptop(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """The window as it opens where there is no KVM; 1280x720."""
    monkeypatch.setattr("bellwire.engine.live.session.usable_kvm", refuse)
    window = make_window(replay_in_place_of(load_scenario("roundtrip"), WHY), theme=DARK)
    qtbot.addWidget(window)
    window.resize(1280, 720)
    window.show()
    assert QTest.qWaitForWindowExposed(window)
    yield window
    window.close()


def look(window: MainWindow) -> None:
    """A few frames, the bar's included."""
    for _ in range(3):
        window._bar_at = 0
        window.frame.tick()


def choose(qtbot: QtBot, window: MainWindow, name: str) -> None:
    """From the list, and wait until it is there: whether a guest can run is asked in the background."""
    before = window.model
    window.commands.run_scenario_called(name)

    def there() -> bool:
        window.frame.tick()
        return window.model is not before

    qtbot.waitUntil(there)
    look(window)


def to_the_end(window: MainWindow) -> None:
    """As if somebody had watched all of it."""
    replay = recorded(window.model.source)
    assert replay is not None
    began = replay._started_ns or 0
    replay._monotonic_ns = lambda: began + 10**12
    for _ in range(20):
        window.model.tick(0)
    assert not replay.alive
    look(window)


def test_the_keys_stay_with_the_picture_when_another_run_is_shown(qtbot: QtBot, laptop: MainWindow) -> None:
    assert laptop.focusWidget() is laptop.views.diagram
    choose(qtbot, laptop, "irq-msi")
    assert laptop.focusWidget() is laptop.views.diagram
    slider = laptop.status.slow
    slider.setFocus()
    choose(qtbot, laptop, "roundtrip")
    assert laptop.focusWidget() is slider


def test_without_kvm_every_scenario_that_is_chosen_plays_and_the_reason_is_said_once(
    laptop: MainWindow, qtbot: QtBot
) -> None:
    for name in ("irq-msi", "lab-wrong-datamatch", "vm-to-vm"):
        choose(qtbot, laptop, name)
        model = laptop.model
        assert model.scenario.name == name
        assert laptop.status.state.words.startswith("REPLAY")  # on a busy machine it may have ended by now
        assert laptop.windowTitle() == f"{model.scenario.title} (REPLAY) – Bellwire"
        assert not laptop.notice.isVisible()  # who opened the window has said why
    assert laptop.files.recent == []  # they are none of the user's


def test_what_needs_a_guest_says_why_there_is_none(laptop: MainWindow) -> None:
    look(laptop)
    controls = laptop.controls
    for widget in (controls.pace, *controls.switches.values(), *controls.singles.values()):
        assert not widget.isEnabled()
        assert WHY in widget.toolTip()
    assert WHY in laptop.status.state.toolTip()
    laptop.run_action(BY_NAME["ring"])
    assert laptop.notice.words.text().endswith(WHY)
    assert all(WHY in laptop.model.source.can(order) for order in Order)
    laptop.menus.refresh()
    action = laptop.menus.actions["ring"]
    assert action.text() == f"{BY_NAME['ring'].text} (This is a recording)"  # a menu is not as wide as all of it
    assert WHY in action.toolTip()


def test_a_kvm_that_is_lost_later_is_said_once(laptop: MainWindow, qtbot: QtBot) -> None:
    laptop.shown._told_no_guest = ""  # as after a guest
    choose(qtbot, laptop, "irq-msi")
    assert laptop.notice.words.text().startswith(f"{WHY}. What you see is a recording, made on ")
    choose(qtbot, laptop, "irq-ioapic")
    assert not laptop.notice.isVisible()


def test_what_this_host_lacks_for_a_scenario_is_said_and_its_recording_is_shown(
    laptop: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.engine.live.session.usable_kvm", lambda: None)
    monkeypatch.setattr("bellwire.engine.machines.build.refusal", lambda scenario: LACKS)
    choose(qtbot, laptop, "vhost-net")
    assert laptop.model.scenario.name == "vhost-net"
    assert laptop.status.state.words.startswith("REPLAY")
    assert laptop.notice.words.text().startswith(f"{LACKS[:-1]}. What you see is a recording, made on QEMU TCG CPU")
    assert LACKS in laptop.controls.singles["ring"].toolTip()


def test_the_list_mutes_what_this_host_lacks_and_says_what_below_the_title(
    laptop: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacks(scenario: Scenario) -> str:
        return LACKS if scenario.name == "vhost-net" else ""

    monkeypatch.setattr("bellwire.viz.window.scenario_list.refusal", lacks)
    combo = laptop.controls.scenarios
    fill(combo, DARK)
    lines, option = combo.itemDelegate(), QStyleOptionViewItem()
    assert isinstance(lines, ScenarioLines)
    heights = {}
    for name in ("vhost-net", "vhost-user-blk"):
        index = combo.model().index(combo.findData(name, NAME), 0)
        option = QStyleOptionViewItem()
        lines.initStyleOption(option, index)
        muted = option.palette.color(option.palette.ColorRole.Text) == DARK.color("text_muted")
        assert muted == (name == "vhost-net")
        assert option.text.endswith(f"A recording. {LACKS}") == muted
        heights[name] = lines.sizeHint(QStyleOptionViewItem(), index).height()
        assert index.flags() & Qt.ItemFlag.ItemIsEnabled  # its recording can be had
        if muted:
            assert LACKS in index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert heights["vhost-net"] > 2 * heights["vhost-user-blk"]
    show_scenario(combo, load_scenario("vhost-net"))
    assert combo.currentText() == load_scenario("vhost-net").title


@pytest.mark.parametrize("name", ["mine", "roundtrip"])
def test_a_scenario_of_somebody_s_own_is_named(name: str, qtbot: QtBot) -> None:
    """Its box said that it is not told yet, or what the shipped one of the same name is called."""
    combo = QComboBox()
    qtbot.addWidget(combo)
    fill(combo, DARK)
    show_scenario(combo, load_scenario("roundtrip"))
    show_scenario(combo, replace(load_scenario("roundtrip"), name=name, title="My own"))
    assert (combo.currentIndex(), combo.placeholderText()) == (-1, "My own")
    show_scenario(combo, None)
    assert (combo.currentIndex(), combo.placeholderText()) == (-1, "not told yet")


def test_no_key_does_two_things(laptop: MainWindow) -> None:
    """Qt would do neither, and say so on the terminal."""
    keys = Counter(key.toString() for action in laptop.findChildren(QAction) for key in action.shortcuts())
    assert "0" in keys
    assert [key for key, times in keys.items() if times > 1] == []


def test_the_menu_says_of_what_this_host_lacks_that_it_is_recorded(
    laptop: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.viz.window.menus.refusal", lambda scenario: LACKS)
    made = laptop.menus._scenario("", load_scenario("vhost-net"))
    assert made.text() == "vhost-net: the kernel sends (a recording)"
    assert LACKS in made.toolTip()


def test_a_recording_that_has_ended_says_so_and_plays_again(laptop: MainWindow, qtbot: QtBot) -> None:
    choose(qtbot, laptop, "irq-msi")
    to_the_end(laptop)
    recorded_events = laptop.model.tally.recorded
    assert laptop.status.state.words == "REPLAY, ENDED"
    assert "from the start again" in laptop.controls.transport["play"].toolTip()
    laptop.commands.step_back()  # somebody looks at what there was
    look(laptop)
    assert laptop.status.state.words.startswith("REPLAY, PAUSED")
    QTest.keyClick(laptop, Qt.Key.Key_End)
    before = laptop.model
    QTest.keyClick(laptop, Qt.Key.Key_Space)
    assert laptop.model is not before
    assert laptop.model.scenario.name == "irq-msi"
    to_the_end(laptop)
    assert laptop.model.tally.recorded == recorded_events


def test_a_scenario_without_a_recording_says_so_and_changes_nothing(
    laptop: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setattr("bellwire.engine.recordings.shipped.FOLDER", tmp_path)
    laptop.commands.run_scenario_called("irq-msi")

    def said() -> bool:
        laptop.frame.tick()
        return laptop.notice.isVisible()

    qtbot.waitUntil(said)  # only to end a test that hangs
    assert laptop.notice.words.text().endswith("Of the scenario irq-msi no recording is shipped.")
    assert laptop.model.scenario.name == "roundtrip"
