"""What each kind of signalling path does, beyond what every scenario must: counts by queue, misses, rings, lines."""

from __future__ import annotations

import math
import random
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bellwire.engine.events import EventKind, Events, Lane, Setting
from bellwire.engine.folds.journeys import JourneyTracker
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import Pace, Scenario, load_scenario
from bellwire.engine.source import Order
from tests.support.sessions import Everything, assert_reconciled, fed, run, tally_of, wait_for

pytestmark = pytest.mark.kvm

COALESCED_ROOM = 169  # writes that one page holds: struct kvm_coalesced_mmio_ring of linux/kvm.h, one slot always free


def changed(name: str, *, pace: Pace | None = None, doorbell: Any = None, interrupt: Any = None) -> Scenario:
    """A scenario with some values changed."""
    scenario = load_scenario(name)
    parts: dict[str, Any] = {"pace": pace or scenario.pace}
    if doorbell:
        assert scenario.doorbell is not None
        parts["doorbell"] = replace(scenario.doorbell, **doorbell)
    if interrupt:
        assert scenario.interrupt is not None
        parts["interrupt"] = replace(scenario.interrupt, **interrupt)
    return replace(scenario, **parts)


def of_kind(events: Events, kind: EventKind) -> Events:
    chosen: Events = events[events["kind"] == kind]
    return chosen


# -- doorbells -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ioeventfd", [True, False])
def test_every_queue_counts_its_own_doorbells(ioeventfd: bool) -> None:
    scenario = changed("doorbell-fan-out", pace=Pace(1000, 2, "hlt"), doorbell={"ioeventfd": ioeventfd})
    session, events = run(scenario, 403)
    assert_reconciled(session, events)
    assert tally_of(events).received_from == {0: 101, 1: 101, 2: 101, 3: 100}
    assert session.truth()["relayed"] == (0 if ioeventfd else 403)


def test_each_doorbell_of_a_queue_is_paired_with_the_read_of_its_own_eventfd() -> None:
    scenario = changed("doorbell-fan-out", pace=Pace(500, 8, "hlt"))
    _, events = run(scenario, 400)
    tracker = JourneyTracker(scenario)
    journeys = np.concatenate([tracker.feed(part) for part in np.array_split(events, 7)])
    assert (len(journeys), tracker.given_up) == (400, 0)
    assert np.all(journeys["doorbell"] > journeys["ring"])
    for queue in range(4):
        reads = of_kind(events, EventKind.DOORBELL)
        reads = reads[reads["id"] == queue]
        own = np.sort(journeys[(journeys["seq"] - 1) % 4 == queue], order="seq")
        assert own["doorbell"].tolist() == np.repeat(reads["tsc"], reads["arg"].astype(int)).tolist()


def test_many_addresses_add_up_in_one_eventfd() -> None:
    session, events = run(load_scenario("doorbell-many-addresses"), 200)
    assert_reconciled(session, events)
    rung = of_kind(events, EventKind.RING)
    addresses, counts = np.unique(rung["id"], return_counts=True)
    assert addresses.tolist() == [0xD0000000 + 8 * place for place in range(4)]
    assert counts.tolist() == [50] * 4
    assert session.truth()["relayed"] == 0


def test_many_addresses_are_relayed_while_the_ioeventfds_are_off() -> None:
    session, events = run(changed("doorbell-many-addresses", doorbell={"ioeventfd": False}), 40)
    assert_reconciled(session, events)
    assert session.truth()["relayed"] == 40


@pytest.mark.parametrize("name", ["doorbell-size-miss", "doorbell-data-miss", "doorbell-address-miss"])
def test_a_miss_is_relayed_by_the_vcpu_thread(name: str) -> None:
    session, events = run(load_scenario(name), 50)
    assert_reconciled(session, events)
    assert session.truth()["relayed"] == 50
    exits = of_kind(events, EventKind.EXIT)
    assert np.unique(exits["seq"][exits["seq"] > 0]).tolist() == list(range(1, 51))
    assert set(exits["lane"].tolist()) == {Lane.VCPU}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("doorbell-size-miss", {"length": 2}),
        ("doorbell-data-miss", {"datamatch": 7}),
        ("doorbell-address-miss", {"ioeventfd_address": 0xD0000000}),
    ],
)
def test_with_the_one_thing_mended_the_ioeventfd_takes_it(name: str, change: dict[str, int]) -> None:
    session, events = run(changed(name, doorbell=change), 50)
    assert_reconciled(session, events)
    assert session.truth()["relayed"] == 0
    assert np.all(of_kind(events, EventKind.EXIT)["seq"] == 0)


