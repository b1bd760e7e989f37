"""A live session: what it counts is what happened, and nothing of it is left afterwards."""

from __future__ import annotations

import errno
import math
import os
import random
import re
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn, cast

import numpy as np
import pytest
from _pytest.mark import ParameterSet

import bellwire.engine.host.headway
import bellwire.engine.live.watermark
import bellwire.engine.machines.guest
import bellwire.engine.machines.stamping
from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError, GuestError, LeftBehindError
from bellwire.engine.events import (
    SIGNALLING,
    STATS,
    EventfdRole,
    EventKind,
    Events,
    Lane,
    Setting,
    Switch,
    doorbell_numbers,
)
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.signal_ways import InterruptWay, SignalWays
from bellwire.engine.folds.tally import Tally
from bellwire.engine.host.headway import ThreadsWay
from bellwire.engine.kvm.vcpu import Vcpu
from bellwire.engine.live.session import STALLED_SECONDS, Session
from bellwire.engine.machines.machine import Machine
from bellwire.engine.machines.one_guest import OneGuest
from bellwire.engine.scenarios.scenario import Pace, Scenario, list_scenarios, load_scenario
from bellwire.engine.source import Order
from bellwire.engine.verdict import Verdict
from tests.support.leaks import belongings, left_behind
from tests.support.sessions import (
    PATIENCE,
    SIGNALS,
    WHILE_SWITCHED,
    assert_reconciled,
    each,
    fed,
    given,
    one_of_each,
    paced,
    refusal,
    run,
    started,
    tally_of,
    wait_for,
)

pytestmark = pytest.mark.kvm

NAMES = [scenario.name for scenario in list_scenarios() if not refusal(scenario)]
KINDS = one_of_each({scenario.name: scenario for scenario in list_scenarios()})
SPINNING = () if os.environ.get("BELLWIRE_SPINNING") == "all" else tuple(KINDS)


def idling(idle: str, *names: str) -> list[ParameterSet]:
    """All scenarios, or these, with guests that idle so."""
    return [pytest.param(*scenario.values, idle, marks=scenario.marks) for scenario in each(*names)]


def keeps_signals(scenario: Scenario) -> bool:
    """Whether there is no irqfd, and nothing instead of it."""
    return scenario.interrupt is not None and scenario.interrupt.waits and not scenario.interrupt.irqfd


@pytest.mark.parametrize(("name", "idle"), [*idling("hlt"), *idling("spin", *SPINNING)])
def test_every_scenario_reconciles(name: str, idle: str) -> None:
    session, events = run(paced(name, idle=idle))
    assert_reconciled(session, events)
    tally = tally_of(events)
    assert given(session.scenario, tally) == SIGNALS
    assert tally.doorbells_pending == 0
    assert tally.irqs_pending == (SIGNALS if keeps_signals(session.scenario) else 0)


def test_a_pace_that_is_no_whole_number_is_told_as_it_is() -> None:
    session, events = run(paced("roundtrip", per_second=62.5), 4)
    latencies = Latencies(session.scenario, session.clock)
    latencies.feed(events)
    assert (tally_of(events).pace, latencies.interval.now) == (62.5, 16_000_000)


@pytest.mark.parametrize("name", each())
def test_every_scenario_takes_the_ways_that_it_names(name: str) -> None:
    scenario = replace(load_scenario(name), lab=None)
    by_hand = scenario.pace.per_second == 0
    session, events = run(replace(scenario, pace=Pace(500, 1, "hlt")) if by_hand else scenario, 100)
    assert_reconciled(session, events)
    scenario, tally = session.scenario, tally_of(events)
    outside = np.count_nonzero((events["kind"] == EventKind.EXIT) & (events["seq"] > 0))  # those that are doorbells
    if scenario.doorbell:
        assert outside == (100 if scenario.doorbell.leaves and scenario.qemu is None else 0)  # of QEMU's nobody tells
    if scenario.interrupt:
        by_eventfd = scenario.interrupt.irqfd or keeps_signals(scenario)
        by_thread = by_eventfd and scenario.machine in ("one-guest", "two-vcpus", "virtqueue")
        counts = np.bincount(events["kind"], minlength=max(EventKind) + 1)
        assert counts[EventKind.IRQFD] == (tally.irqs_signalled if by_thread else 0)
        assert counts[EventKind.SUBMIT] == (tally.irqs_signalled if scenario.machine == "io-uring" else 0)
    assert tally.wiring.get(Switch.IOEVENTFD) == (scenario.doorbell.ioeventfd if scenario.doorbell else None)


