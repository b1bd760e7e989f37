"""Nine events in three batches: a recording that a test can know by heart. And a clock to replay it by."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import EVENT, Clock, EventKind, Events, Lane
from bellwire.engine.recordings.header import Header
from bellwire.engine.scenarios.scenario import load_scenario

HEADER = Header(load_scenario("roundtrip"), {"cpu": "Test"}, "kvm_intel", Clock(2e9), "0.1.0")


def batch(first: int, count: int) -> Events:
    """Doorbells at 10 cycles from each other."""
    events = np.zeros(count, EVENT)
    events["tsc"] = first + 10 * np.arange(count)
    events["kind"], events["lane"], events["id"] = EventKind.RING, Lane.GUEST, 0x510
    events["seq"] = events["tsc"] // 10
    return events


BATCHES = [batch(1000, 3), batch(1030, 1), batch(1040, 5)]


class WallClock:
    """A monotonic clock that stands still until it is moved. At 2 GHz, 5 ns are 10 cycles: one event of BATCHES."""

    ns = 7_000

    def __call__(self) -> int:
        return self.ns
