"""A source that hands out batches which a test has made, one at each look."""

from __future__ import annotations

import random

from bellwire.engine.events import Clock, Events, no_events
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Source
from bellwire.viz.model.live import LiveModel
from tests.support.journey_streams import World, cut

HZ = 1e9  # a cycle is a nanosecond


class BatchSource(Source):
    """What a model needs of a source."""

    alive = True

    def __init__(self, batches: list[Events], scenario: str = "roundtrip") -> None:
        super().__init__(load_scenario(scenario), {"backend": "kvm_fake"}, Clock(HZ))
        self.batches = list(batches)

    def take(self, most: int | None = None) -> Events:
        return self.batches.pop(0) if self.batches else no_events()


def model_of(batches: list[Events], scenario: str = "roundtrip") -> LiveModel:
    """A model that has seen nothing yet; each drain() is one batch."""
    return LiveModel(BatchSource(batches, scenario))


def drained(events: Events, scenario: str = "roundtrip") -> LiveModel:
    """A model that has seen it all."""
    model = model_of([events], scenario)
    model.drain()
    return model


def world(seed: int, steps: int = 400) -> Events:
    """A random run of one guest and its host."""
    return World(random.Random(seed), True).run(steps)


def cut_world(seed: int, steps: int = 400) -> list[Events]:
    """The same in batches of random sizes."""
    return cut(world(seed, steps), random.Random(seed + 1))
