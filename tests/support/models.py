"""Models on the synthetic source, a frame of the window after the other."""

from __future__ import annotations

from bellwire.viz.model.live import LiveModel
from tests.support.fake_source import FakeSource

FRAME = 1 / 60  # seconds


def running(seconds: float = 1.0, scenario: str = "roundtrip") -> tuple[FakeSource, LiveModel]:
    """A model that has seen so many seconds."""
    source = FakeSource(scenario)
    source.start()
    model = LiveModel(source)
    run(source, model, seconds)
    return source, model


def run(source: FakeSource, model: LiveModel, seconds: float) -> None:
    """So many seconds more."""
    for _ in range(round(seconds / FRAME)):
        source.run(FRAME)
        model.tick(FRAME)
