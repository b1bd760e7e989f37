"""Runs whose guest has a clock of its own: every stamp of a guest is off by the same time."""

from __future__ import annotations

import random

import numpy as np

from bellwire.engine.events import EVENT, EventKind, Events, Lane
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

TURNS = 400
PERIOD = 1_000_000  # cycles: half a millisecond at 2 GHz
START = 10**9


def shifted_run(scenario: Scenario, cycles: int) -> Events:
    """TURNS signals, one after the other, with the guest's stamps (of two guests those of the one that is interrupted)
    `cycles` ahead; sorted as an engine would have sorted them."""
    traits, random_ = traits_of(scenario), random.Random(7)
    two, relayed = Trait.TWO_GUESTS in traits, bool(scenario.doorbell and not scenario.doorbell.ioeventfd)
    rows: list[tuple[int, ...]] = []

    def put(tsc: int, kind: EventKind, lane: Lane, id: int, seq: int, arg: int = 0, vm: int = 0) -> None:
        ours = lane is Lane.GUEST and vm == int(two)
        rows.append((tsc + (cycles if ours else 0), kind, lane, vm, id, seq, arg))

    for n in range(1, TURNS + 1):
        at = START + n * PERIOD
        if scenario.doorbell:
            put(at, EventKind.RING, Lane.GUEST, 0x510, n)
            if relayed:
                put(at + 4_000, EventKind.EXIT, Lane.VCPU, 2, n, 0x510)
                put(at + 8_000, EventKind.ENTRY, Lane.VCPU, 2, 2, 7)
            put(at + 12_000, EventKind.RUNG, Lane.GUEST, 0x510, n)
        at += 20_000 + random_.randrange(9_000)
        if scenario.doorbell and not scenario.direct:
            put(at, EventKind.DOORBELL, Lane.IO_THREAD, 0, n, 1)
        if scenario.interrupt and not scenario.direct:
            put(at + 2_000, EventKind.IRQFD, Lane.IO_THREAD, 24, n, n if scenario.doorbell else 0)
        if scenario.interrupt:
            put(at + 22_000 + random_.randrange(9_000), EventKind.HANDLER, Lane.GUEST, 0x40, n, 1, int(two))
    events: Events = np.sort(np.array(rows, EVENT), order="tsc")
    return events
