"""The history of a recording: what is held and what is on the disk answer alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import EventKind, Events, Lane
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.folds.latency import begin
from bellwire.engine.folds.tally import Tally
from bellwire.engine.recordings.excerpts.excerpt import Excerpts, under_way
from bellwire.engine.recordings.recorder import save_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.engine.recordings.synthetic import STEPS, round_trips
from bellwire.viz.model.history import History
from bellwire.viz.model.journey_of import around, latency_of
from bellwire.viz.model.live import EVENT_LIMIT, JOURNEY_LIMIT, LiveModel, event_span, journey_span
from bellwire.viz.model.recorded_history import AT_A_TIME, RecordedHistory
from bellwire.viz.timeline.columns import HeldColumns, RecordedColumns, timeline_columns
from tests.support.recorded import recorded
from tests.support.small_recording import HEADER, WallClock


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return recorded(tmp_path / "run.arrow")


@pytest.fixture
def model(recording: Recording) -> Iterator[LiveModel]:
    """A third of the recording has been played."""
    wall = WallClock()
    with Replay(recording, wall) as replay:
        replay.indexer.wait()
        model = LiveModel(replay)
        wall.ns += round(recording.seconds * 1e9 / 3)
        model.tick(0)
        yield model


@pytest.fixture
def whole(recording: Recording) -> tuple[History, History]:
    """Histories of events and journeys in which everything is held."""
    wall = WallClock()
    with Replay(recording, wall) as replay:
        played = LiveModel(replay)
        while replay.alive:
            wall.ns += 10**12
            played.tick(0)
    events = History(played.events.dtype, EVENT_LIMIT, event_span)
    journeys = History(played.journeys.dtype, JOURNEY_LIMIT, journey_span)
    for held, into in ((played.events, events), (played.journeys, journeys)):
        for records in held:
            into.append(records)
    return events, journeys


def test_any_moment_answers_as_if_it_were_held(model: LiveModel, whole: tuple[History, History]) -> None:
    assert 0 < len(model.events) < whole[0].total
    random = np.random.default_rng(1)
    for history, all_of_it in ((model.events, whole[0]), (model.journeys, whole[1])):
        for t in random.integers(whole[0].first - 1000, whole[0].last + 1000, 40).tolist():
            assert history.start_after(t) == all_of_it.start_after(t)
            assert history.start_before(t) == all_of_it.start_before(t)
            near = history.window(t, t + 10**6)
            np.testing.assert_array_equal(np.sort(near), np.sort(all_of_it.window(t, t + 10**6)))
    for t in random.integers(whole[0].first - 1000, whole[0].last + 1000, 10).tolist():
        counts = [history.count_by("kind", 32, t, t + 10**8).tolist() for history in (model.events, whole[0])]
        assert counts[0] == counts[1]
        early = (
            whole[0].first + 10
        )  # whether the very first journey is one is known late: a loss that is told at the end
        assert history.start_after(early) == all_of_it.start_after(early)
        assert history.start_before(2**63) == all_of_it.start_before(2**63)


def test_a_journey_that_is_seen_only_from_afar_can_be_gone_to(tmp_path: Path) -> None:
    """Its end comes so late that whoever looks around its start does not see it."""
    events = round_trips(np.random.default_rng(1), 10**9, 0)[:60].copy()
    events["tsc"][1:] += 10**10
    save_recording(tmp_path / "far.arrow", HEADER, [events])
    with Replay(Recording(tmp_path / "far.arrow"), WallClock()) as replay:
        model = LiveModel(replay)
        start = model.journeys.start_after(0)
        assert start == int(events["tsc"][0])
        assert begin(model.journeys.starting_at(start)).tolist() == [start]
        assert model.journeys.starting_at(start + 1).size == 0
        assert model.to_start()


def test_a_step_leads_over_any_number_of_events_that_are_of_no_journey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a guest that leaves again and again and rings nobody: the search gave up after so many."""
    before = round_trips(np.random.default_rng(1), 10**9, 0)[: 10 * len(STEPS)]
    between = np.repeat(before[:1], 3_000_000)
    between["kind"], between["lane"], between["seq"] = EventKind.EXIT, Lane.VCPU, 0
    between["tsc"] = before["tsc"].max() + np.arange(1, between.size + 1, dtype=np.uint64) * np.uint64(2000)
    after = round_trips(np.random.default_rng(2), int(between["tsc"][-1]), 10)[: 10 * len(STEPS)]
    save_recording(tmp_path / "long.arrow", HEADER, [before, *np.array_split(between, 100), after])
    with Replay(Recording(tmp_path / "long.arrow"), WallClock()) as replay:
        history, reads = LiveModel(replay).journeys, list[int]()
        assert isinstance(history, RecordedHistory)
        read = history._read

        def noted(t0: int, t1: int) -> Journeys:
            reads.append(t0)
            return read(t0, t1)

        last = int(begin(read(history.first, int(between["tsc"][0]))).max())
        first = int(begin(read(int(between["tsc"][-1]), history.last)).min())
        assert last < between["tsc"][0] < between["tsc"][-1] < first
        monkeypatch.setattr(history, "_read", noted)
        late = int(between["tsc"][-1_000_000])
        assert (history.start_before(late), history.start_after(late)) == (last, first)
        assert len(reads) > 3_000_000 // AT_A_TIME
        reads.clear()
        for moment in (int(between["tsc"][0]), late, int(between["tsc"][-1])):
            assert (history.start_before(moment), history.start_after(moment)) == (last, first)
        assert len(reads) == 6  # what is known to be bare is not read again


