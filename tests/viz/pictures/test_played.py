"""A moment is as it was seen live: frames of what was folded at once show what those do that are drained one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bellwire.engine.recordings.index import RecordingIndex
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.moment import Moment, last_needed
from bellwire.viz.pictures.played import (
    FRAME_SECONDS,
    FRAMES,
    PlayedRecording,
    drain_all,
    play_as_far_as,
    play_on,
    played_model,
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


def folded_at_once(model: LiveModel, source: PlayedRecording, until: int) -> None:
    """As for a picture."""
    play_as_far_as(model, source, Moment(), until)


def seen_by(see: See, name: str, share: float) -> dict[str, object]:
    """What is seen in a shipped recording after this share of its time."""
    recording = Recording(path_of_shipped(name))
    with source_played(recording) as source:
        source.start()
        model = LiveModel(source)
        see(model, source, recording.first + round(share * (recording.last - recording.first)))
        return what_is_seen(model)


def what_is_seen(model: LiveModel) -> dict[str, object]:
    """Everything that travels, what is chosen, and what it all comes to."""
    launchers, latencies, rates = (model.travel.launcher, model.travel.echoes), model.latencies, model.rates
    return {
        "carriers": [launcher.carriers for launcher in launchers],
        "sums": [(launcher.launched, launcher.aggregated, launcher.waiting) for launcher in launchers],
        "tokens": model.tokens(),
        "when": (model.now, model.playhead, model.state, model.second),
        "chosen": (model.selection.journeys.tolist(), model.selection.events.tolist(), model.story is None),
        "rates": {one: rates.between(one, rates.oldest, rates.newest).tolist() for one in rates.names},
        "latencies": {one: found.counts.tolist() for one, found in latencies.histograms.items()},
        "counted": (model.present.tally.recorded, latencies.journeys, latencies.warmup, model.tally.recorded),
    }


@pytest.mark.parametrize(
    ("name", "share"),
    [("roundtrip", 0.5), ("virtqueue", 0.2), ("irq-level-resample", 1.0), ("irq-masked", 0.7), ("vm-to-vm", 0.9)],
)
def test_frames_that_are_folded_at_once_show_what_frames_do_that_are_drained(name: str, share: float) -> None:
    assert seen_by(folded_at_once, name, share) == seen_by(drained_one_by_one, name, share)


@pytest.mark.parametrize("name", ["roundtrip", "irq-level-resample", "virtqueue"])
def test_a_model_that_goes_on_from_one_moment_to_a_later_one_shows_what_a_new_one_does(name: str) -> None:
    """From and to each kind of moment."""
    said = ("0.3s", "#40", "@0.9s", "#120/handler", "1.6s", "handler:300", "#median", "")
    with source_played(Recording(path_of_shipped(name))) as source:
        moments, model = [(last_needed(moment, source.recording), moment) for moment in map(Moment.read, said)], None
        for until, moment in sorted(moments, key=lambda one: one[0]):
            assert until >= source.now()
            if model is None:
                model = played_model(source, moment)
            else:
                assert play_on(model, source, moment)
            with source_played(Recording(path_of_shipped(name))) as another:
                assert what_is_seen(model) == what_is_seen(played_model(another, moment)), moment
        assert model is not None
        assert not play_on(model, source, Moment.read("0.3s"))


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
