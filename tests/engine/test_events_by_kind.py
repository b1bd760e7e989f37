"""A batch told apart by kind: what a mask would choose, in the same order."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import EVENT, ByKind, EventKind, Events, by_kind, no_events

KINDS_MET = (EventKind.RING, EventKind.EXIT, EventKind.ENTRY, EventKind.HANDLER)


def some_events(n: int) -> Events:
    """Events of a few kinds, in no order of kinds; each has a number of its own."""
    random, events = np.random.default_rng(1), np.zeros(n, EVENT)
    events["kind"], events["tsc"] = random.choice(KINDS_MET, n), np.arange(n)
    return events


def test_each_kind_is_what_a_mask_chooses() -> None:
    events = some_events(1000)
    batch = ByKind(events)
    for kind in EventKind:
        np.testing.assert_array_equal(batch.of(kind), events[events["kind"] == kind])
        assert batch.counts[kind] == batch.of(kind).size
        assert batch.has(kind) is (kind in KINDS_MET)
    assert by_kind(batch) is batch


def test_several_kinds_stay_in_their_order() -> None:
    events = some_events(1000)
    wanted = events[np.isin(events["kind"], (EventKind.EXIT, EventKind.ENTRY))]
    batch = by_kind(events)
    np.testing.assert_array_equal(batch.of_any(EventKind.LOST, EventKind.ENTRY, EventKind.EXIT), wanted)
    np.testing.assert_array_equal(batch.of_any(EventKind.LOST, EventKind.RING), batch.of(EventKind.RING))
    assert batch.of_any(EventKind.LOST, EventKind.STAT).size == 0


def test_an_empty_batch_has_nothing() -> None:
    batch = by_kind(no_events())
    assert not batch.has(*EventKind)
    assert batch.of_any(*EventKind).size == 0
    assert batch.counts.sum() == 0
