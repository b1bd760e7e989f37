"""Journeys are told only where exactly one request was under way."""

from __future__ import annotations

from bellwire.engine.attached.hops.one_at_a_time import Letter, OneAtATime, Turn
from tests.support.kernel_records import CLOCK

MS = 1_000_000


def told(*steps: tuple[int, str]) -> OneAtATime:
    """R: rung, S: sent, T: taken; each at its ms."""
    fold = OneAtATime(CLOCK)
    turns = {"R": Turn.RUNG, "S": Turn.SENT, "T": Turn.TAKEN}
    fold.feed([Letter(turns[turn], ms * MS, "irq" if turn != "R" else "bell") for ms, turn in steps])
    return fold


def test_before_it_was_quiet_nothing_is_known() -> None:
    assert told((0, "R"), (1, "S"), (1, "T"), (2, "R"), (3, "S"), (3, "T")).journeys.count == 0


def test_once_it_was_quiet_each_interrupt_answers_the_doorbell_before_it() -> None:
    fold = told((0, "R"), (1, "S"), (1, "T"), (100, "R"), (101, "S"), (103, "T"), (104, "R"), (105, "S"), (106, "T"))
    assert (fold.rung, fold.journeys.count, fold.journeys.min, fold.journeys.max) == (3, 2, 2 * MS, 3 * MS)


def test_two_in_a_row_end_it_until_it_is_quiet_again() -> None:
    quiet = [(0, "R"), (1, "S"), (1, "T"), (100, "R"), (101, "S"), (102, "T")]
    doorbells = [(103, "R"), (104, "R"), (105, "S"), (105, "T"), (106, "R"), (107, "S"), (107, "T")]
    assert told(*quiet, *doorbells).journeys.count == 1
    interrupts = [(103, "S"), (104, "T"), (105, "R"), (106, "S"), (106, "T")]
    assert told(*quiet, *interrupts).journeys.count == 1
    assert told(*quiet, *doorbells, (300, "R"), (301, "S"), (302, "T")).journeys.count == 2


def test_what_was_lost_ends_it_too() -> None:
    fold = told((0, "R"), (1, "S"), (1, "T"), (100, "R"))
    fold.forget()
    fold.feed([Letter(Turn.SENT, 101 * MS, "irq"), Letter(Turn.TAKEN, 102 * MS, "irq")])
    assert fold.journeys.count == 0
