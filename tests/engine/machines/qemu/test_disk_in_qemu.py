"""Guests in an unmodified QEMU: exact counts, what QEMU has really registered, and that it never outlives us."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from bellwire.engine._core import lib
from bellwire.engine.calls.call import WIRES
from bellwire.engine.calls.of_scenario import calls_of
from bellwire.engine.calls.signals import SignalMsi
from bellwire.engine.calls.wires import AssignIoeventfd, AssignIrqfd, SetGsiRouting
from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventKind, Events, Lane, Setting
from bellwire.engine.findings.findings import findings
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.kvm.partners import qemu
from bellwire.engine.kvm.partners.qemu import PROGRAM, Qemu, qemu_refusal
from bellwire.engine.live.session import Session
from bellwire.engine.machines import stamping
from bellwire.engine.machines.build import build_machine
from bellwire.engine.machines.qemu import guest_in_qemu
from bellwire.engine.machines.qemu.disk_in_qemu import DiskInQemu
from bellwire.engine.scenarios.scenario import Pace, Scenario, list_scenarios, load_scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.engine.source import Order
from tests.support.leaks import belongings, left_behind
from tests.support.processes import is_running
from tests.support.qemu_calls import QemuCalls
from tests.support.sessions import assert_reconciled, fed, run, started, tally_of, wait_for

NAMES = [scenario.name for scenario in list_scenarios() if scenario.qemu is not None]
WIRED = [name for name in NAMES if "exit" not in name]
REQUESTS = 200
# mov dword [BW_ST_DEVICE], BW_DEVICE_MESSAGES; hlt
NO_MESSAGES = bytes.fromhex("c70425") + (lib.BW_STATUS + lib.BW_ST_DEVICE).to_bytes(4, "little") + b"\2\0\0\0\xf4"
needs_qemu = [pytest.mark.kvm, pytest.mark.skipif(bool(qemu_refusal()), reason=qemu_refusal())]


def paced(name: str = NAMES[0], per_second: float = math.inf, burst: int = 1) -> Scenario:
    return replace(load_scenario(name), pace=Pace(per_second, burst, "hlt"))


def exits_for_mmio(session: Session, events: Events) -> tuple[int, int]:
    """How many KVM counted while the guest rang, and beside how many doorbells."""
    evidence = Evidence(session.scenario, session.backend)
    evidence.feed(events)
    assert evidence.sampled.mmio_exits is not None
    return evidence.sampled.mmio_exits - evidence.sampled.before, evidence.sampled.rung


class TestSession:
    """A real guest in a real QEMU."""

    pytestmark = needs_qemu

    @pytest.mark.parametrize("name", NAMES)
    def test_every_request_is_a_doorbell_an_interrupt_and_in_the_image(self, name: str) -> None:
        session, events = run(paced(name, burst=3), REQUESTS)
        assert_reconciled(session, events)
        tally, truth = tally_of(events), session.truth()
        assert tally.doorbells_rung == tally.irqs_handled == truth["written"] + truth["compared"] == REQUESTS
        assert truth["written"] == truth["compared"]
        assert truth["base"] == (REQUESTS % 2**16 if Trait.QEMU_SERVES in traits_of(session.scenario) else -1)
        assert truth["wrong"] == truth["missing"] == truth["nonsense"] == tally.irqs_merged == tally.dropped == 0
        assert set(events["lane"]) <= {Lane.GUEST, Lane.KVM, Lane.ENGINE}

    @pytest.mark.parametrize("name", NAMES)
    def test_kvm_counts_an_exit_a_request_where_nothing_is_registered_and_none_where_it_is(self, name: str) -> None:
        session, events = run(paced(name), REQUESTS)
        assert exits_for_mmio(session, events) == (0 if name in WIRED else REQUESTS, REQUESTS)
        evidence = Evidence(session.scenario, session.backend)
        evidence.feed(events)
        claims = [finding.claim for finding in findings(tally_of(events), evidence)]
        told = "it took each of them itself" if name in WIRED else "each of them may have left"
        assert [claim for claim in claims if told in claim]

    def test_a_doorbell_is_a_round_trip_through_qemu(self) -> None:
        session, events = run(paced(), REQUESTS)
        journeys = Latencies(session.scenario, session.clock).feed(events)
        assert sorted(journeys["seq"]) == list(range(1, REQUESTS + 1))
        assert np.all((journeys["ring"] < journeys["handler"]) & (journeys["irq"] == 0) & (journeys["doorbell"] == 0))

    def test_it_rings_by_hand_changes_its_pace_and_is_named(self) -> None:
        with Session(paced(per_second=0)) as session:
            tally = tally_of(session.take())
            wait_for(lambda: not session.can(Order.DOORBELL) and session.partner != "")
            for number in (1, 2, 3):
                session.order(Order.DOORBELL)
                wait_for(lambda number=number: fed(tally, session).irqs_handled == number)  # type: ignore[misc]
            session.order(Order.PACE, 500.0)
            wait_for(lambda: fed(tally, session).irqs_handled > 20)
            assert session.partner == f"{PROGRAM}, pid {tally.partner_pid}"
            assert Path(f"/proc/{tally.partner_pid}/exe").resolve().name == PROGRAM
            assert "option of the device" in session.can(Order.IOEVENTFD)
            assert "messages" in session.can(Order.IRQFD)
            assert "QEMU signals" in session.can(Order.INTERRUPT)
        assert not is_running(tally.partner_pid)

    def test_a_session_leaves_no_process_and_no_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        before = belongings()
        for _ in range(3):
            with Session(paced()) as session:
                wait_for(lambda: session.take().size > 0)
                assert list(tmp_path.iterdir()) == []
        assert left_behind(before) == []

    def test_a_qemu_killed_in_mid_run_is_one_clear_error(self) -> None:
        before = belongings()
        with Session(paced()) as session:
            tally = tally_of(session.take())
            wait_for(lambda: fed(tally, session).irqs_handled > 20)
            os.kill(tally.partner_pid, signal.SIGKILL)
            wait_for(lambda: not session.alive)
        assert str(session.error) == f"{PROGRAM}, pid {tally.partner_pid} was killed by SIGKILL."
        assert left_behind(before) == []

    @pytest.mark.parametrize("name", ["qemu-virtio-blk", "qemu-vhost-user-blk"])
    def test_a_qemu_that_is_stopped_is_told_and_asked_again_once_it_goes_on(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Meanwhile nobody waits for its answers."""
        monkeypatch.setattr(qemu, "ANSWER_SECONDS", 1e9)
        with Session(paced(name, per_second=500)) as session:
            tally, batches = tally_of(session.take()), []

            def handled() -> int:
                batches.append(session.take())
                tally.feed(batches[-1])
                return tally.irqs_handled

            wait_for(lambda: handled() > 20)
            pid = next(iter(session._machine.partners())).pid  # type: ignore[union-attr]
            os.kill(pid, signal.SIGSTOP)
            wait_for(lambda: session.warning != "")
            assert session.warning.startswith(f"{PROGRAM}, pid {pid} stands still")
            counted = tally.kvm["halt_exits"]
            os.kill(pid, signal.SIGCONT)
            before = handled()
            wait_for(lambda: handled() > before + 20 and tally.kvm["halt_exits"] > counted)
        events = np.concatenate([*batches, session.take()])
        settings = events[events["kind"] == EventKind.SETTING]
        assert session.error is None
        assert (settings["seq"][settings["id"] == Setting.PARTNER_STOPPED]).tolist() == [pid, pid]

    def test_whoever_waits_for_the_machine_hears_that_it_waits(self) -> None:
        with contextlib.closing(build_machine(paced(), None, None)) as machine:
            machine.waiting = waiting = Mock()
            machine.vmms[0].qemu.qmp.meanwhile()  # type: ignore[attr-defined]
            waiting.assert_called_once_with()

    def test_a_qemu_that_is_stopped_until_the_end_is_one_clear_error(self) -> None:
        before = belongings()
        with Session(paced(per_second=500)) as session:
            tally = tally_of(session.take())
            wait_for(lambda: fed(tally, session).irqs_handled > 20)
            os.kill(tally.partner_pid, signal.SIGSTOP)
            wait_for(lambda: session.warning != "")
        assert str(session.error).startswith(f"{PROGRAM}, pid {tally.partner_pid} stood still")
        assert left_behind(before) == []

    def test_a_guest_that_ends_while_it_boots_is_told_however_long_it_might_have_had(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "virtio-blk-pci.bin").write_bytes(b"\x0f\x0b")
        monkeypatch.setattr(stamping, "GUESTS", tmp_path)
        monkeypatch.setattr(guest_in_qemu, "READY_SECONDS", math.inf)
        with Session(paced()) as session:
            wait_for(lambda: not session.alive)
        assert "ended with exit code 0" in str(session.error)

    def test_who_does_not_tell_kvms_counters_once_is_asked_no_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = Mock(return_value={})
        monkeypatch.setattr(Qemu, "vcpu_stats", asked)
        session, events = run(paced(), 20)
        asked.assert_called_once()
        assert_reconciled(session, events)

    @pytest.mark.parametrize(
        ("code", "told"),
        [
            (b"\x0f\x0b", "ended with exit code 0"),  # ud2 without an interrupt table: -no-reboot
            (
                bytes.fromhex("c70425") + (lib.BW_STATUS + lib.BW_ST_DEVICE).to_bytes(4, "little") + b"\x02\0\0\0\xf4",
                "message",
            ),
        ],
    )
    def test_a_guest_that_cannot_go_on_is_one_clear_error(
        self, code: bytes, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = belongings()
        (tmp_path / "virtio-blk-pci.bin").write_bytes(code)
        monkeypatch.setattr(stamping, "GUESTS", tmp_path)
        monkeypatch.setattr(guest_in_qemu, "READY_SECONDS", 0.5)  # it never is
        with Session(paced()) as session:
            wait_for(lambda: not session.alive)
        assert told in str(session.error)
        assert left_behind(before) == []

    def test_a_doorbell_elsewhere_is_told(self) -> None:
        scenario = paced()
        assert scenario.doorbell is not None
        with Session(replace(scenario, doorbell=replace(scenario.doorbell, address=0xFE003004))) as session:
            wait_for(lambda: not session.alive)
        assert str(session.error) == "The doorbell of the guest's device is not at the scenario's address."

    def test_qemu_dies_with_a_process_that_is_killed(self) -> None:
        code = (
            "import sys\nfrom bellwire.engine import Session, load_scenario\n"
            f"session = Session(load_scenario({NAMES[0]!r})).__enter__()\nsession.wait_until_started()\n"
            "print(session.partner.rpartition(' ')[2], flush=True)\nsys.stdin.read()\n"
        )
        pipe, root = subprocess.PIPE, Path(__file__).parents[4]
        with subprocess.Popen([sys.executable, "-c", code], cwd=root, text=True, stdin=pipe, stdout=pipe) as program:
            assert program.stdout is not None
            pid = int(program.stdout.readline())
            assert is_running(pid)
            program.kill()
            wait_for(lambda: not is_running(pid))


@pytest.mark.kvm
@pytest.mark.skipif(bool(qemu_refusal()), reason=qemu_refusal())
@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_of_the_wires_is_what_qemu_hands_to_the_kernel(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = QemuCalls(paced(name), 20, tmp_path, monkeypatch)
    shown = [call for call in calls_of(calls.session.scenario) if call.group == WIRES]
    for call in shown:
        if isinstance(call, AssignIoeventfd | AssignIrqfd):
            assert calls.has(call), call.name
    kinds = {AssignIoeventfd, AssignIrqfd, SetGsiRouting}  # of each at least one, or none of any
    assert {type(call) for call in shown} & kinds == (kinds if name in WIRED else set())
    routes = [data for number, data in calls.made if number == f"{SetGsiRouting.request:#x}"]
    assert any(message_route(data) for data in routes) == (name in WIRED)
    messages = sum(number == f"{SignalMsi.request:#x}" for number, _ in calls.made)
    assert messages == (0 if name in WIRED else 20)


def message_route(table: bytes) -> bool:
    """Whether a struct kvm_irq_routing has a message: its entries, of 48 bytes, begin with the GSI and their type."""
    types = [int.from_bytes(table[at : at + 4], "little") for at in range(12, len(table), 48)]
    return 2 in types  # KVM_IRQ_ROUTING_MSI


# -- without QEMU ------------------------------------------------------------------------------------------------------


def test_a_missing_qemu_is_told_with_the_package_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "qemu-system-x86" in DiskInQemu.refusal()
    with pytest.raises(EngineError, match="qemu-system-x86"):
        build_machine(paced(), None, None)


@pytest.mark.kvm
@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo first >&2; echo no accelerator >&2; exit 1", "ended with exit code 1. It said: no accelerator"),
        ("exec sleep 100", "did not answer"),
    ],
)
def test_a_qemu_that_does_not_start_is_told_in_its_own_words(
    script: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / PROGRAM
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("bellwire.engine.kvm.partners.qemu.BOOT_SECONDS", 0.5)
    before = belongings()
    with pytest.raises(EngineError, match=told):
        started(Session(paced()))
    assert left_behind(before) == []
