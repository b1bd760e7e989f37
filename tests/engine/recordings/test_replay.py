"""A replay yields what was recorded, when it is due, and changes nothing."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from bellwire.engine.errors import RecordingError
from bellwire.engine.events import EventKind, Events, Lane, Setting, Switch, end_to_end, event
from bellwire.engine.folds.tally import Tally, state_of
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import REASON, Replay
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Order, Source
from tests.support.recorded import recorded
from tests.support.small_recording import BATCHES, HEADER, WallClock, batch


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    with Recorder(tmp_path / "r.arrow", HEADER) as recorder:
        for events in BATCHES:
            recorder.append(events)
            recorder.flush()
    return Recording(recorder.path)


def test_events_come_when_they_are_due(recording: Recording) -> None:
    wall = WallClock()
    replay, taken = Replay(recording, wall), []
    assert (replay.take().size, replay.now()) == (0, recording.first)
    with replay:
        for _ in range(12):
            taken.append(replay.take())
            wall.ns += 5
    assert [events.size for events in taken] == [1] * 9 + [0] * 3
    np.testing.assert_array_equal(np.concatenate(taken), np.concatenate(BATCHES))


def test_a_long_pause_between_takes_loses_nothing(recording: Recording) -> None:
    wall = WallClock()
    with Replay(recording, wall) as replay:
        wall.ns += 15
        first = replay.take()
        wall.ns += 10**9
        np.testing.assert_array_equal(np.concatenate([first, replay.take()]), np.concatenate(BATCHES))


def test_it_rests_at_the_end_until_restarted(recording: Recording) -> None:
    wall = WallClock()
    with Replay(recording, wall) as replay:
        alive = [replay.alive]
        wall.ns += 10**9
        assert replay.take().size == 9
        alive.append(replay.alive)
        assert replay.now() == recording.last
        assert replay.take().size == 0
        replay.restart()
        alive.append(replay.alive)
        assert alive == [True, False, True]
        assert (replay.now(), replay.take().size) == (recording.first, 1)


def test_after_stop_only_what_was_due_is_left(recording: Recording) -> None:
    wall = WallClock()
    with Replay(recording, wall) as replay:
        wall.ns += 10
    wall.ns += 10**9
    replay.stop()
    assert not replay.alive
    assert (replay.take().size, replay.take().size) == (3, 0)


def test_it_is_a_source_that_says_why_it_cannot_be_changed(recording: Recording) -> None:
    source: Source = Replay(recording)
    assert (source.label, source.backend, source.clock) == ("REPLAY", "kvm_intel", HEADER.clock)
    assert source.can(Order.IOEVENTFD) == REASON


@pytest.mark.parametrize("instead", [None, b"another one"])
def test_a_file_that_is_removed_or_replaced_is_played_to_its_end(instead: bytes | None, recording: Recording) -> None:
    wall = WallClock()
    with Replay(recording, wall) as replay:
        recording.path.unlink()
        if instead:
            recording.path.write_bytes(instead)
        wall.ns += 10**9
        assert replay.take().size == sum(events.size for events in BATCHES)
        assert not replay.error
    with pytest.raises(RecordingError, match="has changed since it was opened"):
        replay.start()


def test_a_damaged_part_is_played_as_the_word_that_it_is_lost_and_what_follows_it_as_it_was(tmp_path: Path) -> None:
    """The replay ended there, and totals knew nothing of what was missing."""
    path = recorded(tmp_path / "run.arrow").path
    entry, content = Recording(path).entries[2], bytearray(path.read_bytes())
    tsc = content.index(np.uint64(entry["first"]).tobytes(), int(entry["offset"]))
    content[tsc : tsc + 8] = b"\xff" * 8
    path.write_bytes(content)
    recording, wall, tally = Recording(path), WallClock(), Tally()
    replay, played = Replay(recording, wall), list[Events]()
    replay.start()
    wall.ns += 10**15
    while (events := replay.take()).size:
        tally.feed(events)
        played.append(events)
    assert int(end_to_end(*played)["tsc"][-1]) == recording.last
    assert end_to_end(*played)["tsc"].tolist().count(entry["last"]) == 1
    assert tally.lost_from == {Lane.VCPU: 3, Lane.ENGINE: entry["events"]}
    until_then = Tally()
    for number in range(recording.entries.size - 1):
        until_then.feed(recording.read_once(number))
    replay.indexer.wait()
    resumed = replay.stood_at(recording.last)[0]
    assert resumed
    assert (resumed.counted, state_of(resumed.tally)) == (True, state_of(until_then))
    replay.stop()


def test_a_file_that_is_cut_off_ends_the_replay_with_its_error(recording: Recording) -> None:
    wall = WallClock()
    with Replay(recording, wall) as replay:
        os.truncate(recording.path, int(recording.entries["offset"][1]))
        wall.ns += 10**9
        assert replay.take().size == 3
        assert "has changed" in str(replay.error)
        assert not replay.alive


# -- seeking


@pytest.fixture
def long_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recording:
    """Ten batches or more, of which one is the prelude."""
    monkeypatch.setattr("bellwire.engine.recordings.replay.PRELUDE", 1)
    return recorded(tmp_path / "long.arrow", seconds=0.5)


def folded(events: list[Events]) -> dict[str, object]:
    """The state of a tally of these."""
    tally = Tally()
    for some in events:
        tally.feed(some)
    return state_of(tally)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.77, 1.0])
def test_seeking_gives_the_totals_of_who_has_seen_everything(share: float, long_recording: Recording) -> None:
    wall = WallClock()
    with Replay(long_recording, wall) as replay:
        assert replay.indexer.wait() is not None
        tsc = long_recording.first + round(share * (long_recording.last - long_recording.first))
        replay.seek(tsc)
        assert replay.now() == tsc
        tally = replay.resumed.tally if replay.resumed else Tally()
        taken = replay.take()
        tally.feed(taken)
        wall.ns += 10**12
        rest = replay.take()
        assert replay.warning == ""
    with Replay(long_recording, wall) as played:
        wall.ns += math.ceil(long_recording.header.clock.ns(tsc - long_recording.first))
        assert state_of(tally) == folded([played.take()])
        wall.ns += 10**12
        np.testing.assert_array_equal(rest, played.take())


def test_before_it_is_indexed_totals_count_from_there_and_it_says_so(
    long_recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.engine.recordings.index.Indexer.start", lambda indexer: None)
    with Replay(long_recording, WallClock()) as replay:
        assert replay.warning == ""
        replay.seek((long_recording.first + long_recording.last) // 2)
        assert replay.resumed is not None
        assert "totals count from a moment before" in replay.warning
        tally = replay.resumed.tally
        tally.feed(replay.take())
        assert 0 < tally.doorbells_rung <= 200  # of two batches
        assert tally.doorbells_rung - tally.doorbells_received in (0, 1)
        assert (tally.irqs_merged, tally.irqs_pending in (0, 1)) == (0, True)
        assert set(tally.wiring) == set(Switch)  # as the end of the file says


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "cut off"])
def test_before_it_is_indexed_it_knows_the_wires_and_who_reads_the_doorbells(
    whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a guest whose doorbells another process answers it would be said that they were interrupts at once."""
    monkeypatch.setattr("bellwire.engine.recordings.index.Indexer.start", lambda indexer: None)
    monkeypatch.setattr("bellwire.engine.recordings.replay.PRELUDE", 1)
    wires = [event(999, EventKind.WIRE, Lane.ENGINE, switch, 4711, 1) for switch in Switch]
    off = event(1039, EventKind.WIRE, Lane.ENGINE, Switch.IRQFD, 4711, 0)
    path = tmp_path / "r.arrow"
    with Recorder(path, replace(HEADER, scenario=load_scenario("vhost-user-blk"))) as recorder:
        for events in (end_to_end(*wires, BATCHES[0]), BATCHES[1], off, BATCHES[2], batch(1090, 1)):
            recorder.append(events)
            recorder.flush()
        cut = path.read_bytes()
    if not whole:
        path.write_bytes(cut)
    with Replay(Recording(path), WallClock()) as replay:
        assert replay.recording.whole is whole
        replay.seek(replay.recording.last)
        assert replay.resumed is not None
        tally = replay.resumed.tally
    assert (tally.partner_pid, tally.direct) == (4711, True)
    assert tally.wiring == {Switch.IOEVENTFD: True, Switch.IRQFD: False}


