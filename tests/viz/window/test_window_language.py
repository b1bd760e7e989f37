"""The window in other languages: every text is said; another one may be chosen while a guest runs, and runs on."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QMenu, QWidget
from pytestqt.qtbot import QtBot

from bellwire.engine.events import EventKind
from bellwire.engine.language import Spoken, speak
from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.viz.panels import PANELS
from bellwire.viz.text import languages
from bellwire.viz.text.faults import Fault
from bellwire.viz.window.menus import sections
from bellwire.viz.window.settings import Settings
from bellwire.viz.window.window import MainWindow, make_window, open_as_the_one
from tests.support.accented import Accents, in_accents, unsaid
from tests.support.fake_source import FakeSource
from tests.support.heard import heard_in
from tests.support.painted_text import texts_painted
from tests.support.windows import on_whole_run, settle

KEYS = ("Ctrl", "Del", "Shift", "Home", "End", "Space", "Enter", "Esc", "Tab", "PgDn", "PgUp")
NAMES = {"Bellwire", "ioeventfd", "irqfd", "kvm", "fake", "ring", "English", *KEYS}  # ring: a kind of event

PARTS = {"KVM", "OUT", "INTR", "vCPU", "Linux", "MiB"}  # of the machine, as they are called everywhere
VIRTIO = {"call", "kick"}  # as its two eventfds are called
SCENARIOS = ("roundtrip", "irq-level-resample", "lab-masked-edge", "vhost-user-blk")
COMMIT = re.compile("[0-9a-f]{12} .*")  # the kernel's, as it is called


@pytest.fixture
def opened(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[MainWindow]]:
    """The window that is open, which can speak with accents."""
    monkeypatch.setattr("bellwire.viz.window.settings.languages", lambda: ("en", "xx"))
    monkeypatch.setattr(languages, "read_catalogue", lambda path: {"xx.mo": Accents()}[path.name])
    windows: list[MainWindow] = []
    open_as_the_one(make_window(FakeSource(), make_source=FakeSource, settings=Settings()), windows)
    yield windows
    windows[-1].close()
    windows[-1].deleteLater()
    speak("en")


def speaking_accents(opened: list[MainWindow], qtbot: QtBot) -> MainWindow:
    """The window that takes the place of the one that is open."""
    old = opened[-1]
    old.commands.choose_language("xx")
    qtbot.waitUntil(lambda: opened[-1] is not old)
    return opened[-1]


def test_another_language_takes_another_window_over_the_same_run(opened: list[MainWindow], qtbot: QtBot) -> None:
    old = opened[-1]
    source, held = old.model.source, old.model.events
    assert isinstance(source, FakeSource)
    source.run(1.0)
    old.frame.tick()
    old.frame.tick()
    old.look.set_extended(True)
    old.views.bring_panel("events")
    old.resize(1400, 800)
    chosen = held.newest(1)
    old.model.selection.choose(events=chosen)
    new = speaking_accents(opened, qtbot)
    assert opened == [new]
    assert Spoken.name == "xx"
    assert new.model.source is source
    assert source.alive
    assert new.model.events is held
    assert new.model.selection.events.tobytes() == chosen.tobytes()
    assert new.look.extended
    assert new.views.panel("events").isVisibleTo(new)
    assert new.size() == old.size()
    assert not old.isVisible()
    assert new.frame.running
    assert not old.frame.running
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    source.run(1.0)
    new.frame.tick()  # nothing of the old one is asked any more


def test_it_is_remembered(opened: list[MainWindow], qtbot: QtBot) -> None:
    speaking_accents(opened, qtbot)
    assert Settings().language == "xx"


def test_the_one_that_is_spoken_changes_nothing(opened: list[MainWindow]) -> None:
    old = opened[-1]
    old.commands.choose_language("en")
    QCoreApplication.processEvents()
    assert opened == [old]


def test_a_lesson_is_not_torn_away(opened: list[MainWindow]) -> None:
    [window] = opened
    window.look.set_presenting(True)
    window.commands.choose_language("xx")
    QCoreApplication.processEvents()
    assert opened == [window]
    assert "first" in window.notice.accessibleName()
    window.look.set_presenting(False)


def test_what_is_being_built_is_shown_in_the_other_window(
    opened: list[MainWindow], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeSource, "starting", True)
    opened[-1].commands.run_scenario_called("irq-msi")
    new = speaking_accents(opened, qtbot)
    new.frame.tick()
    assert new.model.scenario.name == "roundtrip"
    monkeypatch.setattr(FakeSource, "starting", False)
    new.frame.tick()
    assert new.model.scenario.name == "irq-msi"
    assert new.model.source.alive


def test_a_run_that_a_fault_has_ended_stays_ended(opened: list[MainWindow], qtbot: QtBot) -> None:
    fault = Fault("It broke.", "Where it did.")
    opened[-1].fault_met.emit(fault)
    qtbot.waitUntil(lambda: opened[-1].fault is fault)
    new = speaking_accents(opened, qtbot)
    assert new.fault is fault
    assert new.status.fault
    assert not new.frame.running


def saving(window: MainWindow) -> None:
    window.files._saving.append(threading.current_thread())


def told_later(window: MainWindow) -> None:
    window.files._news.append(lambda: None)


def drawing(window: MainWindow) -> None:
    window.pictures._writing = threading.current_thread()


@pytest.mark.parametrize("write", [saving, told_later, drawing])
def test_a_file_that_is_being_written_is_not_torn_away(
    opened: list[MainWindow], write: Callable[[MainWindow], None], qtbot: QtBot
) -> None:
    [window] = opened
    write(window)
    window.commands.choose_language("xx")
    QCoreApplication.processEvents()
    assert opened == [window]
    assert "still writing a file" in window.notice.accessibleName()
    window.files._saving, window.files._news, window.pictures._writing = [], [], None
    speaking_accents(opened, qtbot)


def test_every_action_is_said_in_menus_tips_palette_and_among_the_keys(opened: list[MainWindow], qtbot: QtBot) -> None:
    window = speaking_accents(opened, qtbot)
    said = [words for title, rows in sections() for words in (title, *(text for _, text in rows))]
    said += [text for text, _ in window.menus.entries()]
    for menu in window.menus.bar.findChildren(QMenu):
        said += [menu.title(), *(f"{made.text()} {made.toolTip()}" for made in menu.actions())]
    assert {text: words for text in said if (words := unsaid(text, NAMES))} == {}


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # as offscreen says of popups
def test_everything_that_is_heard_of_a_window_is_said(opened: list[MainWindow], qtbot: QtBot) -> None:
    new = speaking_accents(opened, qtbot)
    assert isinstance(new.model.source, FakeSource)
    new.model.source.run(1.0)
    new.frame.tick()
    new.frame.tick()
    new.commands.story_of_newest()
    new.commands.take_tour()
    new.commands.show_palette()
    new.refresh()
    heard = [one.name for one in heard_in(new)]
    for popover in (new.breaks.popover, new.controls.popover):
        popover.show()
        heard += [one.name for one in heard_in(popover)]
        popover.hide()  # it has the keyboard
    assert {text: words for text in heard if (words := unsaid(text, NAMES))} == {}


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_everything_that_is_painted_is_said(scenario: str, qtbot: QtBot) -> None:
    """With each panel in front, live and in the past; and what a pointer is told that rests somewhere."""
    names = {*NAMES, *PARTS, *VIRTIO, *(kind.name.lower() for kind in EventKind)}
    for each in list_scenarios():
        names |= set(re.findall("[A-Za-z]+", each.name))
    texts: set[str] = set()
    with in_accents(), on_whole_run(qtbot, 1920, 1080, scenario=scenario) as window:
        texts.add(window.windowTitle())
        window.model.selection.choose(journeys=window.model.journeys.newest(1))
        for panel in PANELS:
            window.views.bring_panel(panel.name)
            settle(window)
            texts |= {piece.text for piece in texts_painted(window.middle)}
            texts |= {re.sub("<[^>]*>", " ", widget.toolTip()) for widget in window.findChildren(QWidget)}
    texts = {text for text in texts if not COMMIT.fullmatch(text)}
    assert {text: words for text in texts if (words := unsaid(text, names))} == {}
