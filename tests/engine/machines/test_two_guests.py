"""Two guests, and one with itself, without a host thread: what is rung is what is handled, whatever is switched."""

from __future__ import annotations

import io
import math
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError, GuestError
from bellwire.engine.events import EventfdRole, EventKind, Events, Lane
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.tally import Tally
from bellwire.engine.live.session import Session
from bellwire.engine.machines import stamping
from bellwire.engine.machines.guest import Guest
from bellwire.engine.scenarios.rules import GUESTS
from bellwire.engine.scenarios.scenario import Pace, Scenario, load_scenario
from bellwire.engine.source import Order
from bellwire.viz.cli.summary import summary
from tests.support.leaks import LIBRARY_THREADS, belongings, left_behind
from tests.support.processes import threads_of
from tests.support.sessions import PATIENCE, started

pytestmark = pytest.mark.kvm

RINGS = 400
NAMES = ("vm-to-vm", "self-doorbell")


def paced(name: str, per_second: float = math.inf, burst: int = 1, idle: str = "hlt") -> Scenario:
    return replace(load_scenario(name), pace=Pace(per_second, burst, idle))


class Run:
    """A session of which every event is kept."""

    def __init__(self, scenario: Scenario, limit: int | None = None) -> None:
        self.session = Session(scenario, limit=limit)
        self.tally = Tally()
        self.batches: list[Events] = []

    def look(self) -> Tally:
        self.batches.append(self.session.take())
        self.tally.feed(self.batches[-1])
        return self.tally

    def wait_for(self, done: Callable[[Tally], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not done(self.look()):
            assert time.monotonic() < until, f"waited in vain: {self.tally.counts()}"
            time.sleep(0.003)

    @property
    def events(self) -> Events:
        self.look()
        return np.concatenate(self.batches)

    def kind(self, kind: EventKind) -> Events:
        events = self.events
        chosen: Events = events[events["kind"] == kind]
        return chosen


def run(scenario: Scenario, rings: int = RINGS) -> Run:
    """Until exactly so many doorbells were rung, and all that they cause has happened."""
    one = Run(scenario, rings)
    with one.session:
        one.wait_for(lambda tally: tally.doorbells_rung >= rings)
    one.look()
    assert one.session.error is None
    return one


def assert_every_ring_is_handled(one: Run) -> None:
    """A's rings = B's handlers + merged, by events and by the guests' own counters, and no thread read anything."""
    tally, truth = one.tally, one.session.truth()
    assert tally.dropped == truth["nonsense"] == 0
    assert tally.doorbells_rung == truth["rung"] == tally.irqs_handled + tally.irqs_merged
    assert tally.irqs_handled == truth["handled"]
    assert tally.irqs_signalled == tally.doorbells_rung
    assert tally.irqs_pending == tally.doorbells_pending == 0
    assert tally.eventfd_reads == truth["reads"] == 0
    assert not np.any(one.events["lane"] == Lane.IO_THREAD)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("idle", ["hlt", "spin"])
@pytest.mark.parametrize("ioeventfd", [True, False])
def test_every_ring_is_handled(name: str, idle: str, ioeventfd: bool) -> None:
    wired = paced(name, idle=idle).with_settings({"ioeventfd": "on" if ioeventfd else "off"})
    one = run(wired)
    assert_every_ring_is_handled(one)
    left = 0 if ioeventfd else RINGS
    assert one.tally.exits_to_userspace.get("IO", 0) == one.session.truth()["relayed"] == left


@pytest.mark.parametrize("burst", [1, 2, 3])
def test_bursts_of_every_length(burst: int) -> None:
    for name in NAMES:
        assert_every_ring_is_handled(run(paced(name, burst=burst), 300))


@pytest.mark.parametrize("name", NAMES)
def test_there_is_no_thread_of_the_host_but_the_vcpus(name: str) -> None:
    before = threads_of()
    with Session(paced(name, per_second=500)) as session:
        new = {name for thread, name in threads_of().items() if thread not in before}
        assert "no thread" in session.can(Order.INTERRUPT).lower()
        assert session.can(Order.IOEVENTFD) == session.can(Order.IRQFD) == session.can(Order.DOORBELL) == ""
    # kvm-* threads belong to the kernel's KVM; "engine" is Python's, which only looks.
    own = {name for name in new if not name.startswith("kvm")} - LIBRARY_THREADS
    assert "vcpu" in own
    assert own <= {"vcpu", "engine", "python", "python3", "pytest"}


def test_the_two_guests_are_told_apart() -> None:
    one = run(paced("vm-to-vm"))
    assert set(one.kind(EventKind.RING)["vm"]) == {0}
    assert set(one.kind(EventKind.HANDLER)["vm"]) == {1}
    assert set(run(paced("self-doorbell")).events["vm"]) == {0}


@pytest.mark.parametrize("name", NAMES)
def test_each_doorbell_is_a_journey_one_way(name: str) -> None:
    one = run(paced(name))
    latencies = Latencies(one.session.scenario, one.session.clock)
    journeys = np.concatenate([latencies.feed(batch) for batch in one.batches])
    assert sorted(journeys["seq"]) == list(range(1, RINGS + 1))
    assert latencies.tracker.given_up == 0
    assert np.all(journeys["handler"] > journeys["ring"])
    assert not np.any(journeys["doorbell"])
    assert not np.any(journeys["irq"])
    counts = {kind: histogram.count for kind, histogram in latencies.histograms.items()}
    assert counts["doorbell"] == counts["store_cost"] == RINGS - latencies.warmup
    assert counts["round_trip"] == counts["injection"] == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_wiring_changes_under_load_and_nothing_is_lost(name: str) -> None:
    chance = random.Random(11)
    one = Run(paced(name))
    with one.session as session:
        for _ in range(120):
            session.order(chance.choice([Order.IOEVENTFD, Order.IRQFD]), chance.random() < 0.5)
            time.sleep(chance.random() * 0.002)
            one.look()
        session.order(Order.IRQFD, True)
    one.look()
    assert one.session.error is None
    assert_every_ring_is_handled(one)
    assert len(one.kind(EventKind.WIRE)) > 40


def test_while_the_irqfd_is_off_the_eventfd_keeps_the_count() -> None:
    one = Run(paced("vm-to-vm", per_second=0))
    with one.session as session:
        session.order(Order.IRQFD, False)
        for _ in range(3):
            session.order(Order.DOORBELL)
        one.wait_for(lambda tally: tally.doorbells_rung == 3 and set(tally.eventfd_counts.values()) == {3})
        assert one.tally.irqs_pending == 3
        assert one.tally.irqs_handled == 0
        session.order(Order.IRQFD, True)
        one.wait_for(lambda tally: tally.irqs_pending == 0)
    one.look()
    assert_every_ring_is_handled(one)
    assert (one.tally.irqs_handled, one.tally.irqs_merged) == (1, 2)


@pytest.mark.parametrize("name", NAMES)
def test_a_session_may_end_with_the_irqfd_off(name: str) -> None:
    one = Run(paced(name, per_second=1000))
    with one.session as session:
        one.wait_for(lambda tally: tally.doorbells_rung > 10)
        session.order(Order.IRQFD, False)
        # An irqfd takes each count at once: one that stays in the eventfd came after the irqfd was gone.
        one.wait_for(lambda tally: tally.eventfd_counts.get(EventfdRole.DOORBELL, 0) > 0)
    one.look()
    truth = one.session.truth()
    assert one.session.error is None
    assert one.tally.irqs_signalled == one.tally.irqs_handled + one.tally.irqs_merged + one.tally.irqs_pending
    assert one.tally.irqs_pending == truth["pending"] > 0


def test_the_summary_names_both_ends() -> None:
    one = run(paced("vm-to-vm"))
    latencies = Latencies(one.session.scenario, one.session.clock)
    latencies.feed(one.events)
    console = Console(width=120, record=True, file=io.StringIO())
    evidence = Evidence(one.session.scenario, one.session.backend)
    evidence.feed(one.events)
    console.print(summary(one.session, one.tally, latencies, evidence, 1.0))
    text = console.export_text()
    assert text.count("guest → guest") == 2
    assert "handler of the guest that it rings" in text
    assert "→ host" not in text
    assert "host →" not in text
    assert "I/O thread" not in text


# -- bad endings -------------------------------------------------------------------------------------------------------

TRIPLE_FAULT = b"\x0f\x0b"  # ud2 without an interrupt table
# Announces a million and then rings for ever, but counts nothing: mov [neighbour's word], 1000000; out 0x510; jmp.
NEIGHBOURS_WORD = lib.BW_PEER_CONTROL + lib.BW_CTL_IRQ
ANNOUNCE = bytes.fromhex("48c70425") + NEIGHBOURS_WORD.to_bytes(4, "little") + (1_000_000).to_bytes(4, "little")
LIAR = ANNOUNCE + bytes.fromhex("66ba1005 66ef ebfc")


def custom(folder: Path, code: bytes, monkeypatch: pytest.MonkeyPatch, other: bytes | None = None) -> Scenario:
    """vm-to-vm with these bytes as guest A and, if given, `other` as guest B."""
    listener = (GUESTS / "listen.bin").read_bytes()
    (folder / "custom.bin").write_bytes(code)
    (folder / "neighbour.bin").write_bytes((GUESTS / "neighbour.bin").read_bytes())
    (folder / "listen.bin").write_bytes(listener if other is None else other)
    monkeypatch.setattr(stamping, "GUESTS", folder)
    monkeypatch.setattr("bellwire.engine.machines.guest.READY_SECONDS", 0.2)
    monkeypatch.setattr("bellwire.engine.live.session.SETTLE_SECONDS", 0.05)
    return replace(paced("vm-to-vm"), guest="custom")


@pytest.mark.parametrize("which", ["A", "B"])
def test_a_guest_that_ends_is_named(which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = belongings()
    if which == "A":
        scenario = custom(tmp_path, TRIPLE_FAULT, monkeypatch)
    else:
        scenario = replace(custom(tmp_path, b"", monkeypatch, TRIPLE_FAULT), guest="neighbour")
    one = Run(scenario)
    with one.session as session:
        until = time.monotonic() + PATIENCE
        while session.alive:
            assert time.monotonic() < until
            time.sleep(0.005)
    assert isinstance(session.error, GuestError)
    assert str(session.error).startswith(f"Guest {which} met a triple fault")
    assert left_behind(before) == []


def test_a_ring_that_announces_too_much_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Run(custom(tmp_path, LIAR, monkeypatch))
    with one.session:
        one.wait_for(lambda tally: tally.dropped > 0)
    one.look()
    assert one.tally.irqs_handled == one.tally.doorbells_rung == one.tally.irqs_signalled == 0
    assert one.session.truth()["nonsense"] == one.tally.dropped > 0


def test_nothing_is_left_behind_by_fifty_sessions() -> None:
    with Session(paced("vm-to-vm")):
        pass
    before = belongings()
    for number in range(50):
        with Session(paced(NAMES[number % 2])) as session:
            session.take()
    assert left_behind(before) == []


def test_a_machine_that_cannot_be_built_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = belongings()
    built: list[int] = []
    build = Guest._build

    def fails_the_second_time(guest: Guest) -> None:
        built.append(guest.index)
        build(guest)
        if len(built) == 2:
            raise EngineError("no")

    monkeypatch.setattr(Guest, "_build", fails_the_second_time)
    with pytest.raises(EngineError):
        started(Session(paced("vm-to-vm")))
    assert built == [1, 0]
    assert left_behind(before) == []
