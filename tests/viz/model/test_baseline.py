"""A recording to compare with, read in the background: what ends the reading is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.viz.model import baseline
from bellwire.viz.model.baseline import Baseline
from tests.support.threadless import NO_THREAD, no_more_threads


def test_a_thread_that_dies_of_anything_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr("threading.excepthook", lambda met: heard.append(met.thread.name))

    def broken(*_: object) -> None:
        raise ZeroDivisionError("of anything")

    monkeypatch.setattr("bellwire.engine.recordings.recording.Recording", lambda path: path)
    monkeypatch.setattr(baseline, "side_of", broken)
    reading = Baseline(tmp_path / "r.arrow")
    reading.close()
    assert heard == ["read a baseline"]
    assert reading.error == f"{tmp_path / 'r.arrow'} cannot be read: ZeroDivisionError: of anything"


def test_one_that_no_thread_reads_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_more_threads(monkeypatch)
    reading = Baseline(tmp_path / "r.arrow")
    reading.wait()
    reading.close()
    assert reading.side is None
    assert reading.error.startswith(NO_THREAD)
