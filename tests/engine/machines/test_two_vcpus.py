"""A guest with two vCPUs, for real: counts that sum up exactly, a route that chooses, a wire that is cut meanwhile."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine._core import lib
from bellwire.engine.errors import ScenarioError
from bellwire.engine.events import EVENT, EventKind, Events, Lane, Setting
from bellwire.engine.folds.journeys import JourneyTracker
from bellwire.engine.folds.tally import Tally
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Order
from bellwire.viz.diagram.captions import caption
from bellwire.viz.diagram.part_words import route_text, vcpus_text
from bellwire.viz.model.live import LiveModel
from tests.support.fake_source import FakeSource
from tests.support.sessions import PATIENCE, fed, wait_for

pytestmark = pytest.mark.kvm


def run(name: str, signals: int, during: Callable[[Session], None] = lambda session: None) -> tuple[Session, Events]:
    """Until so many signals were given, or more; then all that they cause."""
    scenario = load_scenario(name).with_settings({"pace": "2000"})
    tally, batches = Tally(), []
    with Session(scenario, limit=signals) as session:
        during(session)
        until = time.monotonic() + PATIENCE
        while max(tally.doorbells_rung, tally.irqs_signalled) < signals and time.monotonic() < until:
            batches.append(session.take())
            tally.feed(batches[-1])
            time.sleep(0.002)
    batches.append(session.take())
    assert session.error is None
    return session, np.concatenate(batches)


def tally_of(events: Events) -> Tally:
    tally = Tally()
    tally.feed(events)
    return tally


def by_vcpu(events: Events, kind: EventKind) -> list[int]:
    """How many events of a kind each vCPU has."""
    return [int(np.count_nonzero((events["kind"] == kind) & (events["vm"] == vcpu))) for vcpu in (0, 1)]


@pytest.mark.parametrize("signals", [1, 2, 37])
def test_an_odd_number_of_doorbells_is_rung_as_well(signals: int) -> None:
    """Both rang the larger half: one more than was asked for."""
    session, events = run("two-vcpus-doorbell", signals)
    assert tally_of(events).doorbells_rung == session.truth()["rung"] == signals
    assert by_vcpu(events, EventKind.RING) == [signals - signals // 2, signals // 2]


def test_both_vcpus_ring_one_eventfd_and_the_counts_add_up_exactly() -> None:
    session, events = run("two-vcpus-doorbell", 400)
    tally, truth = tally_of(events), session.truth()
    assert by_vcpu(events, EventKind.RING) == [200, 200]
    assert tally.doorbells_rung == truth["rung"] == tally.doorbells_received == truth["received"] == 400
    assert events["seq"][events["kind"] == EventKind.RING].tolist() == list(range(1, 401))


def test_every_doorbell_of_either_vcpu_becomes_a_journey_or_is_said_to_be_none() -> None:
    session, events = run("two-vcpus-doorbell", 400)
    tracker = JourneyTracker(session.scenario)
    journeys = tracker.feed(events)
    assert journeys.size + tracker.given_up == 400
    assert (journeys["doorbell"] >= journeys["ring"]).all()
    assert journeys.size > 300


def test_the_wire_is_cut_while_both_ring_and_nothing_is_lost() -> None:
    chance = random.Random(3)

    def cut(session: Session) -> None:
        for _ in range(60):
            session.order(Order.IOEVENTFD, chance.random() < 0.5)
            time.sleep(0.002)
        session.order(Order.IOEVENTFD, True)

    session, events = run("two-vcpus-doorbell", 1000, cut)
    tally, truth = tally_of(events), session.truth()
    assert tally.doorbells_rung == tally.doorbells_received == 1000
    assert tally.dropped == truth["nonsense"] == 0
    assert min(by_vcpu(events, EventKind.EXIT)) > 1
    relayed = np.count_nonzero((events["kind"] == EventKind.EXIT) & (events["arg"] == 0x510))
    assert relayed == truth["relayed"]


def test_the_route_chooses_the_vcpu() -> None:
    session, events = run("irq-vcpu", 200)
    assert by_vcpu(events, EventKind.HANDLER)[0] == 0
    tally = tally_of(events)
    assert tally.irqs_signalled == 200 == tally.irqs_handled + tally.irqs_merged
    assert tally.irqs_handled == session.truth()["handled"]


def test_an_interrupt_moves_between_the_vcpus_and_none_is_lost() -> None:
    _, events = run("irq-vcpu-moves", 1000)
    tally = tally_of(events)
    assert min(by_vcpu(events, EventKind.HANDLER)) > 50
    assert tally.irqs_signalled == 1000 == tally.irqs_handled + tally.irqs_merged
    moves = events[(events["kind"] == EventKind.SETTING) & (events["id"] == Setting.VCPU)]
    assert set(moves["arg"].tolist()) == {0, 1}


def test_a_single_doorbell_is_one_vcpus() -> None:
    scenario = load_scenario("two-vcpus-doorbell").with_settings({"pace": "0"})
    with Session(scenario) as session:
        for _ in range(3):
            session.order(Order.DOORBELL)
        time.sleep(0.3)
    events = session.take()
    assert by_vcpu(events, EventKind.RING) == [2, 1]


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [("two-vcpus-doorbell", "queues", "4"), ("irq-vcpu", "route", "ioapic"), ("irq-msi", "vcpu", "1")],
)
def test_what_two_vcpus_do_not_go_with_is_one_line(name: str, setting: str, value: str) -> None:
    with pytest.raises(ScenarioError, match=r"vcpus|msi") as caught:
        load_scenario(name).with_settings({setting: value})
    assert "\n" not in str(caught.value)


def test_the_words_say_which_vcpu_did_what() -> None:
    source = FakeSource("two-vcpus-doorbell")
    source.start()
    source.order(Order.PACE, 0)
    source.run(1.6)
    model = LiveModel(source)
    model.tick(0)
    rings = [(source.now() + n, EventKind.RING, Lane.GUEST, n % 3 == 0, 0x510, n + 1, 0) for n in range(9)]
    model._fold(np.array(rings, EVENT))
    source.run(0.5)
    model.tick(0)
    assert "rung 6 times by vCPU 0 and 3 times by vCPU 1" in caption(model)
    assert vcpus_text(model) == "vCPU 0, vCPU 1"
    assert route_text(LiveModel(FakeSource("irq-vcpu"))).endswith("0x40, vCPU 1")


APIC_RENAMED = (  # tells that it is ready, gives its local APIC another number, waits
    *(b"\xc7\x04\x25", struct.pack("<II", lib.BW_STATUS, 1)),
    *(b"\xb8\x20\x00\xe0\xfe", b"\x67\xc7\x00\x00\x00\x00\x07"),
    b"\xf4\xeb\xfd",
)


@pytest.mark.parametrize("irqfd", ["on", "off"])
def test_an_interrupt_to_a_vcpu_that_is_not_there_any_more_is_lost_and_no_error(
    irqfd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KVM_SIGNAL_MSI answers -1 there, which reaches user space as EPERM."""
    (tmp_path / "renamed.bin").write_bytes(b"".join(APIC_RENAMED))
    monkeypatch.setattr("bellwire.engine.machines.stamping.GUESTS", tmp_path)
    monkeypatch.setattr("bellwire.engine.machines.guest.READY_SECONDS", 0.05)
    scenario = load_scenario("irq-vcpu").with_settings({"irqfd": irqfd})
    with Session(replace(scenario, guest="renamed")) as session:
        tally = tally_of(session.take())
        wait_for(lambda: fed(tally, session).irqs_signalled > 20 or not session.alive)
        assert session.alive
        session.order(Order.INTERRUPT)
    assert session.error is None
    assert session.truth()["handled"] == 0
