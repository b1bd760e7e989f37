"""A virtqueue: every buffer comes back once and right, the equations hold, and a hostile driver hurts nobody."""

from __future__ import annotations

import math
import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine._core import lib
from bellwire.engine.errors import GuestError, ScenarioError
from bellwire.engine.events import BUFFERS_ADDED, BUFFERS_USED, EventKind, Events, Switch
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.kvm.virtqueue import FAULTS
from bellwire.engine.live.session import Session
from bellwire.engine.machines.build import build_machine
from bellwire.engine.scenarios.rules import GUESTS
from bellwire.engine.scenarios.scenario import Pace, Scenario, load_scenario, load_scenario_file
from bellwire.engine.source import Order
from tests.support.hostile import AVAILABLE, ONE_AVAILABLE, described, run_hostile, storing
from tests.support.leaks import belongings, left_behind
from tests.support.sessions import assert_reconciled, fed, run, tally_of, wait_for

pytestmark = pytest.mark.kvm

KICKS = 300
NAMES = ("virtqueue", "virtqueue-event-idx")


def changed(name: str, per_second: float = math.inf, burst: int = 8, idle: str = "hlt", work_us: int = 0) -> Scenario:
    """A scenario with another pace, and another device."""
    scenario = load_scenario(name)
    assert scenario.virtqueue is not None
    return replace(scenario, pace=Pace(per_second, burst, idle), virtqueue=replace(scenario.virtqueue, work_us=work_us))


def of_kind(events: Events, kind: EventKind, id: int | None = None) -> Events:
    """In order."""
    chosen: Events = events[(events["kind"] == kind) & (True if id is None else events["id"] == id)]
    return chosen


