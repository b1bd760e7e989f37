"""A fault of the program, in the window or in any thread: one notice, FAULT instead of LIVE, the recording stays."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.engine.recordings.recording import Recording
from bellwire.viz.text.faults import Fault, faults_told
from tests.support.windows import Stage, staged


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    with staged(qtbot) as made:
        assert QTest.qWaitForWindowExposed(made.window)
        made.run()
        yield made


def raise_it(*_: object) -> None:
    raise ZeroDivisionError("nothing to divide by")


def in_a_slot(stage: Stage) -> None:
    """The clock of the screen itself."""
    stage.window.frame.start()


def in_a_paint(stage: Stage) -> None:
    """As Qt does it, with nothing of ours around it."""
    stage.window.views.diagram.update()


def in_a_thread(name: str) -> Callable[[Stage], None]:
    def die(stage: Stage) -> None:
        thread = threading.Thread(target=raise_it, name=name)
        thread.start()
        thread.join()

    return die


def in_a_finalizer(stage: Stage) -> None:
    class Dying:
        __del__ = raise_it

    Dying()


PLACES = {
    "slot": in_a_slot,
    "paint": in_a_paint,
    "engine": in_a_thread("engine"),
    "index": in_a_thread("index"),
    "finalizer": in_a_finalizer,
}


@pytest.mark.parametrize("place", PLACES)
def test_a_fault_is_told_once_and_ends_the_run_that_it_would_spoil(
    place: str, stage: Stage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, recorded = stage.window, tmp_path / "run.arrow"
    before = window.model.tally.recorded
    window.files.toggle_capture(recorded)
    stage.run()
    events = window.model.tally.recorded - before
    if place == "slot":
        monkeypatch.setattr(window.model, "drain", raise_it)
    if place == "paint":
        monkeypatch.setattr(window.views.diagram, "_paint_lights", raise_it)
    told: list[Fault] = []

    def met(fault: Fault) -> None:
        told.append(fault)
        window.fault_met.emit(fault)

    with faults_told(met):
        PLACES[place](stage)
        qtbot.waitUntil(lambda: window.notice.isVisible())
        qtbot.wait(100)
        monkeypatch.undo()
    assert told
    assert "nothing to divide by (tests/" in window.notice.words.text()
    assert window.notice.button.text() == "Copy details"
    ends = place not in ("index", "finalizer")
    assert (window.status.state.words == "FAULT") == ends
    assert (window.fault is not None) == ends
    assert window.frame.running is False
    if ends:
        assert f"what was recorded is in {recorded}" in window.notice.words.text()
        assert stage.source.stopped == 1
        assert len(Recording(recorded)) >= events > 0
    window.notice.button.click()
    copied = QGuiApplication.clipboard().text()
    assert "Traceback (most recent call last)" in copied
    assert copied.startswith(told[0].sentence)


def test_another_run_is_not_spoiled_by_the_fault_of_the_one_before(stage: Stage, qtbot: QtBot) -> None:
    window = stage.window
    window.fault_met.emit(Fault("bellwire has a fault.", "details"))
    qtbot.waitUntil(lambda: window.fault is not None)
    assert window.status.state.words == "FAULT"
    assert "Ctrl+S saves what is held, Ctrl+R starts afresh." in window.notice.words.text()
    window.commands.restart()
    window.status.refresh()
    assert window.status.state.words == "LIVE"
    assert window.frame.running
    window.frame.stop()


FAULTY = """
import sys
from PySide6.QtCore import QTimer
from bellwire.viz.window import window
from bellwire.viz.cli.opening import show
from bellwire.viz.window.window import MainWindow
from tests.support.fake_source import FakeSource

sys.path.insert(0, ".")
shown = MainWindow.show
def show_and_fail(self):
    shown(self)
    self.model.drain = lambda: [][1]
    QTimer.singleShot(1000, self.close)
MainWindow.show = show_and_fail
sys.exit(show(FakeSource(), "", print))
"""


@pytest.mark.xcb
@pytest.mark.parametrize("platform", ["offscreen", "xcb"])
def test_the_program_ends_with_the_code_of_a_fault_and_says_which(platform: str, xvfb: str, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    found = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"QT_QPA_PLATFORM": platform, "DISPLAY": xvfb, "PYTHONPATH": found}
    ran = subprocess.run(
        [sys.executable, "-c", FAULTY], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 70
    assert ran.stderr.count("bellwire has a fault: IndexError") == 1
    assert "Traceback" not in ran.stderr
