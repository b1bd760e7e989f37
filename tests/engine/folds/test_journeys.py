"""Pairing, against a pure Python that knows the whole run."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import bellwire.engine.folds.journeys
from bellwire.engine.events import EVENT, EventKind, Events, Lane, no_events
from bellwire.engine.folds.journeys import (
    HEAVY_DOORBELL,
    HEAVY_INTERRUPT,
    STAGES,
    TOLD_BY_ANOTHER,
    Journeys,
    JourneyTracker,
    Waiting,
    finish,
    no_journeys,
)
from tests.support.journey_streams import World, cut, lose, scenario

Row = dict[str, int]


def of(events: Events, *kinds: EventKind) -> list[Any]:
    return [row for row in events if row["kind"] in kinds]


def brute_force(events: Events, answered: bool) -> list[Row]:
    """Every journey of a run without losses, straight from the rules."""
    rungs = {int(row["seq"]): int(row["tsc"]) for row in of(events, EventKind.RUNG)}
    user_space = of(events, EventKind.EXIT, EventKind.ENTRY)
    exits = {int(row["seq"]): at for at, row in enumerate(user_space) if row["kind"] == EventKind.EXIT}
    reads, handlers = of(events, EventKind.DOORBELL), of(events, EventKind.HANDLER)
    signals = of(events, EventKind.IRQFD, EventKind.IRQ_IOCTL)
    handled = {}
    for signal in signals:
        after = [h for h in handlers if h["seq"] >= signal["seq"] and h["tsc"] >= signal["tsc"]]
        handled[int(signal["seq"])] = int(after[0]["tsc"])
    served = list(handled.values())

    def interrupted(row: Row, signal: Any) -> Row:
        row["interrupt"], row["irq"] = int(signal["seq"]), int(signal["tsc"])
        row["handler"] = handled[row["interrupt"]]
        row["merged"] = served.count(row["handler"])
        row["heavy"] |= HEAVY_INTERRUPT if signal["kind"] == EventKind.IRQ_IOCTL else 0
        row["heavy"] |= TOLD_BY_ANOTHER if signal["arg"] > row["seq"] else 0
        return row

    journeys = []
    for ring in of(events, EventKind.RING):
        n = int(ring["seq"])
        row = dict.fromkeys(bellwire.engine.folds.journeys.JOURNEY.names or (), 0)
        row |= {"seq": n, "ring": int(ring["tsc"]), "rung": rungs[n]}
        read = next(read for read in reads if read["seq"] >= n)
        row |= {"doorbell": int(read["tsc"]), "batch": int(read["arg"])}
        if n in exits:
            at = exits[n]
            left, back = int(user_space[at]["tsc"]), int(user_space[at + 1]["tsc"])
            row |= {"exit": left, "entry": back, "heavy": HEAVY_DOORBELL}
        journeys.append(interrupted(row, next(s for s in signals if s["arg"] >= n)) if answered else row)
    for signal in signals:
        if signal["arg"] == 0:
            row = dict.fromkeys(bellwire.engine.folds.journeys.JOURNEY.names or (), 0)
            journeys.append(interrupted(row | {"seq": int(signal["seq"])}, signal))
    return journeys


def tracked(batches: list[Events], answered: bool) -> tuple[JourneyTracker, Any]:
    tracker = JourneyTracker(scenario(by="guest" if answered else "host"))
    return tracker, np.concatenate([no_journeys(), *(tracker.feed(batch) for batch in batches)])


def as_rows(journeys: Any) -> set[tuple[int, ...]]:
    return {tuple(int(row[name]) for name in journeys.dtype.names) for row in journeys}


@settings(max_examples=150, deadline=None)
@example(seed=6868, steps=131, answered=True)  # five handlers in a row are told of the next interrupt
@given(seed=st.integers(0, 2**32), steps=st.integers(0, 300), answered=st.booleans())
def test_pairs_as_brute_force_does(seed: int, steps: int, answered: bool) -> None:
    events = World(random.Random(seed), answered).run(steps)
    tracker, journeys = tracked(cut(events, random.Random(seed)), answered)
    expected = {tuple(row.values()) for row in brute_force(events, answered)}
    assert as_rows(journeys) == expected
    assert journeys.size == len(expected)
    assert tracker.given_up == 0


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32), answered=st.booleans())
def test_losses_leave_journeys_out_but_pair_none_wrongly(seed: int, answered: bool) -> None:
    events = World(random.Random(seed), answered).run(400)
    _, true = tracked([events], answered)
    _, journeys = tracked(cut(lose(events, random.Random(seed)), random.Random(seed)), answered)
    truth = {(int(row["ring"]), int(row["irq"])): row for row in true}
    for row in journeys:
        original = truth[int(row["ring"]), int(row["irq"])]
        for stage in STAGES:
            assert row[stage] in (original[stage], 0 if stage in ("exit", "entry") else original[stage])
    assert journeys.size <= true.size


def test_losses_are_seen_at_all() -> None:
    random_ = random.Random(1)
    events = World(random_, True).run(3000)
    tracker, journeys = tracked([lose(events, random_)], True)
    assert tracker.given_up > 0
    assert 0 < journeys.size < sum(events["kind"] == EventKind.RING)


def test_coalesced_doorbells_share_one_read() -> None:
    rows = [(100 * n + part, kind, 0, 0, 0x510, n, 0) for n in (1, 2, 3) for part, kind in enumerate((1, 2))]
    events = np.array([*rows, (900, EventKind.DOORBELL, Lane.IO_THREAD, 0, 0, 3, 3)], EVENT)
    _, journeys = tracked([events], False)
    assert journeys["seq"].tolist() == [1, 2, 3]
    assert journeys["batch"].tolist() == [3, 3, 3]
    assert (finish(journeys) == 900).all()


def test_a_doorbell_goes_with_the_read_of_its_own_queue() -> None:
    rows = [(100 * n + part, kind, 0, 0, 0x510, n, 0) for n in range(1, 7) for part, kind in enumerate((1, 2))]
    reads = [(900, 2, 1, 1), (910, 0, 2, 2), (920, 1, 1, 1), (930, 1, 2, 1), (940, 2, 2, 1)]  # tsc, queue, seq, count
    received = [(tsc, EventKind.DOORBELL, Lane.IO_THREAD, 0, queue, seq, arg) for tsc, queue, seq, arg in reads]
    events = np.array([*rows, *received], EVENT)
    tracker = JourneyTracker(scenario(interrupt=False, queues=3))
    journeys = np.sort(np.concatenate([tracker.feed(part) for part in np.array_split(events, 5)]), order="seq")
    assert journeys["doorbell"].tolist() == [910, 920, 900, 910, 930, 940]
    assert journeys["batch"].tolist() == [2, 1, 1, 2, 1, 1]
    assert tracker.given_up == 0


def test_a_read_that_was_lost_gives_up_the_doorbells_of_its_queue_alone() -> None:
    rows = [(100 * n + part, kind, 0, 0, 0x510, n, 0) for n in range(1, 5) for part, kind in enumerate((1, 2))]
    received = [(900, EventKind.DOORBELL, Lane.IO_THREAD, 0, 0, 2, 1)]  # the first of queue 0 was not seen
    tracker = JourneyTracker(scenario(interrupt=False, queues=2))
    journeys = tracker.feed(np.array([*rows, *received], EVENT))
    assert journeys["seq"].tolist() == [3]
    assert tracker.given_up == 1


def test_a_handler_before_the_signal_is_not_its_handler() -> None:
    early = (10, EventKind.HANDLER, Lane.GUEST, 0, 0x40, 1, 1)
    signal = (20, EventKind.IRQFD, Lane.IO_THREAD, 0, 24, 1, 0)
    late = (30, EventKind.HANDLER, Lane.GUEST, 0, 0x40, 1, 0)
    _, journeys = tracked([np.array([early, signal, late], EVENT)], True)
    assert journeys["handler"].tolist() == [30]


def test_open_journeys_are_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(bellwire.engine.folds.journeys, "OPEN_LIMIT", 100)
    rungs = np.zeros(2000, EVENT)
    rungs["seq"], rungs["tsc"] = np.repeat(np.arange(1, 1001), 2), np.arange(1, 2001)
    rungs["kind"] = np.tile([EventKind.RING, EventKind.RUNG], 1000)
    for batches in (np.split(rungs, 10), [rungs]):
        tracker, journeys = tracked(batches, False)
        assert tracker.given_up == 900
        assert journeys.size == 0


def test_an_empty_batch_changes_nothing() -> None:
    tracker, journeys = tracked([no_events()], True)
    assert (journeys.size, tracker.given_up) == (0, 0)


def interrupts(first: int, count: int, *, handled: int = 0) -> Events:
    """Interrupts from the number `first` on, 10 cycles apart; then, if any is `handled`, the handler of so many."""
    events = np.zeros(count + bool(handled), EVENT)
    events["tsc"] = 1000 + 10 * np.arange(first, first + events.size)
    events["kind"], events["lane"], events["seq"] = (
        EventKind.IRQFD,
        Lane.IO_THREAD,
        np.arange(first, first + events.size),
    )
    if handled:
        events["kind"][-1], events["lane"][-1] = EventKind.HANDLER, Lane.GUEST
        events["seq"][-1] = events["arg"][-1] = handled
    return events


def test_what_no_handler_has_reached_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    touched = list[int]()
    take = Waiting.take
    monkeypatch.setattr(Waiting, "take", lambda self, number: touch(take(self, number)))

    def touch(journeys: Journeys) -> Journeys:
        touched.append(journeys.size)
        return journeys

    tracker = JourneyTracker(scenario(by="guest", doorbell=False))
    for number in range(50):
        assert not tracker.feed(interrupts(1 + 500 * number, 500)).size
    assert touched == [0] * 50
    assert tracker.feed(interrupts(25_001, 500, handled=1100))["seq"].tolist() == list(range(1, 1101))
    assert touched[50:] == [1500]  # the batch that the last one lies in, whole
    tracker.feed(interrupts(25_502, 500))
    assert touched[51:] == [0]


@pytest.mark.parametrize("pieces", [1, 2, 9])
def test_what_its_own_batch_ends_is_not_given_up_however_large_that_is(
    monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    monkeypatch.setattr(bellwire.engine.folds.journeys, "WAITING_LIMIT", 1000)
    tracker = JourneyTracker(scenario(by="guest", doorbell=False))
    run = np.concatenate([interrupts(1 + first, 100, handled=first + 100) for first in range(0, 9000, 100)])
    run["arg"] = np.where(run["kind"] == EventKind.HANDLER, 100, 0)
    assert sum(tracker.feed(part).size for part in np.array_split(run, pieces)) == 9000
    assert (tracker.given_up, tracker.too_many) == (0, 0)


def test_of_those_that_wait_the_oldest_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bellwire.engine.folds.journeys, "WAITING_LIMIT", 1000)
    tracker = JourneyTracker(scenario(by="guest", doorbell=False))
    for number in range(5):
        tracker.feed(interrupts(1 + 300 * number, 300))
    assert (tracker.given_up, tracker.too_many) == (500, 500)
    found = tracker.feed(interrupts(1501, 10, handled=1505))
    assert found["seq"].tolist() == list(range(501, 1506))  # more than wait on, but the handler is there already
    assert (tracker.given_up, tracker.too_many) == (500, 500)


@pytest.mark.parametrize("pieces", [1, 7, 900])
def test_of_each_gap_of_the_vcpu_thread_the_journey_is_given_up(pieces: int) -> None:
    """Whether it left to user space is not known; of a batch with more gaps than are remembered as well."""
    rows: list[tuple[int, ...]] = []
    for n in range(1, 1501):
        rows.append((n * 100, EventKind.RING, Lane.GUEST, 0, 0, n, 0))
        rows.append((n * 100 + 10, EventKind.LOST, Lane.ENGINE, 0, Lane.VCPU, 0, 2))
        rows.append((n * 100 + 20, EventKind.RUNG, Lane.GUEST, 0, 0, n, 0))
        rows.append((n * 100 + 30, EventKind.DOORBELL, Lane.IO_THREAD, 0, 0, n, 1))
    tracker = JourneyTracker(scenario(interrupt=False))
    journeys = [tracker.feed(part) for part in np.array_split(np.array(rows, EVENT), pieces)]
    assert (sum(part.size for part in journeys), tracker.given_up) == (0, 1500)