def test_coalesced_writes_are_found_when_the_guest_reads() -> None:
    session, events = run(load_scenario("doorbell-coalesced-mmio"), 160)
    assert_reconciled(session, events)
    assert session.truth()["relayed"] == 160
    assert of_kind(events, EventKind.DOORBELL)["arg"].sum() == 160
    assert session.truth()["exits"]["MMIO"] == 10  # the reads
    assert np.all(of_kind(events, EventKind.EXIT)["seq"] == 0)


def test_coalesced_writes_leave_the_guest_when_the_ring_is_full() -> None:
    rings = 2 * (COALESCED_ROOM + 1) + 30
    session, events = run(changed("doorbell-coalesced-pio", pace=Pace(5000, 10, "hlt")), rings)
    assert_reconciled(session, events)
    exits = of_kind(events, EventKind.EXIT)
    assert exits["seq"][exits["seq"] > 0].tolist() == [COALESCED_ROOM + 1, 2 * (COALESCED_ROOM + 1)]
    assert session.truth()["exits"]["IO"] == 2
    assert tally_of(events).doorbells_received == rings


def test_an_ioeventfd_takes_precedence_over_a_coalesced_zone() -> None:
    session, events = run(changed("doorbell-coalesced-pio", doorbell={"ioeventfd": True}), 60)
    assert_reconciled(session, events)
    assert session.truth()["relayed"] == 0


def test_the_ioeventfd_can_be_switched_on_while_writes_are_coalesced() -> None:
    with Session(load_scenario("doorbell-coalesced-pio")) as session:
        tally = tally_of(session.take())
        wait_for(lambda: fed(tally, session).doorbells_rung > 20)
        session.order(Order.IOEVENTFD, True)
        wait_for(lambda: fed(tally, session).doorbells_received > 20)
    assert fed(tally, session).doorbells_pending == 0
    assert tally.doorbells_rung == session.truth()["rung"]


# -- interrupts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["irq-level-resample", "irq-line-level"])
def test_a_line_is_raised_again_only_once_the_device_was_told(name: str) -> None:
    session, events = run(load_scenario(name), 300)
    assert_reconciled(session, events)
    kinds = (EventKind.IRQFD, EventKind.IRQ_IOCTL, EventKind.RESAMPLE)
    steps = events[np.isin(events["kind"], kinds)]
    told = steps["kind"] == EventKind.RESAMPLE
    assert not told[0]
    assert np.all(told[1:] != told[:-1])  # in turn
    assert steps["seq"][told].tolist() == list(range(1, 1 + int(told.sum())))
    assert int((~told).sum()) == 300
    assert int(told.sum()) >= 299


def test_a_resamplefd_spares_the_guest_its_exits() -> None:
    for name, exits_each in (("irq-level-resample", 0), ("irq-line-level", 1)):
        session, events = run(load_scenario(name), 90)
        assert session.truth()["exits"].get("IO", 0) == exits_each * tally_of(events).irqs_handled


def test_who_lowers_a_line_cannot_change() -> None:
    with Session(load_scenario("irq-level-resample")) as session:
        assert "lowers the line" in session.can(Order.IRQFD)


def test_a_split_irqchip_delivers_every_message() -> None:
    session, events = run(load_scenario("irq-split"), 200)
    assert_reconciled(session, events)
    assert set(of_kind(events, EventKind.HANDLER)["id"].tolist()) == {0x40}


def test_an_interrupt_that_is_held_off_is_handled_after_its_window() -> None:
    scenario = load_scenario("irq-window")
    session, events = run(scenario, 50)
    assert_reconciled(session, events)
    assert scenario.interrupt is not None
    hold = session.clock.cycles(scenario.interrupt.hold_us / 1e6)
    windows = of_kind(events, EventKind.WINDOW)
    assert windows["seq"].tolist() == list(range(1, 51))
    for window in windows:
        signal = of_kind(events, EventKind.IRQFD)
        signal = signal[signal["seq"] == window["seq"]]
        handler = of_kind(events, EventKind.HANDLER)
        handler = handler[handler["seq"] == window["seq"]]
        assert signal["tsc"][0] + hold <= window["tsc"] < handler["tsc"][0]


