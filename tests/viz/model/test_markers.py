"""Markers count what lies between them, whatever part of the history that is."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine.events import EVENT, SIGNALLING, Clock, EventKind, Events, Lane, event
from bellwire.engine.folds.journeys import JOURNEY
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.model import history
from bellwire.viz.model.history import History
from bellwire.viz.model.live import event_span, journey_span
from bellwire.viz.model.markers import Markers
from bellwire.viz.model.past import HeldPast
from bellwire.viz.model.rates import Rates


@pytest.fixture
def past(monkeypatch: pytest.MonkeyPatch) -> HeldPast:
    """A thousand events, one a cycle, of which the newest few hundred are held."""
    monkeypatch.setattr(history, "CHUNK", 16)
    clock = Clock(1e9)
    kept = HeldPast(
        clock, History(EVENT, 300, event_span), History(JOURNEY, 300, journey_span), Rates(clock), series={}
    )
    chance = np.random.default_rng(3)
    for start in range(1000, 2000, 10):
        batch = np.zeros(10, EVENT)
        batch["tsc"] = np.arange(start, start + 10)
        batch["kind"] = chance.choice([kind for kind in EventKind if kind != EventKind.LOST], 10)
        come(kept, batch)
    return kept


def come(past: HeldPast, batch: Events) -> None:
    past.records.append(batch)
    past.feed(batch, int(batch["tsc"][-1]))


@pytest.mark.parametrize(
    ("traits", "unknown"),
    [
        ({Trait.DIRECT}, {"interrupts"}),
        ({Trait.DIRECT, Trait.REAL_QEMU}, {"interrupts", "exits"}),
    ],
)
def test_what_no_thread_of_this_process_does_is_not_told_as_none(
    traits: set[Trait], unknown: set[str], past: HeldPast
) -> None:
    """Where a doorbell is an interrupt no event tells of one, and what a guest in QEMU leaves for is not seen."""
    markers = Markers(past, frozenset(traits))
    markers.put("A", 1960)
    markers.put("B", 1961)
    assert markers.between
    assert {
        name for name in ("doorbells", "interrupts", "handlers", "exits") if getattr(markers.between, name) is None
    } == unknown
    words = markers.text(Clock(1e9))
    assert ("interrupt" not in words, "exit" not in words) == (True, "exits" in unknown)


def test_what_lies_between_is_counted(past: HeldPast) -> None:
    markers = Markers(past)
    markers.put("A", 1960)
    assert markers.text(Clock(1e9)) == ""
    for other in (1700, 1820, 1959, 1990):
        markers.put("B", other)
        low, high = sorted((1960, other))
        kinds = past.events(low, high)["kind"]
        between = markers.between
        assert between
        assert between.cycles == high - low
        assert between.doorbells == (kinds == EventKind.RING).sum()
        assert between.interrupts == np.isin(kinds, SIGNALLING).sum()
        assert between.handlers == (kinds == EventKind.HANDLER).sum()
        assert between.exits == (kinds == EventKind.EXIT).sum()
        assert between.whole
    assert markers.text(Clock(1e9)).startswith("A to B 30 ns, 30 cycles · ")
    markers.put("B", 1900)
    assert markers.text(Clock(1e9)).startswith("B to A 60 ns")
    markers.clear()
    assert markers.text(Clock(1e9)) == ""


def test_a_start_that_is_no_longer_held_is_said(past: HeldPast) -> None:
    markers = Markers(past)
    markers.put("A", 1010)
    markers.put("B", 1990)
    assert markers.between
    assert not markers.between.whole
    assert "is not known: its start is no longer held" in markers.text(Clock(1e9))
    assert "doorbell" not in markers.text(Clock(1e9))


def test_events_that_were_lost_between_are_said_and_nothing_is_counted(past: HeldPast) -> None:
    markers = Markers(past)
    markers.put("A", 1800)
    markers.put("B", 1999)
    assert "exit" in markers.text(Clock(1e9))
    come(past, event(2003, EventKind.LOST, Lane.ENGINE, Lane.GUEST, 1990, 7))
    assert markers.text(Clock(1e9)).endswith("is not known: 7 events were lost in it")
    markers.put("B", 1989)
    assert markers.between
    assert markers.between.whole


def test_what_comes_before_a_marker_in_the_present_is_counted(past: HeldPast) -> None:
    markers = Markers(past)
    markers.put("A", 1995)
    markers.put("B", 2010)
    assert "not all of it has come yet" in markers.text(Clock(1e9))
    rings = int((past.events(1995, 2010)["kind"] == EventKind.RING).sum())
    batch = np.zeros(3, EVENT)
    batch["tsc"], batch["kind"] = [2005, 2006, 2011], EventKind.RING
    come(past, batch)
    assert markers.between
    assert markers.between.doorbells == rings + 2
