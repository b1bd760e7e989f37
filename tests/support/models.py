"""Models on the synthetic source, a frame of a slow window after the other."""

from __future__ import annotations

from bellwire.viz.model.live import LiveModel
from tests.support.fake_source import FakeSource

FRAME = 1 / 20  # seconds


def running(seconds: float = 1.0, scenario: str = "roundtrip") -> tuple[FakeSource, LiveModel]:
    """A model that has seen so many seconds."""
    source = FakeSource(scenario)
    source.start()
    model = LiveModel(source)
    run(source, model, seconds)
    return source, model


def run(source: FakeSource, model: LiveModel, seconds: float, frame: float = FRAME) -> None:
    """So many seconds more."""
    frames = max(round(seconds / frame), 1)
    for _ in range(frames):
        source.run(seconds / frames)
        model.tick(seconds / frames)
