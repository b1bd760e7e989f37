"""The histogram against the values themselves, and against HdrHistogram."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwire.engine.folds.histogram import BINS, HIGHEST, Histogram, bin_of, bottom_of, top_of

PERCENTS = [0, 1, 25, 50, 75, 90, 99, 99.9, 99.99, 100]
LATENCIES = st.lists(st.integers(1, 10**12), min_size=1, max_size=400)


def recorded(values: Iterable[int]) -> tuple[Histogram, HdrHistogram]:
    """The same values in ours and in HdrHistogram, of three digits and the same range."""
    ours, theirs = Histogram(), HdrHistogram(1, HIGHEST, 3)
    ours.record(list(values))
    for value in values:
        theirs.record_value(value)
    return ours, theirs


def counts_of(theirs: HdrHistogram) -> list[int]:
    return list(theirs.counts)[:BINS]


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


def test_a_percentile_that_nothing_lies_beyond_is_not_known() -> None:
    """It could be anything from the longest on."""
    for percent, needed in ((50, 2), (90, 10), (99, 100), (99.9, 1000), (99.99, 10_000)):
        few, enough = Histogram(), Histogram()
        few.record(np.arange(needed - 1))
        enough.record(np.arange(needed))
        assert few.known_percentile(percent) is None
        assert enough.known_percentile(percent) == enough.percentile(percent)
    assert (few.summary()["p999"], few.summary()["p9999"]) == (few.percentile(99.9), None)


def test_nothing_recorded_is_unknown_but_for_the_count() -> None:
    assert Histogram().summary().pop("count") == 0
    assert {value for name, value in Histogram().summary().items() if name != "count"} == {None}
    assert Histogram().corrected(1).count == 0
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


@settings(max_examples=25)
@given(LATENCIES)
def test_bins_are_those_of_hdrhistogram(values: list[int]) -> None:
    ours, theirs = recorded(values)
    assert ours.counts.tolist() == counts_of(theirs)


@settings(max_examples=10)  # HdrHistogram goes through all its bins in Python
@given(LATENCIES)
def test_moments_are_those_of_hdrhistogram(values: list[int]) -> None:
    ours, theirs = recorded(values)
    assert ours.mean == pytest.approx(theirs.get_mean_value())
    assert ours.stddev == pytest.approx(theirs.get_stddev(), abs=1e-3)
    assert (ours.count, ours.min, ours.max) == (theirs.get_total_count(), min(values), max(values))


@settings(max_examples=25)
@given(LATENCIES, st.sampled_from([1, 25, 50, 90, 99, 99.9, 99.99, 100]))
def test_percentiles_are_those_of_hdrhistogram(values: list[int], percent: float) -> None:
    """Its Python version rounds the rank to the nearest, ours is the one that Java and C have: at least so many."""
    ours, theirs = recorded(values)
    rank = max(1, math.ceil(percent / 100 * len(values) - 1e-9))
    value = theirs.get_value_at_percentile(100 * rank / len(values))
    assert ours.percentile(percent) == min(value, max(values))


@settings(max_examples=25)
@given(LATENCIES, st.integers(10**8, 10**12))
def test_coordinated_omission_is_corrected_as_in_hdrhistogram(values: list[int], interval: int) -> None:
    """By its rule for a histogram that is already there: from each bin's smallest value down to the interval."""
    ours, theirs = recorded(values)
    for value in bottom_of(bin_of(np.array(values))).tolist():
        for missing in range(value - interval, interval - 1, -interval):
            theirs.record_value(missing)
    corrected = ours.corrected(interval)
    assert corrected.counts.tolist() == counts_of(theirs)
    assert corrected.count == theirs.get_total_count()
    assert (corrected.min, corrected.max) == (ours.min, ours.max)


def test_a_short_interval_costs_no_more_than_the_bins() -> None:
    """The same by counting as one by one: 18 minutes at a nanosecond's interval are 10**12 omitted values."""
    histogram = Histogram()
    histogram.record([HIGHEST, 5000])
    corrected = histogram.corrected(1)
    bottom = int(bottom_of(bin_of(np.array([HIGHEST])))[0])
    assert corrected.count == 2 + (bottom - 1) + (int(bottom_of(bin_of(np.array([5000])))[0]) - 1)
    assert corrected.percentile(50) == pytest.approx(bottom / 2, rel=1e-3)
