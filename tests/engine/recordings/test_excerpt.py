"""The journeys of a part of a recording are those of the whole that lie in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.folds.journeys import JourneyTracker, finish
from bellwire.engine.folds.latency import begin
from bellwire.engine.recordings.excerpt import journeys_between
from tests.support.recorded import recorded


@pytest.mark.parametrize("scenario", ["roundtrip", "doorbell-pio", "irq-msi", "vm-to-vm"])
def test_parts_have_the_journeys_of_the_whole(scenario: str, tmp_path: Path) -> None:
    recording = recorded(tmp_path / "run.arrow", scenario)
    tracker = JourneyTracker(recording.header.scenario)
    whole = np.concatenate([tracker.feed(events) for events in recording.sorted_batches()])
    third = (recording.last - recording.first) // 3
    for part in range(3):
        t0, t1 = recording.first + part * third, recording.first + (part + 1) * third
        inside = whole[(begin(whole) <= t1) & (finish(whole) >= t0)]
        found = journeys_between(recording, t0, t1)
        assert inside.size > 5
        np.testing.assert_array_equal(np.sort(found, order="seq"), np.sort(inside, order="seq"))


def test_where_nothing_was_there_is_none(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "run.arrow")
    assert journeys_between(recording, 0, 1000).size == 0
    assert journeys_between(recording, 2**62, 2**62 + 1000).size == 0
