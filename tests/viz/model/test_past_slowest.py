"""The slowest journey is one of those that the figures are of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import EVENT, Clock, EventKind, Events, Lane, Setting
from bellwire.engine.folds.latency import cycles_of
from bellwire.engine.recordings.contents import Contents
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.model.live import LiveModel
from tests.support.batch_source import HZ, model_of
from tests.support.small_recording import WallClock

TURNS, STOP, SLOW = 200, 7 * 10**9, 5 * 10**6  # cycles of a nanosecond


def run(setting: Setting) -> Events:
    """Round trips every 10 ms; one takes 5 ms, and one 7 s, in which everything stood still, or another process."""
    rows: list[tuple[int, ...]] = []
    at = 10**9
    for n in range(1, TURNS + 1):
        late = STOP if n == TURNS // 2 else SLOW if n == TURNS // 3 else 0
        rows.append((at, EventKind.RING, Lane.GUEST, 0, 0, n, 0))
        rows.append((at + 500, EventKind.RUNG, Lane.GUEST, 0, 0, n, 0))
        if late == STOP and setting is Setting.STALLED:
            rows.append((at + 3_000, EventKind.SETTING, Lane.ENGINE, 0, setting, 0, STOP))
        elif late == STOP:
            rows.append((at + 3_000, EventKind.SETTING, Lane.ENGINE, 0, setting, 77, 77))
            rows.append((at + STOP - 3_000, EventKind.SETTING, Lane.ENGINE, 0, setting, 77, 0))
        rows.append((at + late + 40_000, EventKind.DOORBELL, Lane.IO_THREAD, 0, 0, n, 1))
        rows.append((at + late + 41_000, EventKind.IRQFD, Lane.IO_THREAD, 0, 24, n, n))
        rows.append((at + late + 60_000, EventKind.HANDLER, Lane.GUEST, 0, 0x40, n, 1))
        at += 10**7 + late
    return np.sort(np.array(rows, EVENT), order="tsc")


@pytest.mark.parametrize("setting", [Setting.STALLED, Setting.PARTNER_STOPPED])
def test_a_journey_during_a_stop_is_no_slowest_one(setting: Setting, tmp_path: Path) -> None:
    events = run(setting)
    model = model_of(np.array_split(events, 9))
    for _ in range(9):
        model.drain()
    slowest, why = model.slowest("round_trip")
    assert (cycles_of(slowest, "round_trip").tolist(), why) == ([SLOW + 60_000], "")
    assert model.why_not_slowest("round_trip") == ""

    header = replace(Recording(path_of_shipped("roundtrip")).header, clock=Clock(HZ))
    with Recorder(tmp_path / "stop.arrow", header) as recorder:
        recorder.append(events)
    found = Contents.of(Recording(tmp_path / "stop.arrow")).slowest_by("round_trip")
    assert cycles_of(found, "round_trip").tolist() == [SLOW + 60_000]


@pytest.mark.parametrize("setting", [Setting.STALLED, Setting.PARTNER_STOPPED])
@pytest.mark.parametrize("recorded", [False, True])
def test_the_course_is_of_the_journeys_in_the_figures_wherever_it_is_made_from(
    setting: Setting, recorded: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where bins have been forgotten, or a recording was sent to a moment, it is made of journeys: those of the warm-up
    were in it, and a stop of 7 s was a latency."""
    monkeypatch.setattr("bellwire.engine.folds.latency.SERIES_BINS", 20)
    monkeypatch.setattr("bellwire.engine.folds.latency.SERIES_WAITING", 0)
    events = run(setting)
    model = model_of(np.array_split(events, 9))
    if recorded:
        header = replace(Recording(path_of_shipped("roundtrip")).header, clock=Clock(HZ))
        with Recorder(tmp_path / "stop.arrow", header) as recorder:
            recorder.append(events)
        wall = WallClock()
        source = Replay(Recording(tmp_path / "stop.arrow"), wall)
        source.start()
        model = LiveModel(source)
        wall.ns += 20 * 10**9
    for _ in range(9):
        model.drain()
    begun, ended = int(events["tsc"][0]), int(events["tsc"][-1])
    latencies, course = model.latencies, model.past.course("round_trip", begun, ended)
    assert model.latencies.series["round_trip"].whole_from > begun
    assert latencies.warmup > 0
    assert latencies.histograms["round_trip"].count == TURNS - latencies.warmup - 1
    assert course["max"].max() == SLOW + 60_000
    assert 0 < latencies.histograms["round_trip"].count - course["count"].sum() <= 5  # in the bin that is not over
    model.source.stop()
