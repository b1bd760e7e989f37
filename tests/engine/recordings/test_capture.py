"""A recording in the background: whatever ends its thread is said, and what was written stays."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.events import Events
from bellwire.engine.outlet import Outlet
from bellwire.engine.recordings.capture import Capture
from bellwire.engine.recordings.index import Indexer
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from tests.support.small_recording import BATCHES, HEADER


def test_what_was_appended_is_written(tmp_path: Path) -> None:
    outlet = Outlet()
    capture = Capture(tmp_path / "r.arrow", HEADER, BATCHES[0], outlet)
    for events in BATCHES[1:]:
        outlet.put(events)
    capture.stop()
    assert capture.wait()
    assert capture.error is None
    assert np.concatenate(list(Recording(capture.path).batches())).tolist() == np.concatenate(BATCHES).tolist()


def test_a_thread_that_dies_of_anything_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr("threading.excepthook", lambda met: heard.append(met.thread.name))
    append = Recorder.append

    def broken(recorder: Recorder, events: Events) -> None:
        append(recorder, events)
        if events.size and events["tsc"][0] == BATCHES[1]["tsc"][0]:
            raise ZeroDivisionError("of anything")

    monkeypatch.setattr(Recorder, "append", broken)
    outlet = Outlet()
    capture = Capture(tmp_path / "r.arrow", HEADER, BATCHES[0], outlet)
    outlet.put(BATCHES[1])
    assert capture.wait()
    assert outlet.closed
    assert heard == ["recording"]
    assert f"The recording {capture.path} has ended: ZeroDivisionError: of anything." in str(capture.error)
    assert len(Recording(capture.path)) == capture.events == 4


def test_what_cannot_begin_leaves_no_outlet_that_fills_up(tmp_path: Path) -> None:
    outlet = Outlet()
    with pytest.raises(EngineError, match="there is no folder"):
        Capture(tmp_path / "missing" / "r.arrow", HEADER, BATCHES[0], outlet)
    assert outlet.closed


def none_left(thread: threading.Thread) -> None:
    """In place of Thread.start(), where the user may have no more."""
    raise RuntimeError("can't start new thread")


def test_without_a_thread_it_is_refused_and_what_was_begun_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", none_left)
    outlet = Outlet()
    with pytest.raises(EngineError, match="No thread can be started"):
        Capture(tmp_path / "r.arrow", HEADER, BATCHES[0], outlet)
    assert outlet.closed
    assert Recording(tmp_path / "r.arrow").warning == ""


def test_without_a_thread_a_recording_is_shown_without_its_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for a thread that never began had failed at that."""
    capture = Capture(tmp_path / "r.arrow", HEADER, BATCHES[0], Outlet())
    capture.stop()
    assert capture.wait()
    indexer = Indexer(Recording(capture.path))
    monkeypatch.setattr(threading.Thread, "start", none_left)
    indexer.start()
    assert indexer.wait() is None
    indexer.stop()
    assert "No thread can be started" in str(indexer.error)
