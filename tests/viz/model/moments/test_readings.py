"""Every view reads one moment: what is said of it is what the same folds have after the events up to it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import EventKind, Events
from bellwire.engine.findings.findings import findings
from bellwire.engine.folds.latency import LATENCIES
from bellwire.engine.recordings.recorder import save_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.engine.recordings.synthetic import STEPS, round_trips
from bellwire.engine.source import Order
from bellwire.viz.diagram.captions import caption
from bellwire.viz.diagram.part_words import latency_text
from bellwire.viz.model.live import LiveModel, no_readings
from bellwire.viz.model.moments.readings import Readings
from bellwire.viz.plots.numbers import numbers_of
from bellwire.viz.text.figures import grouped
from tests.support.models import run, running
from tests.support.small_recording import HEADER, WallClock

MOMENTS = 20


def plain(model: LiveModel, tsc: int) -> Readings:
    """The folds, fed with what is held up to a moment, from one change of the wiring to the next."""
    every = model.events.window(0, tsc)
    figures = no_readings(model.source)
    for part in np.split(every, np.flatnonzero(every["kind"] == EventKind.WIRE)):
        figures.feed(part)
        figures.latencies.feed(part)
    return figures


def switched(scenario: str) -> LiveModel:
    """A run of some seconds in which the ioeventfd went off, and on again."""
    source, model = running(1.0, scenario)
    for on in (False, True):
        source.order(Order.IOEVENTFD, on)
        run(source, model, 1.0)
    return model


@pytest.mark.parametrize("scenario", ["roundtrip", "lab-wrong-datamatch"])
def test_a_moment_is_what_plain_folds_are_then(scenario: str) -> None:
    model = switched(scenario)
    chance = random.Random(7)
    assert model.latencies.changed_at
    for _ in range(MOMENTS):
        tsc = chance.randrange(model.past.first, model.past.last)
        model.scrub(tsc)
        seen, wanted = model.seen, plain(model, tsc)
        assert not seen.whole_run
        assert seen.tally.counts() == wanted.tally.counts()
        assert seen.tally.wiring == wanted.tally.wiring
        assert (seen.exits.since, seen.exits.before) == (wanted.exits.since, wanted.exits.before)
        told = (findings(one.told, one.evidence) for one in (seen, wanted))
        assert [one.claim for one in next(told)] == [one.claim for one in next(told)]
        assert seen.latencies.journeys == wanted.latencies.journeys
        for name in LATENCIES:
            assert seen.latencies.since[name].counts.tolist() == wanted.latencies.since[name].counts.tolist()
            assert seen.latencies.before[name].counts.tolist() == wanted.latencies.before[name].counts.tolist()
            assert (seen.latencies.p50(name) or 0) == pytest.approx(wanted.latencies.p50(name) or 0, rel=1e-3)


def test_a_guest_that_goes_on_late_after_a_doorbell_is_counted_as_in_plain_folds(tmp_path: Path) -> None:
    """Its vCPU had lost the processor for 50 ms between the doorbell's instruction and the one after it."""
    with preempted(tmp_path / "late.arrow") as (model, late):
        for tsc in (late - model.clock.cycles(0.02), late - 1, late, late + model.clock.cycles(0.02)):
            model.scrub(tsc)
            seen, wanted = model.seen.latencies, plain(model, tsc).latencies
            assert not model.seen.whole_run
            assert seen.journeys == wanted.journeys
            for name in LATENCIES:
                assert seen.since[name].counts.tolist() == wanted.since[name].counts.tolist()


def test_an_event_that_comes_late_is_chosen_with_its_journey(tmp_path: Path) -> None:
    with preempted(tmp_path / "late.arrow") as (model, late):
        rung = model.window(late, late)
        assert rung["kind"].tolist() == [EventKind.RUNG]
        model.steps.to_event(rung)
        assert model.selection.journeys["rung"].tolist() == [late]


@contextmanager
def preempted(path: Path) -> Iterator[tuple[LiveModel, int]]:
    """A recording of round trips that has been played, and when the guest went on after one of them."""
    events = round_trips(np.random.default_rng(1), 10**9, 0)[: 200 * len(STEPS)].copy()
    rung = int(np.flatnonzero(events["kind"] == EventKind.RUNG)[100])
    after = rung - 1 + len(STEPS)  # the next round trip
    late = events["tsc"][after - 1] + np.uint64(HEADER.clock.cycles(0.05))
    events["tsc"][after:] += np.uint64(HEADER.clock.cycles(0.06))
    events["tsc"][rung] = late
    save_recording(path, HEADER, [events[np.argsort(events["tsc"], kind="stable")]])
    wall = WallClock()
    with Replay(Recording(path), wall) as replay:
        model = LiveModel(replay)
        for _ in range(3):
            wall.ns += 10**9
            model.drain()
        yield model, int(late)


