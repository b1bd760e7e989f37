"""The guard itself: it must see what it is there to see."""

from __future__ import annotations

import os
import threading

import pytest

from tests.support import leaks


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "GRACE_S", 0.0)


def test_an_open_fd_is_seen() -> None:
    before = leaks.belongings()
    fd = os.eventfd(0)
    left = leaks.left_behind(before)
    os.close(fd)
    assert left == [f"fd {fd}: anon_inode:[eventfd]"]
    assert leaks.left_behind(before) == []


def test_a_running_thread_is_seen() -> None:
    before = leaks.belongings()
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="forgotten")
    thread.start()
    left = leaks.left_behind(before)
    end.set()
    thread.join()
    assert left == [f"thread {thread.native_id}: forgotten"]
