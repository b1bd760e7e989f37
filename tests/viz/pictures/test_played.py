"""A moment is as it was seen live: frames of what was folded at once show what those do that are drained one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bellwire.engine.recordings.index import RecordingIndex
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.pictures.played import (
    FRAME_SECONDS,
    FRAMES,
    PlayedRecording,
    drain_all,
    played_model,
    see_frames,
    source_played,
)

See = Callable[[LiveModel, PlayedRecording, int], None]


def drained_one_by_one(model: LiveModel, source: PlayedRecording, until: int) -> None:
    """Each frame drains what is due in it, as the window does."""
    step = source.clock.cycles(FRAME_SECONDS)
    for left in range(FRAMES, -1, -1):
        source.play_to(max(until - left * step, source.recording.first))
        drain_all(model, source)
        model.move(FRAME_SECONDS)
        if left == FRAMES:
            model.travel.launcher.carriers.clear()
            model.travel.echoes.carriers.clear()


def seen_by(see: See, name: str, share: float) -> dict[str, object]:
    """Everything that travels then, and what it comes to, in a shipped recording after this share of its time."""
    recording = Recording(path_of_shipped(name))
    with source_played(recording) as source:
        source.start()
        model = LiveModel(source)
        see(model, source, recording.first + round(share * (recording.last - recording.first)))
        launchers, latencies = (model.travel.launcher, model.travel.echoes), model.present.latencies
        return {
            "carriers": [launcher.carriers for launcher in launchers],
            "sums": [(launcher.launched, launcher.aggregated, launcher.waiting) for launcher in launchers],
            "when": (model.now, model.playhead),
            "rates": {
                one: model.rates.between(one, model.rates.oldest, model.rates.newest).tolist()
                for one in model.rates.names
            },
            "latencies": {one: found.counts.tolist() for one, found in latencies.histograms.items()},
            "counted": (model.present.tally.recorded, latencies.journeys, latencies.warmup),
        }


@pytest.mark.parametrize(
    ("name", "share"),
    [("roundtrip", 0.5), ("virtqueue", 0.2), ("irq-level-resample", 1.0), ("irq-masked", 0.7), ("vm-to-vm", 0.9)],
)
def test_frames_that_are_folded_at_once_show_what_frames_do_that_are_drained(name: str, share: float) -> None:
    assert seen_by(see_frames, name, share) == seen_by(drained_one_by_one, name, share)


def test_the_index_is_made_once_and_only_if_somebody_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[Recording]()
    built = RecordingIndex.built

    def noted(recording: Recording, *others: Any) -> RecordingIndex | None:
        made.append(recording)
        return built(recording, *others)

    monkeypatch.setattr(RecordingIndex, "built", noted)
    with source_played(Recording(path_of_shipped("roundtrip"))) as source:
        model = played_model(source, Moment())
        assert model.past.missing(source.recording.first, source.recording.last) == ""
        assert made == []
        assert source.indexer.index is not None
        assert source.indexer.index is source.indexer.index
        assert made == [source.recording]
