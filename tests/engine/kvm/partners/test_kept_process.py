"""Another program's process: whether it stands still."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from bellwire.engine.kvm.partners import kept_process
from bellwire.engine.kvm.partners.kept_process import STOPPED_LOOKS, KeptProcess, Standstill
from tests.support.processes import is_running
from tests.support.sessions import wait_for


def test_one_that_is_stopped_stands_still_until_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_process, "PATIENCE_SECONDS", 1e9)  # for one that hears of its end only once it goes on
    with KeptProcess(["sleep", "1000"], ()) as process:
        assert process.stop_told() == ""
        os.kill(process.pid, signal.SIGSTOP)
        wait_for(lambda: process.stop_told() != "")
        assert process.stop_told().startswith(f"sleep, pid {process.pid} stands still: a signal or a debugger")
        os.kill(process.pid, signal.SIGCONT)
        wait_for(lambda: process.stop_told() == "")
        os.kill(process.pid, signal.SIGSTOP)
        wait_for(process.stopped)
    assert not is_running(process.pid)


def test_one_whose_calls_are_traced_does_not_stand_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does for a moment at each of them, which a look may meet, and several looks one after the other too."""
    monkeypatch.setattr(kept_process, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(kept_process, "STOPPED_SECONDS", 0.0)
    standstill = Standstill(os.getpid())
    states = iter("t" * (STOPPED_LOOKS - 1) + "S" + "t" * STOPPED_LOOKS)
    monkeypatch.setattr(standstill, "_state", lambda: next(states).encode())
    assert [standstill.look() for _ in range(2 * STOPPED_LOOKS)] == [False] * (2 * STOPPED_LOOKS - 1) + [True]


def test_of_a_process_that_is_gone_nothing_is_told() -> None:
    standstill = Standstill(2**22 + 1)
    assert not any(standstill.look() for _ in range(2 * STOPPED_LOOKS))
