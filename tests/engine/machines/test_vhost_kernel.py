"""A guest whose device is a worker of the kernel: what it sends comes out, all counts are equal, and nothing stays."""

from __future__ import annotations

import errno
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from _pytest.mark import ParameterSet

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError, KvmError
from bellwire.engine.events import EventKind, Events, Lane
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.live.session import Session
from bellwire.engine.machines import build
from bellwire.engine.machines.build import build_machine
from bellwire.engine.machines.far_ends import FIRST_CID, LAST_CID, free_address
from bellwire.engine.machines.vhost_kernel import VhostNetGuest, VhostVsockGuest
from bellwire.engine.scenarios.scenario import Pace, Scenario, load_scenario
from bellwire.engine.source import Order
from tests.support.hostile import AVAILABLE, ONE_AVAILABLE, described, run_hostile, storing
from tests.support.leaks import belongings, left_behind
from tests.support.processes import is_running
from tests.support.sessions import WHILE_SWITCHED, assert_reconciled, fed, run, tally_of, wait_for

FRAMES = 300
NAMES = ("vhost-net", "vhost-vsock")


def each_here() -> list[ParameterSet]:
    """Both scenarios; what this host cannot run is skipped with the reason."""
    lacks = {name: build.refusal(load_scenario(name)) for name in NAMES}
    return [pytest.param(name, marks=[pytest.mark.skipif(bool(why), reason=why)]) for name, why in lacks.items()]


def paced(name: str, per_second: float = math.inf, burst: int = 1, idle: str = "hlt") -> Scenario:
    return replace(load_scenario(name), pace=Pace(per_second, burst, idle))


def assert_all_came_out(session: Session, events: Events) -> None:
    """Doorbells, kicks, buffers taken, what came out and interrupts: each as many as the others."""
    assert_reconciled(session, events)
    tally, truth = tally_of(events), session.truth()
    sent = tally.doorbells_rung
    assert truth["kicks"] == sent
    assert truth["base"] == sent % 2**16
    if "frames" in truth:
        assert truth["frames"] == sent
    else:
        assert truth["bytes"] == (sent - 1) * lib.BW_VSOCK_PAYLOAD
    assert tally.irqs_handled + tally.irqs_merged == sent
    assert truth["wrong"] == tally.irqs_pending == 0
    assert not np.any(events["lane"] == Lane.IO_THREAD)