@pytest.mark.parametrize("how", ["cut off", "more changes than the end lists"])
@pytest.mark.parametrize("compression", [None, "zstd"])
def test_before_it_is_indexed_it_knows_the_wires_however_long_ago_they_were_changed(
    how: str, compression: Literal["zstd"] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.engine.recordings.index.Indexer.start", lambda indexer: None)
    monkeypatch.setattr("bellwire.engine.recordings.replay.PRELUDE", 1)
    monkeypatch.setattr("bellwire.engine.recordings.outline.CHANGES_LIMIT", 2 if how != "cut off" else 1000)
    wires = [event(999, EventKind.WIRE, Lane.ENGINE, switch, 0, 1) for switch in Switch]
    parts = [end_to_end(*wires, batch(1000, 1)), *(batch(1000 + 10 * n, 1) for n in range(1, 60))]
    masked = event(1041, EventKind.SETTING, Lane.ENGINE, Setting.MASKED, 3, 1)
    parts[4] = end_to_end(event(1035, EventKind.WIRE, Lane.ENGINE, Switch.IOEVENTFD, 0, 0), parts[4], masked)
    parts[50] = end_to_end(event(1495, EventKind.WIRE, Lane.ENGINE, Switch.IOEVENTFD, 0, 1), parts[50])
    path = tmp_path / "r.arrow"
    with Recorder(path, HEADER, compression=compression) as recorder:
        for events in parts:
            recorder.append(events)
            recorder.flush()
        cut = path.read_bytes()
    if how == "cut off":
        path.write_bytes(cut)
    with Replay(Recording(path), WallClock()) as replay:
        for tsc, on in ((1455, False), (1585, True), (1045, False), (1025, True), (1455, False)):
            replay.seek(tsc)
            tally = replay.resumed.tally if replay.resumed else Tally()
            tally.feed(replay.take())
            assert tally.wiring == {Switch.IOEVENTFD: on, Switch.IRQFD: True}, tsc
            assert tally.settings.get(Setting.MASKED, 0) == int(tsc > 1041), tsc


def test_much_that_is_due_comes_in_parts(long_recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.engine.recordings.replay.AT_ONCE", 1000)
    wall, taken = WallClock(), list[Events]()
    with Replay(long_recording, wall) as replay:
        wall.ns += 10**12
        while replay.alive:
            taken.append(replay.take())
    assert len(taken) > 5
    assert max(events.size for events in taken) < 2500
    assert sum(events.size for events in taken) == len(long_recording)


def test_it_can_begin_in_the_middle_and_restarts_at_the_start(long_recording: Recording) -> None:
    replay = Replay(long_recording, WallClock())
    replay.begin_at(5 * 10**8)
    with replay:
        assert replay.now() == long_recording.first + 5 * 10**8
        replay.restart()
        assert (replay.now(), replay.resumed) == (long_recording.first, None)
