"""A process that may have no further thread."""

from __future__ import annotations

import threading

import pytest

NO_THREAD = "No thread can be started: can't start new thread."


def no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, and until the test ends."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
