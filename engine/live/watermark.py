"""Up to which time a live stream is complete, so that it can be handed on in order.

A guest publishes the stamps of a doorbell only once its instruction is over; by then the doorbell may have left to user
space, or have arrived, and these events must wait for the stamps, which are of an earlier time. So must all events for
those of a thread that others keep from its CPU, as it may be just before publishing one.
"""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import Clock, EventKind, Events, doorbell_numbers, vms_in
from bellwire.engine.host.headway import Headway
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.scenarios.scenario import Scenario

HOLD_SECONDS = 0.002  # how long an event is held back at least: what is published is seen, far sooner, by all CPUs
PUBLISH_SECONDS = 1.0  # how long a thread, or a guest that has rung, may take to publish it


class Watermark:
    """Is told of all events as they are drained. Guests and vCPUs number their doorbells each for itself."""

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        self._direct = scenario.direct
        self._queues = scenario.doorbell.queues if scenario.doorbell else 1
        self._clock = clock
        self._arrived = 0  # doorbells that have arrived: at the host, or at a handler if nobody else receives them
        self._left: dict[int, int] = {}  # by guest or vCPU: newest doorbell that has left to user space,
        self._published: dict[int, int] = {}  # newest one whose stamps are there,
        self._rung_at: dict[int, int] = {}  # and when that was
        self._waiting_since = 0
        self._headway = Headway(())
        self._looked_at = self._reached = 0  # by all threads, at the newest look

    def follow(self, threads: SignalThreads) -> None:
        """Once they run: who publishes."""
        self._headway = Headway(threads.own, threads.processes)

    def look(self, now: int) -> None:
        """To be called before everything is drained: how far the threads have come, of which all is there then."""
        self._looked_at, self._reached = now, self._headway.at(now)

    def note(self, events: Events) -> None:
        """Takes what was drained, in any order."""
        kind = events["kind"]
        arrived = events["seq"][kind == EventKind.HANDLER] if self._direct else self._received(events)
        self._arrived = max(self._arrived, int(arrived.max(initial=0)))
        left, rung = events[kind == EventKind.EXIT], events[kind == EventKind.RUNG]
        for vm in vms_in(left):
            self._left[vm] = int(left["seq"][left["vm"] == vm].max())
        for vm in vms_in(rung):
            own = rung[rung["vm"] == vm]
            self._published[vm], self._rung_at[vm] = int(own["seq"].max()), int(own["tsc"].max())

    def _received(self, events: Events) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        return doorbell_numbers(events[events["kind"] == EventKind.DOORBELL], self._queues)

    def at(self) -> int:
        """As of the newest look: the time behind which nothing earlier is to come."""
        now, longest = self._looked_at, self._clock.cycles(PUBLISH_SECONDS)
        behind = min(now - self._clock.cycles(HOLD_SECONDS), max(self._reached, now - longest))
        if not self._awaited:
            self._waiting_since = now
        waits = self._awaited and now - self._waiting_since < longest
        return min(behind, min(self._rung_at.values(), default=0)) if waits else behind

    @property
    def published(self) -> dict[int, int]:
        """By guest or vCPU: TSC of its newest stamps."""
        return self._rung_at

    @property
    def _awaited(self) -> bool:
        """Whether there are doorbells whose stamps are to come."""
        left = any(newest > self._published.get(vm, 0) for vm, newest in self._left.items())
        return left or self._arrived > sum(self._published.values())
