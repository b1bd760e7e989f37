"""Comparisons: equal runs are not told apart, and others are."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from bellwire.engine.errors import RecordingError
from bellwire.engine.findings.compare import (
    BETWEEN_RUNS,
    COMPARED,
    DRIFTING,
    OTHER_END,
    TOO_ALIKE,
    TOO_FEW,
    Difference,
    Side,
    Values,
    between_runs,
    compare,
    difference,
    resampled_error,
    side_of,
    sides_at_switch,
)
from bellwire.engine.folds.blocks import Blocks
from bellwire.engine.folds.exit_split import Exits
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.folds.latency import LATENCIES, Latencies
from bellwire.engine.live.session import Session
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Order
from tests.support.fake_source import FakeSource

FloatArray = npt.NDArray[np.float64]


def values_of(values: object) -> Values:
    made, blocks = Histogram(), Blocks()
    for part in np.array_split(np.asarray(values, np.float64), 7):
        made.record(part)
        blocks.record(part)
    return made, blocks


def lognormal(seed: int, n: int, median: float = 20_000) -> Values:
    return values_of(np.random.default_rng(seed).lognormal(np.log(median), 0.4, n))


def side(label: str, latencies: dict[str, Values], host: dict[str, str] | None = None, seconds: float = np.inf) -> Side:
    histograms = {name: values[0] for name, values in latencies.items()}
    blocks = {name: values[1] for name, values in latencies.items()}
    return Side(label, histograms, blocks, Exits(), host or {}, seconds=seconds)


def alike(seed: int, n: int, runs: int, coefficient: float) -> list[FloatArray]:
    """Runs whose values lean on the one before: AR(1), lognormal."""
    noise = np.random.default_rng(seed).standard_normal((n, runs))
    rows = [noise[0] / np.sqrt(1 - coefficient**2)]
    for step in noise[1:]:
        rows.append(coefficient * rows[-1] + step)
    return list(20_000 * np.exp(0.4 * np.sqrt(1 - coefficient**2) * np.array(rows)).T)


def bursty(seed: int, n: int, runs: int) -> list[FloatArray]:
    """Quick values, with busy spells that make hundreds of them four times as slow."""
    random = np.random.default_rng(seed)
    busy = np.cumsum(random.random((runs, n)) < 1 / 150, axis=1) % 3 == 0
    return list(random.lognormal(np.log(20_000), 0.2, (runs, n)) * np.where(busy, 4, 1))


def heavy_tailed(seed: int, n: int, runs: int) -> list[FloatArray]:
    """One in a hundred is beyond all measure."""
    return list(15_000 * (1 + np.random.default_rng(seed).pareto(1.2, (runs, n))))


EQUAL_RUNS = {
    "independent": lambda seed: alike(seed, 3000, 40, 0),
    "AR(1) of 0.5": lambda seed: alike(seed, 3000, 40, 0.5),
    "AR(1) of 0.9": lambda seed: alike(seed, 3000, 40, 0.9),
    "AR(1) of 0.95": lambda seed: alike(seed, 3000, 40, 0.95),
    "AR(1) of 0.95, short": lambda seed: alike(seed, 600, 40, 0.95),
    "bursty": lambda seed: bursty(seed, 3000, 40),
    "heavy-tailed": lambda seed: heavy_tailed(seed, 3000, 40),
}


@pytest.mark.parametrize("name", EQUAL_RUNS)
@pytest.mark.parametrize("between", [0.0, BETWEEN_RUNS])
def test_of_equal_runs_at_most_one_pair_in_twenty_differs(name: str, between: float) -> None:
    runs = [values_of(run) for run in EQUAL_RUNS[name](11)]
    pairs = list(zip(runs[::2], runs[1::2], strict=True))
    for percent in COMPARED.values():
        found = [difference(*pair, percent, between).significant for pair in pairs]
        assert sum(found) <= 0.05 * len(pairs) + 0.5


def moody(seed: int, runs: int, seconds: float, factor: float = 1) -> list[Side]:
    """A thousand signals a second on a machine that each second is quicker or slower by a seventh.

    So were pairs of equal runs on a machine that had other things to do: of the short ones some saw one mood alone.
    """
    random, made = np.random.default_rng(seed), []
    for number in range(runs):
        moods = np.exp(random.normal(0, 0.15, int(seconds) + 2))
        at = random.random() + np.arange(round(1000 * seconds)) / 1000
        values = random.lognormal(np.log(20_000 * factor), 0.3, at.size) * moods[at.astype(np.int64)]
        made.append(side(str(number), {"doorbell": values_of(values)}, seconds=seconds))
    return made


@pytest.mark.parametrize("seconds", [0.25, 0.5, 2, 5, 20])
def test_of_equal_runs_of_a_moody_machine_hardly_any_differ(seconds: float) -> None:
    runs = moody(5, 60, seconds)
    pairs = list(zip(runs[::2], runs[1::2], strict=True))
    found = [compare(*pair).differences["doorbell"]["p50"].significant for pair in pairs]
    assert sum(found) <= 0.05 * len(pairs) + 0.5


@pytest.mark.parametrize(("seconds", "factor"), [(0.5, 3), (5, 1.8), (20, 1.5)])
def test_what_is_slower_is_found_of_short_runs_too(seconds: float, factor: float) -> None:
    runs, slower = moody(7, 40, seconds), moody(8, 40, seconds, factor)
    words = [compare(a, b).differences["doorbell"]["p50"].words for a, b in zip(runs, slower, strict=True)]
    assert words.count("B is slower") >= 0.6 * len(words)
    assert "B is faster" not in words


def test_short_runs_must_differ_by_more_than_long_ones() -> None:
    one = {"doorbell": lognormal(1, 500)}
    wanted = [between_runs(side("a", one, seconds=seconds), side("b", one)) for seconds in (0.1, 1, 10, 1000)]
    assert wanted == sorted(wanted, reverse=True)
    assert wanted[1:] == pytest.approx([2 * BETWEEN_RUNS, 1.1 * BETWEEN_RUNS, BETWEEN_RUNS], rel=0.01)
    slower = {"doorbell": lognormal(2, 500, 28_000)}

    def found(seconds: float, separate: bool = True) -> Difference:
        a, b = side("a", one, seconds=seconds), side("b", slower, seconds=seconds)
        return compare(a, b, separate).differences["doorbell"]["p50"]

    assert found(60).significant
    assert not found(0.2).significant
    assert found(0.2, separate=False).significant


@pytest.mark.parametrize(
    ("name", "factor"),
    [("independent", 1.25), ("AR(1) of 0.5", 1.25), ("AR(1) of 0.9", 1.6), ("AR(1) of 0.95", 2), ("bursty", 8)],
)
def test_what_does_differ_is_found(name: str, factor: float) -> None:
    runs = EQUAL_RUNS[name](13)
    pairs = [(values_of(a), values_of(b * factor)) for a, b in zip(runs[::2], runs[1::2], strict=True)]
    words = [difference(*pair, 50).words for pair in pairs]
    assert words.count("B is slower") >= 0.6 * len(pairs)
    assert "B is faster" not in words


def test_what_leans_on_itself_tells_less() -> None:
    """The interval of as many values is the wider, the more they are alike."""
    widths = []
    for coefficient in (0, 0.5, 0.9, 0.95):
        runs = [values_of(run) for run in alike(5, 3000, 20, coefficient)]
        found = [difference(a, b, 50, 0) for a, b in zip(runs[::2], runs[1::2], strict=True)]
        widths.append(sum(each.high - each.low for each in found))
    assert widths == sorted(widths)
    assert widths[-1] > 3 * widths[0]


def test_what_differs_is_told_from_chance() -> None:
    one, same, slower = lognormal(1, 5000), lognormal(2, 5000), lognormal(3, 5000, 25_000)
    assert difference(one, same, 50).words == "no significant difference"
    assert difference(one, slower, 50).words == "B is slower"
    faster = difference(slower, one, 50)
    assert (faster.words, faster.significant) == ("B is faster", True)
    assert faster.low <= faster.ns <= faster.high < 0
    assert faster.ns == one[0].percentile(50) - slower[0].percentile(50)
    assert difference(one, one, 99).ns == 0


def test_separate_runs_must_differ_by_more_than_the_parts_of_one() -> None:
    one, bit_slower = lognormal(1, 50_000), lognormal(2, 50_000, 21_500)
    assert difference(one, bit_slower, 50, between=0).significant
    assert not difference(one, bit_slower, 50).significant


def test_too_few_journeys_say_nothing() -> None:
    few, many = lognormal(1, 999), lognormal(2, 100_000, 90_000)
    assert difference(few, many, 99).words == TOO_FEW
    assert not difference(few, many, 99).significant
    assert difference(few, many, 50).significant
    assert difference(lognormal(1, 1000), many, 50).enough


def test_a_run_that_is_one_slow_spell_cannot_tell() -> None:
    """Whatever its numbers: half of it is slow, so the median may be anywhere."""
    halves = np.concatenate([np.full(3000, 20_000.0), np.full(3000, 90_000.0)])
    found = difference(values_of(halves), lognormal(2, 6000), 50)
    assert (found.words, found.significant) == (TOO_ALIKE, False)


def test_a_run_whose_wiring_changed_says_of_how_many_its_figures_are() -> None:
    """Of the shipped roundtrip both wires are cut in turn, and back: its median was held against another run's."""
    assert [side_of(Recording(path_of_shipped(name)), name).wirings for name in ("roundtrip", "irq-msi")] == [5, 1]
    assert {side.wirings for side in sides_at_switch(Recording(path_of_shipped("roundtrip")))} == {1}