def journey(events: Events, doorbell: int, queues: int = 1) -> list[EventKind]:
    """The kinds that carry one doorbell's number, or answer it, in the order of their time.

    Where nobody reads the doorbell, its handler is the first that saw this very number once it was rung.
    """
    if not np.any(events["kind"] == EventKind.DOORBELL):
        own = events[(events["seq"] == doorbell) & (events["lane"] == Lane.GUEST)]
        own = own[own["tsc"] >= own["tsc"][own["kind"] == EventKind.RING]]
        return list(dict.fromkeys(map(EventKind, own["kind"].tolist())))
    numbered = {EventKind.RING, EventKind.RUNG, EventKind.EXIT}
    answers = events[np.isin(events["kind"], SIGNALLING) & (events["arg"] == doorbell)]
    irqs = set(answers["seq"].tolist())
    chosen = []
    newest = doorbell_numbers(events, queues)
    for row, number in zip(events, newest, strict=True):
        kind = EventKind(row["kind"])
        if (
            (kind in numbered and row["seq"] == doorbell)
            or (kind == EventKind.DOORBELL and number == doorbell)
            or (kind in (*SIGNALLING, EventKind.WINDOW, EventKind.HANDLER) and int(row["seq"]) in irqs)
        ):
            chosen.append(kind)
    return chosen


@pytest.mark.parametrize("name", each(*(scenario.name for scenario in list_scenarios() if scenario.doorbell)))
def test_a_journey_has_the_order_that_the_scenario_names(name: str) -> None:
    session, events = run(paced(name, 200), 20)
    wanted = session.scenario.order
    last = EventKind.HANDLER if session.scenario.direct else EventKind.DOORBELL
    queues = session.scenario.doorbell.queues if session.scenario.doorbell else 1
    whole = [kinds for number in range(1, 21) if (kinds := journey(events, number, queues)) and last in kinds]
    assert whole
    for kinds in whole:
        assert tuple(kind for kind in kinds if kind in wanted) == wanted


def test_batches_follow_each_other_in_time() -> None:
    batches = []
    with Session(paced("roundtrip"), limit=2000) as session:

        def enough() -> bool:
            batches.append(session.take())
            return sum(map(len, batches)) > 6000

        wait_for(enough)
    together = np.concatenate([*batches, session.take()])
    assert np.all(np.diff(together["tsc"].astype(np.int64)) >= 0)


