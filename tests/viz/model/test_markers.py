"""Markers count what lies between them, whatever part of the history that is."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine.events import EVENT, Clock, EventKind
from bellwire.viz.model import history
from bellwire.viz.model.history import History
from bellwire.viz.model.live import event_span
from bellwire.viz.model.markers import SIGNALS, Markers


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> History:
    """A thousand events, one a cycle, of which the newest few hundred are held."""
    monkeypatch.setattr(history, "CHUNK", 16)
    kept = History(EVENT, 300, event_span)
    chance = np.random.default_rng(3)
    for start in range(1000, 2000, 10):
        batch = np.zeros(10, EVENT)
        batch["tsc"] = np.arange(start, start + 10)
        batch["kind"] = chance.integers(1, max(EventKind) + 1, 10)
        kept.append(batch)
    return kept


def test_what_lies_between_is_counted(events: History) -> None:
    markers = Markers(events)
    markers.put("A", 1960)
    assert markers.text(Clock(1e9)) == ""
    for other in (1700, 1820, 1959, 1990):
        markers.put("B", other)
        low, high = sorted((1960, other))
        kinds = events.window(low, high)["kind"]
        between = markers.between
        assert between
        assert between.cycles == high - low
        assert between.doorbells == (kinds == EventKind.RING).sum()
        assert between.interrupts == np.isin(kinds, SIGNALS).sum()
        assert between.handlers == (kinds == EventKind.HANDLER).sum()
        assert between.exits == (kinds == EventKind.EXIT).sum()
        assert between.whole
    assert markers.text(Clock(1e9)).startswith("A to B 30 ns, 30 cycles · ")
    markers.put("B", 1900)
    assert markers.text(Clock(1e9)).startswith("B to A 60 ns")
    markers.clear()
    assert markers.text(Clock(1e9)) == ""


def test_a_start_that_is_no_longer_held_is_said(events: History) -> None:
    markers = Markers(events)
    markers.put("A", 1010)
    markers.put("B", 1990)
    assert markers.between
    assert not markers.between.whole
    assert "no longer held" in markers.text(Clock(1e9))


def test_what_comes_before_a_marker_in_the_present_is_counted(events: History) -> None:
    markers = Markers(events)
    markers.put("A", 1995)
    markers.put("B", 2010)
    assert markers.between
    rings = markers.between.doorbells
    batch = np.zeros(3, EVENT)
    batch["tsc"], batch["kind"] = [2005, 2006, 2011], EventKind.RING
    events.append(batch)
    assert markers.between.doorbells == rings + 2