def test_doorbells_that_end_elsewhere_are_no_slower_and_no_faster(tmp_path: Path) -> None:
    """vm-to-vm's was "slower" than roundtrip's: it ends in the handler, the other one as the I/O thread wakes."""
    sides = []
    for name in ("roundtrip", "vm-to-vm"):
        with FakeSource(name) as source, Recorder(tmp_path / f"{name}.arrow", Header.of(source, "0.1.0")) as recorder:
            source.run(0.1)
            recorder.append(source.take())
        sides.append(side_of(Recording(recorder.path), name))
    values = {"doorbell": lognormal(1, 6000), "store_cost": lognormal(1, 6000)}
    slow = {name: lognormal(2, 6000, 40_000) for name in values}
    read, direct = (replace(side("", some), direct=own.direct) for some, own in zip((values, slow), sides, strict=True))
    for a, b in ((read, direct), (direct, read)):
        found = compare(a, b).differences
        assert {(one.words, one.significant) for one in found["doorbell"].values()} == {(OTHER_END, False)}
        assert found["store_cost"]["p50"].significant
    assert compare(direct, replace(direct, histograms=read.histograms)).differences["doorbell"]["p50"].significant


def test_the_same_sides_give_the_same_intervals() -> None:
    a, b = (side(str(n), {"doorbell": lognormal(n, 300)}) for n in (1, 2))
    assert compare(a, b).differences == compare(a, b).differences


