"""A thread that waits for a CPU has not had its turn; one that sleeps, or has run, has."""

from __future__ import annotations

import threading
from pathlib import Path

from bellwire.engine.host.idleness import HAD_ITS_TURN, Idleness


def write(folder: Path, thread: int, state: str, ran: int) -> None:
    (folder / str(thread)).mkdir(exist_ok=True)
    (folder / str(thread) / "stat").write_text(f"{thread} (a) R (b) {state} 1 1 1")
    (folder / str(thread) / "schedstat").write_text(f"{ran} 5 7\n")


def test_who_waits_for_a_cpu_is_not_idle(tmp_path: Path) -> None:
    write(tmp_path, 1, "R", 1000)
    write(tmp_path, 2, "S", 1000)
    idleness = Idleness([1, 2], tmp_path)
    assert not idleness.shown()
    write(tmp_path, 1, "R", 999 + HAD_ITS_TURN)
    assert not idleness.shown()
    write(tmp_path, 1, "R", 1000 + HAD_ITS_TURN)
    assert idleness.shown()
    idleness.begin_anew()
    assert not idleness.shown()
    write(tmp_path, 1, "S", 1000 + HAD_ITS_TURN)
    assert idleness.shown()


def test_of_whom_nothing_is_told_nothing_is_waited_for(tmp_path: Path) -> None:
    assert Idleness([1], tmp_path).shown()
    write(tmp_path, 1, "R", 0)
    (tmp_path / "1" / "schedstat").unlink()
    assert Idleness([1], tmp_path).shown()


def test_a_thread_that_sleeps_is_idle() -> None:
    begun, ends = threading.Event(), threading.Event()

    def sleep() -> None:
        begun.set()
        ends.wait()

    thread = threading.Thread(target=sleep)
    thread.start()
    begun.wait()
    idleness = Idleness([thread.native_id or 0])
    while not idleness.shown():
        pass
    assert thread.is_alive()
    ends.set()
    thread.join()
    assert idleness.shown()
