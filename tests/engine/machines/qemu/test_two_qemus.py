"""Two unmodified QEMUs with ivshmem: what A rings B handles, what each has registered, and that neither outlives us."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine._core import lib
from bellwire.engine.calls.call import WIRES
from bellwire.engine.calls.of_scenario import calls_of
from bellwire.engine.calls.wires import AssignIoeventfd, AssignIrqfd
from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventfdRole, EventKind, Lane
from bellwire.engine.findings.findings import findings
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.kvm.partners.ivshmem import IvshmemServer
from bellwire.engine.kvm.partners.qemu import PROGRAM, qemu_refusal
from bellwire.engine.live.session import Session
from bellwire.engine.machines import stamping
from bellwire.engine.machines.build import build_machine
from bellwire.engine.machines.qemu import two_qemus
from bellwire.engine.machines.qemu.two_qemus import TwoQemus
from bellwire.engine.scenarios.scenario import Pace, Scenario, load_scenario
from bellwire.engine.source import Order
from tests.support.leaks import belongings, left_behind
from tests.support.processes import is_running
from tests.support.qemu_calls import QemuCalls
from tests.support.sessions import assert_reconciled, fed, run, started, tally_of, wait_for

NAME = "qemu-ivshmem"
RINGS = 300
TRIPLE_FAULT = b"\x0f\x0b"  # ud2 without an interrupt table


def paced(per_second: float = math.inf, burst: int = 1, idle: str = "hlt") -> Scenario:
    return replace(load_scenario(NAME), pace=Pace(per_second, burst, idle))


def pids(session: Session) -> list[int]:
    """Of A's QEMU and of B's."""
    return [int(told.rpartition(" ")[2]) for told in session.partner.split(",") if "pid" in told]


@pytest.mark.kvm
@pytest.mark.skipif(bool(qemu_refusal()), reason=qemu_refusal())
class TestSession:
    """Two real guests in two real QEMUs."""

    @pytest.mark.parametrize(("burst", "idle"), [(1, "hlt"), (3, "hlt"), (1, "spin")])
    def test_what_a_rings_b_handles_alone_or_merged(self, burst: int, idle: str) -> None:
        session, events = run(paced(burst=burst, idle=idle), RINGS)
        assert_reconciled(session, events)
        tally = tally_of(events)
        assert tally.doorbells_rung == tally.irqs_handled + tally.irqs_merged == RINGS
        assert tally.irqs_pending == tally.eventfd_reads == tally.dropped == 0
        assert set(events["vm"][events["kind"] == EventKind.RING]) == {0}
        assert set(events["vm"][events["kind"] == EventKind.HANDLER]) == {1}
        assert set(events["lane"]) <= {Lane.GUEST, Lane.KVM, Lane.ENGINE}

    def test_no_doorbell_leaves_to_a_qemu(self) -> None:
        session, events = run(paced(), RINGS)
        evidence = Evidence(session.scenario, session.backend)
        evidence.feed(events)
        assert evidence.sampled.mmio_exits == evidence.sampled.before > 0
        assert evidence.sampled.rung == RINGS
        claims = [finding.claim for finding in findings(tally_of(events), evidence)]
        assert [claim for claim in claims if "it took each of them itself" in claim]
        assert [claim for claim in claims if f"{RINGS} reached a handler" in claim]

    def test_each_doorbell_is_a_journey_one_way(self) -> None:
        session, events = run(paced(), RINGS)
        latencies = Latencies(session.scenario, session.clock)
        journeys = latencies.feed(events)
        assert latencies.tracker.given_up == 0
        found = sorted([*journeys["seq"], *latencies.tracker.out_of_order["seq"]])
        assert found == list(range(1, RINGS + 1))
        assert not np.any(journeys["doorbell"])
        assert latencies.histograms["round_trip"].count == 0

    def test_it_rings_by_hand_changes_its_pace_and_is_named(self) -> None:
        with Session(paced(per_second=0)) as session:
            tally = tally_of(session.take())
            wait_for(lambda: not session.can(Order.DOORBELL) and session.partner != "")
            for number in (1, 2, 3):
                session.order(Order.DOORBELL)
                wait_for(lambda number=number: fed(tally, session).irqs_covered == number)  # type: ignore[misc]
            assert set(tally.eventfd_counts.values()) <= {0}
            session.order(Order.PACE, 500.0)
            wait_for(lambda: fed(tally, session).irqs_covered > 20)
            session.order(Order.RUN, False)
            assert "option of the device" in session.can(Order.IOEVENTFD)
            assert "messages" in session.can(Order.IRQFD)
            assert "No thread of the host" in session.can(Order.INTERRUPT)
            both = pids(session)
            assert [Path(f"/proc/{pid}/exe").resolve().name for pid in both] == [PROGRAM] * 2
        assert not any(map(is_running, both))

    def test_a_session_leaves_no_process_and_no_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        before = belongings()
        for _ in range(2):
            with Session(paced()) as session:
                wait_for(lambda: session.take().size > 0)
                assert list(tmp_path.iterdir()) == []
        assert left_behind(before) == []

    @pytest.mark.parametrize("which", ["A", "B"])
    def test_a_qemu_killed_in_mid_run_is_one_clear_error(self, which: str) -> None:
        before = belongings()
        with Session(paced(per_second=500)) as session:
            tally = tally_of(session.take())
            wait_for(lambda: fed(tally, session).irqs_handled > 20)
            pid = pids(session)["AB".index(which)]
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: not session.alive)
        assert str(session.error) == f"Guest {which}: {PROGRAM}, pid {pid} was killed by SIGKILL."
        assert left_behind(before) == []

    def test_guests_that_end_while_they_boot_are_told_which(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = belongings()
        (tmp_path / "ivshmem.bin").write_bytes(TRIPLE_FAULT)
        monkeypatch.setattr(stamping, "GUESTS", tmp_path)
        monkeypatch.setattr("bellwire.engine.machines.qemu.guest_in_qemu.READY_SECONDS", math.inf)
        with Session(paced()) as session:
            wait_for(lambda: not session.alive)
        assert str(session.error).startswith(f"Guest A: {PROGRAM}, pid ")
        assert left_behind(before) == []

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"address": 0xFE000008}, "Guest A: The doorbell of the guest's device is not at the scenario's address."),
            ({"value": 0}, "Guest A: The guest's device has the number of the peer that the guest is to ring."),
        ],
    )
    def test_a_device_that_is_not_as_expected_is_told(self, wrong: dict[str, int], told: str) -> None:
        scenario = paced()
        assert scenario.doorbell is not None
        with Session(replace(scenario, doorbell=replace(scenario.doorbell, **wrong))) as session:  # type: ignore[arg-type]
            wait_for(lambda: not session.alive)
        assert str(session.error) == told

    def test_a_qemu_that_does_not_listen_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(two_qemus, "HEARING_SECONDS", 0.05)
        monkeypatch.setattr(IvshmemServer, "has_read", lambda self, peer: False)
        before = belongings()
        with pytest.raises(EngineError, match="does not read what its ivshmem server says"):
            started(Session(paced()))
        assert left_behind(before) == []

    def test_both_qemus_die_with_a_process_that_is_killed(self) -> None:
        code = (
            "import sys\nfrom bellwire.engine import Session, load_scenario\n"
            f"session = Session(load_scenario({NAME!r})).__enter__()\nsession.wait_until_started()\n"
            "print(session.partner, flush=True)\nsys.stdin.read()\n"
        )
        pipe, root = subprocess.PIPE, Path(__file__).parents[4]
        with subprocess.Popen([sys.executable, "-c", code], cwd=root, text=True, stdin=pipe, stdout=pipe) as program:
            assert program.stdout is not None
            told = program.stdout.readline().split(",")
            both = [int(part.rpartition(" ")[2]) for part in told if "pid" in part]
            assert len(both) == 2
            assert all(map(is_running, both))
            program.kill()
            wait_for(lambda: not any(map(is_running, both)))

    def test_the_count_of_the_one_eventfd_is_shown_as_both(self) -> None:
        machine = build_machine(paced(per_second=0), None, None)
        assert isinstance(machine, TwoQemus)
        try:
            machine.server.eventfds[1].signal(3)  # no irqfd yet: B's driver has not run
            assert machine.counts() == {EventfdRole.DOORBELL: 3, EventfdRole.IRQ: 3}
        finally:
            machine.close()

    def test_what_is_shown_of_the_wires_is_what_the_qemus_hand_to_the_kernel(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = QemuCalls(paced(), 20, tmp_path, monkeypatch)
        wires = [call for call in calls_of(calls.session.scenario) if call.group == WIRES]
        shown = [call for call in wires if isinstance(call, AssignIoeventfd | AssignIrqfd)]
        assert {one.name: calls.has(one) for one in shown} == {"irqfd": True, "ioeventfd": True}
        other = next(one for one in shown if isinstance(one, AssignIoeventfd))
        assert not calls.has(replace(other, match=replace(other.match, datamatch=2 << lib.BW_IVSHMEM_PEER_SHIFT)))


def test_a_missing_qemu_is_told_with_the_package_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "qemu-system-x86" in TwoQemus.refusal()
    with pytest.raises(EngineError, match="qemu-system-x86"):
        build_machine(paced(), None, None)
