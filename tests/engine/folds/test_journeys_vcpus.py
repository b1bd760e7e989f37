"""Pairing where several vCPUs ring one doorbell: their instructions overlap, and end in any order."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bellwire.engine.events import EVENT, EventKind, Events, Lane
from bellwire.engine.folds.journeys import JourneyTracker
from bellwire.engine.scenarios.scenario import load_scenario

VCPUS = 2


def world(seed: int, rings: int = 60) -> Events:
    """Each vCPU rings whenever it comes to it, and is inside of the instruction for a while; the host reads then."""
    chance = random.Random(seed)
    rows: list[tuple[int, ...]] = []
    inside: dict[int, int] = {}
    tsc = rung = read = 0
    while rung < rings or inside or read < rings:
        tsc += chance.randint(1, 9)
        vcpu = chance.randrange(VCPUS)
        if vcpu in inside:
            rows.append((tsc, EventKind.RUNG, Lane.GUEST, vcpu, 0x510, inside.pop(vcpu), 0))
        elif rung < rings and chance.random() < 0.7:
            inside[vcpu] = rung = rung + 1
            rows.append((tsc, EventKind.RING, Lane.GUEST, vcpu, 0x510, rung, 0))
        elif read < rung:
            rows.append((tsc, EventKind.DOORBELL, Lane.IO_THREAD, 0, 0, rung, rung - read))
            read = rung
    return np.array(rows, EVENT)


def tracked(batches: list[Events]) -> tuple[JourneyTracker, list[int]]:
    tracker = JourneyTracker(load_scenario("two-vcpus-doorbell"))
    return tracker, sorted(int(journey["seq"]) for batch in batches for journey in tracker.feed(batch))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_every_doorbell_is_paired_however_the_events_are_cut(seed: int, size: int) -> None:
    events = world(seed)
    after = events["seq"][events["kind"] == EventKind.RUNG].astype(np.int64)
    assert (np.diff(after) < 0).any()  # one that was rung later was over earlier
    tracker, paired = tracked([events[at : at + size] for at in range(0, events.size, size)])
    assert (paired, tracker.given_up) == (list(range(1, 61)), 0)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_one_whose_end_is_lost_is_given_up_once_its_vcpu_rings_again(size: int) -> None:
    events = world(3)
    events = events[(events["kind"] != EventKind.RUNG) | ~np.isin(events["seq"], [9, 20, 21])]
    tracker, paired = tracked([events[at : at + size] for at in range(0, events.size, size)])
    assert (tracker.given_up, len(paired)) == (3, 57)
    assert not {9, 20, 21} & set(paired)
