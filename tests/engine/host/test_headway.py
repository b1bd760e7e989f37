"""What a thread has stamped is published once it has run on since, or sleeps; not while it waits for a CPU."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path

import pytest

from bellwire.engine.host.headway import COUNTED_LATE, RAN_ON, Headway, ThreadsWay, vcpu_threads
from bellwire.engine.host.idleness import run_state
from tests.support.processes import written_thread
from tests.support.sessions import wait_for


def test_who_waits_for_a_cpu_has_not_come_further(tmp_path: Path) -> None:
    enough = RAN_ON + COUNTED_LATE
    way = ThreadsWay(written_thread(tmp_path, 1, "S", 1000))
    assert way.at(10) == 10  # all that it has stamped by then is published: it sleeps
    written_thread(tmp_path, 1, "R", 1000)
    assert way.at(20) == 10
    written_thread(tmp_path, 1, "D", 1000)  # it waits for a page that it has touched
    assert way.at(30) == 10
    written_thread(tmp_path, 1, "R", 999 + enough)
    assert way.at(40) == 10
    written_thread(tmp_path, 1, "R", 1000 + enough)
    assert way.at(50) == 30  # the newest look before which all of that was still to come
    written_thread(tmp_path, 1, "S", 1000 + enough)
    assert way.at(60) == 60


def test_of_whom_nothing_is_told_nothing_is_waited_for(tmp_path: Path) -> None:
    assert ThreadsWay(tmp_path / "ended").at(10) == 10
    folder = written_thread(tmp_path, 1, "R", 0)
    (folder / "schedstat").unlink()
    assert ThreadsWay(folder).at(10) == 10
    assert Headway([]).at(10) == 10


def test_a_thread_of_this_process_that_runs_goes_on_and_one_that_sleeps_has_passed_all() -> None:
    ends, rests, ended = threading.Event(), threading.Event(), threading.Event()

    def run() -> None:
        while not rests.is_set():
            pass
        ends.wait()
        ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert thread.native_id
    headway, ticks = Headway([thread.native_id]), count(1)
    wait_for(lambda: headway.at(next(ticks)) > 0)
    rests.set()
    wait_for(lambda: headway.at(now := next(ticks)) == now)
    assert not ended.is_set()
    ends.set()
    thread.join()
    wait_for(lambda: headway.at(now := next(ticks)) == now)  # the kernel's own of it ends a moment later


def test_a_thread_that_is_stopped_has_not_come_further() -> None:
    """A debugger stops it between any two instructions."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as child:
        try:
            folder, ticks = Path(f"/proc/{child.pid}/task/{child.pid}"), count(1)
            way = ThreadsWay(folder)
            wait_for(lambda: way.at(next(ticks)) > 0)
            child.send_signal(signal.SIGSTOP)
            wait_for(lambda: run_state(folder) == "T")
            stopped = next(ticks)
            assert all(way.at(next(ticks)) < stopped for _ in range(10))
            child.send_signal(signal.SIGCONT)
            wait_for(lambda: way.at(next(ticks)) > stopped)
        finally:
            child.kill()


def test_a_qemus_vcpus_are_known_by_their_names() -> None:
    named, ends = threading.Event(), threading.Event()

    def run() -> None:
        Path("/proc/thread-self/comm").write_text("CPU 0/KVM")
        named.set()
        ends.wait()

    thread = threading.Thread(target=run)
    thread.start()
    named.wait()
    try:
        assert [folder.name for folder in vcpu_threads(os.getpid())] == [str(thread.native_id)]
    finally:
        ends.set()
        thread.join()
    assert list(vcpu_threads(os.getpid())) == []


@pytest.mark.parametrize("behind", [0, 1])
def test_the_slowest_one_tells(tmp_path: Path, behind: int) -> None:
    folders = [written_thread(tmp_path, number, "R" if number == behind else "S", 5) for number in range(2)]
    headway = Headway([])
    headway._ways = [ThreadsWay(folder) for folder in folders]
    assert headway.at(10) == 0
