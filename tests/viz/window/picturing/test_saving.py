"""A picture of what is seen is made by a command, which makes the same bytes again."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.pictures.played import PlayedRecording, begin_before, play_model
from bellwire.viz.pictures.provenance import read_provenance
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.picturing.saving import view_name
from bellwire.viz.window.window import MainWindow, make_window
from tests.support.threadless import NO_THREAD, no_more_threads
from tests.support.windows import Stage, staged_in_front


@pytest.fixture
def replaying(qtbot: QtBot) -> Iterator[MainWindow]:
    """A shown window on a shipped recording, at a stage of a journey."""
    source, moment = PlayedRecording(Recording(path_of_shipped("roundtrip"))), Moment.read("#40/runnable")
    begin_before(source, moment)
    window = make_window(source, theme=DARK)
    qtbot.addWidget(window)
    window.show()
    play_model(window.model, source, moment)
    window.refresh()
    yield window
    window.close()


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    """A window on a guest that runs."""
    with staged_in_front(qtbot, 1280, 800) as made:
        made.run(60)
        yield made


def saved(window: MainWindow, of: QWidget | None, path: Path, qtbot: QtBot) -> Path:
    """The picture, once it is there."""
    window.pictures.save(of, path)
    qtbot.waitUntil(lambda: not window.pictures.busy)
    assert path.is_file(), window.notice.words.text()
    return path


def test_the_command_makes_the_same_again(replaying: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window, size = replaying, replaying.views.diagram.size()
    path = saved(window, window.views.diagram, tmp_path / "a.svg", qtbot)
    told = read_provenance(path)
    assert (told.asked.view, str(told.asked.at), told.asked.theme) == ("diagram", "#40/runnable", "dark")
    assert told.asked.size == (size.width(), size.height())
    assert window.pictures.command in window.notice.words.text()
    window.notice.second.click()
    assert QGuiApplication.clipboard().text() == window.pictures.command
    before = path.read_bytes()
    path.unlink()
    _, *words = shlex.split(window.pictures.command)
    subprocess.run([sys.executable, "-P", "-m", "bellwire.viz", *words], check=True, capture_output=True, timeout=240)
    assert path.read_bytes() == before


def test_a_run_is_kept_beside_its_picture(stage: Stage, qtbot: QtBot, tmp_path: Path) -> None:
    plot = stage.window.views.plots[0]
    path = saved(stage.window, plot, tmp_path / "a.png", qtbot)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.arrow", "a.png"]
    assert (read_provenance(path).recording, read_provenance(path).asked.view) == ("a.arrow", plot.name)


def test_a_recording_that_is_there_already_stays(stage: Stage, qtbot: QtBot, tmp_path: Path) -> None:
    mine, view = tmp_path / "a.arrow", stage.window.views.diagram
    mine.write_bytes(b"of another run")
    for name in ("a.png", "a.svg", "a.png"):
        saved(stage.window, view, tmp_path / name, qtbot)
    assert mine.read_bytes() == b"of another run"
    assert sorted(file.name for file in tmp_path.glob("*.arrow")) == ["a-2.arrow", "a-3.arrow", "a.arrow"]
    assert [read_provenance(tmp_path / name).recording for name in ("a.png", "a.svg")] == ["a-2.arrow", "a-3.arrow"]


def test_what_cannot_be_written_says_why(stage: Stage, qtbot: QtBot, tmp_path: Path) -> None:
    stage.window.pictures.save(stage.window.views.diagram, tmp_path / "missing" / "a.png")
    qtbot.waitUntil(lambda: not stage.window.pictures.busy)
    assert "cannot be written" in stage.window.notice.words.text()


def test_where_no_thread_can_be_started_it_says_so(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_more_threads(monkeypatch)
    stage.window.pictures.save(stage.window.views.diagram, tmp_path / "a.png")
    assert stage.window.notice.words.text().startswith(NO_THREAD)
    assert not stage.window.pictures.busy


def test_where_no_process_can_be_started_it_says_so(
    stage: Stage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    stage.window.pictures.save(stage.window.views.diagram, tmp_path / "a.png")
    qtbot.waitUntil(lambda: not stage.window.pictures.busy)
    assert stage.window.notice.words.text().startswith(f"{tmp_path}/a.png could not be made: no process can be started")


def test_each_view_has_a_name_and_offers_its_picture(stage: Stage) -> None:
    views = stage.window.views
    widgets = [views.diagram, views.timeline, views.numbers, *views.plots]
    widgets += [views.panel(name) for name in ("sequence", "evidence", "calls", "anatomy", "compare", "explain")]
    names = [view_name(widget) for widget in widgets]
    assert names == [
        *("diagram", "timeline", "numbers", "latency", "distribution", "exits"),
        *("sequence", "evidence", "call", "anatomy", "compare", "stages"),
    ]
    assert view_name(None) == "window"
    for widget in widgets:
        offered = [action.text() for action in stage.window.offers.menu_at(widget, QPoint(40, 40)).actions()]
        assert "Save the picture…" in offered, view_name(widget)