@pytest.mark.kvm
def test_real_runs_of_the_same_are_mostly_not_told_apart() -> None:
    """Each is short and the machine has other things to do: what is found now and then is not what a rule may be."""
    runs = []
    for _ in range(5):
        with Session(load_scenario("roundtrip").with_settings({"pace": "flat-out"}), limit=2000) as session:
            latencies = Latencies(session.scenario, session.clock)
            while session.alive and latencies.journeys < 2000:
                time.sleep(0.02)
                latencies.feed(session.take())
        runs.append(latencies)
    named = [{name: (run.histograms[name], run.blocks[name]) for name in LATENCIES} for run in runs]
    found = [
        each.significant
        for a, b in combinations(named, 2)
        for each in (difference(a[name], b[name], percent) for name in LATENCIES for percent in COMPARED.values())
    ]
    assert len(found) == 10 * len(LATENCIES) * len(COMPARED)
    assert sum(found) <= 0.25 * len(found)


def test_only_what_both_have_is_compared() -> None:
    one = side("A", {name: lognormal(1, 30) for name in LATENCIES}, {"cpu": "x"})
    other = side("B", {"doorbell": lognormal(2, 30), "injection": values_of([])}, {"cpu": "y"})
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


def test_what_drifts_by_itself_is_no_difference() -> None:
    noise = np.random.default_rng(3).normal(0, 200, (2, 6000))
    rising = 10_000 + np.linspace(0, 4_000, 12_000)
    one, other = (values_of(part) for part in np.split(rising + noise.ravel(), 2))
    drifting = difference(one, other, 50, 0)
    assert not drifting.significant
    assert all(own is not None and own > 800 for own in drifting.drift)
    one, other = (values_of(level + some) for level, some in zip((10_000, 12_000), noise, strict=True))
    steady = difference(one, other, 50, 0)
    assert steady.words == "B is slower"
    assert all(own is not None and abs(own) < 100 for own in steady.drift)


def test_a_difference_that_a_side_drifts_by_itself_is_not_claimed() -> None:
    assert Difference(100, 200, 50, 150, drift=(120, 0)).words == DRIFTING
    assert Difference(100, 200, 50, 150, drift=(0, -50)).words == DRIFTING  # twice that from one run to the next
    assert Difference(100, 200, 50, 150, drift=(49, None)).words == "B is slower"


def test_runs_of_a_machine_that_becomes_slower_do_not_differ() -> None:
    """One after the other: their middles are twice as far apart as those of the halves of either."""
    noise = np.random.default_rng(9).normal(0, 200, (2, 6000))
    one, other = (values_of(part) for part in np.split(10_000 + np.linspace(0, 30_000, 12_000) + noise.ravel(), 2))
    found = difference(one, other, 50)
    assert found.ns == pytest.approx(15_000, rel=0.05)
    assert all(own is not None and own == pytest.approx(7_500, rel=0.05) for own in found.drift)
    assert not found.significant


def test_the_bootstrap_keeps_neighbours_together() -> None:
    random = np.random.default_rng(5)
    alone, together = random.normal(0.5, 0.1, 192), np.repeat(random.normal(0.5, 0.1, 24), 8)
    assert resampled_error(together) > 1.5 * resampled_error(alone)
    assert resampled_error(alone) == resampled_error(alone)
    assert np.isnan(resampled_error(alone[:10]))
