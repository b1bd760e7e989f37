"""A guest in an unmodified QEMU whose device is a worker of the kernel: what it sends comes out, counts are equal."""

from __future__ import annotations

import math
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from _pytest.mark import ParameterSet

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError
from bellwire.engine.events import Events, Lane
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.kvm.partners.qemu import PROGRAM, eventfd_in
from bellwire.engine.live.session import Session
from bellwire.engine.machines import build
from bellwire.engine.machines.build import build_machine
from bellwire.engine.scenarios.scenario import Pace, Scenario, load_scenario
from bellwire.engine.source import Order
from tests.support.leaks import belongings, left_behind
from tests.support.processes import children, is_running
from tests.support.sessions import assert_reconciled, fed, run, tally_of, wait_for

NAMES = ("qemu-vhost-net", "qemu-vhost-vsock")
PACKETS = 100


def each_here() -> list[ParameterSet]:
    """Both scenarios; what this host cannot run is skipped with the reason."""
    lacks = {name: build.refusal(load_scenario(name)) for name in NAMES}
    return [pytest.param(name, marks=[pytest.mark.skipif(bool(why), reason=why)]) for name, why in lacks.items()]


def paced(name: str, per_second: float = math.inf, burst: int = 1) -> Scenario:
    return replace(load_scenario(name), pace=Pace(per_second, burst, "hlt"))


def assert_all_came_out(session: Session, events: Events) -> None:
    """Doorbells, kicks, what came out and interrupts: each as many as the others."""
    assert_reconciled(session, events)
    tally, truth = tally_of(events), session.truth()
    sent = tally.doorbells_rung
    assert sent == truth["kicks"] == tally.irqs_handled
    if "frames" in truth:
        assert sent == truth["frames"] == truth["looked_at"]
    else:
        assert truth["bytes"] == (sent - 1) * lib.BW_VSOCK_PAYLOAD
    assert truth["wrong"] == truth["nonsense"] == tally.irqs_pending == tally.irqs_merged == tally.dropped == 0
    assert set(events["lane"]) <= {Lane.GUEST, Lane.KVM, Lane.ENGINE}


@pytest.mark.kvm
@pytest.mark.parametrize("name", each_here())
class TestSession:
    """A real guest in a real QEMU, and a real worker."""

    @pytest.mark.parametrize("burst", [1, 3])
    def test_each_packet_is_a_doorbell_a_kick_and_an_interrupt_and_comes_out(self, burst: int, name: str) -> None:
        session, events = run(paced(name, burst=burst), PACKETS)
        assert tally_of(events).doorbells_rung == PACKETS
        assert_all_came_out(session, events)

    def test_a_doorbell_is_a_round_trip_through_the_kernel(self, name: str) -> None:
        session, events = run(paced(name), PACKETS)
        journeys = Latencies(session.scenario, session.clock).feed(events)
        assert sorted(journeys["seq"]) == list(range(1, PACKETS + 1))
        assert np.all((journeys["ring"] < journeys["handler"]) & (journeys["irq"] == 0) & (journeys["doorbell"] == 0))

    def test_it_rings_by_hand_and_the_worker_is_a_thread_of_qemus_process(self, name: str) -> None:
        with Session(paced(name, per_second=0)) as session:
            tally = tally_of(session.take())
            wait_for(lambda: not session.can(Order.DOORBELL) and session.partner != "")
            for number in (1, 2, 3):
                session.order(Order.DOORBELL)
                wait_for(lambda number=number: fed(tally, session).irqs_handled == number)  # type: ignore[misc]
            told = (Path("/proc") / str(tally.partner_pid) / "comm").read_text().strip()
            assert session.partner == f"{told}, thread {tally.partner_pid} of the kernel"
            assert told.startswith("vhost-")
            assert "option of the device" in session.can(Order.IOEVENTFD)
            assert "messages" in session.can(Order.IRQFD)
            assert "kernel's worker" in session.can(Order.INTERRUPT)
        assert not is_running(tally.partner_pid)

    def test_a_session_leaves_no_process_no_worker_and_no_network(self, name: str) -> None:
        before, interfaces = belongings(), Path("/proc/net/dev").read_text().count(":")
        for _ in range(2):
            with Session(paced(name)) as session:
                wait_for(lambda: session.take().size > 0)
                assert Path("/proc/net/dev").read_text().count(":") == interfaces
        assert left_behind(before) == []

    def test_a_qemu_killed_in_mid_run_is_one_clear_error(self, name: str) -> None:
        before = belongings()
        with Session(paced(name)) as session:
            tally = tally_of(session.take())
            wait_for(lambda: fed(tally, session).irqs_handled > 20)
            qemu = children()[0]
            os.kill(qemu, signal.SIGKILL)
            wait_for(lambda: not session.alive)
        assert str(session.error) == f"{PROGRAM}, pid {qemu} was killed by SIGKILL."
        assert left_behind(before) == []


# -- what a host may lack --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_told_before_anything_is_built(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / PROGRAM).touch(0o755)
    before, device = belongings(), name.removeprefix("qemu-")
    monkeypatch.setattr("bellwire.engine.machines.qemu.vhost_in_qemu.NET", tmp_path / "vhost-net")
    monkeypatch.setattr("bellwire.engine.machines.qemu.vhost_in_qemu.VSOCK", tmp_path / "vhost-vsock")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match=f"modprobe {device.replace('-', '_')}"):
        build_machine(load_scenario(name), None, None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineError, match="QEMU is missing"):
        build_machine(load_scenario(name), None, None)
    assert left_behind(before) == []


def test_an_eventfds_count_is_read_from_outside_and_nothing_else_is_one(tmp_path: Path) -> None:
    eventfd = os.eventfd(7)
    try:
        assert eventfd_in(Path(f"/proc/self/fdinfo/{eventfd}")) == (eventfd, 7)
    finally:
        os.close(eventfd)
    with (tmp_path / "file").open("w") as file:
        assert eventfd_in(Path(f"/proc/self/fdinfo/{file.fileno()}")) == (-1, 0)
    assert eventfd_in(tmp_path / "3") == (-1, 0)
