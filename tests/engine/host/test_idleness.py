"""A thread that waits for a CPU has not had its turn; one that sleeps, or has run, has."""

from __future__ import annotations

import threading
from pathlib import Path

from bellwire.engine.host.idleness import HAD_ITS_TURN, Idleness
from tests.support.processes import written_thread
from tests.support.sessions import wait_for


def test_who_waits_for_a_cpu_is_not_idle(tmp_path: Path) -> None:
    written_thread(tmp_path, 1, "R", 1000)
    written_thread(tmp_path, 2, "S", 1000)
    idleness = Idleness([1, 2], proc=tmp_path)
    assert not idleness.shown()
    written_thread(tmp_path, 1, "R", 999 + HAD_ITS_TURN)
    assert not idleness.shown()
    written_thread(tmp_path, 1, "R", 1000 + HAD_ITS_TURN)
    assert idleness.shown()
    idleness.begin_anew()
    assert not idleness.shown()
    written_thread(tmp_path, 1, "S", 1000 + HAD_ITS_TURN)
    assert idleness.shown()


def test_of_another_process_all_threads_count(tmp_path: Path) -> None:
    """A real QEMU's vCPU may wait for a CPU as well, and one of its threads may begin later."""
    written_thread(tmp_path, 7, "S", 1000, "77")
    idleness = Idleness([], [77, 78], tmp_path)
    assert idleness.shown()
    written_thread(tmp_path, 8, "R", 1000, "77")
    assert not idleness.shown()
    written_thread(tmp_path, 8, "R", 1000 + HAD_ITS_TURN, "77")
    assert idleness.shown()


def test_of_whom_nothing_is_told_nothing_is_waited_for(tmp_path: Path) -> None:
    assert Idleness([1], proc=tmp_path).shown()
    (written_thread(tmp_path, 1, "R", 0) / "schedstat").unlink()
    assert Idleness([1], proc=tmp_path).shown()


def test_a_thread_that_sleeps_is_idle() -> None:
    begun, ends = threading.Event(), threading.Event()

    def sleep() -> None:
        begun.set()
        ends.wait()

    thread = threading.Thread(target=sleep)
    thread.start()
    begun.wait()
    idleness = Idleness([thread.native_id or 0])
    wait_for(idleness.shown)
    assert thread.is_alive()
    ends.set()
    thread.join()
    wait_for(idleness.shown)  # the kernel's own of it ends a moment later
