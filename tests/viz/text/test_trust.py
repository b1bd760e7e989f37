"""What is said of the figures: the corrected form and the clock's error, by name and number."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import Clock
from bellwire.engine.folds.clock_error import ClockError
from bellwire.engine.folds.omission import Paced
from bellwire.viz.text.trust import agreement, corrected, kernel_word


def paced(*intervals: int) -> Paced:
    some = Paced()
    some.record(np.full(len(intervals), 100.0), np.array(intervals))
    return some


def test_the_corrected_form_names_its_interval() -> None:
    assert corrected([paced(1_000_000)]) == "corrected for coordinated omission, expected interval 1 ms"
    both = "corrected for coordinated omission, expected intervals 500 µs to 2 ms"
    assert corrected([paced(1_000_000, 500_000), paced(2_000_000), Paced()]) == both
    assert corrected([Paced()]).endswith("no interval expected")


def error(least: int | None, most: int | None) -> ClockError:
    bounds = ClockError(Clock(1e9))
    bounds.least, bounds.most = least, most
    return bounds


def test_clocks_agree_within_the_bounds_or_are_apart() -> None:
    assert agreement(error(-8700, 2900)).startswith("guest and host clocks agree to within −8.70 µs … +2.90 µs")
    assert agreement(error(-8700, None)).startswith("guest and host clocks agree to within −8.70 µs … ? (")
    assert "are apart: the guest's is ahead by +300 ns … +2.90 µs" in agreement(error(300, 2900))
    assert "ahead by ? … −100 ns" in agreement(error(None, -100))
    assert "was not measured" in agreement(error(None, None))


def test_the_kernels_word() -> None:
    assert kernel_word({}) == ""
    assert kernel_word({"tsc_khz": "2300000", "tsc_offset": "0"}) == "KVM: offset 0 cycles, 2300000 kHz"
    assert kernel_word({"tsc_khz": "2300000"}) == "KVM: no word on the offset, 2300000 kHz"
