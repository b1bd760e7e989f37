"""Pairing where a line is raised again as soon as the device hears that it is low: each interrupt has its handler."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bellwire.engine.events import EVENT, EventKind, Events, Lane
from bellwire.engine.folds.journeys import InTurn, Journeys, JourneyTracker
from bellwire.engine.scenarios.scenario import load_scenario


def world(seed: int, signals: int = 60) -> tuple[Events, dict[int, int]]:
    """The host ends each interrupt as it injects it, before or after its handler begins, or looks what is announced;
    and when the handler of each interrupt began."""
    chance = random.Random(seed)
    rows: list[tuple[int, ...]] = []
    began: dict[int, int] = {}
    tsc = seen = signalled = heard = 0
    handler: tuple[int, int] | None = None  # of a handler that has not looked yet: when it began, in which row
    while len(began) < signals or handler:
        tsc += chance.randint(1, 9)
        moves = []
        if signalled == heard and signalled < signals:
            moves.append("signal")
        ready = heard < len(began) or (heard == len(began) and not handler)  # the handler of the one before is over
        if heard < signalled and ready:
            moves.append("hear")
        if not handler and len(began) < signalled:
            moves.append("begin")
        if handler:
            moves.append("look")
        match chance.choice(moves):
            case "signal":
                signalled += 1
                rows.append((tsc, EventKind.IRQFD, Lane.IO_THREAD, 0, 5, signalled, 0))
            case "hear":
                heard += 1
                rows.append((tsc, EventKind.RESAMPLE, Lane.IO_THREAD, 0, 5, heard, 1))
            case "begin":
                handler = tsc, len(rows)
                began[len(began) + 1] = tsc
                rows.append((tsc, EventKind.HANDLER, Lane.GUEST, 0, 0x41, 0, 0))
            case _:
                assert handler
                rows[handler[1]] = (handler[0], EventKind.HANDLER, Lane.GUEST, 0, 0x41, signalled, signalled - seen)
                seen, handler = signalled, None
    return np.array(rows, EVENT), began


def tracked(events: Events, size: int) -> tuple[JourneyTracker, Journeys]:
    tracker = JourneyTracker(load_scenario("irq-level-resample"))
    return tracker, np.concatenate([tracker.feed(events[at : at + size]) for at in range(0, events.size, size)])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_each_interrupt_ends_with_the_handler_that_ran_for_it(seed: int, size: int) -> None:
    events, began = world(seed)
    assert (events["arg"][events["kind"] == EventKind.HANDLER] == 0).any()  # one that knew of the next already
    tracker, journeys = tracked(events, size)
    assert {int(one["interrupt"]): int(one["handler"]) for one in journeys} == began
    assert journeys["merged"].tolist() == [1] * 60
    assert tracker.given_up == 0


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_where_a_handler_is_lost_no_other_ones_is_taken_for_it(size: int) -> None:
    rows = [
        (10, EventKind.IRQFD, Lane.IO_THREAD, 0, 5, 1, 0),
        (20, EventKind.RESAMPLE, Lane.IO_THREAD, 0, 5, 1, 1),
        (30, EventKind.IRQFD, Lane.IO_THREAD, 0, 5, 2, 0),
        (45, EventKind.LOST, Lane.ENGINE, 0, Lane.GUEST, 0, 1),
        (50, EventKind.HANDLER, Lane.GUEST, 0, 0x41, 2, 2),
        (60, EventKind.RESAMPLE, Lane.IO_THREAD, 0, 5, 2, 1),
        (70, EventKind.IRQFD, Lane.IO_THREAD, 0, 5, 3, 0),
        (80, EventKind.HANDLER, Lane.GUEST, 0, 0x41, 3, 1),
    ]
    tracker, journeys = tracked(np.array(rows, EVENT), size)
    assert journeys[["interrupt", "handler"]].tolist() == [(3, 80)]
    assert tracker.given_up == 2


def test_numbers_that_no_handler_has_break_nothing() -> None:
    in_turn = InTurn()
    assert [in_turn.next(seq, covers) for seq, covers in ((0, 3), (2, 0), (5, 2**50), (5, 1), (5, 0))] == [
        0,
        0,
        0,
        5,
        0,
    ]