@pytest.mark.kvm
@pytest.mark.parametrize("name", each_here())
class TestSession:
    """A real guest and a real worker."""

    @pytest.mark.parametrize("idle", ["hlt", "spin"])
    @pytest.mark.parametrize("burst", [1, 7])
    def test_each_packet_is_a_doorbell_and_an_interrupt(self, burst: int, idle: str, name: str) -> None:
        session, events = run(paced(name, burst=burst, idle=idle), FRAMES)
        assert_all_came_out(session, events)
        assert session.truth().get("looked_at", FRAMES) == FRAMES

    def test_a_doorbell_is_a_round_trip_through_the_kernel(self, name: str) -> None:
        session, events = run(paced(name), FRAMES)
        latencies = Latencies(session.scenario, session.clock)
        journeys = np.concatenate([latencies.feed(batch) for batch in np.array_split(events, 5)])
        assert sorted(journeys["seq"]) == list(range(1, FRAMES + 1))
        assert np.all((journeys["ring"] < journeys["handler"]) & (journeys["irq"] == 0) & (journeys["doorbell"] == 0))

    def test_the_wiring_changes_under_load_and_nothing_is_lost(self, name: str) -> None:
        chance = random.Random(9)
        batches: list[Events] = []
        with Session(paced(name, WHILE_SWITCHED)) as session:
            while not any(np.any(batch["kind"] == EventKind.HANDLER) for batch in batches):
                time.sleep(0.005)
                batches.append(session.take())
            for _ in range(60):
                session.order(chance.choice([Order.IOEVENTFD, Order.IRQFD]), chance.random() < 0.5)
                time.sleep(chance.random() * 0.01)
                batches.append(session.take())
            session.order(Order.IRQFD, True)
        batches.append(session.take())
        events = np.concatenate(batches)
        assert session.error is None
        assert_all_came_out(session, events)
        assert np.count_nonzero(events["kind"] == EventKind.WIRE) > 20

    def test_the_worker_is_named_and_its_number_is_among_the_events(self, name: str) -> None:
        with Session(paced(name, 100)) as session:
            tally = tally_of(session.take())
            wait_for(lambda: fed(tally, session).irqs_handled > 0)
            told = (Path("/proc") / str(tally.partner_pid) / "comm").read_text().strip()
            assert session.partner == f"{told}, thread {tally.partner_pid} of the kernel"
            assert told.startswith("vhost-")
            assert "kernel's worker" in session.can(Order.INTERRUPT)
        assert tally.direct
        assert not is_running(tally.partner_pid)

    def test_a_session_leaves_no_worker_and_no_network(self, name: str) -> None:
        before, interfaces = belongings(), Path("/proc/net/dev").read_text().count(":")
        for _ in range(5):
            with Session(paced(name)) as session:
                session.take()
                assert Path("/proc/net/dev").read_text().count(":") == interfaces
        assert left_behind(before) == []

    @pytest.mark.parametrize(
        "stores",
        [
            pytest.param([(AVAILABLE, 1000 << 16)], id="index"),
            pytest.param([(AVAILABLE + 4, 999), ONE_AVAILABLE], id="head"),
            pytest.param([*described(0, 8, 1, 0), ONE_AVAILABLE], id="loop"),
            pytest.param([*described(2**40, 80, 0), ONE_AVAILABLE], id="address"),
            pytest.param([*described(0x113000, 80, 2), ONE_AVAILABLE], id="writable"),
        ],
    )
    def test_a_driver_that_breaks_the_rules_is_told_by_the_worker(
        self, stores: list[tuple[int, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        before = belongings()
        session = run_hostile(paced(name), storing(*stores), tmp_path, monkeypatch)
        assert "has given the virtqueue up" in str(session.error)
        assert left_behind(before) == []

    def test_nothing_outlives_a_process_that_is_killed(self, name: str) -> None:
        code = (
            "import sys\nfrom bellwire.engine import Session, load_scenario\n"
            f"with Session(load_scenario('{name}')) as session:\n"
            "    print(session.partner.split()[2], flush=True)\n    sys.stdin.read()\n"
        )
        root, pipe = Path(__file__).parents[3], subprocess.PIPE
        with subprocess.Popen([sys.executable, "-c", code], cwd=root, text=True, stdin=pipe, stdout=pipe) as program:
            assert program.stdout is not None
            worker = int(program.stdout.readline())
            assert is_running(worker)
            os.kill(program.pid, signal.SIGKILL)
            wait_for(lambda: not is_running(worker))


# -- what a host may lack --------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of /dev, with a status that says root."""
    monkeypatch.setattr("bellwire.engine.machines.vhost_kernel.NET", tmp_path / "vhost-net")
    monkeypatch.setattr("bellwire.engine.kvm.partners.tap.TUN", tmp_path / "tun")
    monkeypatch.setattr("bellwire.engine.kvm.partners.tap.STATUS", tmp_path / "status")
    for name in ("vhost-net", "tun"):
        (tmp_path / name).touch()
    (tmp_path / "status").write_text("Name:\tpython\nCapEff:\t000001ffffffffff\n")
    return tmp_path


def test_with_both_devices_and_the_rights_nothing_is_in_the_way(files: Path) -> None:
    assert VhostNetGuest.refusal() == ""


def test_a_device_that_is_missing_is_told_with_the_module_that_brings_it(files: Path) -> None:
    (files / "tun").unlink()
    assert VhostNetGuest.refusal() == (
        f"This host has no {files}/tun: `sudo modprobe tun` brings it, if its kernel has that module."
    )
    (files / "vhost-net").unlink()
    assert "`sudo modprobe vhost_net`" in VhostNetGuest.refusal()


@pytest.mark.parametrize("rights", ["0000000000000000", "000001ffffffefff"])  # none; all but CAP_NET_ADMIN
def test_who_may_make_no_network_is_told_so(files: Path, rights: str) -> None:
    (files / "status").write_text(f"CapEff:\t{rights}\n")
    assert VhostNetGuest.refusal().endswith("run it as root.")


def test_a_refusal_is_told_before_anything_is_built(files: Path) -> None:
    (files / "vhost-net").unlink()
    before = belongings()
    with pytest.raises(EngineError, match="modprobe vhost_net"):
        build_machine(load_scenario("vhost-net"), None, None)
    assert left_behind(before) == []


def test_a_guest_with_a_socket_needs_no_root_but_the_device(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (files / "status").write_text("CapEff:\t0000000000000000\n")
    monkeypatch.setattr("bellwire.engine.machines.vhost_kernel.VSOCK", files / "vhost-vsock")
    assert "`sudo modprobe vhost_vsock`" in VhostVsockGuest.refusal()
    (files / "vhost-vsock").touch()
    assert VhostVsockGuest.refusal() == ""


def test_an_address_that_another_guest_has_is_not_insisted_on() -> None:
    """EADDRINUSE leads to another one; any other answer is told."""
    asked: list[int] = []

    class Device:
        answers: ClassVar = [errno.EADDRINUSE, errno.EADDRINUSE, 0]

        def set_guest_cid(self, cid: int) -> None:
            asked.append(cid)
            if answer := self.answers.pop(0):
                raise KvmError("VHOST_VSOCK_SET_GUEST_CID", answer)

    take = Device().set_guest_cid
    assert free_address(take) == asked[-1]
    assert len(set(asked)) == 3
    assert all(FIRST_CID <= cid <= LAST_CID for cid in asked)
    Device.answers = [errno.EBUSY]
    with pytest.raises(KvmError, match="EBUSY"):
        free_address(take)