def test_of_a_recording_only_what_was_played_is_counted() -> None:
    """The file holds the journeys that are still to come."""
    wall = WallClock()
    replay = Replay(Recording(path_of_shipped("irq-msi")), wall)
    replay.start()
    model = LiveModel(replay)
    for _ in range(2):
        wall.ns += 10**9
        model.drain()
        model.scrub(replay.recording.first + model.clock.cycles(0.5))
        assert model.seen.latencies.journeys == plain(model, model.playhead).latencies.journeys
    replay.stop()


def test_what_a_file_is_read_of_does_not_change_what_was_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is taken away is what has come, however much more of it is on the disk."""
    wall = WallClock()
    replay = Replay(Recording(path_of_shipped("irq-msi")), wall)
    replay.start()
    model = LiveModel(replay)
    while replay.alive:
        wall.ns += 10**8
        model.drain()
    monkeypatch.setattr(model.journeys, "window", lambda t0, t1: pytest.fail("the file was read"))
    for share in (0.0, 0.1, 0.9):
        model.scrub(replay.recording.first + round((replay.recording.last - replay.recording.first) * share))
        assert model.seen.latencies.journeys == plain(model, model.playhead).latencies.journeys
    replay.stop()


def rung_between(events: Events, start: int, end: int) -> int:
    rings = events["tsc"][events["kind"] == EventKind.RING]
    return int(((rings >= start) & (rings < end)).sum())


def test_every_view_says_the_same_of_a_moment() -> None:
    model = switched("roundtrip")
    chance, every = random.Random(8), model.events.window(0, 2**62)
    for _ in range(MOMENTS):
        model.scrub(chance.randrange(model.past.first + model.clock.cycles(1.5), model.past.last))
        model.transport.away = False  # paused there, not at a journey: the figures are those of many
        start, end = (edge * model.rates.bin_cycles for edge in model.second)
        rang = grouped(rung_between(every, start, end))
        strip = {number.label: number for number in numbers_of(model)}
        assert strip["doorbells"].value == rang
        assert f"The guest rang {rang} doorbells in the last second" in caption(model)
        for name in ("doorbell", "injection", "round_trip"):
            number = strip[f"{name.replace('_', ' ')} p50"]
            assert latency_text(model, name) == f"{number.value} {number.unit}"
        course = model.past.course("doorbell", model.playhead - model.clock.cycles(10), model.playhead)
        width = model.latencies.series["doorbell"].bin_cycles
        assert course.size
        assert int(course["tsc"][-1]) + width <= model.playhead + 1


def test_a_paused_view_says_what_was_known_and_takes_in_what_comes_late() -> None:
    source, model = running(1.0333)  # at its very end no doorbell is rung
    model.transport.pause()
    tsc, rung = model.playhead, model.tally.doorbells_rung
    run(source, model, 0.5)
    assert model.present.tally.doorbells_rung > rung
    assert model.tally.counts() == plain(model, tsc).tally.counts()
    assert model.latencies.journeys == plain(model, tsc).latencies.journeys
    model.to_newest()
    model.tick(0)
    assert model.seen is model.present


def test_what_was_rung_by_hand_is_one_journey_in_every_view() -> None:
    source, model = running(0.5)
    source.order(Order.PACE, 0.0)
    source.announce_pace()
    run(source, model, 2.0)
    source.order(Order.DOORBELL, True)
    run(source, model, 0.2)
    journey = model.newest_shown()
    number = grouped(int(journey["seq"][0]))
    assert int(journey["seq"][0]) == model.tally.doorbells_rung
    assert caption(model).startswith(f"Doorbell #{number}: ")
    strip = {number.label: number for number in numbers_of(model)}
    assert strip["doorbells in all"].value == number
    assert strip[f"exits of #{number}"].value == "0"
    for name in ("doorbell", "injection", "round_trip"):
        one = strip[f"{name.replace('_', ' ')} of #{number}"]
        assert latency_text(model, name) == f"{one.value} {one.unit}"
        assert latency_text(model, name) in caption(model)
        newest = model.past.course(name, model.playhead - model.clock.cycles(10), model.playhead)[-1:]
        assert newest["count"].tolist() == [1]
        assert newest["p50"][0] == pytest.approx(model.clock.ns(int(journey_cycles(model, name))), rel=1e-3)


def journey_cycles(model: LiveModel, name: str) -> int:
    journey = model.newest_shown()
    start, end = {"doorbell": ("ring", "doorbell"), "injection": ("irq", "handler"), "round_trip": ("ring", "handler")}[
        name
    ]
    return int(journey[end][0]) - int(journey[start][0])
