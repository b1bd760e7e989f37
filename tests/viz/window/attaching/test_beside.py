"""A recording of an attached VMM opens in its own window from File > Open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.viz.attached.replayed.replayed_window import ReplayedWindow
from bellwire.viz.window.window import make_window
from tests.support.fake_source import FakeSource
from tests.support.processes import files_of
from tests.support.seen_recordings import seen_recording


def test_file_open_shows_it_beside_what_is_shown(qtbot: object, tmp_path: Path) -> None:
    window = make_window(FakeSource())
    try:
        shown = window.model
        window.files.replay(seen_recording(tmp_path / "seen.arrow", 100).path)
        replayed = window.findChild(ReplayedWindow)
        assert replayed is not None
        assert replayed.isVisible()
        assert window.model is shown
        assert window.files.recent[0].name == "seen.arrow"
        replayed.close()
        (tmp_path / "none.arrow").write_text("none")
        window.files.replay(tmp_path / "none.arrow")
        assert "cannot be opened" in window.notice.words.text()
    finally:
        window.close()
        window.deleteLater()


def test_the_key_that_ends_the_program_ends_it_from_there_too(qtbot: QtBot, tmp_path: Path) -> None:
    window = make_window(FakeSource())
    window.show()
    try:
        window.files.replay(seen_recording(tmp_path / "seen.arrow", 100).path)
        replayed = window.findChild(ReplayedWindow)
        assert replayed is not None
        replayed.activateWindow()
        qtbot.waitUntil(replayed.isActiveWindow)
        QTest.keyClick(replayed, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
        assert not window.isVisible()
        replayed.close()  # as the program's end does
    finally:
        window.close()
        window.deleteLater()


def test_it_ends_with_the_main_window_which_another_language_closes_as_well(qtbot: QtBot, tmp_path: Path) -> None:
    """Its file was held open until the program ended."""
    window, file = make_window(FakeSource()), seen_recording(tmp_path / "seen.arrow", 100).path
    window.show()
    try:
        window.files.replay(file)
        assert file in open_files()
    finally:
        window.close()
        window.deleteLater()
    assert file not in open_files()


def open_files() -> list[Path]:
    """What this process has open."""
    return [Path(target) for target in files_of().values()]
