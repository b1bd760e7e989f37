"""Whatever fails while a machine is built, it is one sentence, and nothing of the machine stays."""

from __future__ import annotations

import contextlib
import os
import threading

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.live.session import Session
from bellwire.engine.machines.build import build_machine
from bellwire.engine.scenarios.scenario import load_scenario
from tests.support.failing import FailingCore
from tests.support.leaks import belongings, left_behind
from tests.support.sessions import paced, refusal

pytestmark = pytest.mark.kvm

SHORT = ("roundtrip",)
LONG = (
    "irq-level-resample",
    "vm-to-vm",
    "two-vcpus-doorbell",
    "doorbell-coalesced-pio",
    "io-uring",
    "virtqueue",
    "irq-msi",
)
NAMES = SHORT + LONG * bool(os.environ.get("BELLWIRE_EACH_CALL"))


def built(name: str, core: FailingCore, patch: pytest.MonkeyPatch) -> None:
    """Builds a machine, starts it and closes it again."""
    with patch.context() as here:
        core.install(here)
        machine = build_machine(load_scenario(name), None, None)
        try:
            machine.start()
        finally:
            machine.close()


@pytest.mark.parametrize("name", NAMES)
def test_each_call_fails_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if why := refusal(load_scenario(name)):
        pytest.skip(why)
    counted = FailingCore()
    built(name, counted, monkeypatch)
    before = belongings()
    assert counted.calls > 10
    for number in range(1, counted.calls + 1):
        core = FailingCore(number)
        with contextlib.suppress(EngineError):  # some calls may fail without harm
            built(name, core, monkeypatch)
        assert core.failed
        assert left_behind(before) == [], f"{core.failed}, call {number}"


def test_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    before, session = belongings(), Session(paced("roundtrip"))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fails)
        with pytest.raises(EngineError, match="No thread can be started"):
            session.start()
    session.stop()
    assert not session.alive
    assert left_behind(before) == []


def test_start_returns_before_the_machine_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    may_build = threading.Event()

    def waits(*arguments: object) -> object:
        may_build.wait()
        return build_machine(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("bellwire.engine.live.session.build_machine", waits)
    session = Session(paced("roundtrip"))
    session.start()
    assert session.starting
    assert not session.wait_until_started(0.01)
    may_build.set()
    assert session.wait_until_started()
    assert session.alive
    session.stop()


def test_what_cannot_be_built_is_told_when_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: object) -> None:
        raise EngineError("It cannot be built.")

    monkeypatch.setattr("bellwire.engine.live.session.build_machine", fails)
    session = Session(paced("roundtrip"))
    session.start()
    with pytest.raises(EngineError, match="cannot be built"):
        session.wait_until_started()
    assert not session.alive
