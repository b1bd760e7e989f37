"""Recordings in the window: written while it shows them, saved afterwards, opened again; disks that fail."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from bellwire.engine.events import EventKind
from bellwire.engine.folds.tally import Tally
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.source import Label
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.events import cells
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.window import MainWindow, make_window
from tests.support.fake_source import FakeSource
from tests.support.sessions import PATIENCE
from tests.support.threadless import NO_THREAD, no_more_threads


class Stage:
    """A window on a synthetic source, moved by hand."""

    def __init__(self, window: MainWindow, source: FakeSource) -> None:
        self.window, self.source = window, source

    def run(self, frames: int) -> None:
        """That many frames; the bar looks at its states."""
        for _ in range(frames):
            self.source.run(1 / 60)
            self.window.frame.tick()
        self.window._bar_at = 0
        self.window.refresh(False)

    def end_recording(self) -> None:
        """Ends it, and waits until it is written."""
        self.window.files.stop_capture()
        self.wait()

    def wait(self) -> None:
        """Until what is ended is written, and told."""
        assert all(capture.wait(PATIENCE) for capture in self.window.files.ending)
        self.run(1)

    @property
    def said(self) -> str:
        """The notice; "" if there is none."""
        return self.window.notice.words.text() if not self.window.notice.isHidden() else ""


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    source = FakeSource()
    window = make_window(source, theme=DARK, make_source=FakeSource)
    qtbot.addWidget(window)
    window.show()
    yield Stage(window, source)
    window.close()


def tally_of(path: Path) -> Tally:
    tally = Tally()
    for events in Recording(path).batches():
        tally.feed(events)
    return tally


def test_what_happens_between_on_and_off_is_in_the_file(stage: Stage, tmp_path: Path) -> None:
    stage.run(30)
    before = stage.window.model.tally.doorbells_received
    stage.window.files.toggle_capture(tmp_path / "run.arrow")
    stage.run(30)
    assert stage.window.status.capture.words.startswith("REC 0:0")
    received = stage.window.model.tally.doorbells_received - before
    stage.end_recording()
    stage.run(30)
    tally = tally_of(tmp_path / "run.arrow")
    assert tally.doorbells_received == received > 0
    assert tally.wiring == stage.window.model.tally.wiring
    assert tally.doorbells_pending == tally.irqs_merged == 0
    assert "run.arrow" in stage.said
    assert stage.window.status.capture.isHidden()


def test_a_recording_that_began_in_the_middle_replays_without_incomplete_journeys(stage: Stage, tmp_path: Path) -> None:
    stage.run(30)
    stage.window.files.toggle_capture(tmp_path / "run.arrow")
    stage.run(30)
    stage.end_recording()
    model = LiveModel(FakeSource(label=Label.REPLAY))
    for events in Recording(tmp_path / "run.arrow").batches():
        model._fold(events)
    assert model.latencies.journeys > 0
    assert model.latencies.tracker.given_up == 0


def test_all_that_is_held_can_be_saved_and_replayed(stage: Stage, tmp_path: Path) -> None:
    stage.run(30)
    stage.window.files.write(tmp_path / "held.arrow")
    stage.window.files.close()
    stage.run(1)
    held = np.concatenate(list(Recording(tmp_path / "held.arrow").batches()))
    assert held.size > 100
    assert held.tolist() == stage.window.model.events.at(0, held.size).tolist()
    assert "held.arrow" in stage.said
    header = Recording(tmp_path / "held.arrow").header
    assert header.started_tsc == held["tsc"][0]  # and not when it was saved
    assert 0 < header.started_ns < time.time_ns() - 0.4e9
    stage.window.notice.button.click()
    assert stage.window.model.replaying
    assert stage.window.files.recent[0] == tmp_path / "held.arrow"


@pytest.mark.parametrize("name", ["run.parquet", "run.csv", "run.pftrace", "run.hgrm", "run.hlog"])
def test_all_that_is_held_can_be_exported(stage: Stage, tmp_path: Path, name: str) -> None:
    stage.run(10)
    stage.window.files.write(tmp_path / name)
    stage.window.files.close()
    stage.run(1)
    assert (tmp_path / name).stat().st_size > 100
    assert stage.said.endswith(f"saved to {tmp_path / name}.")
    assert os.listdir(tmp_path) == [name]
    assert not stage.window.files.recent


def test_a_format_that_there_is_not_is_one_sentence(stage: Stage, tmp_path: Path) -> None:
    stage.run(10)
    stage.window.files.write(tmp_path / "run.docx")
    stage.window.files.close()
    stage.run(1)
    assert ".docx" in stage.said
    assert not os.listdir(tmp_path)


def test_what_the_history_has_forgotten_is_summed_up_at_the_beginning(stage: Stage, tmp_path: Path) -> None:
    stage.window.model.events.limit = 1
    while not stage.window.model.forgotten.recorded:
        stage.run(30)
    model = stage.window.model
    stage.window.files.write(tmp_path / "held.arrow")
    stage.window.files.close()
    tally = tally_of(tmp_path / "held.arrow")
    assert tally.began.rung == max(model.forgotten.doorbells_rung, model.forgotten.doorbells_received) > 0
    assert tally.doorbells_received == model.tally.doorbells_received - model.forgotten.doorbells_received
    assert tally.irqs_handled + tally.irqs_merged + tally.irqs_pending == tally.irqs_signalled


def test_a_full_disk_ends_the_recording_and_says_so(stage: Stage) -> None:
    stage.window.files.toggle_capture(Path("/dev/full"))
    for _ in range(200):
        if stage.window.files.capture is None:
            break
        stage.run(5)
    assert stage.window.files.capture is None
    stage.wait()
    assert "No space left" in stage.said
    assert stage.source.alive


def test_a_file_that_cannot_be_written_is_one_sentence(stage: Stage, tmp_path: Path) -> None:
    stage.run(10)
    (tmp_path / "file").touch()
    stage.window.files.toggle_capture(tmp_path / "file" / "run.arrow")
    assert stage.window.files.capture is None
    assert "cannot be made" in stage.said
    stage.window.files.write(tmp_path / "missing" / "held.arrow")
    stage.window.files.close()
    stage.run(1)
    assert "cannot be written" in stage.said


def test_where_no_thread_can_be_started_saving_and_recording_say_so_and_another_scenario_comes(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.run(10)
    no_more_threads(monkeypatch)
    stage.window.files.write(tmp_path / "held.arrow")
    assert stage.said.startswith(NO_THREAD)
    stage.window.files.toggle_capture(tmp_path / "run.arrow")
    assert stage.window.files.capture is None
    assert stage.said.startswith(NO_THREAD)
    before = stage.window.shown.model.source
    stage.window.shown.run_scenario_called("irq-msi")
    stage.run(5)
    assert stage.window.shown.model.source is not before
    assert not before.alive


def test_another_scenario_and_the_end_close_the_file(stage: Stage, tmp_path: Path) -> None:
    stage.window.files.toggle_capture(tmp_path / "first.arrow")
    stage.run(10)
    stage.window.shown.run_scenario_called("doorbell-pio")
    assert stage.window.files.capture is None
    stage.wait()
    assert not Recording(tmp_path / "first.arrow").warning
    stage.window.files.toggle_capture(tmp_path / "second.arrow")
    stage.window.close()
    assert not Recording(tmp_path / "second.arrow").warning


def test_a_recording_cannot_be_recorded(qtbot: QtBot) -> None:
    window = make_window(FakeSource(label=Label.REPLAY), theme=DARK, make_source=FakeSource)
    qtbot.addWidget(window)
    window.files.toggle_capture(Path("never.arrow"))
    assert window.files.capture is None
    assert "Ctrl+S" in window.notice.words.text()
    window.close()


def test_recent_files_are_listed_once_the_newest_first(stage: Stage, tmp_path: Path) -> None:
    for name in ("a.arrow", "b.arrow", "a.arrow"):
        stage.window.files.remember(tmp_path / name)
    assert [path.name for path in stage.window.files.recent] == ["a.arrow", "b.arrow"]
    stage.window.menus.recent.aboutToShow.emit()
    assert [action.text() for action in stage.window.menus.recent.actions()] == ["a.arrow", "b.arrow"]


def test_the_prologue_is_no_event_of_the_run(stage: Stage, tmp_path: Path) -> None:
    stage.run(20)
    stage.window.files.toggle_capture(tmp_path / "run.arrow")
    stage.run(5)
    stage.end_recording()
    events = np.concatenate(list(Recording(tmp_path / "run.arrow").batches()))
    assert np.count_nonzero(events["kind"] == EventKind.BEFORE) >= 4
    assert tally_of(tmp_path / "run.arrow").recorded < events.size


def test_the_event_table_is_saved_whole_whatever_is_shown_by_then(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "PIECE", 50)
    stage.run(30)
    window, events = stage.window, stage.window.model.events.total
    window.files.save_panel(window.views.panel("events"), tmp_path / "events.csv")
    window.files.save_panel(window.views.panel("events"), Path("/dev/full"))
    assert not (tmp_path / "events.csv").exists()
    window.shown.run_scenario_called("doorbell-pio")
    while window.files._writing:
        window.files._write_on()
    assert len((tmp_path / "events.csv").read_text().splitlines()) == 1 + events > 100
    assert [path.name for path in tmp_path.iterdir()] == ["events.csv"]


def test_a_disk_that_is_full_is_one_sentence_for_everything_that_is_saved(stage: Stage) -> None:
    stage.run(30)
    stage.window.files.save_panel(stage.window.views.panel("events"), Path("/dev/full"))
    while stage.window.files._writing:
        stage.window.files._write_on()
    assert "/dev/full cannot be written: No space left on device." in stage.said
    stage.window.files.save_picture(Path("/dev/full"))
    assert "/dev/full cannot be written: No space left on device." in stage.said


def test_what_is_captured_within_a_second_has_names_of_its_own(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "strftime", lambda form: "now")
    names = []
    for _ in range(3):
        stage.window.files.toggle_capture()
        stage.run(5)
        assert stage.window.files.capture
        names.append(stage.window.files.capture.path)
        stage.window.files.toggle_capture()
    stage.wait()
    assert [name.name for name in names] == [f"roundtrip-now{number}.arrow" for number in ("", "-2", "-3")]
    for name in names:
        assert not Recording(name).warning
        name.unlink()


@pytest.mark.parametrize("what", ["recording", "export", "panel"])
def test_a_pipe_from_which_nothing_is_taken_is_given_up(
    stage: Stage, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Else the window stood still, or its end, for as long as whoever has the pipe does nothing."""
    monkeypatch.setattr("bellwire.viz.window.files.READER_SECONDS", 0.1)
    path, files = tmp_path / ("pipe.arrow" if what == "recording" else "pipe.csv"), stage.window.files
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    goes = threading.Timer(PATIENCE, os.close, [reader])  # where nobody gives up
    goes.start()
    stage.run(600)
    if what == "panel":
        files._write(path, iter([b"x" * (1 << 20)] * 2), True)
    else:
        files.write(path, force=True)
    qtbot.waitUntil(lambda: not any(thread.is_alive() for thread in files._saving), timeout=round(PATIENCE * 2000))
    goes.cancel()
    stage.run(1)
    assert "its reader has taken nothing for 0.1 s" in stage.said
    os.close(reader)
