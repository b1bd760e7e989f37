"""The journeys of a part of a recording are those of the whole that lie in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.folds.journeys import Journeys, JourneyTracker
from bellwire.engine.recordings.excerpts import excerpt
from bellwire.engine.recordings.excerpts.excerpt import Excerpts, under_way
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from tests.support.recorded import recorded

MANY = 131_072  # events that were looked at


def journeys_of(recording: Recording) -> Journeys:
    """All of them."""
    tracker = JourneyTracker(recording.header.scenario)
    return np.concatenate([tracker.feed(events) for events in recording.sorted_batches()])


def same(some: Journeys, others: Journeys) -> None:
    np.testing.assert_array_equal(np.sort(some, order="seq"), np.sort(others, order="seq"))


@pytest.mark.parametrize("scenario", ["roundtrip", "doorbell-pio", "irq-msi", "vm-to-vm"])
def test_parts_have_the_journeys_of_the_whole(scenario: str, tmp_path: Path) -> None:
    recording = recorded(tmp_path / "run.arrow", scenario)
    whole, excerpts = journeys_of(recording), Excerpts(recording)
    third = (recording.last - recording.first) // 3
    for part in range(3):
        t0, t1 = recording.first + part * third, recording.first + (part + 1) * third
        inside = under_way(whole, t0, t1)
        assert inside.size > 5
        same(excerpts.between(t0, t1), inside)


def test_a_part_with_many_events_has_all_its_journeys() -> None:
    recording = Recording(path_of_shipped("lab-mmio-storm"))
    assert len(recording) > 2 * MANY
    same(Excerpts(recording).between(recording.first, recording.last), journeys_of(recording))


@pytest.mark.parametrize("around", [excerpt.AROUND, 32])
@pytest.mark.parametrize(
    "name",
    [
        "doorbell-coalesced-pio",  # doorbells wait for half a second
        "irq-window@kvm_amd",
        "lab-early-signal",
        "lab-mmio-storm",
        "roundtrip",
        "roundtrip@kvm_amd",
        "two-vcpus-doorbell",
        "vhost-net",
        "virtqueue-event-idx",
        "vm-to-vm+ioeventfd=off",
    ],
)
def test_a_journey_is_found_at_any_moment_of_it(name: str, around: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes, and whatever else happens meanwhile."""
    monkeypatch.setattr(excerpt, "AROUND", around)
    recording = Recording(path_of_shipped(name))
    whole, random = journeys_of(recording), np.random.default_rng(1)
    excerpts, found = Excerpts(recording), 0
    for tsc in random.integers(recording.first, recording.last, 30).tolist():
        inside = under_way(whole, tsc, tsc)
        same(excerpts.between(tsc, tsc), inside)
        found += inside.size
    assert found or name in ("lab-mmio-storm", "vhost-net")


def test_what_was_under_way_at_a_time_is_over_when_its_last_journey_is() -> None:
    recording = Recording(path_of_shipped("doorbell-coalesced-pio"))
    middle, excerpts = (recording.first + recording.last) // 2, Excerpts(recording)
    over = excerpts.over(middle)
    assert excerpts.between(middle, middle).size
    assert not under_way(excerpts.between(middle, middle), over, over).size
    assert under_way(excerpts.between(middle, middle), over - 1, over - 1).size
    assert excerpts.over(0) == 0


def test_where_nothing_was_there_is_none(tmp_path: Path) -> None:
    excerpts = Excerpts(recorded(tmp_path / "run.arrow"))
    assert excerpts.between(0, 1000).size == 0
    assert excerpts.between(2**62, 2**62 + 1000).size == 0
