"""File > Attach…: who is listed, who is looked at, and that all of it ends with the window."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.watched import VmmSeen
from bellwire.viz.attached import attach_window
from bellwire.viz.attached.attach_window import AttachWindow, process_words
from bellwire.viz.attached.plan import SeenPlan
from bellwire.viz.style.theme import THEMES
from tests.support.heard import unnamed, unreached
from tests.support.scrolled import check_scrolled
from tests.support.seen_hops import HOPS
from tests.support.seen_vmms import HIDDEN, RATES, SEEN, VMM


class FakeLister:
    """In place of the thread that lists."""

    def __init__(self) -> None:
        self.newest: list[KvmProcess] | None = None
        self.refusal: str | None = None
        self.closed = False

    def close(self) -> None:
        self.closed = True


class FakeWatcher:
    """In place of the thread that looks."""

    made: ClassVar[list[FakeWatcher]] = []

    def __init__(self, pid: int) -> None:
        self.pid, self.newest, self.ended, self.closed = pid, None, "", False  # type: int, Any, str, bool
        self.asked: list[Path] = []
        self.made.append(self)

    def ask_names(self, path: Path) -> None:
        self.asked.append(path)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[AttachWindow]:
    """One whose threads are the test's."""
    monkeypatch.setattr(attach_window, "ProcessLister", FakeLister)
    monkeypatch.setattr(attach_window, "Watcher", FakeWatcher)
    FakeWatcher.made = []
    made = AttachWindow(lambda: THEMES["dark"], lambda path: None, lambda path: None)
    made._timer.stop()
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # the test still looks at it
    qtbot.addWidget(made)
    yield made
    made.close()


def picture_of(window: AttachWindow) -> SeenPlan | None:
    """What is painted now."""
    return window.picture.plan


def listed(window: AttachWindow, *processes: KvmProcess) -> None:
    """These are there."""
    lister: Any = window.lister
    lister.newest = list(processes)
    window.refresh()


