"""The index of a recording: at every scale the same as what the events themselves add up to."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import EventKind, Events, Lane, end_to_end
from bellwire.engine.folds.journeys import JourneyTracker
from bellwire.engine.folds.spans import awake, flights, instruction
from bellwire.engine.folds.tally import Tally, state_of
from bellwire.engine.recordings.index import MOST, Level, RecordingIndex, read_ahead
from bellwire.engine.recordings.index_rows import BUSY, EVENTS_A_ROW, MERGED, next_level, rows_of
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.synthetic import round_trips, synthetic_recording
from bellwire.engine.scenarios.scenario import load_scenario
from tests.support.recorded import recorded
from tests.support.threadless import no_more_threads


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a test stays in the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("bellwire.engine.recordings.index.WORTH_KEEPING", 0)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Two batches and a bit."""
    path = tmp_path_factory.mktemp("index") / "synthetic.arrow"
    synthetic_recording(path, 150_000)
    return Recording(path)


@pytest.fixture
def index(recording: Recording) -> RecordingIndex:
    built = RecordingIndex.built(recording, lambda share: None)
    assert built is not None
    return built


def test_the_whole_adds_up(recording: Recording, index: RecordingIndex) -> None:
    events = recording.window(0, 2**64 - 1)
    journeys = JourneyTracker(recording.header.scenario).feed(events)
    bins = index.bins(recording.first, recording.last, 1)
    np.testing.assert_allclose(bins.lanes[0], np.bincount(events["lane"], minlength=len(Lane)))
    for name, spans in (("flight", flights(journeys)), ("awake", awake(events)), ("instruction0", instruction(events))):
        busy = float((spans.end - spans.start).sum())  # a stretch over a batch's border is left out
        assert bins.busy[0, BUSY.index(name)] == pytest.approx(busy, rel=1e-3)


def test_parts_add_up_and_are_where_the_events_are(recording: Recording, index: RecordingIndex) -> None:
    first, last = recording.first, recording.last
    bins = index.bins(first, last, 100)
    edges = np.linspace(first, last, 101)
    for part in (0, 37, 99):
        events = recording.window(int(edges[part]), int(edges[part + 1]))
        assert bins.lanes[part].sum() == pytest.approx(events.size, abs=2 * EVENTS_A_ROW)
    assert bins.lanes.sum() == pytest.approx(len(recording))


def test_outside_of_the_recording_there_is_nothing(recording: Recording, index: RecordingIndex) -> None:
    for t0, t1 in ((0, recording.first - 1), (recording.last + 1, recording.last + 10**9), (5, 5)):
        bins = index.bins(t0, t1, 7)
        assert (bins.lanes.sum(), bins.busy.sum()) == (0, 0)
    around = index.bins(0, recording.last * 2, 10)
    assert around.lanes.sum() == pytest.approx(len(recording))


