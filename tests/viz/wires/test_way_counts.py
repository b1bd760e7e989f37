"""Which way each signal took, however the events are cut into batches."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bellwire.engine.events import EVENT, EventKind, Events, Lane, by_kind
from bellwire.viz.wires.way_counts import WayCounts


def world(seed: int, signals: int = 200) -> Events:
    """The host signals by the irqfd or by the ioctl; a handler looks what is announced a moment after it has begun."""
    chance = random.Random(seed)
    rows: list[tuple[int, ...]] = []
    tsc = sent = seen = 0
    while sent < signals:
        tsc += chance.randint(1, 9)
        if chance.random() < 0.5:
            sent += 1
            kind = EventKind.IRQFD if sent // 50 % 2 else EventKind.IRQ_IOCTL
            rows.append((tsc, kind, Lane.IO_THREAD, 0, 1, sent, 0))
        elif sent > seen:
            seen = min(sent + chance.randint(0, 1), signals)
            rows.append((tsc, EventKind.HANDLER, Lane.GUEST, 0, 0x40, seen, 1))
    return np.array(rows, EVENT)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_a_handler_that_knew_of_a_signal_to_come_is_counted_once_it_has_come(seed: int, size: int) -> None:
    events, ways = world(seed), WayCounts()
    counted: list[int] = []
    for at in range(0, events.size, size):
        batch = by_kind(events[at : at + size])
        found = ways.feed({kind: batch.of(kind) for kind in batch.kinds})
        counted += [int(tsc) for name, some, _ in found if name == "injected" for tsc in some["tsc"]]
    handlers = events[events["kind"] == EventKind.HANDLER]
    written = np.isin(handlers["seq"], events["seq"][events["kind"] == EventKind.IRQFD])
    assert sorted(counted) == handlers["tsc"][written].tolist()
    assert written.sum() > 20