def test_several_irqfds_of_one_gsi_all_interrupt() -> None:
    session, events = run(changed("irq-many", pace=Pace(500, 1, "hlt")), 200)
    assert_reconciled(session, events)
    assert session.truth()["irq_pending"] == 0
    assert tally_of(events).irqs_signalled == 200


def test_both_vectors_of_a_changing_route_add_up() -> None:
    scenario = changed("irq-route-change", interrupt={"reroute_ms": 10})
    session, events = run(scenario, 600)
    assert_reconciled(session, events)
    vectors, counts = np.unique(of_kind(events, EventKind.HANDLER)["id"], return_counts=True)
    assert vectors.tolist() == [0x40, 0x42]
    assert counts.sum() == tally_of(events).irqs_handled
    routes = events[(events["kind"] == EventKind.SETTING) & (events["id"] == Setting.ROUTE)]["arg"]
    assert len(routes) > 4
    assert np.all(routes[1:] != routes[:-1])


def test_edges_at_a_masked_pin_are_lost_and_counted() -> None:
    session, events = run(load_scenario("irq-masked"), 100)
    assert_reconciled(session, events)
    tally = tally_of(events)
    assert (tally.irqs_lost, tally.irqs_handled, tally.irqs_merged, tally.irqs_pending) == (100, 0, 0, 0)


def test_the_same_pin_unmasked_loses_none() -> None:
    session, events = run(changed("irq-masked", interrupt={"masked": False}), 100)
    assert_reconciled(session, events)
    tally = tally_of(events)
    assert tally.irqs_lost == 0
    assert tally.irqs_handled + tally.irqs_merged == 100


# -- coalescing ------------------------------------------------------------------------------------------------------


def test_rings_of_a_burst_add_up_to_fewer_reads() -> None:
    session, events = run(load_scenario("doorbell-burst"), 320)
    assert_reconciled(session, events)
    tally = tally_of(events)
    assert tally.doorbells_received == 320
    assert tally.eventfd_reads < 320


def test_signals_of_a_burst_merge_into_fewer_interrupts() -> None:
    session, events = run(load_scenario("irq-burst"), 320)
    assert_reconciled(session, events)
    tally = tally_of(events)
    assert tally.irqs_merged > 0
    assert tally.irqs_handled + tally.irqs_merged == 320


# -- while signals fly -----------------------------------------------------------------------------------------------


# A guest is flat out at some ten thousand signals a second; a host that waits for nobody would be at a million.
@pytest.mark.parametrize(
    ("name", "per_second"), [("roundtrip", math.inf), ("doorbell-fan-out", math.inf), ("irq-msi", 20_000.0)]
)
def test_a_thousand_random_commands_lose_nothing_and_count_nothing_twice(name: str, per_second: float) -> None:
    chance = random.Random(name)
    batches = []
    with Session(changed(name, pace=Pace(per_second, 1, "hlt"))) as session:
        everything = Everything(session)
        for _ in range(1000):
            switch = chance.choice([Order.IOEVENTFD, Order.IRQFD, Order.ROUTE])
            session.order(switch, switch is Order.ROUTE or chance.random() < 0.5)
            time.sleep(chance.random() * 0.001)
            batches.append(everything.take())
    batches.append(everything.take())
    events = np.concatenate(batches)
    assert session.error is None
    assert_reconciled(session, events)
    tally = tally_of(events)
    assert tally.doorbells_pending == tally.irqs_pending == 0
    assert np.count_nonzero(events["kind"] == EventKind.WIRE) > 250
    if session.scenario.interrupt:
        assert {0x40, 0x42} == set(of_kind(events, EventKind.HANDLER)["id"].tolist())


def test_a_pin_has_no_other_route() -> None:
    with Session(load_scenario("irq-ioapic")) as session:
        assert "second vector" in session.can(Order.ROUTE)
    with Session(load_scenario("irq-msi")) as session:
        assert session.can(Order.ROUTE) == ""
