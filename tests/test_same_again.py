"""A replay shows in every view what the live run showed, however its events are cut; a new start is a fresh start."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import Switch
from bellwire.engine.folds.latency import LATENCIES
from bellwire.engine.live.session import Session
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Order, Source
from bellwire.viz.model.live import LiveModel
from bellwire.viz.timeline.columns import HeldColumns
from bellwire.viz.timeline.lanes import lanes_of
from bellwire.viz.timeline.scene import look, row_names
from tests.support.fake_source import FakeSource
from tests.support.small_recording import WallClock
from tests.support.states import state

FRAME_NS = 16_000_000


def recorded(source: Source, path: Path, run: list[float]) -> LiveModel:
    """Folds a source that is started and stopped here, and records what it folds; run: seconds between two looks."""
    with source, Recorder(path, Header.of(source, "test")) as recorder:
        model = LiveModel(source)  # whose clock is known only now
        for n, seconds in enumerate(run):
            if n in (len(run) // 3, len(run) // 2):
                source.order(Order.IOEVENTFD, n == len(run) // 2)
            if isinstance(source, FakeSource):
                source.run(seconds)
            else:
                time.sleep(seconds)
            model.tick(seconds)
            recorder.append(model.batch)
        source.stop()
        model.drain()
        recorder.append(model.batch)
    return model


def replayed(path: Path, seed: int) -> LiveModel:
    """Folds the recording in frames of random length."""
    wall, chance = WallClock(), random.Random(seed)
    with Replay(Recording(path), wall) as replay:
        model = LiveModel(replay)
        while replay.alive:
            wall.ns += chance.randrange(1, 4 * FRAME_NS)
            model.tick(0.016)
        model.tick(0.016)
    return model


def compare(live: LiveModel, again: LiveModel) -> None:
    """Every figure of every view."""
    assert again.tally.counts() == live.tally.counts()
    assert again.tally.recorded == live.tally.recorded > 500
    assert (again.changes, again.losses, again.vms) == (live.changes, live.losses, live.vms)
    held = [np.concatenate(list(model.events)) for model in (live, again)]
    assert np.sort(held[0]).tobytes() == np.sort(held[1]).tobytes()
    journeys = [np.sort(model.journeys.newest(10**9)) for model in (live, again)]
    assert journeys[0].tolist() == journeys[1].tolist()
    assert journeys[0].size > 100
    compare_latencies(live, again)
    for name in {*live.rates.names, *again.rates.names} - {"tokens"}:
        bins = live.events.first // live.rates.bin_cycles, live.events.last // live.rates.bin_cycles + 1
        assert again.rates.between(name, *bins).tolist() == live.rates.between(name, *bins).tolist(), name


def compare_latencies(live: LiveModel, again: LiveModel) -> None:
    """Percentiles of the whole run, since and before the last change; and their course."""
    assert again.latencies.journeys == live.latencies.journeys
    assert again.latencies.warmup == live.latencies.warmup
    for name in LATENCIES:
        for of in ("histograms", "since", "before"):
            summaries = [getattr(model.latencies, of)[name].summary() for model in (live, again)]
            assert summaries[0] == pytest.approx(summaries[1]), (of, name)
        counts = [model.latencies.histograms[name].summary()["count"] for model in (live, again)]
        assert counts[0] == counts[1]
        assert live.latencies.now(name) == again.latencies.now(name)


def compare_timelines(live: LiveModel, again: LiveModel) -> None:
    """Bins and single stretches."""
    pasts = HeldColumns(live), HeldColumns(again)
    t0, t1, hz = live.events.first, live.events.last + 1, live.clock.hz
    lanes = lanes_of(live.scenario, live.vms)
    busy = [past.busy(row_names(lanes), t0, t1, 700) for past in pasts]
    counts = [past.counts(t0, t1, 700) for past in pasts]
    for row in row_names(lanes):
        assert busy[0][row] == pytest.approx(busy[1][row], abs=1e-6), row
    for lane, shares in counts[0].items():
        assert shares == pytest.approx(counts[1][lane], abs=1e-6), lane
    middle = (t0 + t1) // 2
    scenes = [look(past, lanes, middle, middle + round(hz * 2e-3), hz, 1200) for past in pasts]
    for row, spans in scenes[0].spans.items():
        assert sorted(zip(*spans, strict=True)) == sorted(zip(*scenes[1].spans[row], strict=True)), row


def compare_steps(live: LiveModel, again: LiveModel) -> None:
    """The same walk leads to the same places, and what is said there is the same."""
    chance = random.Random(9)
    for model in (live, again):
        model.to_start()
    for _ in range(60):
        kind, direction = chance.choice(("step", "step_event")), chance.choice((+1, +1, -1))
        for model in (live, again):
            getattr(model, kind)(direction)
        assert state(live)[:4] == state(again)[:4]
    for name in LATENCIES:
        assert live.to_slowest(name) == again.to_slowest(name)
        assert state(live)[:4] == state(again)[:4]
        assert live.tally.counts() == again.tally.counts()
    for model in (live, again):
        model.to_newest()


def compare_all(live: LiveModel, path: Path) -> None:
    for seed in (1, 2):
        again = replayed(path, seed)
        compare(live, again)
        compare_timelines(live, again)
        compare_steps(live, again)


@pytest.mark.parametrize("scenario", ["roundtrip", "irq-msi", "vm-to-vm"])
def test_a_replay_shows_what_the_run_showed(scenario: str, tmp_path: Path) -> None:
    path = tmp_path / "run.arrow"
    compare_all(recorded(FakeSource(scenario), path, [0.017] * 50), path)


@pytest.mark.kvm
@pytest.mark.parametrize("scenario", ["roundtrip", "vm-to-vm"])
def test_a_replay_shows_what_a_real_run_showed(scenario: str, tmp_path: Path) -> None:
    path = tmp_path / "run.arrow"
    live = recorded(Session(load_scenario(scenario)), path, [0.016] * 60)
    assert len(live.changes) == 2
    compare_all(live, path)


def test_starting_afresh_is_a_fresh_start(tmp_path: Path) -> None:
    path = tmp_path / "run.arrow"
    recorded(FakeSource(), path, [0.017] * 20)
    wall, states = WallClock(), []
    replay = Replay(Recording(path), wall)
    for walk in (False, True, False):
        replay.start()
        model = LiveModel(replay)
        wall.ns += 100_000_000
        model.tick(0.016)
        states.append((state(model), model.tally.counts(), model.journeys.total, model.wired(Switch.IOEVENTFD)))
        if walk:
            for _ in range(20):
                model.step_event(-1)
            model.transport.set_factor(1e5)
            model.markers.put("A", model.playhead)
    replay.stop()
    assert states[0] == states[1] == states[2]