def test_no_answer_costs_more_than_a_bounded_number_of_rows(recording: Recording, index: RecordingIndex) -> None:
    row = index.levels[0].rows[:1]
    many = np.repeat(row, 3 * MOST)
    many["start"] = 1000 * np.arange(many.size)
    many["end"] = many["start"] + 999
    levels = [Level.of(rows) for rows in (many, next_level(many), next_level(next_level(many)))]
    large = RecordingIndex(levels, index.tallies)
    assert large._rows(0, 2**40).size == many.size // MERGED
    assert large._rows(0, 1000 * MOST // 2).size <= MOST // 2 + 1
    assert large.bins(0, 1000 * many.size, 3).lanes.sum() == pytest.approx(many["lanes"].sum())


def test_merged_rows_add_up() -> None:
    rows = np.concatenate([rows_of_seconds(start) for start in range(3)])
    coarse = next_level(rows)
    assert coarse.size == -(-rows.size // MERGED)
    for name in ("lanes", "busy"):
        np.testing.assert_allclose(coarse[name].sum(axis=0), rows[name].sum(axis=0), rtol=1e-5)
    assert (coarse["start"][0], coarse["end"][-1]) == (rows["start"][0], rows["end"][-1])


def rows_of_seconds(start: int) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """The rows of some round trips."""
    events = round_trips(np.random.default_rng(start), 10**9 * (1 + start), 10**6 * start)
    return rows_of(events, JourneyTracker(load_scenario("roundtrip")).feed(events))


def test_it_is_kept_and_found_again(recording: Recording, index: RecordingIndex) -> None:
    again = RecordingIndex.cached(recording)
    assert again is not None
    assert again.tallies == index.tallies
    for one, other in zip(again.levels, index.levels, strict=True):
        np.testing.assert_array_equal(one.rows, other.rows)


def test_another_file_of_the_same_name_has_none(tmp_path: Path) -> None:
    small = recorded(tmp_path / "run.arrow")
    assert RecordingIndex.built(small, lambda share: None) is not None
    assert RecordingIndex.cached(small) is not None
    assert RecordingIndex.cached(recorded(tmp_path / "run.arrow", seconds=0.4)) is None


def test_a_cache_that_cannot_be_written_costs_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    built = RecordingIndex.built(recorded(tmp_path / "run.arrow"), lambda share: None)
    assert built is not None
    assert built.bins(0, 2**62, 1).lanes.sum() > 0


def test_building_can_be_stopped(recording: Recording) -> None:
    stop, shares = threading.Event(), list[float]()

    def progress(share: float) -> None:
        shares.append(share)
        stop.set()

    assert RecordingIndex.built(recording, progress, stop) is None
    assert len(shares) == 1


def test_tallies_go_on_where_they_stood(tmp_path: Path) -> None:
    other = recorded(tmp_path / "run.arrow")
    index = RecordingIndex.built(other, lambda share: None)
    assert index is not None
    whole = Tally()
    for events in other.batches():
        whole.feed(events)
    for batch in range(other.entries.size):
        number, tally = index.tally_before(batch)
        assert number <= batch
        for events in other.batches(number):
            tally.feed(events)
        assert state_of(tally) == state_of(whole)
        assert all(type(a) is type(b) for a, b in zip(tally.settings, whole.settings, strict=True))
        assert all(type(a) is type(b) for a, b in zip(tally.wiring, whole.wiring, strict=True))


def test_what_is_damaged_is_left_out(tmp_path: Path) -> None:
    path = recorded(tmp_path / "run.arrow").path
    entry = Recording(path).entries[2]
    data = bytearray(path.read_bytes())
    data[int(entry["offset"]) + int(entry["size"]) - 1000 : int(entry["offset"]) + int(entry["size"])] = bytes(1000)
    tsc = int(entry["offset"]) + 700
    data[tsc : tsc + 8] = b"\xff" * 8
    path.write_bytes(data)
    damaged = Recording(path)
    index = RecordingIndex.built(damaged, lambda share: None)
    assert index is not None
    assert damaged.damaged == {2: int(entry["events"])}
    left = len(damaged) - int(entry["events"])
    assert index.bins(0, 2**62, 1).lanes.sum() == pytest.approx(left + 1)  # the word on it
    assert EventKind.RING in damaged.window(0, 2**62)["kind"]


def test_a_batch_that_lasts_for_ages_has_rows_in_order() -> None:
    events = round_trips_over(2**62)
    rows = rows_of(events, JourneyTracker(load_scenario("roundtrip")).feed(events))
    assert (rows["start"] <= rows["end"]).all()
    assert (rows["start"][1:] == rows["end"][:-1]).all()
    assert rows["lanes"].sum() == events.size
    assert int(rows["end"][-1]) == int(events["tsc"][-1])


def round_trips_over(cycles: int) -> Events:
    """Some thousand events, evenly over so many cycles."""
    events = round_trips(np.random.default_rng(1), 10**9, 0)[:6000]
    events["tsc"] = np.linspace(10**9, cycles, events.size).astype(np.uint64)
    return events


def test_where_no_thread_can_be_started_it_is_read_without(
    recording: Recording, index: RecordingIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_more_threads(monkeypatch)
    assert np.array_equal(end_to_end(*read_ahead(recording)), end_to_end(*recording.batches()))


def test_what_the_thread_that_reads_meets_is_raised_where_it_is_read(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_number: int) -> Events:
        raise MemoryError

    monkeypatch.setattr(recording, "read_once", fail)
    with pytest.raises(MemoryError):
        list(read_ahead(recording))
    assert "read-ahead" not in [thread.name for thread in threading.enumerate()]
