"""A batch of events summed up in rows, a row about 128 events, and rows summed up in rows. Pure numpy.

What a row holds adds up, so that eight rows are one row of the next level, and any stretch of time costs a few thousand
rows at most.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Events, Lane, each_of, vms_in
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


def rows_in(events: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """How many rows batches of so many events have; same shape."""
    return np.maximum(1, np.asarray(events, np.int64) // EVENTS_A_ROW)


def rows_of(events: Events, journeys: Journeys) -> Rows:
    """The rows of a batch (at least one event, sorted by tsc) and of the journeys that it completed."""
    n = int(rows_in(events.size))
    first, last = int(events["tsc"][0]), int(events["tsc"][-1])
    step, rest = divmod(last - first, n)  # apart, so that nothing is multiplied that does not fit into 64 bits
    number = np.arange(n + 1, dtype=np.uint64)
    edges = np.uint64(first) + number * np.uint64(step) + number * np.uint64(rest) // np.uint64(n)
    rows = np.zeros(n, ROW)
    rows["start"], rows["end"] = edges[:-1], edges[1:]
    until = np.searchsorted(events["tsc"], edges[1:-1])  # as events are sorted: where in them each row ends
    places = np.repeat(np.arange(n), np.diff([0, *until, events.size]))
    rows["lanes"] = value_counts(places, events["lane"], n, len(Lane))
    add_busy(rows, edges, events, journeys)
    return rows


def row_at(edges: npt.NDArray[np.uint64], tsc: npt.NDArray[np.uint64]) -> Places:
    """Which row each time belongs to; what is outside belongs to the first or the last."""
    return np.clip(np.searchsorted(edges, tsc, side="right") - 1, 0, edges.size - 2)


def value_counts(places: Places, values: npt.NDArray[np.unsignedinteger], n: int, width: int) -> npt.NDArray[np.int64]:
    """How often each value comes in each row; shape (n, width)."""
    return np.bincount(places * width + values, minlength=n * width).reshape(n, width)


def add_busy(rows: Rows, edges: npt.NDArray[np.uint64], events: Events, journeys: Journeys) -> None:
    """Cycles, counted where each stretch ended."""
    spans: dict[str, Spans] = {"flight": flights(journeys), "awake": awake(events)}
    for vm, of_vm in each_of(events, "vm", vms_in(events)):
        spans |= {f"instruction{vm}": instruction(of_vm), f"user{vm}": user_space(of_vm)}
    for number, name in enumerate(BUSY):
        if name in spans and spans[name].start.size:
            start, end = spans[name]
            cycles = (end - start).astype(np.float64)
            rows["busy"][:, number] = np.bincount(row_at(edges, end), cycles, minlength=rows.size)


def next_level(rows: Rows) -> Rows:
    """The next level: MERGED rows in one."""
    first = np.arange(0, rows.size, MERGED)
    out = np.empty(first.size, ROW)
    for name in SUMS:
        out[name] = np.add.reduceat(rows[name], first)
    out["start"] = np.minimum.reduceat(rows["start"], first)
    out["end"] = np.maximum.reduceat(rows["end"], first)
    return out
