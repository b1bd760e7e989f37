"""Steps visit every journey and every event once; there and back is the same place; the slowest is the slowest."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bellwire.engine.events import EventKind
from bellwire.engine.folds.journeys import JOURNEY
from bellwire.engine.folds.latency import LATENCIES, cycles_of, has
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.viz.model.journey_of import STAGE_OF, around, latency_of, whole_length
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.steps import distinct, middle_of
from bellwire.viz.model.transport import FACTORS
from tests.support.fake_source import FakeSource
from tests.support.models import run, running
from tests.support.small_recording import WallClock
from tests.support.states import state


def test_a_step_forward_and_back_is_the_same_state_on_a_thousand_random_walks() -> None:
    """And on every fifth all that is said of it."""
    _, model = running(0.3)
    chance = random.Random(4)
    for number in range(1000):
        model.scrub(chance.randrange(model.events.first, model.events.last))
        model.selection.choose()
        walk = [chance.choice((model.step, model.step_event)) for _ in range(chance.randrange(1, 6))]
        steps = [(kind, chance.choice((+1, -1))) for kind in walk]
        states, taken = [state(model, number % 5 == 0)], []
        for kind, direction in steps:
            if kind(direction):
                states.append(state(model, number % 5 == 0))
                taken.append((kind, direction))
        for (kind, direction), before in zip(reversed(taken), reversed(states[:-1]), strict=True):
            assert kind(-direction)
            assert state(model, number % 5 == 0) == before


def test_a_walk_does_not_depend_on_what_is_captured_meanwhile() -> None:
    source, model = running(0.3)
    model.step(-1)
    model.step_event(-1)
    states = [state(model)]
    for kind in (model.step, model.step_event, model.step_event):
        kind(-1)
        states.append(state(model))
    run(source, model, 0.2)
    for kind, before in zip((model.step_event, model.step_event, model.step), reversed(states[:-1]), strict=True):
        assert kind(+1)
        assert state(model)[:4] == before[:4]


def test_after_a_look_elsewhere_a_step_starts_from_there() -> None:
    _, model = running(0.2)
    model.to_start()
    model.step(+1)
    model.scrub(model.events.last)
    model.selection.choose()
    assert model.step(-1)
    assert int(model.selection.journeys["seq"][0]) == model.journeys.total


@pytest.mark.parametrize("scenario", [scenario.name for scenario in list_scenarios()])
def test_every_event_is_visited_once_in_order_and_back(scenario: str) -> None:
    source = FakeSource(scenario)
    source.start()
    model = LiveModel(source)
    run(source, model, 0.02)
    model.scrub(0)
    seen = []
    while model.step_event(+1):
        seen.append(model.selection.events)
    held = np.concatenate(list(model.events))
    rest = distinct(held[held["tsc"] > held["tsc"][0]])
    assert np.concatenate(seen).tobytes() == rest[np.argsort(rest["tsc"], kind="stable")].tobytes()
    model.steps._trail.clear()
    for before in reversed(seen[:-1]):
        assert model.step_event(-1)
        assert model.selection.events.tobytes() == before.tobytes()


def test_events_of_one_time_are_visited_one_by_one() -> None:
    _, model = running(0.3)
    peeks = [t for t in np.unique(model.window(0, 2**62)["tsc"]) if (model.window(int(t), int(t))["tsc"]).size > 2]
    model.scrub(int(peeks[-1]) - 1)
    kinds = []
    for _ in range(3):
        model.step_event(+1)
        kinds.append(int(model.selection.events["kind"][0]))
        assert model.playhead == peeks[-1]
    assert kinds == [EventKind.COUNT, EventKind.STAT, EventKind.STAT] or len(set(kinds)) > 1


def test_an_event_is_chosen_with_its_journey() -> None:
    _, model = running(0.2)
    model.scrub(model.events.first + 10**7)
    for _ in range(40):
        model.step_event(+1)
        event, journey = model.selection.events, model.selection.journeys
        stage = STAGE_OF.get(EventKind(int(event["kind"][0])))
        assert journey.size == (stage is not None)
        if stage:
            assert journey[stage][0] == event["tsc"][0]


@pytest.mark.parametrize("scenario", ["doorbell-burst", "irq-burst", "doorbell-coalesced-pio"])
def test_an_event_of_several_journeys_is_chosen_with_the_one_that_its_row_tells_of(scenario: str) -> None:
    """One read() that returns several doorbells: the table said how long the longest took, and another was chosen."""
    with Replay(Recording(path_of_shipped(scenario)), WallClock()) as replay:
        model = LiveModel(replay)
        every = np.concatenate(list(replay.recording.sorted_batches()))
        shared = every[np.isin(every["kind"], (EventKind.DOORBELL, EventKind.HANDLER)) & (every["arg"] > 1)]
        events = shared[:: max(shared.size // 40, 1)]
        told = latency_of(events, around(model.journeys, events, model.clock))
        assert not np.isnan(told).any()
        for event, cycles in zip(np.split(events, events.size), told, strict=True):
            model.steps.to_event(event)
            assert whole_length(model.selection.journeys).tolist() == [cycles]


@pytest.mark.parametrize("scenario", ["roundtrip", "roundtrip-userspace", "irq-msi", "doorbell-pio", "vm-to-vm"])
def test_the_slowest_journey_is_the_slowest(scenario: str) -> None:
    _, model = running(0.5, scenario)
    journeys = model.journeys.newest(model.journeys.total)[model.latencies.warmup :]
    found = 0
    for name in LATENCIES:
        there = journeys[has(journeys, name)]
        assert model.to_slowest(name) == bool(there.size)
        if there.size:
            found += 1
            assert cycles_of(model.selection.journeys, name)[0] == cycles_of(there, name).max()
            longest = model.latencies.histograms[name].summary()["max"]
            assert model.clock.ns(int(cycles_of(there, name).max())) == pytest.approx(longest, abs=1)
            assert model.transport.paused
    assert found >= 1
    assert model.whole_latency in LATENCIES
    assert model.to_slowest(model.whole_latency)


def test_the_start_is_the_state_of_a_fresh_start() -> None:
    _, model = running(0.3)
    model.to_start()
    fresh, chance = state(model), random.Random(6)
    for _ in range(60):
        chance.choice((model.step, model.step_event))(chance.choice((+1, -1)))
        model.transport.set_factor(chance.choice(FACTORS[1:]))
    model.to_start()
    assert state(model) == fresh


def test_a_journey_that_took_no_time_has_a_middle() -> None:
    journey = np.zeros(1, JOURNEY)
    journey["ring"] = journey["doorbell"] = journey["handler"] = 1000
    assert middle_of(journey) == 1000
    journey["doorbell"] = 1010
    assert middle_of(journey) == 1005
