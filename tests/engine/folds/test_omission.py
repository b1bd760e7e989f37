"""Coordinated omission: what was expected when, and what the correction adds."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bellwire.engine.events import EVENT, FLAT_OUT, Clock, EventKind, Events, Lane, Setting, event, told_pace
from bellwire.engine.folds.latency import LATENCIES, Latencies
from bellwire.engine.folds.omission import INTERVALS_KEPT, PACES_KEPT, ExpectedInterval, Paced
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.text.trust import why_not_corrected
from tests.support.journey_streams import World, scenario

CLOCK = Clock(2e9)
MS = 1_000_000


def setting(tsc: int, which: Setting, value: int) -> Events:
    return event(tsc, EventKind.SETTING, Lane.ENGINE, which, 0, value)


def at(interval: ExpectedInterval, *times: int) -> list[int]:
    return [int(ns) for ns in interval.at(np.array(times, np.uint64))]


def test_the_interval_follows_the_pace_and_who_holds_it() -> None:
    interval = ExpectedInterval(CLOCK)
    assert at(interval, 5) == [0]
    for tsc, which, value in [
        (10, Setting.PACE, 1000),
        (20, Setting.PACE, FLAT_OUT),
        (30, Setting.PACE, 2000),
        (40, Setting.RUNNING, 0),
        (45, Setting.BURST, 8),
        (50, Setting.RUNNING, 1),
        (60, Setting.PACE, 0),
    ]:
        interval.feed(setting(tsc, which, value))
    assert at(interval, 5, 10, 19, 20, 35, 40, 49, 50, 60, 99) == [0, MS, MS, 0, MS // 2, 0, 0, MS // 2, 0, 0]
    assert interval.now == 0


@pytest.mark.parametrize("per_second", [1.4, 2.5, 37.5, 18.75, 300, 1e6])
def test_the_interval_is_that_of_a_pace_which_is_no_whole_number(per_second: float) -> None:
    interval = ExpectedInterval(CLOCK)
    interval.feed(event(10, EventKind.SETTING, Lane.ENGINE, Setting.PACE, *told_pace(per_second)))
    assert interval.now == round(1e9 / per_second)


def test_memory_of_paces_is_bounded() -> None:
    interval = ExpectedInterval(CLOCK)
    for n in range(1000):
        interval.feed(setting(10 * n + 10, Setting.PACE, n + 1))
    assert len(set(at(interval, *range(0, 11000, 5)))) == PACES_KEPT + 2  # the newest one's, and none before them
    assert at(interval, 9999, 10_000) == [round(1e9 / 999), MS]


def test_a_stall_is_what_the_pace_makes_of_it() -> None:
    paced = Paced()
    paced.record(np.array([50_000.0, 5_500_000.0]), np.array([MS, MS]), np.array([1.0, 99.0]))
    assert paced.corrected.count == 2 + 4
    waits = [1.5 * MS, 2.5 * MS, 3.5 * MS, 4.5 * MS, 5.5 * MS]
    assert paced.corrected.percentiles([33, 50, 66, 83, 100]) == pytest.approx(waits, 2e-3)
    assert (paced.shortest, paced.longest, paced.count) == (MS, MS, 2)


def test_without_a_pace_nothing_is_recorded() -> None:
    paced = Paced()
    paced.record(np.array([5.5e6, 5.5e6]), np.array([0, MS]), np.array([99.0, 99.0]))
    assert (paced.count, paced.corrected.count) == (1, 5)
    paced.record(np.array([7e9]), np.array([0]), np.array([9e9]))
    assert paced.corrected.count == 5


def test_many_intervals_are_kept_apart_and_bounded() -> None:
    paced, copies = Paced(), []
    for n in range(1, 3 * INTERVALS_KEPT):
        paced.record(np.array([9.5e6]), np.array([n * MS]), np.array([99.0]))
        copies.append(paced.copy())
    expected = sum(max(1, 9_500_000 // (n * MS)) for n in range(1, 3 * INTERVALS_KEPT))
    assert paced.corrected.count == expected
    assert copies[-1].corrected.summary() == paced.corrected.summary()
    assert (paced.shortest, paced.longest) == (MS, (3 * INTERVALS_KEPT - 1) * MS)
    assert copies[0].count == 1


def test_latencies_of_a_run_are_corrected_by_the_pace_at_which_each_was_sent() -> None:
    """Switches in between change nothing for the whole run; what is flat out has no corrected form."""
    events = World(random.Random(4), answered=True).run(3000)
    events["tsc"] += np.uint64(CLOCK.cycles(0.2))
    clock, middle = Clock(1e9), events["tsc"][events.size // 2]
    first = event(0, EventKind.WIRE, Lane.ENGINE, 0, 0, 1)
    pace, flat = setting(1, Setting.PACE, 10**8), setting(int(middle), Setting.PACE, FLAT_OUT)
    switch = event(int(middle) // 2, EventKind.WIRE, Lane.ENGINE, 0, 0, 0)
    stream = np.concatenate([first, pace, switch, events, flat], dtype=EVENT)
    stream = stream[np.argsort(stream["tsc"], kind="stable")]
    latencies = Latencies(scenario(), clock)
    journeys = np.concatenate([latencies.feed(part) for part in np.array_split(stream, 13)])
    for name in LATENCIES:
        paced = latencies.corrected(name)
        assert 0 < paced.count < latencies.histograms[name].count
        assert paced.corrected.count >= paced.count
        assert (paced.shortest, paced.longest) == (10, 10)
    begun = np.where(journeys["ring"] > 0, journeys["ring"], journeys["irq"]) < middle
    ring = journeys["ring"] > 0
    assert latencies.corrected("store_cost").count == int((begun & ring & (journeys["rung"] > 0)).sum())


def test_no_more_is_added_than_was_due_and_not_sent() -> None:
    """Of every size the same share, so that the shape of what is added stays."""
    whole, capped, none = Paced(), Paced(), Paced()
    for paced, due in ((whole, 1e6), (capped, 61.0), (none, 2.0)):
        paced.record(np.array([50_000.0, 100.5e6]), np.array([MS, MS]), np.array([1.0, due - 1]))
    assert whole.corrected.count == 2 + 99
    assert (capped.corrected.count, none.corrected.count) == (61, 2)
    assert capped.corrected.percentile(50) == pytest.approx(whole.corrected.percentile(50), rel=0.05)


def run_with_a_stall(name: str, pace: int, burst: int = 1) -> tuple[Latencies, float]:
    """A second at the pace with one answer that takes 100 ms, before which a guest that waits rings no more; and how
    long it was."""
    scenario, clock = load_scenario(name), Clock(2e9)
    closed = Trait.WAITED_FOR in traits_of(scenario)
    rows: list[tuple[int, ...]] = [
        (1, EventKind.SETTING, Lane.ENGINE, 0, Setting.RUNNING, 0, 1),
        (1, EventKind.SETTING, Lane.ENGINE, 0, Setting.BURST, 0, burst),
        (1, EventKind.SETTING, Lane.ENGINE, 0, Setting.PACE, 0, pace),
    ]
    start = clock.cycles(1)
    at, free, n = start, start, 0
    while at < start + clock.cycles(1):
        stall = clock.cycles(0.1) if start + clock.cycles(0.5) <= at < start + clock.cycles(0.5 + 1 / pace) else 0
        begin = max(at, free) if closed else at
        for _ in range(burst):
            n += 1
            begin += 2_000
            rows.append((begin, EventKind.RING, Lane.GUEST, 0, 0, n, 0))
            rows.append((begin + 1_000, EventKind.RUNG, Lane.GUEST, 0, 0, n, 0))
        received = max(begin + 40_000 + stall, free)
        rows.append((received, EventKind.DOORBELL, Lane.IO_THREAD, 0, 0, n, burst))
        if scenario.interrupt:
            rows.append((received + 1_000, EventKind.IRQFD, Lane.IO_THREAD, 0, 24, n // burst, n))
            rows.append((received + 20_000, EventKind.HANDLER, Lane.GUEST, 0, 0x40, n // burst, 1))
        free = received + 30_000
        at = max(at + clock.cycles(1 / pace), free if closed and stall else 0)
    latencies = Latencies(scenario, clock)
    for part in np.array_split(np.sort(np.array(rows, EVENT), order="tsc"), 30):
        latencies.feed(part)
    return latencies, clock.ns(at - start) / 1e9


@pytest.mark.parametrize("burst", [1, 4])
@pytest.mark.parametrize("pace", [250, 1000])
def test_a_closed_loop_has_as_many_as_were_due_once_it_is_corrected(pace: int, burst: int) -> None:
    latencies, seconds = run_with_a_stall("roundtrip", pace, burst)
    paced = latencies.corrected("round_trip")
    due = pace * burst * seconds
    assert paced.count < paced.corrected.count <= due + 1
    assert paced.corrected.percentile(99) > 10 * paced.corrected.percentile(50)


def run_of(paces: list[tuple[int, int]], each: float, stall: float = 0.0) -> list[Events]:
    """Round trips at one pace after the other (a second, and whether it runs), each for so many seconds, event by event
    as they came; stall: how long the last answer takes."""
    clock, n = Clock(2e9), 0
    rows: list[tuple[int, ...]] = []
    for number, (pace, runs) in enumerate(paces):
        begun = clock.cycles(1 + number * each)
        rows.append((begun, EventKind.SETTING, Lane.ENGINE, 0, Setting.PACE, 0, pace))
        rows.append((begun, EventKind.SETTING, Lane.ENGINE, 0, Setting.RUNNING, 0, runs))
        for at in range(begun + 1000, clock.cycles(1 + (number + 1) * each), clock.cycles(1 / pace)) if runs else ():
            n += 1
            rows.append((at, EventKind.RING, Lane.GUEST, 0, 0, n, 0))
            rows.append((at + 1_000, EventKind.RUNG, Lane.GUEST, 0, 0, n, 0))
            rows.append((at + 40_000, EventKind.DOORBELL, Lane.IO_THREAD, 0, 0, n, 1))
            rows.append((at + 41_000, EventKind.IRQFD, Lane.IO_THREAD, 0, 24, n, n))
            rows.append((at + 60_000, EventKind.HANDLER, Lane.GUEST, 0, 0x40, n, 1))
    events: Events = np.sort(np.array(rows, EVENT), order="tsc")
    events["tsc"][-1] += np.uint64(clock.cycles(stall))
    return [events[at : at + 1] for at in range(events.size)]


def corrected_in_pieces(events: list[Events], pieces: int) -> tuple[int, int, dict[str, float | int | None]]:
    """What comes of the round trip: how many were paced, how many there are once they are corrected, and the rest."""
    latencies = Latencies(load_scenario("roundtrip"), Clock(2e9))
    for part in np.array_split(np.concatenate(events), pieces):
        latencies.feed(part)
    paced = latencies.corrected("round_trip")
    return paced.count, paced.corrected.count, dict(paced.corrected.summary())


@pytest.mark.parametrize("pieces", [3, 100, 2000])
def test_of_a_pace_that_is_dragged_each_signal_has_its_own(pieces: int) -> None:
    """Of a batch in which it changed more than sixteen times the earlier journeys had none, and were not corrected."""
    events = run_of([(500 + pace, 1) for pace in range(60)], 0.04)
    whole = corrected_in_pieces(events, 1)
    assert whole == corrected_in_pieces(events, pieces)
    assert whole[0] > 1000


@pytest.mark.parametrize("pieces", [1, 3, 100, 2000])
def test_nothing_was_due_while_the_pace_was_held(pieces: int) -> None:
    """A second at 100 a second, five of nothing, and another second whose last answer takes half a second."""
    paced, corrected, _ = corrected_in_pieces(run_of([(100, 1), (100, 0), (100, 0), (100, 1)], 1.0, 0.5), pieces)
    assert 100 < paced <= 200
    assert paced <= corrected <= paced + 2


@pytest.mark.parametrize("pieces", [1, 3, 100])
def test_what_was_sent_and_lost_is_not_taken_for_omitted(pieces: int) -> None:
    """The guest's stamps of a second are missing; each signal was sent when it was due."""
    events = np.concatenate(run_of([(200, 1)], 3.0, 0.1))
    late = (events["tsc"] > Clock(2e9).cycles(2)) & (events["tsc"] < Clock(2e9).cycles(3))
    lost = late & (events["lane"] == Lane.GUEST)
    whole, kept = corrected_in_pieces([events], pieces), corrected_in_pieces([events[~lost]], pieces)
    assert lost.sum() == 600
    assert whole[0] - kept[0] == 200
    assert whole[1] - kept[1] == 200