def test_while_a_thread_waits_for_a_cpu_nothing_later_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have read the clock, and not published yet: what others publish meanwhile waits for it."""
    taken = list[Events]()

    def newest() -> int:
        taken.append(session.take())
        return max(int(batch["tsc"].max(initial=0)) for batch in taken)

    monkeypatch.setattr(bellwire.engine.live.watermark, "PUBLISH_SECONDS", PATIENCE)
    with Session(paced("roundtrip")) as session:
        machine = cast(OneGuest, session._machine)
        wait_for(lambda: newest() > 0)
        with monkeypatch.context() as kept:
            kept.setattr(bellwire.engine.host.headway, "run_state", lambda _: "R")
            kept.setattr(ThreadsWay, "_run_time", lambda _: 0)
            seen = session._turns
            wait_for(lambda: session._turns > seen + 1)  # the turn under way may have looked before
            before, rung = newest(), machine.guest.rung()
            wait_for(lambda: machine.guest.rung() > rung + 1000)
            seen = session._turns
            wait_for(lambda: session._turns > seen + 1)
            assert newest() == before
        wait_for(lambda: newest() > before)
    assert np.all(np.diff(np.concatenate([*taken, session.take()])["tsc"].astype(np.int64)) >= 0)


def test_bursts_add_up_in_the_eventfd() -> None:
    session, events = run(paced("doorbell-pio", per_second=100, burst=16), 320)
    assert_reconciled(session, events)
    counts = events[events["kind"] == EventKind.DOORBELL]["arg"]
    assert counts.sum() == 320
    assert len(counts) <= 320


def test_interrupts_signalled_faster_than_handled_merge() -> None:
    session, events = run(paced("irq-msi", per_second=100, burst=64), 640)
    assert_reconciled(session, events)
    tally = tally_of(events)
    assert tally.irqs_merged > 0
    assert tally.irqs_handled + tally.irqs_merged == 640


@pytest.mark.parametrize("name", ["set_ioeventfd", "set_irqfd", "set_pace"])
def test_while_the_kernel_takes_its_time_for_a_change_the_rings_are_drained(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy host it is seconds, in which a guest comes around its stamps' ring."""
    order = {"set_ioeventfd": Order.IOEVENTFD, "set_irqfd": Order.IRQFD, "set_pace": Order.BURST}[name]
    with Session(paced("roundtrip")) as session:
        machine, batches, made = cast(OneGuest, session._machine), [session.take()], threading.Event()
        change = getattr(machine, name)

        def change_in_its_time(*asked: object) -> object:
            goal = machine.guest.rung() + lib.BW_STAMP_SLOTS
            wait_for(lambda: machine.guest.rung() > goal)
            made.set()
            return change(*asked)

        def is_made() -> bool:
            batches.append(session.take())
            return made.is_set()

        wait_for(lambda: machine.guest.rung() > 0)  # the pace has been set for the first time
        monkeypatch.setattr(machine, name, change_in_its_time)
        session.order(order, 2 if order is Order.BURST else False)
        wait_for(is_made)
        monkeypatch.undo()
    batches.append(session.take())
    assert session.error is None
    assert_reconciled(session, np.concatenate(batches))


@pytest.mark.parametrize(
    "name", each("roundtrip", "roundtrip-userspace", "doorbell-mmio", "irq-msi", "irq-ioapic", "io-uring")
)
def test_the_wiring_changes_under_load_and_nothing_is_lost(name: str) -> None:
    chance = random.Random(7)
    batches = []
    with Session(paced(name, WHILE_SWITCHED)) as session:
        for _ in range(120):
            session.order(chance.choice([Order.IOEVENTFD, Order.IRQFD]), chance.random() < 0.5)
            time.sleep(chance.random() * 0.002)
            batches.append(session.take())
    batches.append(session.take())
    events = np.concatenate(batches)
    assert session.error is None
    assert_reconciled(session, events)
    assert np.count_nonzero(events["kind"] == EventKind.WIRE) > 40
    tally = tally_of(events)
    assert tally.doorbells_pending == tally.irqs_pending == 0


def test_with_the_ioeventfd_off_doorbells_leave_to_user_space_until_it_is_on_again() -> None:
    tally = Tally()
    with Session(paced("doorbell-pio", per_second=500)) as session:

        def exits_after(switch: bool) -> bool:
            session.order(Order.IOEVENTFD, switch)
            before = None

            def settled() -> bool:
                nonlocal before
                tally.feed(session.take())
                if tally.wiring.get(Switch.IOEVENTFD) is not switch:
                    return False
                before = before or (tally.doorbells_rung, tally.exits_to_userspace.get("IO", 0))
                return tally.doorbells_rung > before[0] + 20

            wait_for(settled)
            assert before is not None
            return tally.exits_to_userspace.get("IO", 0) > before[1] + 10

        assert exits_after(False)
        assert not exits_after(True)


