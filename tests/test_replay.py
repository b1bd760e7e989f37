"""A replay yields what was recorded, when it is due, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.recorder import Recorder
from engine.recording import Recording
from engine.replay import REASON, Replay
from engine.source import Source
from tests.test_recording import BATCHES, HEADER


class WallClock:
    """A monotonic clock that stands still until it is moved. At 2 GHz, 5 ns are 10 cycles: one event of BATCHES."""

    ns = 7_000

    def __call__(self) -> int:
        return self.ns


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
    assert source.can("ioeventfd") == REASON


def test_a_file_that_vanishes_ends_the_replay_with_its_error(recording: Recording) -> None:
    wall = WallClock()
    with Replay(recording, wall) as replay:
        recording.path.unlink()
        wall.ns += 10**9
        assert replay.take().size == 3
        assert "has changed" in str(replay.error)
        assert not replay.alive
