"""A batch of events summed up in rows, a row about 128 events, and rows summed up in rows. Pure numpy.

What a row holds adds up, so that eight rows are one row of the next level, and any stretch of time costs a few thousand
rows at most.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import ByKind, EventKind, Events, Lane, by_kind, chosen
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.folds.spans import Spans, awake, flights, instruction, user_space

EVENTS_A_ROW = 128
MERGED = 8  # rows that are one of the next level
VMS = 4  # whose lanes are told apart
BUSY = ("flight", "awake", *(f"{what}{vm}" for vm in range(VMS) for what in ("instruction", "user")))

ROW: np.dtype[np.void] = np.dtype(
    [
        ("start", "<u8"),  # TSC
        ("end", "<u8"),
        ("lanes", "<u4", (len(Lane),)),  # how many events in each Lane
        ("busy", "<f4", (len(BUSY),)),  # cycles, by the names in BUSY
    ]
)
SUMS = ("lanes", "busy")
Rows = npt.NDArray[np.void]  # shape (n,), dtype ROW
Places = npt.NDArray[np.intp]
Times = npt.NDArray[np.uint64]


def rows_in(events: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """How many rows batches of so many events have; same shape."""
    return np.maximum(1, np.asarray(events, np.int64) // EVENTS_A_ROW)


def rows_of(events: Events | ByKind, journeys: Journeys) -> Rows:
    """The rows of a batch (at least one event, sorted by tsc) and of the journeys that it completed."""
    batch = by_kind(events)
    events = batch.events
    n = int(rows_in(events.size))
    first, last = int(events["tsc"][0]), int(events["tsc"][-1])
    step, rest = divmod(last - first, n)  # apart, so that nothing is multiplied that does not fit into 64 bits
    number = np.arange(n + 1, dtype=np.uint64)
    edges = np.uint64(first) + number * np.uint64(step) + number * np.uint64(rest) // np.uint64(n)
    rows = np.zeros(n, ROW)
    rows["start"], rows["end"] = edges[:-1], edges[1:]
    until = np.searchsorted(events["tsc"], edges[1:-1])  # as events are sorted: where in them each row ends
    add_lanes(rows, until, events)
    add_busy(rows, edges, batch, journeys)
    return rows


def add_lanes(rows: Rows, until: Places, events: Events) -> None:
    """How many events of each lane; until: where in them each row but the last ends."""
    lanes = np.ascontiguousarray(events["lane"])
    for lane in Lane:
        of_lane = np.flatnonzero(lanes == int(lane))
        if of_lane.size:
            rows["lanes"][:, lane] = np.diff(np.searchsorted(of_lane, until), prepend=0, append=of_lane.size)


def add_busy(rows: Rows, edges: Times, batch: ByKind, journeys: Journeys) -> None:
    """Cycles, counted where each stretch ended."""
    for name, (start, end) in busy_spans(batch, journeys):
        if start.size:
            rows["busy"][:, BUSY.index(name)] = cycles_by_row(edges, start, end)


def busy_spans(batch: ByKind, journeys: Journeys) -> Iterator[tuple[str, Spans]]:
    """The stretches of each name in BUSY that there are."""
    events = batch.events
    yield "flight", flights(journeys)
    yield "awake", awake(events)
    vms = np.ascontiguousarray(events["vm"])
    for vm in range(min(int(vms.max()) + 1, VMS)):
        of_vm = chosen(events, vms == vm) if vms.any() else events
        if batch.has(EventKind.RUNG):
            yield f"instruction{vm}", instruction(of_vm)
        if batch.has(EventKind.EXIT):
            yield f"user{vm}", user_space(of_vm)


def cycles_by_row(edges: Times, start: Times, end: Times) -> npt.NDArray[np.float64]:
    """The cycles of the stretches that end in each row; what is outside belongs to the first or the last."""
    cycles = end - start
    if (end[1:] < end[:-1]).any():
        place = np.clip(np.searchsorted(edges, end, side="right") - 1, 0, edges.size - 2)
        return np.bincount(place, cycles.astype(np.float64), minlength=edges.size - 1).astype(np.float64)
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(cycles)])
    before = np.searchsorted(end, edges[1:-1])  # in order, as mostly: edges are looked for, which are fewer than ends
    return np.diff(total[before], prepend=total[:1], append=total[-1:]).astype(np.float64)


def next_level(rows: Rows) -> Rows:
    """The next level: MERGED rows in one."""
    first = np.arange(0, rows.size, MERGED)
    out = np.empty(first.size, ROW)
    for name in SUMS:
        out[name] = np.add.reduceat(rows[name], first)
    out["start"] = np.minimum.reduceat(rows["start"], first)
    out["end"] = np.maximum.reduceat(rows["end"], first)
    return out
