"""Rows that stay under the reader, follow the newest or the playhead, and are said and written as they are."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.engine.events import EVENT, EventKind, Events, Lane
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.model import history
from bellwire.viz.model.filter_language import parse
from bellwire.viz.model.journey_of import around, latency_of
from bellwire.viz.panels.events.cells import COLUMNS, FIELDS, csv_pieces, event_rows, moment, tab_separated
from bellwire.viz.panels.events.rows import EventList
from bellwire.viz.text.figures import THIN, Durations, unit_called
from tests.support.batch_source import cut_world, drained, model_of, world
from tests.support.shifted import shifted_run
from tests.support.shipped_models import shipped_model


def rings(first: int, count: int) -> Events:
    numbers = range(first, first + count)
    return np.array([(1000 + n, EventKind.RING, Lane.GUEST, 0, 0x510, n, 0) for n in numbers], EVENT)


def shown(events: EventList) -> list[int]:
    return [int(position) for position in events.page()[int(events.top > 0) :]]


def test_it_follows_the_newest_until_somebody_scrolls() -> None:
    model = model_of([rings(1 + 100 * n, 100) for n in range(4)])
    events = EventList(model)
    events.rows = 10
    for _ in range(2):
        model.drain()
        events.search.advance()
        assert shown(events) == list(range(model.events.total - 10, model.events.total))
    events.scroll(-3)
    for _ in range(2):
        model.drain()
        events.search.advance()
        assert shown(events) == list(range(187, 197))
    events.follow()
    assert shown(events) == list(range(390, 400))


def test_rows_stay_while_older_ones_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "CHUNK", 64)
    model = model_of([rings(1 + 100 * n, 100) for n in range(8)])
    model.events.limit = 300
    events = EventList(model)
    events.rows = 5
    for _ in range(4):
        model.drain()
    events.search.advance()
    events.scroll_to(events.search.index(350))
    model.drain()
    events.search.advance()
    assert model.events.oldest > 0
    assert shown(events) == [350, 351, 352, 353, 354]
    for _ in range(3):
        model.drain()
    events.search.advance()
    oldest = model.events.oldest
    assert shown(events) == list(range(oldest, oldest + 5))


def test_paused_the_last_row_is_the_one_at_the_playhead() -> None:
    model = drained(rings(1, 500))
    events = EventList(model)
    events.search.advance()
    events.rows = 4
    model.transport.seek(1000 + 120)
    assert shown(events) == [116, 117, 118, 119]


def test_a_choice_is_in_view_and_marks_all_from_the_anchor() -> None:
    model = drained(world(4))
    events = EventList(model, parse("kind=ring"))
    events.search.advance()
    events.rows = 6
    some = events.search.positions(0, 100)
    events.choose(int(some[20]))
    assert int(some[20]) in shown(events)
    events.choose(int(some[25]), extend=True)
    assert events.marked().tolist() == some[20:26].tolist()
    assert events.row_beside(1) == some[26]
    assert events.row_beside(-(10**9)) == some[0]
    assert events.row_beside(10**9) == int(events.search.positions(len(events) - 1, len(events))[0])


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), moves=st.lists(st.integers(-30, 30), max_size=8))
def test_whatever_comes_the_rows_in_view_are_rows_that_fit_in_order(seed: int, moves: list[int]) -> None:
    batches = cut_world(seed)
    model = model_of(batches)
    events = EventList(model, parse("latency>150ns"))
    events.rows = 7
    for n, _ in enumerate(batches):
        model.drain()
        events.search.advance()
        before = shown(events)
        if n < len(moves):
            events.scroll(moves[n])
        page = shown(events)
        assert page == sorted(set(page))
        assert len(page) == min(7, len(events))
        assert not events.following or moves[n : n + 1] in ([], [0]) or before == page or not page


# -- what the cells say


def test_each_row_says_when_where_and_what() -> None:
    model = drained(world(5))
    events = EventList(model)
    events.search.advance()
    rows = event_rows(model, events.wording, np.arange(3, 9), skip=1)
    held = model.events.pick(np.arange(3, 9))
    assert [row.position for row in rows] == [4, 5, 6, 7, 8]
    for row, before, event in zip(rows, held[:-1], held[1:], strict=True):
        assert len(row.cells) == len(COLUMNS)
        assert row.cells[0].replace(THIN, "") == f"{(int(event['tsc']) - model.started_at) / 1e9:.9f}"
        assert row.cells[1] == f"{int(event['tsc']) - int(before['tsc'])} ns"
        assert row.cells[6] == (str(int(event["seq"])) if event["seq"] and event["kind"] != EventKind.ENTRY else "")
    assert tab_separated(rows).count("\n") == 4
    assert THIN not in tab_separated(rows)


def test_the_events_of_the_chosen_journey_are_marked() -> None:
    model = drained(world(5))
    answered = model.journeys.newest(20)
    model.selection.choose(journeys=answered[(answered["ring"] > 0) & (answered["handler"] > 0)][:1])
    events = EventList(model)
    events.search.advance()
    rows = event_rows(model, events.wording, np.arange(model.events.total), skip=0)
    marked = {int(row.event["kind"]) for row in rows if row.of_choice}
    assert {EventKind.RING, EventKind.DOORBELL, EventKind.HANDLER} <= marked
    assert sum(row.of_choice for row in rows) <= 7


@pytest.mark.parametrize(
    ("unit", "text"),
    [("fitting", "1.500000250"), ("ns", "1500000250"), ("us", "1500000.250"), ("cycles", "1500000250")],
)
def test_a_moment_has_all_its_digits_in_every_unit(unit: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = drained(world(1, 20))
    monkeypatch.setattr(Durations, "unit", unit_called(unit, 1e9))
    assert moment(1_500_000_250, model.clock).replace(THIN, "") == text


def test_a_file_has_every_row_with_raw_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.viz.panels.events.cells.PIECE", 20)
    model = drained(world(5, 600))
    events = EventList(model, parse("kind=ring,handler"))
    events.search.advance()
    wanted = events.events(events.search.positions(0, len(events)))
    pieces, shares = zip(*csv_pieces(model, events.wording, wanted), strict=True)
    assert shares[-1] == 1.0
    table = list(csv.DictReader(io.StringIO(b"".join(pieces).decode())))
    assert list(table[0]) == list(FIELDS)
    assert len(table) == wanted.size > 50
    latency = latency_of(wanted, around(model.journeys, wanted, model.clock))
    before = model.started_at
    for row, event, cycles in zip(table, wanted, latency, strict=True):
        assert int(row["tsc"]) == event["tsc"]
        assert int(row["delta_ns"]) == int(event["tsc"]) - before
        assert row["latency_ns"] == ("" if np.isnan(cycles) else f"{cycles:.0f}")
        assert row["what"] == events.wording.text(event).replace(THIN, "")
        before = int(event["tsc"])


def test_latencies_that_cannot_be_told_are_in_no_cell_and_no_file() -> None:
    """A dash where there is one, and nothing where other programs count."""
    emulated = shipped_model("roundtrip@kvm_amd")
    apart = drained(shifted_run(load_scenario("doorbell-pio"), 25_000), "doorbell-pio")
    assert not apart.present.latencies.known("doorbell")
    for model in (emulated, apart):
        wording = EventList(model).wording
        cells = [row.cells[-1] for row in event_rows(model, wording, np.arange(model.rows.oldest, model.rows.total), 0)]
        assert set(cells) == {"", "–"}
        events = model.rows.pick(np.arange(model.rows.oldest, model.rows.total))
        table = b"".join(piece for piece, _ in csv_pieces(model, wording, events))
        assert {row["latency_ns"] for row in csv.DictReader(io.StringIO(table.decode()))} == {""}
