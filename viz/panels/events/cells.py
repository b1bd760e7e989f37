"""What the event table says in each cell, and what it writes into a file.

Text is made for the rows in view only. A file has raw numbers beside the words, so that other programs can count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from bellwire.engine.events import SIGNALLING, Clock, EventKind, Events, Lane
from bellwire.engine.language import Spoken, tr, tr_later
from bellwire.viz.model.journey_of import around, latency_at, latency_of, members
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.search import Positions
from bellwire.viz.panels.events.stamped import StampedRows
from bellwire.viz.text.event_words import LANE_NAMES, Wording, kind_name, lane_name
from bellwire.viz.text.figures import THIN, Durations, duration, grouped, spent

# What the number of an event counts: doorbells or interrupts. Of all others it is something else, and in their words.
GUESTS = (EventKind.RING, EventKind.RUNG, EventKind.HANDLER, EventKind.EXIT, EventKind.WINDOW)
HOSTS = (EventKind.DOORBELL, *SIGNALLING, EventKind.RESAMPLE)
NUMBERED = frozenset((*GUESTS, *HOSTS))
PIECE = 1 << 14  # rows that are written in one go


class Column(NamedTuple):
    """A column of the table: its heading, its width (0: what is left), whether it holds numbers; texts as messages."""

    title: str
    width: int
    number: bool
    tip: str


COLUMNS = (
    Column("time", 138, True, tr_later("Since the first event")),
    Column("Δ", 96, True, tr_later("Since the row above")),
    Column(tr_later("lane"), 92, False, tr_later("Where it happened")),
    Column("VM", 36, True, tr_later("In which virtual machine")),
    Column(tr_later("kind"), 88, False, tr_later("What the filter calls it")),
    Column(tr_later("what happened"), 0, False, tr_later("In words; a filter's /pattern/ is looked for here")),
    Column(tr_later("number"), 92, True, tr_later("Of the doorbell or the interrupt")),
    Column(tr_later("latency"), 98, True, tr_later("Of its journey: the round trip, else the way that is measured")),
)


@dataclass
class EventRow:
    """A row in view: its event's position and number in the history, and its cells.

    of_choice: its journey is the one that is chosen or looked at; passed: by the moment that is looked at.
    """

    position: int
    event: np.void
    cells: tuple[str, ...]
    of_choice: bool
    passed: bool = True


def event_rows(
    model: LiveModel, wording: Wording, positions: Positions, skip: int, looked: StampedRows | None = None
) -> list[EventRow]:
    """The rows at some positions (rising), but for the first `skip`, which are there for the Δ of the next.

    looked: the stamps of the journey that is looked at, in slow motion, at a step and in a story.
    """
    positions = positions[positions >= model.rows.oldest]
    events = model.rows.pick(positions)
    journeys = around(model.journeys, events, model.clock)
    index = members(events, journeys)
    there = ~np.isnan(latency_at(index, journeys))
    latency = latency_at(index, journeys, known=model.present.latencies.known)
    chosen = members(events, looked.journey if looked else model.selection.journeys) >= 0
    found, before = [], 0
    for n, (position, event) in enumerate(zip(positions.tolist(), events, strict=True)):
        told = duration(None if np.isnan(latency[n]) else model.clock.ns(latency[n])) if there[n] else ""
        cells = cells_of(event, before, told, model, wording)
        stamp = looked is not None and position in looked.positions
        found.append(EventRow(position, event, cells, bool(chosen[n]) or stamp, stamp or looked is None))
        before = int(event["tsc"])
    return found[skip:]


def cells_of(event: np.void, before: int, latency: str, model: LiveModel, wording: Wording) -> tuple[str, ...]:
    """One row's texts. before: TSC of the row above, 0 if there is none; latency: in words."""
    tsc, number, clock = int(event["tsc"]), int(event["seq"]), model.clock
    return (
        moment(tsc - model.started_at, clock),
        spent(clock, tsc - before) if before else "",
        lane_name(int(event["lane"])),
        str(int(event["vm"])),
        kind_name(int(event["kind"])),
        wording.text(event),
        grouped(number) if number and event["kind"] in NUMBERED else "",
        latency,
    )


def moment(cycles: int, clock: Clock) -> str:
    """A time since the start with all its digits, in the window's unit: 1.234 567 890 (s), 1 234.567 (µs)."""
    unit = Durations.unit
    if unit.name == "cycles":
        return grouped(cycles)
    ns = round(clock.ns(cycles))
    if unit.name == "ns":
        return grouped(ns)
    if unit.name == "us":
        return f"{grouped(ns // 1000)}{Spoken.decimal_sign}{ns % 1000:03}"
    whole, rest = divmod(ns, 10**9)
    digits = f"{rest:09}"
    return f"{grouped(whole)}{Spoken.decimal_sign}{THIN.join((digits[:3], digits[3:6], digits[6:]))}"


def time_title() -> str:
    """The heading of the first column."""
    return tr("time, {unit}", unit=Durations.unit.text or "s")


def tab_separated(rows: list[EventRow]) -> str:
    """Rows as tab-separated text, numbers without spaces."""
    return "\n".join("\t".join(cell.replace(THIN, "") for cell in row.cells) for row in rows)


# -- files


FIELDS = ("time_ns", "delta_ns", "tsc", "lane", "vm", "kind", "id", "number", "value", "latency_ns", "what")


def csv_pieces(model: LiveModel, wording: Wording, events: Events) -> Iterator[tuple[bytes, float]]:
    """The events as CSV, piece by piece; with each the share that is done."""
    yield (",".join(FIELDS) + "\r\n").encode(), 0.0
    before = model.started_at
    for first in range(0, events.size, PIECE):
        piece = events[first : first + PIECE]
        yield csv_of(model, wording, piece, before), min(1.0, (first + PIECE) / events.size)
        before = int(piece["tsc"][-1])


def lane_in_file(lane: int) -> str:
    """The lane's name in every language."""
    return LANE_NAMES[Lane(lane)] if lane in Lane._value2member_map_ else f"lane {lane}"


def csv_of(model: LiveModel, wording: Wording, events: Events, before: int) -> bytes:
    """The lines of some events; before: TSC of the event above them."""
    import pyarrow as pa
    from pyarrow import csv

    clock, tsc = model.clock, events["tsc"].astype(np.int64)
    known = model.present.latencies.known
    latency = latency_of(events, around(model.journeys, events, clock), known=known) * (1e9 / clock.hz)
    columns: tuple[Any, ...] = (
        np.round(clock.ns_array(tsc - model.started_at)).astype(np.int64),
        np.round(clock.ns_array(np.diff(tsc, prepend=before))).astype(np.int64),
        tsc,
        [lane_in_file(lane) for lane in events["lane"].tolist()],
        events["vm"],
        [kind_name(kind) for kind in events["kind"].tolist()],
        events["id"],
        events["seq"],
        events["arg"],
        pa.array(np.round(latency), mask=np.isnan(latency)).cast(pa.int64()),
        wording.plain(events),
    )
    table = pa.table(dict(zip(FIELDS, [pa.array(column) for column in columns], strict=True)))
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink, csv.WriteOptions(include_header=False))
    return sink.getvalue().to_pybytes()