def test_one_doorbell_and_one_interrupt_by_hand() -> None:
    tally = Tally()
    with Session(paced("roundtrip", per_second=0)) as session:
        session.order(Order.DOORBELL)
        session.order(Order.DOORBELL)
        session.order(Order.INTERRUPT)

        def handled() -> bool:
            tally.feed(session.take())
            return tally.irqs_signalled == tally.irqs_handled + tally.irqs_merged == 3

        wait_for(handled)
    tally.feed(session.take())
    assert tally.doorbells_rung == tally.doorbells_received == 2
    assert tally.irqs_signalled == 3


def test_pace_burst_idle_and_running_change_live() -> None:
    tally = Tally()
    with Session(paced("roundtrip", per_second=100)) as session:
        session.order(Order.PACE, math.inf)
        session.order(Order.BURST, 4)
        session.order(Order.IDLE, "spin")
        session.order(Order.RUN, False)

        def all_told() -> bool:
            tally.feed(session.take())
            return tally.settings.get(Setting.RUNNING) == 0

        wait_for(all_told)
        rung = tally.doorbells_rung
        session.order(Order.IDLE, "hlt")
        session.order(Order.RUN, True)
        wait_for(lambda: fed(tally, session).doorbells_rung > rung + 100)
    assert tally.settings[Setting.BURST] == 4


def test_what_a_scenario_has_not_is_refused_with_a_reason() -> None:
    with Session(paced("irq-msi", per_second=100)) as session:
        assert "no doorbell" in session.can(Order.IOEVENTFD)
        assert session.can(Order.IRQFD) == ""
    assert session.can(Order.IRQFD) != ""
    with Session(paced("doorbell-pio")) as session:
        assert "no interrupt" in session.can(Order.INTERRUPT)
        assert "flat out" in session.can(Order.DOORBELL)


def test_before_an_irqfd_is_assigned_it_is_told_what_its_eventfd_has_counted() -> None:
    """However late the thread is that samples the counts: on a busy machine several steps are due at once."""
    on = list[bool]()
    counts = lambda: {EventfdRole.IRQ: 0 if on else 3}  # noqa: E731
    held = {"set_pace": lambda pace, running: None, "stats": dict, "stats_are_new": True}
    machine = SimpleNamespace(counts=counts, set_irqfd=on.append, **held)
    session = Session(load_scenario("lab-early-signal"))
    session._switch(cast(Machine, machine), Switch.IRQFD, True)
    count, wire = session._held
    assert (count["kind"], count["id"], count["arg"]) == (EventKind.COUNT, EventfdRole.IRQ, 3)
    assert (wire["kind"], wire["id"], wire["arg"]) == (EventKind.WIRE, Switch.IRQFD, 1)
    assert count["tsc"] <= wire["tsc"]
    assert on == [True]


@pytest.mark.kvm
def test_of_signals_while_the_irqfd_is_switched_it_is_certain_which_its_eventfd_has_kept() -> None:
    """What the events say is what the eventfd counts, however fast it is written while its irqfd is taken away."""
    scenario = replace(load_scenario("lab-early-signal"), lab=None, pace=Pace(math.inf, 1, "hlt"))
    with Session(scenario) as session:
        ways, tally, told = SignalWays(scenario), Tally(), 0

        def settled(which: str, key: int, value: bool) -> bool:
            events = session.take()
            ways.feed(events)
            tally.feed(events)
            return bool(getattr(tally, which).get(key)) is value

        def all_told(kept: int, told: int) -> bool:
            return settled("settings", Setting.RUNNING, False) and ways.interrupts[InterruptWay.NOBODY] - told >= kept

        for _ in range(12):
            for order, on in ((Order.IRQFD, True), (Order.RUN, True), (Order.IRQFD, False), (Order.RUN, False)):
                session.order(order, on)
                name, key = ("wiring", Switch.IRQFD) if order is Order.IRQFD else ("settings", Setting.RUNNING)
                wait_for(partial(settled, name, key, on))
                told = ways.interrupts[InterruptWay.NOBODY] if order is Order.IRQFD and on else told
            assert session._machine is not None
            kept = session._machine.counts()[EventfdRole.IRQ]
            assert kept is not None
            wait_for(partial(all_told, kept, told))
            assert ways.interrupts[InterruptWay.NOBODY] - told == kept


