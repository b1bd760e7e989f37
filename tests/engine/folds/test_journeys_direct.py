"""Pairing where a doorbell is an interrupt: from the ring to the first handler that knew of it afterwards."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bellwire.engine.events import EVENT, EventKind, Events, Lane
from bellwire.engine.folds.journeys import JourneyTracker
from bellwire.engine.folds.latency import SPANS, has
from tests.support.journey_streams import cut, scenario


def world(seed: int, rings: int = 60) -> Events:
    """A guest that announces, rings and goes on, and another that handles whenever it comes to it."""
    chance = random.Random(seed)
    rows: list[tuple[int, ...]] = []
    tsc = rung = seen = 0
    step, pending = "announce", False

    def emit(kind: EventKind, vm: int, seq: int, arg: int = 0) -> None:
        rows.append((tsc, kind, Lane.GUEST, vm, 0, seq, arg))

    while rung < rings or pending or step != "announce":
        tsc += chance.randint(1, 9)
        announced = rung + (step in ("ring", "rung"))
        if pending and chance.random() < 0.3:
            pending = False
            emit(EventKind.HANDLER, 1, announced, announced - seen)
            seen = announced
        elif step == "announce" and rung < rings:
            step = "ring"
        elif step == "ring":
            emit(EventKind.RING, 0, rung + 1)
            step, pending = "rung", True
        elif step == "rung":
            rung, step = rung + 1, "announce"
            emit(EventKind.RUNG, 0, rung)
    return np.array(rows, EVENT)


@pytest.mark.parametrize("seed", range(30))
def test_each_doorbell_ends_with_the_first_handler_that_knew_of_it_and_ran_afterwards(seed: int) -> None:
    events, tracker = world(seed), JourneyTracker(scenario(by="doorbell"))
    batches = cut(events, random.Random(seed))
    journeys = np.sort(np.concatenate([tracker.feed(batch) for batch in batches]), order="seq")
    assert journeys["seq"].tolist() == list(range(1, 61))
    assert tracker.given_up == 0
    handlers = events[events["kind"] == EventKind.HANDLER]
    for journey in journeys:
        first = next(h for h in handlers if h["seq"] >= journey["seq"] and h["tsc"] >= journey["ring"])
        assert journey["handler"] == first["tsc"]
    assert np.all(journeys["merged"] > 0)
    assert has(journeys, "doorbell").all()
    assert not has(journeys, "round_trip").any()
    assert SPANS["round_trip"] == ("ring", "handler")


def test_a_handler_knows_of_a_doorbell_that_is_not_yet_rung() -> None:
    assert any(np.any((events := world(seed))["arg"][events["kind"] == EventKind.HANDLER] == 0) for seed in range(30))


def test_a_doorbell_whose_handler_may_be_a_lost_one_is_given_up() -> None:
    rows = [
        (10, EventKind.RING, Lane.GUEST, 0, 0, 1, 0),
        (11, EventKind.RUNG, Lane.GUEST, 0, 0, 1, 0),
        (20, EventKind.LOST, Lane.ENGINE, 0, Lane.GUEST, 0, 1),
        (30, EventKind.RING, Lane.GUEST, 0, 0, 2, 0),
        (31, EventKind.RUNG, Lane.GUEST, 0, 0, 2, 0),
        (40, EventKind.HANDLER, Lane.GUEST, 1, 0x40, 2, 2),
    ]
    tracker = JourneyTracker(scenario(by="doorbell"))
    assert tracker.feed(np.array(rows, EVENT))["seq"].tolist() == [2]
    assert tracker.given_up == 1


def test_a_ring_that_comes_after_its_handler_is_paired_with_it() -> None:
    rows = [
        (20, EventKind.HANDLER, Lane.GUEST, 1, 0x40, 1, 1),
        (10, EventKind.RING, Lane.GUEST, 0, 0, 1, 0),
        (11, EventKind.RUNG, Lane.GUEST, 0, 0, 1, 0),
    ]
    tracker = JourneyTracker(scenario(by="doorbell"))
    journeys = np.concatenate([tracker.feed(np.array(rows[:1], EVENT)), tracker.feed(np.array(rows[1:], EVENT))])
    assert journeys[["seq", "ring", "handler"]].tolist() == [(1, 10, 20)]


def test_what_the_other_guests_vcpu_thread_does_is_no_doorbells_return() -> None:
    rows = [
        (10, EventKind.RING, Lane.GUEST, 0, 0, 1, 0),
        (12, EventKind.EXIT, Lane.VCPU, 0, 2, 1, 0x510),
        (13, EventKind.EXIT, Lane.VCPU, 1, 10, 0, 0),
        (14, EventKind.ENTRY, Lane.VCPU, 1, 10, 0, 0),
        (15, EventKind.ENTRY, Lane.VCPU, 0, 2, 0, 0),
        (16, EventKind.RUNG, Lane.GUEST, 0, 0, 1, 0),
        (17, EventKind.HANDLER, Lane.GUEST, 1, 0x40, 1, 1),
    ]
    journeys = JourneyTracker(scenario(by="doorbell")).feed(np.array(rows, EVENT))
    assert journeys[["exit", "entry"]].tolist() == [(12, 15)]


def test_a_handler_that_was_kept_from_looking_covers_what_was_rung_meanwhile() -> None:
    """Its own cause was covered by the one before, so that it began before the oldest doorbell that it covers."""
    rings = {1: 100, 2: 108, 3: 130, 4: 140, 5: 150, 6: 160}
    handlers = ((105, 2, 2), (120, 5, 3), (170, 6, 1), (180, 6, 0))  # TSC, newest doorbell known, covered
    rows = [
        (tsc + stage, kind, Lane.GUEST, 0, 0, n, 0)
        for n, tsc in rings.items()
        for stage, kind in ((0, EventKind.RING), (1, EventKind.RUNG))
    ]
    rows += [(tsc, EventKind.HANDLER, Lane.GUEST, 1, 0x40, seq, covers) for tsc, seq, covers in handlers]
    tracker = JourneyTracker(scenario(by="doorbell"))
    journeys = np.sort(tracker.feed(np.sort(np.array(rows, EVENT), order="tsc")), order="seq")
    assert tracker.contradicted == 0
    assert journeys["handler"].tolist() == [105, 120, 170, 170, 170, 170]


def in_step(steps: int, early: int, held: int = 0) -> Events:
    """Two guests: each handler begins so much before the doorbell that it covers, caused by the one before. The last
    doorbell comes `held` later; nobody handles it before two more have come.
    """
    rows, rung = [], [100 * n + 200 for n in range(1, steps + 4)]
    rung[steps - 1 :] = [tsc + held for tsc in rung[steps - 1 :]]
    for n, tsc in enumerate(rung, 1):
        rows += [(tsc, EventKind.RING, Lane.GUEST, 0, 0, n, 0), (tsc + 4, EventKind.RUNG, Lane.GUEST, 0, 0, n, 0)]
    rows += [(100 * n + 200 - early, EventKind.HANDLER, Lane.GUEST, 1, 0x40, n, 1 + (n == 2)) for n in range(2, steps)]
    rows += [(100 * steps + 200 - early, EventKind.HANDLER, Lane.GUEST, 1, 0x40, steps, 1)]
    rows += [(rung[-1] + 50, EventKind.HANDLER, Lane.GUEST, 1, 0x40, steps + 3, 3)]
    return np.sort(np.array(rows, EVENT), order="tsc")


@pytest.mark.parametrize("held", [0, 500])
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.parametrize("steps", [40, 400, 3000])
def test_handlers_that_are_told_of_the_next_doorbell_for_long_are_no_clock_that_runs_apart(
    steps: int, seed: int | None, held: int
) -> None:
    tracker, events = JourneyTracker(scenario(by="doorbell")), in_step(steps, 7, held)
    batches = [events] if seed is None else cut(events, random.Random(seed))
    journeys = np.sort(np.concatenate([tracker.feed(batch) for batch in batches]), order="seq")
    assert (tracker.contradicted, tracker.given_up) == (0, 0)
    assert journeys["seq"].tolist() == list(range(1, steps + 4))
    wanted = [100 * n + 293 for n in range(1, steps)] + [int(events["tsc"][-1])] * 4
    assert journeys["handler"].tolist() == wanted


@pytest.mark.parametrize("steps", [400, 3000])
def test_handlers_that_are_told_of_a_doorbell_long_before_it_is_rung_have_a_clock_that_runs_apart(steps: int) -> None:
    tracker = JourneyTracker(scenario(by="doorbell"))
    tracker.feed(in_step(steps, 40))
    assert tracker.contradicted > steps // 2


def test_a_late_handler_before_one_that_is_told_of_the_next_doorbell_is_no_clock_that_runs_apart() -> None:
    rings = {1: 100, 2: 108, 3: 130, 4: 140, 5: 150, 6: 175}
    handlers = ((105, 2, 2), (120, 5, 3), (170, 6, 1), (180, 6, 0))  # TSC, newest doorbell known, covered
    stamped = ((0, EventKind.RING), (1, EventKind.RUNG))
    rows = [(tsc + s, kind, Lane.GUEST, 0, 0, n, 0) for n, tsc in rings.items() for s, kind in stamped]
    rows += [(tsc, EventKind.HANDLER, Lane.GUEST, 1, 0x40, seq, covers) for tsc, seq, covers in handlers]
    tracker = JourneyTracker(scenario(by="doorbell"))
    journeys = np.sort(tracker.feed(np.sort(np.array(rows, EVENT), order="tsc")), order="seq")
    assert tracker.contradicted == 0
    assert journeys["handler"].tolist() == [105, 120, 170, 170, 170, 180]
