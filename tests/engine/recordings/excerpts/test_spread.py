"""Where in a recording so many events are, as its batches say."""

from __future__ import annotations

import numpy as np

from bellwire.engine.recordings.excerpts.spread import Spread
from bellwire.engine.recordings.recording import ENTRY, Entries


def entries(*batches: tuple[int, int, int]) -> Entries:
    """Of (first, last, events)."""
    found = np.zeros(len(batches), ENTRY)
    for number, (first, last, events) in enumerate(batches):
        found[number]["first"], found[number]["last"], found[number]["events"] = first, last, events
    return found


def test_events_are_spread_evenly_within_a_batch() -> None:
    spread = Spread(entries((1000, 1099, 50), (1050, 1149, 100), (5000, 5000, 7)))
    assert spread.between(1000, 5000) == 157
    assert spread.between(1000, 1049) == 25
    assert spread.between(1050, 1099) == 75
    assert spread.between(2000, 4999) == 0
    assert spread.between(5000, 5000) == 7
    assert spread.between(0, 999) == spread.between(5001, 9000) == 0


def test_so_many_events_away() -> None:
    spread = Spread(entries((1000, 1099, 100), (9000, 9099, 100)))
    assert spread.away(1000, 10) == 1010
    assert spread.away(1050, -10) == 1040
    assert spread.away(1090, 20) == 9010
    assert spread.away(9010, -20) == 1090
    assert (spread.away(1050, 10**6), spread.away(1050, -(10**6))) == (9100, 1000)
    assert (spread.away(20_000, 5), spread.away(5, -5)) == (20_000, 5)


def test_a_stretch_is_cut_into_pieces_that_leave_nothing_out() -> None:
    spread = Spread(entries((1000, 1099, 100), (9000, 9099, 100)))
    pieces = spread.pieces(500, 20_000, 60)
    assert [start for start, _ in pieces[1:]] == [end for _, end in pieces[:-1]]
    assert (pieces[0][0], pieces[-1][1]) == (500, 20_000)
    assert all(spread.between(start, end - 1) <= 81 for start, end in pieces)
    assert len(pieces) == 3
    assert spread.pieces(1000, 1010, 60) == [(1000, 1010)]


def test_a_recording_without_events_has_no_place() -> None:
    spread = Spread(entries())
    assert (spread.between(0, 10), spread.away(5, 100)) == (0, 5)
    assert spread.pieces(0, 10, 4) == [(0, 10)]
