"""Models on the synthetic source that look at it every 50 ms: cheaper, for what does not depend on the frame."""

from __future__ import annotations

from bellwire.viz.model.live import LiveModel
from tests.support.fake_source import FakeSource


def model_of(scenario: str = "roundtrip", seconds: float = 1.0) -> tuple[LiveModel, FakeSource]:
    """A model that has seen so many seconds."""
    source = FakeSource(scenario)
    source.start()
    model = LiveModel(source)
    run(model, source, seconds)
    return model, source


def run(model: LiveModel, source: FakeSource, seconds: float) -> None:
    """So many seconds more."""
    for _ in range(round(seconds / 0.05)):
        source.run(0.05)
        model.tick(0.05)