def test_each_process_is_a_row_and_says_what_it_lacks(window: AttachWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert window.lacks.text() == "They are being looked for."
    listed(window)
    assert window.lacks.text() == "No process has a VM, of those that you may see."
    listed(window, VMM, HIDDEN)
    rows = [window.list.item(row) for row in range(window.list.count())]
    assert [row.text() for row in rows] == [process_words(VMM), process_words(HIDDEN)]
    assert rows[0].text() == "qemu-system-x86_64 · web\npid 4213 · root · 1 VM, 1 vCPU"
    assert "attach as that user, or as root" in rows[1].text()
    assert not rows[1].flags() & Qt.ItemFlag.ItemIsSelectable
    lister: Any = window.lister
    lister.refusal = "This kernel is locked down."
    window.refresh()
    assert window.lacks.text() == "This kernel is locked down."


def test_where_there_is_no_picture_it_says_what_to_do(window: AttachWindow) -> None:
    assert window.picture.empty == "They are being looked for."
    listed(window)
    assert window.picture.empty.startswith("Start a VMM")
    listed(window, HIDDEN)
    assert window.picture.empty.startswith("None of them may be looked at by you")
    listed(window, VMM, replace(VMM, pid=5000))
    assert window.chosen is None
    assert window.picture.empty.startswith("Choose one of these processes")
    assert window.picture.accessibleDescription() == window.picture.empty
    window.list.setCurrentRow(0)
    assert window.picture.empty == "It is being looked at."


def test_the_only_one_is_looked_at_at_once(window: AttachWindow) -> None:
    assert window.state.text() == ""
    listed(window, VMM, HIDDEN)
    (watcher,) = FakeWatcher.made
    assert watcher.pid == VMM.pid
    assert window.state.text() == "It is being looked at."
    watcher.newest = VmmSeen(SEEN, RATES, ("12:00:00  New: vCPU 1.",), HOPS)
    window.refresh()
    assert window.picture.plan is not None
    assert window.changes.text() == "12:00:00  New: vCPU 1."
    assert "goes on undisturbed" in window.state.text()


def test_figures_and_plots_are_those_of_the_newest_look(window: AttachWindow) -> None:
    listed(window, VMM)
    watcher = FakeWatcher.made[0]
    watcher.newest = VmmSeen(SEEN, RATES, hops=HOPS)
    window.refresh()
    assert window.hops.rows.rowCount() == 6
    assert window.rates.hops is window.times.hops is HOPS
    watcher.newest = VmmSeen(SEEN, RATES, unheard="The kernel's clock is not the TSC.")
    window.refresh()
    assert window.hops.words.text() == "The kernel's clock is not the TSC."


def test_a_control_channel_that_qemu_was_told_is_asked_at_once(
    window: AttachWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attach_window, "control_channel", lambda _pid: Path("/run/q"))
    listed(window, VMM)
    (watcher,) = FakeWatcher.made
    assert watcher.asked == [Path("/run/q")]
    assert window.channel.text() == "/run/q"
    window.channel.setText(" /run/other ")
    window.channel.returnPressed.emit()
    assert watcher.asked[1:] == [Path("/run/other")]
    watcher.newest = VmmSeen(SEEN, RATES, unnamed="/run/other is no control channel of QEMU's.")
    window.refresh()
    assert window.state.text() == "/run/other is no control channel of QEMU's."


def test_what_is_chosen_stays_chosen_while_others_come_and_go(window: AttachWindow) -> None:
    other = KvmProcess(17, 1, 0, "crosvm", "", 1, 1)
    listed(window, other, VMM)
    assert FakeWatcher.made == []
    window.list.setCurrentRow(1)
    listed(window, VMM)
    listed(window, other, HIDDEN, VMM)
    assert [watcher.pid for watcher in FakeWatcher.made] == [VMM.pid]
    assert window.list.currentRow() == 2
    window.list.setCurrentRow(0)
    assert FakeWatcher.made[0].closed
    assert FakeWatcher.made[1].pid == 17


def test_a_vmm_that_ends_is_told_and_its_picture_stays(window: AttachWindow) -> None:
    listed(window, VMM)
    watcher = FakeWatcher.made[0]
    watcher.newest, watcher.ended = VmmSeen(SEEN, RATES), "qemu-system-x86_64, pid 4213 has ended."
    window.refresh()
    assert window.state.text() == "qemu-system-x86_64, pid 4213 has ended."
    assert window.picture.plan is not None


def test_of_several_vms_one_is_chosen(window: AttachWindow) -> None:
    listed(window, VMM)
    second = replace(SEEN.vms[0], fd=12, ioeventfds=())
    FakeWatcher.made[0].newest = VmmSeen(replace(SEEN, vms=(*SEEN.vms, second)), RATES)
    window.refresh()
    assert [window.vms.itemText(n) for n in range(2)] == ["VM with fd 11", "VM with fd 12"]
    assert window.picture.plan is not None
    before = len(window.picture.plan.blueprint.counters)
    window.vms.setCurrentIndex(1)
    assert len(window.picture.plan.blueprint.counters) == before - 2
    FakeWatcher.made[0].newest = VmmSeen(replace(SEEN, vms=()), RATES)
    window.refresh()
    assert picture_of(window) is None
    assert window.state.text().endswith("has no VM any more.")


def test_all_that_can_be_worked_has_a_name_and_is_reached_by_keys(window: AttachWindow) -> None:
    listed(window, VMM, HIDDEN)
    window.show()
    assert [*unnamed(window), *unreached(window, set())] == []


@pytest.mark.parametrize("end", [AttachWindow.close, AttachWindow.reject])
def test_its_threads_end_with_it(end: Callable[[AttachWindow], object], window: AttachWindow) -> None:
    listed(window, VMM)
    lister: Any = window.lister
    end(window)
    assert lister.closed
    assert FakeWatcher.made[0].closed


def test_with_its_own_threads_it_lists_and_leaves_none(qtbot: QtBot) -> None:
    before = set(threading.enumerate())
    made = AttachWindow(lambda: THEMES["light"], lambda path: None, lambda path: None)
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: made.lister.newest is not None)
    made.take_theme()
    made.close()
    assert set(threading.enumerate()) <= before


@pytest.mark.qt_log_ignore("This plugin does not support")  # size hints
def test_on_a_small_screen_it_is_scrolled(window: AttachWindow, qtbot: QtBot) -> None:
    window.show()
    listed(window, VMM)
    window.list.setCurrentRow(0)
    check_scrolled(window, qtbot)
    window.resize(1440, 860)
    qtbot.waitUntil(lambda: window.inside.size() == window.size())
