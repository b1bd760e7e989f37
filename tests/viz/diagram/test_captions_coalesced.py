"""What is said of coalesced writes is held against the exits and fetches of the recordings that are shipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import EventKind, Lane, Switch, end_to_end, event
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.diagram.captions_of_one import coalesced
from bellwire.viz.diagram.part_words import number_in_last_second
from bellwire.viz.model.live import LiveModel
from bellwire.viz.text.assets import asset
from bellwire.viz.text.figures import grouped, times
from tests.support.small_recording import HEADER

FRAME_NS = 50_000_000


def test_what_was_fetched_the_second_before_is_not_called_taken_by_an_ioeventfd_that_never_was(tmp_path: Path) -> None:
    """The I/O thread may read in this second what was fetched in the one before."""
    second = HEADER.clock.cycles(1)
    told = [
        event(second, EventKind.WIRE, Lane.ENGINE, Switch.IOEVENTFD, 0, 0),
        event(second + 1, EventKind.FETCH, Lane.VCPU, 0x510, 170, 170),
        event(2 * second, EventKind.DOORBELL, Lane.IO_THREAD, 0, 170, 170),
        event(3 * second, EventKind.WAIT, Lane.IO_THREAD),
    ]
    with Recorder(tmp_path / "r.arrow", replace(HEADER, scenario=load_scenario("doorbell-coalesced-pio"))) as recorder:
        recorder.append(end_to_end(*told))
    wall = [1]
    with Replay(Recording(recorder.path), lambda: wall[0]) as source:
        model = LiveModel(source)
        wall[0] += 1_800_000_000
        model.tick(1.8)
        assert not model.why_unknown
        assert "ioeventfd" not in coalesced(model)


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
