"""The inside of the kernel beside a session's own events: nothing twice, nothing missing, and off again."""

from __future__ import annotations

import os
import signal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import TRACEFS_BIT, EventKind, Events, Setting
from bellwire.engine.folds.tally import Tally
from bellwire.engine.kernel import watch
from bellwire.engine.live import session as module
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Order
from tests.support.kernel_sight import SOURCES, needs_sight, watch_by
from tests.support.processes import children, threads_of
from tests.support.sessions import wait_for

pytestmark = pytest.mark.kvm

SIGNALS = 400


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the kernel is looked into by, of which each must tell the same."""
    name: str = request.param
    watch_by(name, monkeypatch)
    return name


def seen(name: str) -> tuple[Session, Events]:
    """A run of SIGNALS, and all its events."""
    return seen_of(name, SIGNALS)


def seen_of(name: str, signals: int) -> tuple[Session, Events]:
    """A run of so many signals, and all its events."""
    session = Session(load_scenario(name), limit=signals, kernel=True)
    tally, parts = Tally(), []
    with session:

        def arrived() -> bool:
            parts.append(session.take())
            tally.feed(parts[-1])
            return max(tally.doorbells_rung, tally.irqs_signalled) >= signals and tally.settled

        wait_for(arrived)
    parts.append(session.take())
    assert session.error is None
    assert session.unseen == ""
    return session, np.concatenate(parts)


def numbers_of(events: Events, kind: EventKind) -> list[int]:
    """Of the signals that the events of a kind are of, in their order."""
    own = events["seq"][events["kind"] == kind]
    found: list[int] = own[own > 0].tolist()
    return found


def test_a_round_trip_has_each_event_of_the_kernel_exactly_once_and_in_order(source: str) -> None:
    session, events = seen("roundtrip")
    (on, *_) = events["arg"][(events["kind"] == EventKind.SETTING) & (events["id"] == Setting.KERNEL)].tolist()
    assert on >> TRACEFS_BIT & 1 == (source == "tracefs")
    every = list(range(1, SIGNALS + 1))
    lost = events["arg"][events["kind"] == EventKind.LOST].sum()
    assert int(lost) == session.truth()["lost"] == 0
    for kind in (EventKind.PIO, EventKind.WRITE, EventKind.MSI, EventKind.ACCEPTED, EventKind.INJECTED):
        assert numbers_of(events, kind) == every, kind
    assert (np.diff(events["tsc"].astype(np.int64)) >= 0).all()
    order = [EventKind.RING, EventKind.PIO, EventKind.IRQFD, EventKind.WRITE]
    order += [EventKind.MSI, EventKind.ACCEPTED, EventKind.INJECTED, EventKind.HANDLER]
    for cause, effect in pairwise(order):
        before, after = (events["tsc"][(events["kind"] == kind) & (events["seq"] > 0)] for kind in (cause, effect))
        assert (after >= before).all(), (cause, effect)


def test_each_doorbell_that_leaves_is_seen_to_leave(source: str) -> None:
    _, events = seen("doorbell-pio-exit")
    assert numbers_of(events, EventKind.PIO) == numbers_of(events, EventKind.USER_EXIT) == list(range(1, SIGNALS + 1))


def test_interrupts_merged_in_the_work_and_in_the_apic_are_told_apart(source: str) -> None:
    _, events = seen("irq-ioapic")
    kind = events["kind"]
    works, injections = (
        events[kind == EventKind.WORK_STARTED],
        events[(kind == EventKind.INJECTED) & (events["seq"] > 0)],
    )
    assert int(works["arg"].sum()) == int(works["seq"].max()) == SIGNALS
    assert (
        int(injections["arg"].sum())
        == len(works)
        == np.count_nonzero((kind == EventKind.ACCEPTED) & (events["seq"] > 0))
    )
    assert int(injections["seq"][-1]) == SIGNALS


def test_it_can_be_switched_while_the_guest_runs(source: str) -> None:
    session, parts = Session(load_scenario("roundtrip")), []

    def has(kind: EventKind, id: int | None = None, arg: int | None = None) -> bool:
        parts.append(session.take())
        events = np.concatenate(parts)
        which = events["kind"] == kind
        which &= (events["id"] == id) if id is not None else True
        which &= (events["arg"] == arg) if arg is not None else True
        return bool(which.any())

    with session:
        wait_for(lambda: has(EventKind.HANDLER))
        assert not has(EventKind.PIO)
        session.order(Order.KERNEL, True)
        wait_for(lambda: has(EventKind.INJECTED))
        session.order(Order.KERNEL, False)
        wait_for(lambda: has(EventKind.SETTING, Setting.KERNEL, 0))
        parts.clear()
        wait_for(lambda: has(EventKind.HANDLER))
        assert not any((part["kind"] == EventKind.PIO).any() for part in parts[1:])
    assert session.error is None


def test_who_switches_it_off_and_at_once_on_again_goes_on_seeing(source: str) -> None:
    session = Session(load_scenario("roundtrip"), kernel=True)
    with session:
        wait_for(lambda: bool((session.take()["kind"] == EventKind.INJECTED).any()))
        session.order(Order.KERNEL, False)
        session.order(Order.KERNEL, True)
        later = session.now() + session.clock.cycles(0.1)  # ticks after that of either

        def goes_on() -> bool:
            events = session.take()
            return bool(((events["kind"] == EventKind.PIO) & (events["tsc"] > later)).any())

        wait_for(goes_on)
    assert session.error is None


def test_the_next_session_watches_if_it_was_chosen_for_the_one_before(source: str) -> None:
    first, second = (Session(load_scenario("roundtrip")) for _ in range(2))
    with first:
        wait_for(lambda: first.take().size > 0)
        first.order(Order.KERNEL, True)
    second.ask_as(first)
    with second:
        wait_for(lambda: bool((second.take()["kind"] == EventKind.INJECTED).any()))
    assert second.unseen == ""


def test_where_it_cannot_be_seen_the_guest_runs_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "bw-kernel"
    other.write_text("#!/bin/sh\necho lockdown 1 load >&2\nexit 1\n")
    other.chmod(0o755)
    monkeypatch.setattr(watch, "PROGRAMS", (other,))
    session = Session(load_scenario("roundtrip"), limit=5, kernel=True)
    with session:
        wait_for(lambda: session.take().size > 0 and bool(session.warning))
        assert "locked down" in session.unseen == session.warning
    assert session.error is None


def test_one_that_never_answers_is_given_up_and_the_guest_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As one that was stopped as it began: the run went on in silence, and without what it was asked for."""
    other = tmp_path / "bw-kernel"
    other.write_text("#!/bin/sh\nexec sleep 1000\n")
    other.chmod(0o755)
    monkeypatch.setattr(watch, "PROGRAMS", (other,))
    monkeypatch.setattr(module, "SIGHT_SECONDS", 0.2)
    session, parts = Session(load_scenario("roundtrip"), limit=5, kernel=True), []

    def answered() -> bool:
        parts.append(session.take())
        return EventKind.HANDLER in np.concatenate(parts)["kind"]

    with session:
        wait_for(answered)
        assert "did not answer" in session.unseen
    assert session.error is None


def test_one_that_is_stopped_while_it_watches_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the kernel did from then on is missing, which nothing said."""
    needs_sight()
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 0.2)
    session = Session(load_scenario("roundtrip"), kernel=True)
    with session:
        wait_for(lambda: bool((session.take()["kind"] == EventKind.INJECTED).any()))
        (pid,) = (child for child in children() if "bw-kernel" in threads_of(child).values())
        os.kill(pid, signal.SIGSTOP)
    assert session.error is None
    assert "was killed" in session.unseen
