"""Record, in the window of running VMMs: begins, says how far it is, ends, and leads to what was recorded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from pytestqt.qtbot import QtBot

from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.errors import EngineError
from bellwire.viz.attached import recording_row
from bellwire.viz.attached.recording_row import RecordingRow, in_home, path_for
from tests.support.seen_vmms import VMM


class FakeCapture:
    """In place of what records."""

    made: ClassVar[list[FakeCapture]] = []
    waited: ClassVar[list[FakeCapture]] = []  # for whose end somebody has waited

    def __init__(self, path: Path, process: KvmProcess) -> None:
        self.path, self.process = path, process
        self.ended = self.stopped = False
        self.error: EngineError | None = None
        self.events, self.size = 7, 2_000_000
        self.made.append(self)

    def stop(self) -> None:
        self.stopped = self.ended = True

    def wait_while_it_gets_on(self) -> bool:
        self.waited.append(self)
        self.ended = True
        return self.ended


@pytest.fixture
def row(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RecordingRow:
    """One in which nothing is recorded; `opened` has the recordings that are to be replayed."""
    monkeypatch.setattr(recording_row, "new_capture", FakeCapture)
    monkeypatch.setattr(recording_row, "user_data_path", lambda *_, **__: tmp_path)
    FakeCapture.made, FakeCapture.waited = [], []
    made = RecordingRow(OPENED.append, RECORDED.append)
    OPENED.clear()
    RECORDED.clear()
    qtbot.addWidget(made)
    return made


OPENED: list[Path] = []
RECORDED: list[Path] = []


def test_where_a_recording_was_saved_has_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert in_home(Path("/home/ada/.local/share/qemu.arrow")) == "~/.local/share/qemu.arrow"
    assert in_home(Path("/srv/qemu.arrow")) == "/srv/qemu.arrow"


def test_it_begins_and_ends_and_leads_to_the_file(row: RecordingRow) -> None:
    assert not row.button.isEnabled()
    row.watch(VMM)
    row.button.click()
    (capture,) = FakeCapture.made
    assert (capture.process, row.button.text(), row.words.text()) == (VMM, "Stop recording", "REC 0:00, 2.0 MB")
    row.button.click()
    assert capture.stopped
    assert [capture.path] == RECORDED
    assert row.button.text() == "Record"
    assert row.words.text() == f"7 events saved to {in_home(capture.path)}."
    assert str(capture.path) in row.words.toolTip()
    assert not row.replay.isHidden()
    row.replay.click()
    assert [capture.path] == OPENED


@pytest.mark.parametrize("leave", [lambda row: row.watch(None), lambda row: row.stop()])
def test_another_process_ends_it(row: RecordingRow, leave: Callable[[RecordingRow], None]) -> None:
    row.watch(VMM)
    row.button.click()
    leave(row)
    assert FakeCapture.made[0].stopped
    assert row.capture is None


@pytest.mark.parametrize("leave", [lambda row: row.watch(None), lambda row: row.button.click()])
def test_nobody_waits_for_its_end_but_who_goes(
    row: RecordingRow, leave: Callable[[RecordingRow], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeCapture, "stop", lambda capture: None)  # kernel or disk take their time
    row.watch(VMM)
    row.button.click()
    leave(row)
    (capture,) = FakeCapture.made
    assert (row.button.text(), row.words.text(), row.busy, RECORDED) == ("Record", "REC ends", True, [])
    assert FakeCapture.waited == []
    row.end()
    assert FakeCapture.waited == [capture]
    assert (row.busy, RECORDED) == (False, [capture.path])


def test_why_it_ended_is_said(row: RecordingRow) -> None:
    row.watch(VMM)
    row.button.click()
    (capture,) = FakeCapture.made
    capture.ended, capture.error = True, EngineError("The disk is full.")
    row.refresh()
    assert row.words.text() == "The disk is full."
    assert row.replay.isHidden()


def test_its_name_is_the_vmms_and_nobody_has_it_yet(row: RecordingRow, tmp_path: Path) -> None:
    path = path_for(VMM)
    assert path.parent == tmp_path / "recordings"
    assert path.name.startswith("qemu-system-x86_64-")
    path.touch()
    assert path_for(VMM) != path
