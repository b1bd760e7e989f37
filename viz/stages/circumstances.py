"""What there was around a journey: the events of its time, how the wires were, who slept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bellwire.engine.events import Clock, EventKind, Events, Lane
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Traits
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.wires.plugged import Plugged, PluggedCourse


@dataclass(frozen=True)
class Circumstances:
    """events: those around the journey, from the I/O thread's last one before it on, as far as they are held.

    spins: whether the guest waits without HLT. partner: the pid of the other process, 0 if there is none. apart:
    whether the clocks of the two sides are, so that nothing between them can be told.
    """

    scenario: Scenario
    clock: Clock
    backend: str
    events: Events
    plugged: PluggedCourse
    spins: bool = False
    partner: int = 0
    apart: bool = False

    @property
    def traits(self) -> Traits:
        """Of the scenario."""
        return traits_of(self.scenario, self.backend)

    def wires(self, tsc: int) -> Plugged:
        """How the wires were at a moment."""
        return self.plugged.at(tsc)

    def stamped(self, tsc: int, *kinds: EventKind) -> np.void | None:
        """The event of these kinds at exactly this time; None if it is not held."""
        events = self.events
        found = events[(events["tsc"] == np.uint64(tsc)) & np.isin(events["kind"], kinds)]
        return found[0] if tsc and found.size else None

    def next_of(self, lane: Lane, tsc: int) -> np.void | None:
        """The first event of a lane that comes later."""
        events = self.events
        found = events[(events["lane"] == lane) & (events["tsc"] > np.uint64(tsc))]
        return found[0] if found.size else None

    def before_read(self, tsc: int) -> np.void | None:
        """What the I/O thread did last before its read() returned at `tsc`: a WAIT says that it slept."""
        events = self.events
        found = events[(events["lane"] == Lane.IO_THREAD) & (events["tsc"] < np.uint64(tsc))]
        return found[-1] if found.size else None
