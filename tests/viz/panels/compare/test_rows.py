"""What the window compares: the last switch's two sides, or a recording that is read in the background."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from bellwire.engine.events import EventKind, Lane, event
from bellwire.engine.folds.exit_split import Exits
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.model.baseline import Baseline
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.compare.painter import rows_that_fit
from bellwire.viz.panels.compare.rows import (
    OTHER_HOST,
    SINCE_THE_JUMP,
    THIS_RUN,
    Compared,
    FigureRow,
    exit_rows,
    exits_words,
    in_words,
    sides_of,
    why_nothing,
)
from bellwire.viz.text.figures import MICROSECONDS, Durations, grouped, unit_called
from tests.support.compared import model_at_switch, recorded
from tests.support.small_recording import WallClock


def read(path: Path) -> Baseline:
    """A baseline once it is read, or has failed."""
    baseline = Baseline(path)
    while baseline.side is None and not baseline.error:
        time.sleep(0.005)
    baseline.close()
    return baseline


def test_before_and_after_are_those_of_the_model() -> None:
    model = model_at_switch()
    sides = sides_of(model, None)
    assert sides is not None
    a, b = sides
    assert (a.label, b.label) == ("before ioeventfd off", "after ioeventfd off")
    assert a.histograms == model.latencies.before
    assert b.histograms == model.latencies.since
    rows = {row.name: row for row in Compared().rows(a, b, "doorbell")}
    assert (rows["p50"].words, rows["p50"].strong) == ("B is slower", True)
    assert float(rows["p50"].difference.split()[0]) == pytest.approx(19, abs=0.5)  # 28 µs against 9 µs, and chance
    assert (rows["exits a signal, to user space: IO"].a, rows["exits a signal, to user space: IO"].b) == (
        "0.00",
        "1.00",
    )
    assert "p50: A " in in_words(list(rows.values()), a, b, "doorbell")
    assert OTHER_HOST.name not in rows


def test_without_a_switch_there_is_nothing_yet() -> None:
    assert sides_of(model_at_switch(switch=False), None) is None
    assert "switch ioeventfd" in why_nothing(None)


def test_a_recording_is_read_in_the_background(tmp_path: Path) -> None:
    baseline, model = read(recorded(tmp_path / "a.arrow", "another")), model_at_switch()
    sides = sides_of(model, baseline)
    assert sides is not None
    assert (sides[0].label, sides[1].label) == ("a.arrow", THIS_RUN)
    assert sides[1].histograms == model.latencies.histograms
    assert Compared().rows(*sides, "doorbell")[-1] == OTHER_HOST


def test_of_a_recording_that_was_sent_to_a_moment_the_side_is_as_long_as_its_latencies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its two seconds had the interval of a run of twelve, and were called this run."""
    monkeypatch.setattr("bellwire.engine.recordings.replay.PRELUDE", 1)
    recording, wall = Recording(path_of_shipped("roundtrip")), WallClock()
    baseline = read(recorded(tmp_path / "a.arrow"))
    with Replay(recording, wall) as replay:
        for moment, label in ((0, THIS_RUN), (recording.header.clock.cycles(10.5), SINCE_THE_JUMP)):
            replay.seek(recording.first + moment)
            model = LiveModel(replay)
            wall.ns += 10**12
            model.tick(0)
            sides = sides_of(model, baseline)
            assert sides is not None
            length = recording.header.clock.ns(recording.last - replay.yields_first) / 1e9
            assert sides[1].label == label
            assert sides[1].seconds == pytest.approx(length)
            assert (length < 3) == (moment > 0)


def test_whose_kernel_alone_was_watched_is_said_as_that_costs_something(tmp_path: Path) -> None:
    sides = sides_of(model_at_switch(), read(recorded(tmp_path / "a.arrow", "another")))
    assert sides is not None
    assert [side.watched for side in sides] == [False, False]
    own = replace(sides[1], watched=True)
    (*_, last) = Compared().rows(sides[0], own, "doorbell")
    assert (last.name, last.a, last.b) == ("kernel watched", "–", "✓")
    assert Compared().rows(sides[0], sides[0], "doorbell")[-1].name != last.name


def test_of_how_many_wirings_the_figures_are_is_said(tmp_path: Path) -> None:
    sides = sides_of(model_at_switch(), read(recorded(tmp_path / "a.arrow")))
    assert sides is not None
    (told,) = (row for row in Compared().rows(*sides, "doorbell") if row.name == "wirings")
    assert (told.a, told.b, told.difference) == ("1", "2", "the figures are of all of them together")
    at_switch = sides_of(model_at_switch(), None)
    assert at_switch is not None
    assert "wirings" not in {row.name for row in Compared().rows(*at_switch, "doorbell")}


def test_of_which_run_something_is_missing_is_said(tmp_path: Path) -> None:
    sides = sides_of(model_at_switch(), read(recorded(tmp_path / "a.arrow")))
    assert sides is not None
    cut = replace(sides[0], missing="This recording was cut off.")
    (*_, last) = Compared().rows(cut, sides[1], "doorbell")
    assert (last.name, last.a, last.b, last.difference) == ("incomplete", "✓", "–", "it is compared as far as it goes")
    assert last not in Compared().rows(*sides, "doorbell")


