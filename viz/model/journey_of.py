"""Which journey an event belongs to, and how long that journey took.

A journey's stages are the events' own time stamps, so the two are joined by time and kind, never by neighbourhood.
Several journeys can share an event (one read() that returned several doorbells): then the longest one counts.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Clock, EventKind, Events
from bellwire.engine.folds.journeys import STAGES, Journeys, no_journeys
from bellwire.engine.folds.latency import cycles_of, has
from bellwire.viz.model.history import History

# Which stage of its journey an event is.
STAGE_OF = {
    EventKind.RING: "ring",
    EventKind.RUNG: "rung",
    EventKind.EXIT: "exit",
    EventKind.ENTRY: "entry",
    EventKind.DOORBELL: "doorbell",
    EventKind.IRQFD: "irq",
    EventKind.IRQ_IOCTL: "irq",
    EventKind.SUBMIT: "irq",
    EventKind.HANDLER: "handler",
}
STAGE_KINDS = {stage: [int(kind) for kind, of in STAGE_OF.items() if of == stage] for stage in STAGES}
WHOLE = ("round_trip", "doorbell", "injection")  # a journey's latency is the first of these that it has
OUTLIVES = 0.2  # seconds that a journey's last event (the guest goes on) can come after its end

Cycles = npt.NDArray[np.float64]  # NaN: none
Known = Callable[[str], bool]  # whether the latency of that name can be told, see Latencies.known


def as_measured(_name: str) -> bool:
    """All that were measured, whatever by."""
    return True


def whole_length(journeys: Journeys, known: Known = as_measured) -> Cycles:
    """How long each journey took, in TSC cycles; NaN if nothing of it can be said; shape (n,)."""
    found = np.full(journeys.size, np.nan)
    for name in filter(known, reversed(WHOLE)):
        there = has(journeys, name)
        found[there] = cycles_of(journeys[there], name)
    return found


def part(journeys: Journeys, name: str, known: Known) -> Cycles:
    """The latency `name` of each journey ("": the whole), in TSC cycles; NaN if it has none; shape (n,)."""
    if not name:
        return whole_length(journeys, known)
    found, there = np.full(journeys.size, np.nan), has(journeys, name) & known(name)
    found[there] = cycles_of(journeys[there], name)
    return found


def around(journeys: History, events: Events, clock: Clock) -> Journeys:
    """The journeys that the events (in the order of their tsc) can belong to."""
    if not events.size:
        return no_journeys()
    return journeys.around(np.sort(events["tsc"]), clock.cycles(OUTLIVES))


def members(events: Events, journeys: Journeys) -> npt.NDArray[np.int64]:
    """For each event the index of the longest journey that it is a stage of; -1 if of none; shape (n,)."""
    found = np.full(events.size, -1, np.int64)
    if not journeys.size:
        return found
    length = np.nan_to_num(whole_length(journeys), nan=-1.0)
    for stage in STAGES:
        rows = np.flatnonzero(np.isin(events["kind"], STAGE_KINDS[stage]))
        order = np.lexsort((length, journeys[stage]))
        times = journeys[stage][order]
        at = np.searchsorted(times, events["tsc"][rows], "right") - 1
        same = (at >= 0) & (times[at] == events["tsc"][rows])
        found[rows[same]] = order[at[same]]
    return found


def latency_of(events: Events, journeys: Journeys, name: str = "", known: Known = as_measured) -> Cycles:
    """The latency `name` of each event's journey ("": the whole), in TSC cycles; NaN if it has none; shape (n,)."""
    return latency_at(members(events, journeys), journeys, name, known)


def latency_at(index: npt.NDArray[np.int64], journeys: Journeys, name: str = "", known: Known = as_measured) -> Cycles:
    """The same of the journeys at these indices, as members() has them."""
    return np.append(part(journeys, name, known), np.nan)[index]


def times_of(journeys: Journeys) -> npt.NDArray[np.uint64]:
    """The times of all their stages, rising."""
    times = np.unique(np.concatenate([journeys[stage] for stage in STAGES])) if journeys.size else np.empty(0, "u8")
    return times[times > 0]
