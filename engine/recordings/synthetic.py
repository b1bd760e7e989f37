"""Recordings of any size without a guest, to measure what large ones cost. They say so: the back end is "synthetic"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from bellwire.engine.events import EVENT, Clock, EventKind, Events, Lane, Switch, event
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import BATCH, Recorder
from bellwire.engine.scenarios.scenario import load_scenario

HZ = 2e9
STEPS = (  # of a round trip: kind, lane, mean cycles after the step before
    (EventKind.RING, Lane.GUEST, 40_000),
    (EventKind.RUNG, Lane.GUEST, 3_000),
    (EventKind.DOORBELL, Lane.IO_THREAD, 18_000),
    (EventKind.IRQFD, Lane.IO_THREAD, 2_000),
    (EventKind.WAIT, Lane.IO_THREAD, 1_000),
    (EventKind.HANDLER, Lane.GUEST, 12_000),
)
JOURNEYS = BATCH // len(STEPS)  # of a batch


def synthetic_recording(path: Path, events: int, progress: Callable[[float], None] = lambda share: None) -> int:
    """Writes a recording of round trips, at least `events` events. How many."""
    host = {"kernel": "none", "cpu": "synthetic", "cpus": "2", "backend": "synthetic"}
    scenario = replace(load_scenario("roundtrip"), title="Synthetic round trips")
    random, tsc, journeys = np.random.default_rng(1), 10**9, 0
    with Recorder(path, Header(scenario, host, "synthetic", Clock(HZ), "synthetic"), lambda: 0.0) as recorder:
        for switch in Switch:
            recorder.append(event(tsc, EventKind.WIRE, Lane.ENGINE, switch, 0, 1))
        while recorder.events < events and not recorder.error:
            batch = round_trips(random, tsc, journeys)
            recorder.append(batch)
            tsc, journeys = int(batch["tsc"][-1]), journeys + JOURNEYS
            progress(min(recorder.events / events, 1.0))
    if recorder.error:
        raise recorder.error
    return recorder.events


def round_trips(random: np.random.Generator, tsc: int, before: int) -> Events:
    """JOURNEYS round trips after the moment `tsc`, the first of them number `before` + 1."""
    means = np.array([mean for _, _, mean in STEPS], np.float64)
    gaps = random.gamma(4.0, means / 4, (JOURNEYS, len(STEPS)))
    numbers = np.repeat(np.arange(before + 1, before + 1 + JOURNEYS), len(STEPS))
    events = np.zeros(numbers.size, EVENT)
    events["tsc"] = tsc + np.cumsum(gaps.ravel()).astype(np.uint64)
    events["kind"] = np.tile([kind for kind, _, _ in STEPS], JOURNEYS)
    events["lane"] = np.tile([lane for _, lane, _ in STEPS], JOURNEYS)
    events["seq"] = numbers
    answered = np.isin(events["kind"], (EventKind.IRQFD, EventKind.WAIT))
    one = np.isin(events["kind"], (EventKind.DOORBELL, EventKind.HANDLER))
    events["arg"] = np.where(answered, events["seq"], one)
    return events
