"""io_uring as the signaller: every doorbell is answered by a completed read, and no thread writes the irqfd."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bellwire.engine.kvm.uring
from bellwire.engine.errors import EngineError, GuestError
from bellwire.engine.events import EventKind, Events
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.tally import Tally
from bellwire.engine.kvm.uring import numbered_file, uring_refusal
from bellwire.engine.live.session import Session
from bellwire.engine.machines.build import build_machine
from bellwire.engine.machines.io_uring import UringGuest
from bellwire.engine.scenarios.scenario import Pace, Scenario, load_scenario
from bellwire.engine.source import Order
from tests.support.leaks import belongings, left_behind
from tests.support.sessions import PATIENCE, started

pytestmark = [pytest.mark.kvm, pytest.mark.skipif(bool(uring_refusal()), reason=uring_refusal())]

RINGS = 400


def paced(per_second: float = math.inf, burst: int = 1, idle: str = "hlt") -> Scenario:
    return replace(load_scenario("io-uring"), pace=Pace(per_second, burst, idle))


def run(scenario: Scenario, limit: int = RINGS, meanwhile: Callable[[Session], None] | None = None) -> Finished:
    """Until so many signals were given, and all that they cause has happened."""
    tally, batches = Tally(), []
    until = time.monotonic() + PATIENCE
    with Session(scenario, limit=limit) as session:
        while max(tally.doorbells_rung, tally.irqs_signalled) < limit:
            assert time.monotonic() < until, f"waited in vain: {tally.counts()}"
            if meanwhile:
                meanwhile(session)
            time.sleep(0.003)
            batches.append(session.take())
            tally.feed(batches[-1])
    batches.append(session.take())
    tally.feed(batches[-1])
    assert session.error is None
    return Finished(session, tally, np.concatenate(batches))


class Finished:
    """What is left of a session."""

    def __init__(self, session: Session, tally: Tally, events: Events) -> None:
        self.session, self.tally, self.events = session, tally, events

    def assert_every_signal_is_a_completed_read(self) -> None:
        tally, truth = self.tally, self.session.truth()
        assert tally.dropped == truth["nonsense"] == truth["refused"] == truth["wrong"] == 0
        assert tally.doorbells_rung == tally.doorbells_received == truth["rung"] == truth["received"]
        assert tally.eventfd_reads == truth["reads"]
        assert tally.irqs_signalled == truth["completed"] == tally.irqs_handled + tally.irqs_merged
        assert truth["irq_pending"] == 0
        kinds = np.bincount(self.events["kind"], minlength=max(EventKind) + 1)
        assert kinds[EventKind.SUBMIT] == tally.irqs_signalled
        assert kinds[EventKind.IRQFD] == kinds[EventKind.IRQ_IOCTL] == 0


@pytest.mark.parametrize("idle", ["hlt", "spin"])
@pytest.mark.parametrize("burst", [1, 5])
def test_every_doorbell_is_answered_by_a_read(burst: int, idle: str) -> None:
    done = run(paced(burst=burst, idle=idle))
    done.assert_every_signal_is_a_completed_read()
    assert done.tally.doorbells_rung == RINGS


@pytest.mark.parametrize("burst", [1, 2, 3])
def test_bursts_of_every_length(burst: int) -> None:
    run(paced(burst=burst), 300).assert_every_signal_is_a_completed_read()


def test_the_host_reads_at_a_pace_where_the_guest_rings_nothing() -> None:
    io_uring = load_scenario("io-uring")
    assert io_uring.interrupt is not None
    by_host = replace(io_uring.interrupt, by="host")
    done = run(replace(paced(), guest="listen", doorbell=None, interrupt=by_host))
    done.assert_every_signal_is_a_completed_read()
    assert done.tally.irqs_signalled == RINGS


def test_the_ioeventfd_changes_under_load_and_nothing_is_lost() -> None:
    chance = random.Random(3)
    done = run(paced(), 1000, lambda session: session.order(Order.IOEVENTFD, chance.random() < 0.5))
    done.assert_every_signal_is_a_completed_read()
    assert np.count_nonzero(done.events["kind"] == EventKind.WIRE) > 3


def test_journeys_are_whole_round_trips() -> None:
    done = run(paced())
    latencies = Latencies(done.session.scenario, done.session.clock)
    journeys = latencies.feed(done.events)
    assert sorted(journeys["seq"]) == list(range(1, RINGS + 1))
    for before, after in [("ring", "doorbell"), ("doorbell", "irq"), ("irq", "handler")]:
        assert np.all(journeys[before] < journeys[after])
    assert latencies.histograms["round_trip"].count == RINGS - latencies.warmup


def test_the_irqfd_cannot_be_switched_off_and_says_why() -> None:
    with Session(paced(100)) as session:
        assert "completion" in session.can(Order.IRQFD)
        session.order(Order.IRQFD, False)
        assert session.can(Order.IOEVENTFD) == session.can(Order.INTERRUPT) == ""


def test_single_signals_by_hand() -> None:
    tally = Tally()
    with Session(paced(0)) as session:
        session.order(Order.DOORBELL)
        session.order(Order.INTERRUPT)
        until = time.monotonic() + PATIENCE
        while tally.irqs_handled + tally.irqs_merged < 2:
            assert time.monotonic() < until
            tally.feed(session.take())
            time.sleep(0.003)
    tally.feed(session.take())
    assert (tally.doorbells_rung, tally.irqs_signalled) == (1, 2)
    assert session.truth()["completed"] == 2


# -- bad endings -------------------------------------------------------------------------------------------------------


def test_a_guest_that_ends_is_told_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "custom.bin").write_bytes(b"\x0f\x0b")
    monkeypatch.setattr("bellwire.engine.machines.stamping.GUESTS", tmp_path)
    before = belongings()
    with Session(replace(paced(), guest="custom")) as session:
        until = time.monotonic() + PATIENCE
        while session.alive:
            assert time.monotonic() < until
            time.sleep(0.005)
    assert isinstance(session.error, GuestError)
    assert "triple fault" in str(session.error)
    assert left_behind(before) == []


def test_data_that_are_not_the_files_end_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoilt_file() -> object:
        file = numbered_file()
        file.seek(4096 * 5)
        file.write(bytes(8))
        file.flush()
        return file

    monkeypatch.setattr(bellwire.engine.kvm.uring, "numbered_file", spoilt_file)
    with Session(paced()) as session:
        until = time.monotonic() + PATIENCE
        while session.alive:
            assert time.monotonic() < until
            time.sleep(0.005)
    assert "not what the file holds" in str(session.error)


def test_closed_at_full_speed_the_thread_ends_before_its_io_uring() -> None:
    machine = build_machine(paced(), None, None)
    assert isinstance(machine, UringGuest)
    machine.start()
    machine.wait_until_ready()
    machine.set_pace(machine.scenario.pace, True)
    time.sleep(0.05)
    machine.close()
    machine.close()


def test_a_file_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    before = belongings()
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with pytest.raises(EngineError, match="cannot be written"):
        started(Session(paced()))
    assert left_behind(before) == []


def test_thirty_sessions_leave_nothing() -> None:
    with Session(paced()):
        pass
    before = belongings()
    for _ in range(30):
        with Session(paced()) as session:
            session.take()
    assert left_behind(before) == []


# A filter of system calls (seccomp(2)) under which io_uring_setup, number 425, fails: load, compare, refuse, allow.
FILTERED = """
import ctypes, struct, sys
program = b"".join(struct.pack("<HBBI", *line) for line in
    [(0x20, 0, 0, 0), (0x15, 0, 1, 425), (0x06, 0, 0, 0x50000 | int(sys.argv[1])), (0x06, 0, 0, 0x7fff0000)])
code = ctypes.create_string_buffer(program)
header = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", 4, ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, header, 0, 0) == 0
from bellwire.engine.errors import EngineError
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.live.session import Session
from bellwire.engine.kvm.uring import uring_refusal
try:
    Session(load_scenario("io-uring")).__enter__()
except EngineError as error:
    assert str(error) == uring_refusal()
    print(error)
"""


@pytest.mark.parametrize(("error", "words"), [(1, "disabled"), (38, "this kernel has none"), (12, "memory")])
def test_where_io_uring_is_disabled_or_missing_one_sentence_says_so(error: int, words: str) -> None:
    command = [sys.executable, "-c", FILTERED, str(error)]
    root = Path(__file__).parents[3]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert result.stdout.startswith("io_uring cannot be used: ")
    assert words in result.stdout
    assert result.stdout.count("\n") == 1
