"""The histogram against the values themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.histogram import BINS, HIGHEST, Histogram, bin_of, bottom_of, top_of

PERCENTS = [0, 1, 25, 50, 75, 90, 99, 99.9, 99.99, 100]


def test_bins_tile_the_range() -> None:
    bins = np.arange(BINS)
    assert (bin_of(bottom_of(bins)) == bins).all()
    assert (bin_of(top_of(bins)) == bins).all()
    assert (bottom_of(bins)[1:] == top_of(bins)[:-1] + 1).all()
    assert int(top_of(bins)[-1]) == HIGHEST


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=500))
def test_percentiles_are_within_a_tenth_of_a_percent(values: list[int]) -> None:
    histogram = Histogram()
    histogram.record(values)
    true = np.percentile(values, PERCENTS, method="inverted_cdf")
    assert histogram.percentiles(PERCENTS) == pytest.approx(true, rel=1e-3)
    assert (histogram.min, histogram.max, histogram.count) == (min(values), max(values), len(values))


def test_large_samples_agree_with_numpy() -> None:
    values = np.random.default_rng(7).lognormal(9, 1, 200_000)
    histogram = Histogram()
    for part in np.array_split(values, 37):
        histogram.record(part)
    assert histogram.percentiles(PERCENTS) == pytest.approx(np.percentile(np.rint(values), PERCENTS), rel=2e-3)
    assert int(histogram.counts.sum()) == histogram.count == values.size


def test_merging_is_recording_both() -> None:
    one, two, both = Histogram(), Histogram(), Histogram()
    one.record([5, 3_000_000])
    two.record([1, 70_000])
    both.record([5, 3_000_000, 1, 70_000])
    twin = one.copy()
    one.merge(two)
    assert one.summary() == both.summary()
    assert (one.counts == both.counts).all()
    assert twin.count == 2


def test_nothing_recorded_is_zero() -> None:
    assert Histogram().summary() == dict.fromkeys(["count", "min", "p50", "p90", "p99", "p999", "max"], 0)
    empty = Histogram()
    empty.record([])
    assert empty.count == 0


def test_beyond_the_range_the_maximum_stays_exact() -> None:
    histogram = Histogram()
    histogram.record([2**41, -3])
    assert (histogram.min, histogram.max, histogram.count) == (0, 2**41, 2)


def test_density_counts_every_value_once() -> None:
    histogram = Histogram()
    histogram.record(np.random.default_rng(3).integers(100, 10_000_000, 5000))
    edges = np.geomspace(50, 20_000_000, 200)
    assert histogram.density(edges).sum() == pytest.approx(5000)
    assert histogram.density([0, HIGHEST]).tolist() == [5000]