def test_what_starts_at_an_end_of_a_bare_stretch_is_found(tmp_path: Path) -> None:
    """A search knows what lies beyond its own beginning, not what lies at it."""
    events = round_trips(np.random.default_rng(1), 10**9, 0)[:60]
    save_recording(tmp_path / "few.arrow", HEADER, [events])
    with Replay(Recording(tmp_path / "few.arrow"), WallClock()) as replay:
        history = LiveModel(replay).journeys
        starts = np.unique(begin(history.window(history.first, history.last))).tolist()
        assert len(starts) > 3
        for one in (starts[0], starts[-1]):  # nothing before the first, nothing after the last
            history.start_after(one), history.start_before(one)
            assert [history.start_after(start - 1) for start in starts] == starts
            assert [history.start_before(start + 1) for start in starts] == starts


def test_events_that_are_far_apart_have_their_journeys(model: LiveModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """As rows of a filtered table are: not all between two of them is read."""
    recording = model.recorded.recording  # type: ignore[union-attr]
    every = np.concatenate(list(recording.sorted_batches()))
    some = every[every["kind"] == EventKind.DOORBELL][:: len(recording) // 300]
    wanted = latency_of(some, around(model.journeys, some, model.clock))
    monkeypatch.setattr("bellwire.viz.model.recorded_history.AT_A_TIME", len(recording) // 8)
    assert not np.isnan(wanted[1:]).any()
    np.testing.assert_array_equal(latency_of(some, around(model.journeys, some, model.clock)), wanted)


def test_the_nearest_are_found_without_all_the_others(
    model: LiveModel, whole: tuple[History, History], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.viz.model.recorded_history.NEAR", 8)
    for history, all_of_it in ((model.events, whole[0]), (model.journeys, whole[1])):
        low, high = all_of_it.first, all_of_it.last
        for t0, t1, count in (
            (0, 2**62, 3),
            ((low + high) // 2, high, 20),
            (low, (low + high) // 2, 1),
            (low, high, 10**6),
        ):
            for name in ("first_of", "last_of"):
                wanted = getattr(all_of_it, name)(count, t0, t1)
                found = getattr(history, name)(count, t0, t1)
                assert 0 < found.size <= count
                np.testing.assert_array_equal(np.sort(found), np.sort(wanted))
        assert history.first_of(5, high + 1, 2**62).size == history.last_of(5, 0, low - 1).size == 0
    reads, history = list[int](), model.events
    assert isinstance(history, RecordedHistory)
    read = history._read

    def noted(t0: int, t1: int) -> Events:
        reads.append(read(t0, t1).size)
        return read(t0, t1)

    monkeypatch.setattr(history, "_read", noted)
    history.last_of(4, 0, 2**62)
    assert 0 < sum(reads) < 100


def test_a_journey_that_a_jump_landed_in_is_on_its_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes: of doorbells that waited in KVM's ring for half a second there was none."""
    wall, recording = WallClock(), Recording(path_of_shipped("doorbell-coalesced-pio"))
    every = Excerpts(recording).between(recording.first, recording.last)
    monkeypatch.setattr("bellwire.engine.recordings.replay.PRELUDE", 1)
    with Replay(recording, wall) as replay:
        replay.indexer.wait()
        replay.seek((replay.recording.first + replay.recording.last) // 2)
        model = LiveModel(replay)
        wall.ns += 10**12
        model.tick(0)
        jumped, counts = replay.yields_from, list[int]()
        assert jumped > recording.first
        for part in range(32):
            model.scrub(jumped + part * (recording.last - jumped) // 32)
            there = under_way(every, model.playhead, model.playhead)
            assert set(there["seq"].tolist()) == set(model.under_way()["seq"].tolist())
            counts.append(there.size)
        assert min(counts[:2]) > 100


def test_what_lies_between_is_known_without_reading(model: LiveModel, recording: Recording) -> None:
    assert model.events.about(recording.first, recording.last) == pytest.approx(len(recording))
    half = model.events.about(recording.first, (recording.first + recording.last) // 2)
    assert half == pytest.approx(len(recording) / 2, rel=0.1)
    assert model.events.about(0, 10) == 0


def test_the_timeline_s_bins_come_from_the_index(model: LiveModel, recording: Recording) -> None:
    past = timeline_columns(model)
    assert isinstance(past, RecordedColumns)
    assert past.ready
    counts = past.counts(recording.first, recording.last, 50)
    assert sum(some.sum() for some in counts.values()) == pytest.approx(len(recording))
    shares = past.busy(["flight", "awake", "instruction0", "instruction9"], recording.first, recording.last, 50)
    assert 0 < shares["flight"].mean() < 1
    assert shares["instruction9"].sum() == 0
    assert (past.first, past.last) == (recording.first, recording.last)


def test_without_an_index_there_is_what_has_been_played(model: LiveModel, recording: Recording) -> None:
    past = timeline_columns(model)
    assert isinstance(past, RecordedColumns)
    past.indexer.stop()
    assert not past.ready
    counts = past.counts(recording.first, recording.last, 50)
    assert sum(some.sum() for some in counts.values()) == pytest.approx(len(model.events), rel=0.05)
    assert isinstance(past, HeldColumns)


def test_a_model_of_a_replay_that_was_sought_has_all_totals(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.engine.recordings.replay.PRELUDE", 1)
    wall = WallClock()
    with Replay(recording, wall) as replay:
        replay.indexer.wait()
        replay.seek((recording.first + recording.last) // 2)
        model = LiveModel(replay)
        wall.ns += 10**12
        model.tick(0)
        whole = LiveModel(Replay(recording))
        for events in recording.sorted_batches():
            whole.tally.feed(events)
        assert model.tally.counts() == whole.tally.counts()
        assert model.started_at == recording.first
        assert 0 < model.latencies.journeys < model.tally.doorbells_rung
        assert model.latencies.tracker.given_up == 0
        every = np.concatenate(list(recording.sorted_batches()))
        assert replay.yields_from > recording.first + (recording.last - recording.first) // 20
        for share in (0.05, 0.25, 0.4):  # some before anything that has been played: out of the file
            model.scrub(recording.first + round((recording.last - recording.first) * share))
            until = Tally()
            until.feed(every[every["tsc"] <= model.playhead])
            assert model.tally.counts() == until.counts()
            assert model.seen.whole_run == (model.playhead < replay.yields_from)
