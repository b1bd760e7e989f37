"""Comparisons: the intervals are those of a bootstrap, and say what was put in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.errors import RecordingError
from bellwire.engine.findings.compare import (
    LEVEL,
    Side,
    compare,
    difference,
    resampled_percentiles,
    side_of,
    sides_at_switch,
)
from bellwire.engine.folds.exit_split import Exits
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.folds.latency import LATENCIES
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.source import Order
from tests.support.fake_source import FakeSource


def histogram(values: object) -> Histogram:
    made = Histogram()
    made.record(np.asarray(values, np.float64))
    return made


def lognormal(seed: int, n: int, median: float = 20_000) -> Histogram:
    return histogram(np.random.default_rng(seed).lognormal(np.log(median), 0.4, n))


@pytest.mark.parametrize("percent", [50, 90, 99])
def test_one_draw_is_what_resampling_all_values_gives(percent: float) -> None:
    """Against the bootstrap as the textbook has it, on few values, where their distributions can be compared."""
    values = np.random.default_rng(5).integers(1, 2000, 40)  # below 2048 bins are exact
    random = np.random.default_rng(6)
    textbook = np.percentile(random.choice(values, (40_000, 40)), percent, axis=1, method="inverted_cdf")
    ours = resampled_percentiles(histogram(values), percent, 40_000, np.random.default_rng(7))
    shares = [np.searchsorted(np.sort(draws), np.unique(values)) / draws.size for draws in (textbook, ours)]
    assert np.abs(shares[0] - shares[1]).max() < 0.015  # of two samples of 40 000; 0.0096 is passed one time in 20
    assert set(ours.tolist()) <= set(values.tolist())


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(300):
        found = difference(lognormal(2 * seed, 400), lognormal(2 * seed + 1, 400, 22_000), 50, resamples=500)
        held += found.low <= 2000 <= found.high
    assert held / 300 == pytest.approx(LEVEL, abs=0.04)


def test_what_differs_is_told_from_chance() -> None:
    one, same, slower = lognormal(1, 5000), lognormal(2, 5000), lognormal(3, 5000, 25_000)
    assert difference(one, same, 50).words == "no significant difference"
    assert difference(one, slower, 50).words == "B is slower"
    faster = difference(slower, one, 50)
    assert (faster.words, faster.significant) == ("B is faster", True)
    assert faster.low <= faster.ns <= faster.high < 0
    assert faster.ns == one.percentile(50) - slower.percentile(50)
    assert difference(one, one, 99).ns == 0


def test_too_few_journeys_say_nothing() -> None:
    few, many = lognormal(1, 999), lognormal(2, 100_000, 90_000)
    assert difference(few, many, 99).words == "too few journeys to say"
    assert not difference(few, many, 99).significant
    assert difference(few, many, 50).significant
    assert difference(lognormal(1, 1000), many, 99).enough


def test_the_same_sides_give_the_same_intervals() -> None:
    sides = [Side(str(n), {"doorbell": lognormal(n, 300)}, Exits()) for n in (1, 2)]
    assert compare(*sides).differences == compare(*sides).differences


def test_only_what_both_have_is_compared() -> None:
    one = Side("A", {name: lognormal(1, 30) for name in LATENCIES}, Exits(), {"cpu": "x"})
    other = Side("B", {"doorbell": lognormal(2, 30), "injection": Histogram()}, Exits(), {"cpu": "y"})
    compared = compare(one, other)
    assert list(compared.differences) == ["doorbell"]
    assert compared.other_host
    assert not compare(one, one).other_host


@pytest.fixture
def switched(tmp_path: Path) -> Recording:
    """Two seconds with the ioeventfd, one without."""
    source = FakeSource()
    path = tmp_path / "switched.arrow"
    with source, Recorder(path, Header.of(source, "test")) as recorder:
        source.run(2.0)
        recorder.append(source.take())
        source.order(Order.IOEVENTFD, False)
        source.run(1.0)
        recorder.append(source.take())
    return Recording(path)


def test_before_and_after_a_switch(switched: Recording) -> None:
    before, after = sides_at_switch(switched)
    assert (before.label, after.label) == ("before ioeventfd off", "after ioeventfd off")
    found = compare(before, after).differences
    assert found["doorbell"]["p50"].words == "B is slower"
    assert found["doorbell"]["p50"].ns == pytest.approx(19_000, abs=500)
    assert found["injection"]["p50"].words == "no significant difference"
    assert before.exits.to_userspace == {}
    assert after.exits.per_signal()["to user space: IO"] == pytest.approx(1, abs=0.01)  # one was under way
    assert before.exits.signals + after.exits.signals == side_of(switched, "all").exits.signals


def test_without_a_switch_there_is_no_before(tmp_path: Path) -> None:
    source, path = FakeSource(), tmp_path / "steady.arrow"
    with source, Recorder(path, Header.of(source, "test")) as recorder:
        source.run(0.5)
        recorder.append(source.take())
    recording = Recording(path)
    with pytest.raises(RecordingError, match="nothing was switched in it"):
        sides_at_switch(recording)
    side = side_of(recording, "all")
    assert side.histograms["doorbell"].count > 800
    assert side.host["cpu"] == source.host["cpu"]