@pytest.mark.parametrize("name", ["doorbell-pio", "doorbell-mmio", "doorbell-size-miss"])
def test_an_open_loop_is_not_corrected_and_says_why(name: str) -> None:
    """The victims of its stall are in the record."""
    latencies, _ = run_with_a_stall(name, 1000)
    assert [latencies.corrected(latency).count for latency in LATENCIES] == [0] * len(LATENCIES)
    assert latencies.histograms["doorbell"].count > 900
    assert "waits for no answer" in why_not_corrected(latencies)


def test_a_pace_that_has_no_latency_yet_is_not_said_to_be_none() -> None:
    """The first fifty journeys are the warm-up: a run of so many said that it had no pace."""
    paced, by_hand = (Latencies(load_scenario("roundtrip"), CLOCK) for _ in range(2))
    paced.feed(setting(1, Setting.PACE, 2000))
    assert "no latency that could be corrected" in why_not_corrected(paced)
    assert "no latency that could be corrected" in why_not_corrected(by_hand)
    by_hand.histograms["round_trip"].record(np.array([1000]))
    assert why_not_corrected(by_hand).startswith("Without a pace")


def test_who_waits_for_answers_is_known_of_every_scenario() -> None:
    waiting = {each.name for each in list_scenarios() if Trait.WAITED_FOR in traits_of(each)}
    assert {"roundtrip", "roundtrip-userspace", "io-uring", "self-doorbell", "vhost-user-blk", "irq-window"} <= waiting
    assert not {name for name in waiting if name.startswith(("doorbell-", "irq-msi", "irq-burst", "vm-to-vm", "two-"))}
    assert not {"virtqueue", "virtqueue-event-idx"} & waiting
