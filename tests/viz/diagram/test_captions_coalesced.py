"""What is said of coalesced writes is held against the exits and fetches of the recordings that are shipped."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine.events import EventKind
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.viz.diagram.captions_of_one import coalesced
from bellwire.viz.diagram.part_words import number_in_last_second
from bellwire.viz.model.live import LiveModel
from bellwire.viz.text.assets import asset
from bellwire.viz.text.figures import grouped, times

FRAME_NS = 50_000_000


@pytest.mark.parametrize("name", ["doorbell-coalesced-mmio", "doorbell-coalesced-pio"])
def test_exits_are_counted_as_exits_and_fetches_as_fetches(name: str) -> None:
    wall = [1]
    with Replay(Recording(asset(f"recordings/{name}.arrow")), lambda: wall[0]) as source:
        model = LiveModel(source)
        for _ in range(32):
            wall[0] += FRAME_NS
            model.tick(FRAME_NS / 1e9)
        first, end = (number * model.rates.bin_cycles for number in model.second)
        events = model.events.window(first, end - 1)
        exits, fetches = (events[events["kind"] == kind] for kind in (EventKind.EXIT, EventKind.FETCH))
        left = int((exits["seq"] > 0).sum())
        said = coalesced(model)
        assert exits.size
        assert number_in_last_second(model, "exits") == grouped(exits.size)
        assert (f"{grouped(left)} found the ring full and left to user space" in said) == (left > 0)
        fetched, looks = int(fetches["arg"].sum()), np.unique(fetches["tsc"]).size
        assert (f"fetched {grouped(fetched)} out of KVM's ring, {times(looks)}" in said) == (fetched > 0)
