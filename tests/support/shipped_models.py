"""Models that hold the whole of a shipped recording: of every scenario a real run, without a guest."""

from __future__ import annotations

from functools import lru_cache

from bellwire.engine.events import Events, end_to_end, no_events
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.engine.source import Source
from bellwire.viz.model.live import LiveModel


class WholeSource(Source):
    """All events of a recording, at once."""

    alive = True

    def __init__(self, name: str) -> None:
        recording = Recording(path_of_shipped(name))
        super().__init__(recording.header.scenario, dict(recording.header.host), recording.header.clock)
        self._events = end_to_end(*recording.batches())

    def take(self, most: int | None = None) -> Events:
        events, self._events = self._events, no_events()
        return events


def shipped_model(name: str) -> LiveModel:
    """Of this scenario; nobody may change it but for where it looks, which is at first its end. Who had it before, in
    another test, is told of nothing any more.
    """
    model = whole_model(name)
    model.look_anew()
    return model


@lru_cache(maxsize=1)
def whole_model(name: str) -> LiveModel:
    """Of this scenario, which has been folded."""
    model = LiveModel(WholeSource(name))
    model.drain()
    return model
