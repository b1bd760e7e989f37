"""Which interrupts a masked pin swallowed: by their numbers."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine.events import EVENT, EventKind, Events, Lane, Setting
from bellwire.engine.folds.masked_pin import MaskedPin


def changes(*settings: tuple[int, int]) -> Events:
    """MASKED events of (newest interrupt, masked)."""
    rows = [
        (n, EventKind.SETTING, Lane.ENGINE, 0, Setting.MASKED, newest, on) for n, (newest, on) in enumerate(settings)
    ]
    return np.array(rows, EVENT)


def pin(*settings: tuple[int, int]) -> MaskedPin:
    made = MaskedPin()
    made.feed(changes(*settings))
    return made


def test_without_a_word_on_it_nothing_is_lost() -> None:
    assert MaskedPin().lost(1000) == 0
    assert not MaskedPin().drops(np.arange(1, 5, dtype=np.uint64)).any()


def test_masked_from_the_start_all_is_lost() -> None:
    assert (pin((0, 1)).masked, pin((0, 1)).lost(7)) == (True, 7)


@pytest.mark.parametrize(("upto", "kept"), [(0, 0), (2, 2), (3, 2), (5, 2), (6, 6), (9, 9), (10, 9), (1000, 9)])
def test_the_newest_that_is_kept(upto: int, kept: int) -> None:
    assert pin((2, 1), (5, 0), (9, 1)).newest_kept(np.array([upto], np.uint64)).tolist() == [kept]
    assert MaskedPin().newest_kept(np.array([upto], np.uint64)).tolist() == [upto]


@pytest.mark.parametrize(
    ("upto", "lost"), [(0, 0), (2, 0), (3, 1), (5, 3), (6, 3), (9, 3), (10, 4), (12, 6), (1000, 994)]
)
def test_spans_add_up(upto: int, lost: int) -> None:
    assert pin((2, 1), (5, 0), (9, 1)).lost(upto) == lost


def test_each_number_is_told_apart() -> None:
    numbers = np.arange(1, 12, dtype=np.uint64)
    lost = pin((2, 1), (5, 0), (5, 1), (5, 0), (9, 1)).drops(numbers)
    assert numbers[lost].tolist() == [3, 4, 5, 10, 11]


def test_masking_twice_is_masking_once() -> None:
    assert pin((2, 1), (4, 1), (5, 0), (7, 0)) == pin((2, 1), (5, 0))


def test_a_number_beyond_all_numbers_is_no_fault() -> None:
    """What a damaged recording's counts add up to."""
    pin = MaskedPin()
    pin.mask(0)
    assert pin.lost(2**64 + 5) == pin.lost(2**64 - 1) > 0