@pytest.mark.parametrize("on", [False, True])
@pytest.mark.parametrize("switch", list(Switch))
def test_a_wire_is_told_on_the_side_of_its_change_on_which_no_event_contradicts_it(switch: Switch, on: bool) -> None:
    """With an ioeventfd no doorbell leaves to user space, and without an irqfd nothing is signalled by it.

    Exits are counted before and after it, though they are as many: those of either wiring are known.
    """
    session, changed = Session(load_scenario("roundtrip")), list[int]()
    change = lambda on: changed.append(session.now())  # noqa: E731
    session._first_stats = session._stats = {"exits": 7, "io_exits": 5}
    stats = {"stats": lambda: {"exits": 9, "io_exits": 5}, "stats_are_new": True}
    machine = SimpleNamespace(counts=dict, set_irqfd=change, set_ioeventfd=change, **stats)
    session._switch(cast(Machine, machine), switch, on)
    held = session._held
    (wire,), looks = held[held["kind"] == EventKind.WIRE], held[held["kind"] == EventKind.STAT]
    after = wire["tsc"] >= changed[0]
    assert after == (on if switch is Switch.IOEVENTFD else not on)
    assert looks[["id", "arg"]].tolist() == [(STATS.index("exits"), 2)] * 2
    assert looks["tsc"][0] <= min(wire["tsc"], changed[0])
    assert looks["tsc"][1] >= max(wire["tsc"], changed[0])


