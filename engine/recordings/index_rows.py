"""A batch of events summed up in rows, a row about 128 events, and rows summed up in rows. Pure numpy.

What a row holds adds up (counts, busy cycles) or is an extreme (the shortest and longest latency), so that eight rows
are one row of the next level, and any stretch of time costs a few thousand rows at most.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Clock, EventKind, Events, Lane
from bellwire.engine.folds.journeys import Journeys, finish
from bellwire.engine.folds.latency import LATENCIES, cycles_of, has
from bellwire.engine.folds.spans import Spans, awake, flights, instruction, user_space

EVENTS_A_ROW = 128
MERGED = 8  # rows that are one of the next level
VMS = 4  # whose lanes are told apart
KINDS = max(EventKind) + 1
BUSY = ("flight", "awake", *(f"{what}{vm}" for vm in range(VMS) for what in ("instruction", "user")))

ROW: np.dtype[np.void] = np.dtype(
    [
        ("start", "<u8"),  # TSC
        ("end", "<u8"),
        ("kinds", "<u4", (KINDS,)),  # how many events of each EventKind
        ("lanes", "<u4", (len(Lane),)),  # how many in each Lane
        ("busy", "<f4", (len(BUSY),)),  # cycles, by the names in BUSY
        ("count", "<u4", (len(LATENCIES),)),  # latencies of journeys that ended here
        ("min", "<f4", (len(LATENCIES),)),  # ns; infinite if there is none
        ("max", "<f4", (len(LATENCIES),)),  # ns; 0 if there is none
    ]
)
SUMS = ("kinds", "lanes", "busy", "count")
Rows = npt.NDArray[np.void]  # shape (n,), dtype ROW
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


def rows_in(events: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """How many rows batches of so many events have; same shape."""
    return np.maximum(1, np.asarray(events, np.int64) // EVENTS_A_ROW)


def rows_of(events: Events, journeys: Journeys, clock: Clock) -> Rows:
    """The rows of a batch (at least one event, sorted by tsc) and of the journeys that it completed."""
    n = int(rows_in(events.size))
    first, last = int(events["tsc"][0]), int(events["tsc"][-1])
    edges = first + np.arange(n + 1, dtype=np.uint64) * np.uint64(last - first) // np.uint64(n)
    rows = np.zeros(n, ROW)
    rows["start"], rows["end"], rows["min"] = edges[:-1], edges[1:], np.inf
    places = row_at(edges, events["tsc"])
    rows["kinds"] = value_counts(places, events["kind"], n, KINDS)
    rows["lanes"] = value_counts(places, events["lane"], n, len(Lane))
    add_busy(rows, edges, events, journeys)
    add_latencies(rows, edges, journeys, clock)
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
    for vm in np.unique(events["vm"]).tolist():
        of_vm = events if vm == 0 and not events["vm"].any() else events[events["vm"] == vm]
        spans |= {f"instruction{vm}": instruction(of_vm), f"user{vm}": user_space(of_vm)}
    for number, name in enumerate(BUSY):
        if name in spans and spans[name].start.size:
            start, end = spans[name]
            cycles = (end - start).astype(np.float64)
            rows["busy"][:, number] = np.bincount(row_at(edges, end), cycles, minlength=rows.size)


def add_latencies(rows: Rows, edges: npt.NDArray[np.uint64], journeys: Journeys, clock: Clock) -> None:
    """Number and extremes of each latency, counted where the journey ended."""
    if not journeys.size:
        return
    places = row_at(edges, finish(journeys))
    for number, name in enumerate(LATENCIES):
        there = has(journeys, name)
        ns = clock.ns_array(cycles_of(journeys[there], name))
        rows["count"][:, number] = np.bincount(places[there], minlength=rows.size)
        rows["min"][:, number], rows["max"][:, number] = extremes(places[there], ns, rows.size)


def extremes(places: Places, values: Floats, n: int) -> tuple[Floats, Floats]:
    """The least and the greatest of the values in each of n places; infinite and 0 where there is none."""
    low, high = np.full(n, np.inf), np.zeros(n)
    np.minimum.at(low, places, values)
    np.maximum.at(high, places, values)
    return low, high


def next_level(rows: Rows) -> Rows:
    """The next level: MERGED rows in one."""
    first = np.arange(0, rows.size, MERGED)
    out = np.empty(first.size, ROW)
    for name in SUMS:
        out[name] = np.add.reduceat(rows[name], first)
    for name in ("start", "min"):
        out[name] = np.minimum.reduceat(rows[name], first)
    for name in ("end", "max"):
        out[name] = np.maximum.reduceat(rows[name], first)
    return out