def test_a_recording_that_was_cut_off_is_incomplete_whichever_side_it_is(tmp_path: Path) -> None:
    whole = path_of_shipped("roundtrip").read_bytes()
    (tmp_path / "cut.arrow").write_bytes(whole[: len(whole) // 2])
    wall = WallClock()
    with Replay(Recording(tmp_path / "cut.arrow"), wall) as replay:
        model = LiveModel(replay)
        wall.ns += 10**12
        model.tick(0)
        for sides in (sides_of(model, read(recorded(tmp_path / "a.arrow"))), sides_of(model, None)):
            assert sides is not None
            assert "incomplete" in {row.name for row in Compared().rows(*sides, "doorbell")}


def test_each_side_is_in_cycles_of_its_own_clock(tmp_path: Path) -> None:
    """Cycles of one clock stood for another's: a side of a clock half as fast seemed to take twice as many."""
    sides = sides_of(model_at_switch(), read(recorded(tmp_path / "a.arrow")))
    assert sides is not None
    a, b = sides
    assert a.hz == b.hz > 0
    Durations.unit = unit_called("cycles", b.hz)
    alike = {row.name: row for row in Compared().rows(a, b, "doorbell")}
    unlike = {row.name: row for row in Compared().rows(replace(a, hz=a.hz / 2), b, "doorbell")}
    of_half = a.histograms["doorbell"].percentile(50) * a.hz / 2 / 1e9
    assert unlike["p50"].a == f"{grouped(of_half)} cycles"
    assert unlike["p50"].b == alike["p50"].b
    assert "cycles" in alike["p50"].difference
    assert "cycles" not in unlike["p50"].difference + unlike["p50, drift within"].a
    assert "µs" in unlike["p50"].difference
    assert unlike["cycles"].difference == "not equally long: the difference is in µs"
    assert "cycles" not in alike
    Durations.unit = MICROSECONDS
    assert "cycles" not in {row.name for row in Compared().rows(replace(a, hz=a.hz / 2), b, "doorbell")}


def test_what_either_side_dropped_is_said(tmp_path: Path) -> None:
    model = model_at_switch()
    now = model.now + 1
    model.tally.feed(event(now, EventKind.LOST, Lane.ENGINE, Lane.VCPU, 0, 7))
    baseline = read(recorded(tmp_path / "a.arrow"))
    for of, dropped in ((baseline, ("0", "7")), (None, ("7", "7"))):
        sides = sides_of(model, of)
        assert sides is not None
        rows = {row.name: row for row in Compared().rows(*sides, "doorbell")}
        assert rows["events dropped"][1:3] == dropped
    baseline = read(recorded(tmp_path / "a.arrow"))
    sides = sides_of(model_at_switch(), baseline)
    assert sides is not None
    assert "events dropped" not in {row.name for row in Compared().rows(*sides, "doorbell")}


def test_a_host_that_is_not_known_is_said_to_be_so(tmp_path: Path) -> None:
    sides = sides_of(model_at_switch(), read(recorded(tmp_path / "a.arrow")))
    assert sides is not None
    unknown = replace(sides[0], host={})
    rows = Compared().rows(unknown, sides[1], "doorbell")
    assert (rows[-1].name, rows[-1].difference) == ("host", "it is not known whether it is the same")
    assert "host: it is not known whether it is the same" in in_words(rows, *sides, "doorbell")


def test_a_latency_that_clocks_hide_says_so() -> None:
    sides = sides_of(model_at_switch(), None)
    assert sides is not None
    hidden = {**sides[1].histograms, "doorbell": Histogram()}
    apart = replace(sides[1], histograms=hidden, untold={"doorbell": 7})
    rows = {row.name: row for row in Compared().rows(sides[0], apart, "doorbell")}
    assert rows["latencies"].difference == "clocks of guest and host are apart"
    assert "latencies" not in {row.name for row in Compared().rows(sides[0], apart, "injection")}


def test_exits_that_nobody_told_are_not_known() -> None:
    sides = sides_of(model_at_switch(), None)
    assert sides is not None
    before, after = sides
    unseen = replace(before, exits=Exits(signals=10, kvm=5, seen=False, kvm_signals=10))
    rows = {row.name: row for row in exit_rows(unseen, replace(after, exits=replace(after.exits, kvm=None)))}
    assert rows["exits a signal, to user space: IO"][1:3] == ("–", "1.00")
    assert rows["exits a signal, counted by KVM"][1:3] == ("0.50", "–")


def test_what_is_no_recording_says_so(tmp_path: Path) -> None:
    baseline = read(tmp_path / "none.arrow")
    assert sides_of(model_at_switch(), baseline) is None
    assert "none.arrow cannot be opened as a recording" in why_nothing(baseline)


def test_a_baseline_can_be_left_while_it_is_read(tmp_path: Path) -> None:
    baseline = Baseline(recorded(tmp_path / "a.arrow"))
    baseline.close()
    assert not baseline._thread.is_alive()


def test_nothing_is_computed_anew_before_something_is_added() -> None:
    model, compared = model_at_switch(), Compared()
    sides = sides_of(model, None)
    assert sides is not None
    compared.rows(*sides, "doorbell")
    first = compared._differences
    compared.rows(*sides, "doorbell")
    assert compared._differences is first
    compared.rows(*sides, "injection")
    assert compared._differences is not first


def test_exits_that_events_are_missing_from_are_at_least_so_many() -> None:
    """As if fewer had left than there were."""
    exits = Exits(100, {"IO": 50}, 120, kvm_signals=100)
    assert exits_words(exits, "to user space: IO") == "0.50"
    lossy = replace(exits, lost=3)
    assert exits_words(lossy, "to user space: IO") == "≥ 0.50"
    assert exits_words(lossy, "counted by KVM") == "1.20"


def test_rows_that_have_no_room_are_counted() -> None:
    """The eighth of eight was missing without a word."""
    rows = [FigureRow(str(n), "a", "b") for n in range(8)]
    assert rows_that_fit(rows, 8) == rows
    assert [row.name for row in rows_that_fit(rows, 7)] == ["0", "1", "2", "3", "4", "5", "… 2 more rows"]
    assert [row.name for row in rows_that_fit(rows, 1)] == ["… 8 more rows"]