def custom_guest(folder: Path, code: bytes, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """A scenario whose guest is these bytes."""
    (folder / "custom.bin").write_bytes(code)
    monkeypatch.setattr(bellwire.engine.machines.stamping, "GUESTS", folder)
    monkeypatch.setattr(bellwire.engine.machines.guest, "READY_SECONDS", 0.05)
    monkeypatch.setattr("bellwire.engine.live.session.SETTLE_SECONDS", 0.05)
    return replace(paced("roundtrip"), guest="custom")


@pytest.mark.parametrize(
    ("code", "verdicts"),
    [
        pytest.param(b"\x0f\x0b", [Verdict.RESET], id="triple fault"),
        pytest.param(b"\x66\xba\xf0\x05\xef", [Verdict.ENDED], id="exit port"),
        # Where the CPU has it and nobody stops it, the guest goes on, to an end of another kind.
        pytest.param(b"\x0f\x01\xf9\x0f\x0b", [Verdict.EMULATION, Verdict.RESET], id="rdtscp"),
    ],
)
def test_a_guest_that_ends_is_told_in_one_sentence(
    code: bytes, verdicts: list[Verdict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Session(custom_guest(tmp_path, code, monkeypatch)) as session:
        wait_for(lambda: not session.alive)
    assert isinstance(session.error, GuestError)
    assert session.error.verdict in verdicts
    if session.error.verdict is Verdict.EMULATION:
        assert code[:3].hex(" ") in str(session.error)
    assert re.fullmatch(r"The guest [^.\n]*\w\.", str(session.error))


@pytest.mark.parametrize("code", [b"\xeb\xfe", b"\xfa\xf4\xeb\xfc"], ids=["spins", "halts for good"])
def test_a_guest_that_hangs_can_be_stopped(code: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Session(custom_guest(tmp_path, code, monkeypatch)) as session:
        session.order(Order.DOORBELL)
    assert session.error is None
    assert tally_of(session.take()).doorbells_rung == 0


def status(offset: int) -> bytes:
    """An address of the status page, as an instruction has it."""
    return int(lib.BW_STATUS + offset).to_bytes(4, "little")


def test_a_guest_that_never_gets_ready_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = bytes.fromhex("c70425") + status(lib.BW_ST_READY) + bytes.fromhex("01000000")  # movl $1, ready
    for code, warned in ((b"", True), (ready, False)):
        with Session(custom_guest(tmp_path, code + b"\xfa\xf4\xeb\xfc", monkeypatch)) as session:
            wait_for(lambda: session.take().size > 0)
        assert ("not said that it is ready" in session.warning) == warned


def test_a_guest_that_writes_nonsense_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = bytes.fromhex("48c70425") + status(lib.BW_ST_RUNG) + (1000).to_bytes(4, "little")
    handled = bytes.fromhex("48c70425") + status(lib.BW_ST_HANDLED) + (-1).to_bytes(4, "little", signed=True)
    with Session(custom_guest(tmp_path, counter + handled + b"\xfa\xf4\xeb\xfc", monkeypatch)) as session:
        tally = Tally()
        wait_for(lambda: fed(tally, session).dropped > 0)
    tally.feed(session.take())
    assert tally.doorbells_rung == tally.irqs_handled == 0
    assert tally.dropped >= 2000


def test_a_hundred_starts_and_stops_leave_nothing() -> None:
    with Session(paced("roundtrip")):
        pass
    before = belongings()
    for number in range(100):
        with Session(paced(NAMES[number % len(NAMES)])) as session:
            session.take()
    assert left_behind(before) == []


def test_what_a_thread_that_does_not_end_uses_stays_until_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_vcpu: Vcpu) -> None:
        raise LeftBehindError("The vCPU thread did not end within 0 ms; it is left behind.")

    monkeypatch.setattr("bellwire.engine.live.session.COLLECT_SECONDS", 0.05)
    before = belongings()
    with Session(paced("roundtrip")) as session, monkeypatch.context() as patch:
        wait_for(lambda: session.take().size > 0)
        patch.setattr(Vcpu, "stop", fails)
        session.stop()
        assert isinstance(session.error, LeftBehindError)
        machine = session._machine
        assert isinstance(machine, OneGuest)
        guest, rung = machine.guest, machine.guest.rung()
        guest.ring_once()  # memory, VM and vCPU are all there: the guest can still ring
        wait_for(lambda: guest.rung() > rung)
    assert left_behind(before) == []  # it has ended, and is collected


def test_stop_from_another_thread_and_twice() -> None:
    session = Session(paced("roundtrip"))
    session.start()
    stopper = threading.Thread(target=session.stop)
    stopper.start()
    stopper.join(PATIENCE)
    session.stop()
    assert not session.alive
    assert session.error is None


def test_a_guest_that_is_not_built_is_named() -> None:
    session = Session(replace(paced("roundtrip"), guest="nowhere"))
    with pytest.raises(EngineError, match="nowhere is not built"):
        started(session)


def test_draining_while_interrupts_fly_calls_nothing_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.engine.live.session.TICK_SECONDS", 0.0002)
    session, events = run(paced("roundtrip"), 20000)
    assert_reconciled(session, events)


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (
            OSError(errno.EMFILE, "Too many open files", "guest.bin"),
            "needs guest.bin: Too many open files. This process",
        ),
        (MemoryError(), "has not enough memory; `ulimit -v` says"),
    ],
)
def test_what_the_system_refuses_the_engine_thread_is_one_sentence(
    refused: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise refused

    monkeypatch.setattr("bellwire.engine.live.session.build_machine", refuse)
    with pytest.raises(EngineError, match=re.escape(f"The engine thread {words}")):
        started(Session(load_scenario("roundtrip")))


def test_who_waits_for_another_process_does_not_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine tells again and again that it waits; a tick that comes late without that tells of a stall."""
    session = Session(load_scenario("roundtrip"))
    cycles = session.clock.cycles(STALLED_SECONDS)
    session._note_stall(1)
    for turn in range(1, 9):
        monkeypatch.setattr(session, "now", lambda turn=turn: 1 + turn * cycles // 2)
        session._wait_on()
    assert session._held.size == 0
    session._note_stall(1 + 8 * cycles)
    assert session._held["id"].tolist() == [Setting.STALLED]
