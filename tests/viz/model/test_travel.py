"""What travels in each kind of scenario: journeys, and echoes where there are some."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import EVENT, Clock, EventKind, Events, Lane
from bellwire.engine.folds.journeys import JOURNEY
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.model.history import History
from bellwire.viz.model.live import EVENT_LIMIT, LiveModel, event_span
from bellwire.viz.model.travel import Launcher, Travel
from tests.support.models import running


def model_of(scenario: str) -> LiveModel:
    return running(1.0, scenario)[1]


def fed(launcher: Launcher) -> int:
    return launcher.launched + launcher.aggregated + launcher.waiting


def event(kind: EventKind) -> Events:
    return np.array([(5, kind, Lane.IO_THREAD, 0, 0, 1, 0)], EVENT)


def test_tokens_of_a_round_trip_are_on_its_legs() -> None:
    model = model_of("roundtrip")
    legs = {token.leg for token in model.tokens()}
    assert legs
    assert legs <= {"ioeventfd", "answer", "irqfd"}
    assert model.travel.legs_of(model.journeys.newest(1)) == ("ioeventfd", "answer", "irqfd")
    assert not model.travel.only_echoes
    assert model.travel.next_echo(0) is None


def test_at_a_masked_pin_there_are_only_echoes() -> None:
    travel = model_of("irq-masked").travel
    assert travel.only_echoes
    before = fed(travel.echoes)
    travel.feed(np.zeros(0, JOURNEY), event(EventKind.IRQFD))
    travel.feed(np.zeros(0, JOURNEY), event(EventKind.RESAMPLE))  # not of this scenario
    assert fed(travel.echoes) == before + 1
    assert {token.leg for token in travel.tokens()} == {"masked"}


def test_the_next_echo_is_found_however_late_it_sets_out() -> None:
    """As of interrupts that are signalled by hand: a slow playhead waited for them through all of the silence."""
    clock, events = Clock(1e9), History(EVENT, EVENT_LIMIT, event_span)
    signals = [10**9, 2 * 10**9, 42 * 10**9]
    kinds = (EventKind.IRQFD, EventKind.WAIT)
    events.append(
        np.array(
            [(t + late, kind, Lane.IO_THREAD, 0, 0, 1, 0) for t in signals for late, kind in enumerate(kinds)], EVENT
        )
    )
    travel = Travel(load_scenario("irq-masked"), clock, events)
    assert [travel.next_echo(t) for t in (0, *signals)] == [*signals, None]


def test_a_level_has_an_echo_beside_its_journeys() -> None:
    travel = model_of("irq-level-resample").travel
    assert not travel.only_echoes
    before = fed(travel.echoes)
    travel.feed(np.zeros(0, JOURNEY), event(EventKind.RESAMPLE))
    assert fed(travel.echoes) == before + 1
    travel.advance(1 / 60)
    assert "resample" in {token.leg for token in travel.tokens()}


def test_every_journey_that_was_fed_is_accounted_for() -> None:
    model = model_of("roundtrip")
    assert fed(model.travel.launcher) == model.journeys.total > 0
