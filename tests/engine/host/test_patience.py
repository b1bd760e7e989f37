"""Patience ends where nothing goes on, not where nobody has a CPU."""

from __future__ import annotations

import pytest

from bellwire.engine.host.patience import Patience


class Steps:
    """A clock that goes on by a step each time it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def turns_until_it_ends(step: float, most: float = float("inf"), goes_on: int = 0, starved: bool = False) -> int:
    """How many turns of so many seconds a second's patience lasts; goes_on: in the first of them something does."""
    clock = Steps()
    patience = Patience(1.0, 0.1, most, clock)
    for turn in range(1, 1000):
        clock.now += step
        if patience.ends(min(turn, goes_on), starved=starved):
            return turn
    raise AssertionError("it never ends")


def test_it_lasts_as_long_as_it_says_where_turns_come_in_time() -> None:
    assert turns_until_it_ends(0.0625) == 18  # the first shows what there is


@pytest.mark.parametrize("late", [0.5, 5.0, 60.0])
def test_of_a_turn_that_comes_late_no_more_counts_than_two(late: float) -> None:
    assert turns_until_it_ends(late) == turns_until_it_ends(0.2) == 7


def test_it_begins_anew_whenever_something_has_gone_on() -> None:
    assert turns_until_it_ends(0.125, goes_on=50) == turns_until_it_ends(0.125) + 49


def test_it_ends_whatever_goes_on_after_the_most() -> None:
    assert turns_until_it_ends(0.125, most=5.0, goes_on=900) == 41
    assert turns_until_it_ends(60.0, most=5.0, goes_on=900) in (25, 26)


def test_how_long_nothing_went_on_is_told_by_the_clock() -> None:
    clock = Steps()
    patience = Patience(1.0, 0.1, clock=clock)
    assert not patience.ends(1)
    clock.now += 30
    assert not patience.ends(1)
    assert patience.waited == 30
    assert not patience.ends(2)
    assert patience.waited == 0


def test_while_those_that_are_waited_for_wait_for_a_cpu_it_lasts_longer() -> None:
    """A session ended with doorbells that nobody had received: their reader had got no CPU for a second."""
    assert turns_until_it_ends(0.125, starved=True) > 12 * turns_until_it_ends(0.125)
    assert turns_until_it_ends(0.125, most=1.0, starved=True) > 100


def test_one_that_goes_on_and_on_is_not_starved() -> None:
    assert turns_until_it_ends(0.125, most=5.0, goes_on=900, starved=True) == 41