def assert_every_buffer_came_back(session: Session, events: Events) -> None:
    """All equations, by events, by the device's counters and by what the guest says."""
    assert_reconciled(session, events)
    tally, truth = tally_of(events), session.truth()
    assert truth["added"] == truth["available"] == truth["used"] == truth["taken"] > 0
    assert truth["wrong"] == truth["refused"] == truth["pending"] == truth["irq_pending"] == 0
    assert tally.buffers_added == tally.buffers_used == truth["used"]
    assert tally.doorbells_rung <= tally.buffers_added
    assert tally.irqs_signalled <= tally.buffers_used
    assert tally.doorbells_pending == tally.irqs_pending == 0
    for id in (BUFFERS_ADDED, BUFFERS_USED):
        moves = of_kind(events, EventKind.BUFFERS, id)
        assert np.array_equal(np.cumsum(moves["arg"]), moves["seq"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("idle", ["hlt", "spin"])
@pytest.mark.parametrize("burst", [1, 8, 100])
def test_every_buffer_comes_back_once_and_right(name: str, idle: str, burst: int) -> None:
    session, events = run(changed(name, burst=burst, idle=idle), KICKS)
    assert_every_buffer_came_back(session, events)
    assert tally_of(events).doorbells_rung == KICKS


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("burst", "work_us"), [(1, 0), (2, 20), (3, 100), (7, 0), (8, 20), (9, 100)])
def test_bursts_of_every_length(name: str, burst: int, work_us: int) -> None:
    assert_every_buffer_came_back(*run(changed(name, burst=burst, work_us=work_us), 100))


@pytest.mark.parametrize("name", NAMES)
def test_a_buffer_is_seen_then_used_then_interrupts(name: str) -> None:
    _, events = run(changed(name, per_second=500, work_us=30), 100)
    added = of_kind(events, EventKind.BUFFERS, BUFFERS_ADDED)
    used = of_kind(events, EventKind.BUFFERS, BUFFERS_USED)
    seen = added["tsc"][np.searchsorted(added["seq"], used["seq"])]
    assert np.all(seen < used["tsc"])
    before = np.searchsorted(used["tsc"], of_kind(events, EventKind.IRQFD)["tsc"])
    assert np.all(np.diff(before, prepend=0) > 0)  # each interrupt tells of at least one buffer more


@pytest.mark.parametrize("name", NAMES)
def test_a_device_that_is_busy_is_kicked_less_than_once_a_buffer(name: str) -> None:
    """It needs far longer for a buffer than the driver does: all that find it awake, though not those that wake it."""
    session, events = run(changed(name, per_second=12, burst=30, work_us=2000), 30)
    assert_every_buffer_came_back(session, events)
    assert rings_while_awake(events) * 2 < tally_of(events).buffers_used


def rings_while_awake(events: Events) -> int:
    """Doorbells that were rung after the device had read one and before it had served the last buffer that it found."""
    io = events[np.isin(events["kind"], (EventKind.DOORBELL, EventKind.BUFFERS, EventKind.WAIT))]
    rings, found = of_kind(events, EventKind.RING)["tsc"], 0
    for stretch in np.split(io, np.flatnonzero(io["kind"] == EventKind.WAIT)):
        reads, used = of_kind(stretch, EventKind.DOORBELL), of_kind(stretch, EventKind.BUFFERS, BUFFERS_USED)
        if reads.size and used.size:
            found += int(np.count_nonzero((rings > reads["tsc"][0]) & (rings < used["tsc"][-1])))
    return found


def test_a_driver_that_is_busy_is_interrupted_less_than_once_a_buffer_with_event_idx() -> None:
    """While it fills a whole queue it takes nothing back, and of all that is used meanwhile it hears once."""
    session, events = run(changed("virtqueue-event-idx", burst=32), KICKS)
    assert_every_buffer_came_back(session, events)
    tally = tally_of(events)
    assert tally.irqs_signalled * 2 < tally.buffers_used


@pytest.mark.parametrize("name", NAMES)
def test_the_wiring_changes_under_load_and_no_buffer_is_lost(name: str) -> None:
    chance = random.Random(5)
    batches = []
    with Session(changed(name)) as session:
        for _ in range(120):
            session.order(chance.choice([Order.IOEVENTFD, Order.IRQFD]), chance.random() < 0.5)
            time.sleep(chance.random() * 0.002)
            batches.append(session.take())
    batches.append(session.take())
    events = np.concatenate(batches)
    assert session.error is None
    assert_every_buffer_came_back(session, events)
    assert np.count_nonzero(events["kind"] == EventKind.WIRE) > 40


@pytest.mark.parametrize("name", NAMES)
def test_by_user_space_alone_it_works_as_well(name: str) -> None:
    session, events = run(changed(name).with_settings({"ioeventfd": "off", "irqfd": "off"}), 100)
    assert_every_buffer_came_back(session, events)
    tally = tally_of(events)
    assert tally.exits_to_userspace["IO"] == session.truth()["relayed"] == 100
    assert tally.wiring == {Switch.IOEVENTFD: False, Switch.IRQFD: False}
    assert len(of_kind(events, EventKind.IRQ_IOCTL)) == tally.irqs_signalled


def test_one_buffer_by_hand_and_an_interrupt_that_tells_of_none() -> None:
    with Session(changed("virtqueue", per_second=0)) as session:
        tally = tally_of(session.take())
        session.order(Order.INTERRUPT)
        session.order(Order.DOORBELL)
        wait_for(lambda: fed(tally, session).irqs_handled + tally.irqs_merged == 2)
    fed(tally, session)
    assert (tally.doorbells_rung, tally.buffers_added, tally.buffers_used, tally.irqs_signalled) == (1, 1, 1, 2)
    assert session.truth()["taken"] == 1


def test_doorbells_and_interrupts_are_journeys_of_their_own() -> None:
    session, events = run(changed("virtqueue-event-idx", per_second=500, burst=4), 100)
    latencies = Latencies(session.scenario, session.clock)
    journeys = latencies.feed(events)
    assert sorted(journeys["seq"][journeys["ring"] > 0]) == list(range(1, 101))
    assert np.count_nonzero(journeys["irq"]) == tally_of(events).irqs_signalled
    assert latencies.histograms["round_trip"].count == 0
    assert latencies.tracker.given_up == 0


def test_closed_at_full_speed_the_thread_ends_before_its_virtqueue() -> None:
    before = belongings()
    machine = build_machine(changed("virtqueue", work_us=1000), None, None)
    machine.start()
    machine.wait_until_ready()
    machine.set_pace(machine.scenario.pace, True)
    time.sleep(0.05)
    machine.close()
    machine.close()
    assert left_behind(before) == []


# -- drivers that are not to be trusted --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stores", "fault"),
    [
        pytest.param([(AVAILABLE, 1000 << 16)], lib.BW_VIRTQUEUE_INDEX, id="index"),
        pytest.param([(AVAILABLE + 4, 999), ONE_AVAILABLE], lib.BW_VIRTQUEUE_HEAD, id="head"),
        pytest.param([*described(0, 8, 1, 64), ONE_AVAILABLE], lib.BW_VIRTQUEUE_NEXT, id="next"),
        pytest.param([*described(0, 8, 1, 0), ONE_AVAILABLE], lib.BW_VIRTQUEUE_LOOP, id="loop"),
        pytest.param([*described(2**63, 8, 2), ONE_AVAILABLE], lib.BW_VIRTQUEUE_ADDRESS, id="address"),
        pytest.param([*described(lib.BW_MEMORY_SIZE - 1, 2, 2), ONE_AVAILABLE], lib.BW_VIRTQUEUE_ADDRESS, id="end"),
        pytest.param([*described(0, 8, 4), ONE_AVAILABLE], lib.BW_VIRTQUEUE_INDIRECT, id="indirect"),
        pytest.param([*described(0, 5000, 0), ONE_AVAILABLE], lib.BW_VIRTQUEUE_LENGTH, id="length"),
    ],
)
def test_a_driver_that_breaks_a_rule_ends_the_session_with_one_sentence(
    stores: list[tuple[int, int]], fault: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = run_hostile(changed("virtqueue"), storing(*stores), tmp_path, monkeypatch)
    assert isinstance(session.error, GuestError)
    rule = FAULTS[fault].format(most=lib.BW_REQUEST_MAX)
    assert str(session.error) == f"The guest's driver has broken the virtqueue: {rule}."
    assert session.truth()["used"] == 0


def test_a_guest_that_finds_its_buffers_wrong_ends_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    liar = storing((lib.BW_STATUS + lib.BW_ST_BUFFERS_WRONG, 3))
    session = run_hostile(changed("virtqueue"), liar, tmp_path, monkeypatch)
    assert "3 buffers that came back wrong" in str(session.error)


# -- the scenario ------------------------------------------------------------------------------------------------------


def test_event_idx_is_a_setting() -> None:
    flags = load_scenario("virtqueue").with_settings({"event_idx": "on", "work_us": "7"})
    assert flags.virtqueue is not None
    assert (flags.virtqueue.event_idx, flags.virtqueue.work_us) == (True, 7)
    with pytest.raises(ScenarioError, match="has no virtqueue"):
        load_scenario("roundtrip").with_settings({"event_idx": "on"})


def test_machine_table_and_signaller_go_together(tmp_path: Path) -> None:

    good = (GUESTS / "virtqueue.toml").read_text()
    table = "[virtqueue]\nevent_idx = false\nwork_us = 100\n"
    for spoilt in (good.replace(table, ""), good.replace('"device"', '"guest"'), good.replace("machine = ", "# ")):
        (tmp_path / "mine.toml").write_text(spoilt)
        with pytest.raises(ScenarioError, match=r"machine: .*go together"):
            load_scenario_file(tmp_path / "mine.toml")
