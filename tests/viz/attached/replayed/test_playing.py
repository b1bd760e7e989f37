"""The playhead goes with the wall clock, or slower, from the first event to the last, and stands where it is put."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.viz.attached.replayed.playing import SeenPlayhead
from tests.support.seen_recordings import FIRST, MS, seen_recording


@pytest.fixture
def playhead(tmp_path: Path) -> SeenPlayhead:
    """Of two seconds."""
    return SeenPlayhead(seen_recording(tmp_path / "seen.arrow"))


def test_it_goes_on_and_ends(playhead: SeenPlayhead) -> None:
    assert (playhead.tsc, playhead.plays) == (FIRST, True)
    playhead.advance(0.5)
    assert playhead.tsc == FIRST + 500 * MS
    playhead.set_factor(100)
    playhead.advance(0.5)
    assert playhead.tsc == FIRST + 505 * MS
    playhead.set_factor(1)
    playhead.advance(60)
    assert (playhead.tsc, playhead.at_the_end, playhead.plays) == (playhead.last, True, False)
    playhead.play()
    assert (playhead.tsc, playhead.plays) == (FIRST, True)


def test_it_stands_while_it_is_paused_and_can_be_put_anywhere(playhead: SeenPlayhead) -> None:
    playhead.pause()
    playhead.advance(1)
    assert playhead.tsc == FIRST
    playhead.seek(FIRST + 7)
    assert (playhead.tsc, playhead.plays) == (FIRST + 7, False)
    playhead.seek(0)
    assert playhead.tsc == playhead.first
    playhead.play()
    playhead.seek(FIRST + 9)
    assert (playhead.tsc, playhead.plays) == (FIRST + 9, True)
    playhead.set_factor(1000)
    playhead.pause()
    playhead.set_factor(1)
    playhead.advance(1)
    assert playhead.tsc == FIRST + 9
