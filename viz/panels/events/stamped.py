"""Which events are the stamps that the signal looked at has passed, and which of them is the newest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bellwire.engine.events import EventKind, Lane
from bellwire.engine.folds.journeys import Journeys
from bellwire.viz.model.history import Rows
from bellwire.viz.model.journey_of import STAGE_KINDS
from bellwire.viz.stages.mark import StageMark
from bellwire.viz.stages.traced import TRACED

# The kinds of events that stamps come of; of "returned" any of the I/O thread's will do (viz/stages/moments.py).
KINDS_OF = STAGE_KINDS | {
    "fetched": [EventKind.EXIT],
    "delivered": [EventKind.WAIT],
    "window": [EventKind.WINDOW],
    "resampled": [EventKind.RESAMPLE],
    "unheard": [EventKind.SETTING, EventKind.WIRE],
    **{name: list(kinds) for name, kinds in TRACED.items()},
}


@dataclass(frozen=True)
class StampedRows:
    """journey: shape (1,). positions: of the events, as the table counts them. current: of the event that began the
    stage, or by which it had begun; -1: it is not held."""

    journey: Journeys
    positions: frozenset[int]
    current: int


def stamped_rows(rows: Rows, mark: StageMark) -> StampedRows:
    """Of the journey that is marked, up to the moment."""
    at = rows.starting(np.unique(np.array(list(mark.passed.values()), np.uint64)))
    events, found = rows.pick(at), {}
    for name, tsc in mark.passed.items():
        kind = np.isin(events["kind"], KINDS_OF[name]) if name in KINDS_OF else events["lane"] == Lane.IO_THREAD
        there = at[kind & (events["tsc"] == np.uint64(tsc))]
        if there.size:
            found[name] = int(there[0])
    return StampedRows(mark.point.journey, frozenset(found.values()), found.get(mark.newest, -1))
