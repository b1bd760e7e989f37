"""Durations in every unit."""

from __future__ import annotations

import pytest

from bellwire.viz.text.figures import (
    FITTING,
    UNIT_NAMES,
    Durations,
    duration,
    grouped,
    localized,
    round_duration,
    signed,
    unit_called,
)

HZ = 2.5e9
VALUES = {
    "fitting": ["0 ns", "999 ns", "2.91 µs", "1.20 ms", "3.00 s"],
    "ns": ["0 ns", "999 ns", "2 914 ns", "1.20M ns", "3.00G ns"],
    "us": ["0.00 µs", "1.00 µs", "2.91 µs", "1 200 µs", "3.00M µs"],
    "cycles": ["0 cycles", "2 498 cycles", "7 285 cycles", "3.00M cycles", "7.50G cycles"],
}


@pytest.mark.parametrize("name", list(UNIT_NAMES))
def test_durations(name: str) -> None:
    unit = unit_called(name, HZ)
    said = [duration(ns, unit).replace("\u202f", " ") for ns in (0, 999, 2914, 1_200_000, 3_000_000_000)]
    assert said == VALUES[name]
    assert unit.name == name
    assert all(duration(ns, unit).count(" ") == 1 for ns in (1, 1e5, 1e9))
    assert duration(None, unit) == "–"


def test_no_digits_are_told_that_a_bin_does_not_have() -> None:
    """Of a value of 102 763 cycles all that is known is its bin, which is a hundred of them wide."""
    cycles = unit_called("cycles", 1e9)
    said = [duration(ns, cycles).replace("\u202f", " ") for ns in (9_999, 10_004, 102_763, 999_960)]
    assert said == ["9 999 cycles", "10 000 cycles", "102 800 cycles", "1 000 000 cycles"]
    assert duration(10_373_267, unit_called("us", HZ)) == "10\u202f370 µs"


def test_the_window_chooses_for_all_that_do_not_say() -> None:
    assert duration(2914) == "2.91 µs"
    assert duration(999_980) == "1.00 ms"  # and not 1000 µs
    Durations.unit = unit_called("ns", HZ)
    assert (duration(2914), duration(2914, FITTING)) == ("2\u202f914 ns", "2.91 µs")


@pytest.mark.parametrize("name", list(UNIT_NAMES))
def test_a_number_below_0_has_a_minus_and_its_unit(name: str) -> None:
    """Not a hyphen, in whatever unit, and in the one that a positive number of that size has."""
    unit = unit_called(name, HZ)
    for ns in (858, 858_000, 1_200_000, 3e9):
        assert duration(-ns, unit) == f"−{duration(ns, unit)}" == signed(-ns, unit)
    assert (localized("-2.5 s"), grouped(-12_345), grouped(-0.5, 1)) == ("−2.5 s", "−12\u202f345", "−0.5")


def test_no_test_sees_the_choice_of_another() -> None:
    assert Durations.unit is FITTING


def test_differences_and_intervals() -> None:
    assert [signed(ns, FITTING) for ns in (-310, 0, 2914)] == ["−310 ns", "+0 ns", "+2.91 µs"]
    assert [round_duration(ns) for ns in (1e6, 500e3, 33_333_333, 2_500, 100, 1e9)] == [
        *("1 ms", "500 µs", "33.3 ms", "2.5 µs", "100 ns", "1 s"),
    ]
