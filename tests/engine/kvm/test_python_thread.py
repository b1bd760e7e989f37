"""Threads that cannot be begun."""

from __future__ import annotations

import threading

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.python_thread import begin_thread


def test_a_thread_that_begins_is_begun_once() -> None:
    thread = threading.Thread(target=lambda: None)
    begin_thread(thread)
    thread.join()
    with pytest.raises(EngineError, match="No thread can be started: threads can only be started once"):
        begin_thread(thread)


def test_one_that_had_no_memory_to_begin_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _thread: None)
    with pytest.raises(EngineError, match="No thread can be started: there is not enough memory for it"):
        begin_thread(threading.Thread())
