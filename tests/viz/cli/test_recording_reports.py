"""What is said of a recording, and of one whose batches overlap in time."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import EventKind, Events, Lane, Setting, Switch, event, told_pace
from bellwire.engine.folds.prologue import prologue
from bellwire.engine.folds.tally import Tally
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.cli.explain.of_recording import ExplainedRecording
from bellwire.viz.cli.recording_reports import RecordingReport, real_switches
from bellwire.viz.lessons.labs.lab_run import LabRun
from bellwire.viz.pictures.moment import journey_numbered

BLOCK = 300  # events


def events_of(recording: Recording) -> Events:
    return np.concatenate(list(recording.sorted_batches()))


def overlapping(whole: Recording, path: Path) -> Recording:
    """A copy, of which now and then what one thread leaves comes with the block after its own."""
    events, chance = events_of(whole), random.Random(5)
    own = np.arange(events.size) // BLOCK
    block = own + np.array([chance.random() < 0.02 for _ in range(events.size)])
    for lane in (Lane.GUEST, Lane.IO_THREAD):
        of_lane = events["lane"] == lane
        block[of_lane] = np.maximum.accumulate(block[of_lane])
    block = np.where(np.isin(events["lane"], (Lane.GUEST, Lane.IO_THREAD)), block, own)
    with Recorder(path, whole.header) as recorder:
        for number in range(int(block.max()) + 1):
            recorder.append(events[block == number])
            recorder.flush()
    return Recording(path)


@pytest.mark.parametrize("name", ["doorbell-fan-out", "irq-level-resample", "vm-to-vm"])
def test_events_that_stand_in_a_later_batch_are_missing_nowhere(name: str, tmp_path: Path) -> None:
    whole = Recording(path_of_shipped(name))
    late = overlapping(whole, tmp_path / "late.arrow")
    assert (late.entries["first"][1:] < late.entries["last"][:-1]).any()
    told, expected = RecordingReport(late).report(), RecordingReport(whole).report()
    for member in ("counts", "evidence", "latency_ns", "not_paired", "out_of_order", "warmup", "clock", "ring"):
        assert told[member] == expected[member], member
    assert ExplainedRecording(late.path).report()["ways"] == ExplainedRecording(whole.path).report()["ways"]
    runs = [LabRun.of_recording(one).figures.latencies for one in (late, whole)]
    assert runs[0].tracker.given_up == runs[1].tracker.given_up
    for number in range(1, 100):
        assert journey_numbered(late, number) == journey_numbered(whole, number)


def test_a_switch_that_stands_as_it_stood_was_not_switched() -> None:
    assert real_switches([]) == []
    told = [
        [1, "IOEVENTFD", 1],
        [2, "IRQFD", 1],
        [3, "IRQFD", 1],
        [4, "IRQFD", 0],
        [5, "IOEVENTFD", 1],
        [6, "IRQFD", 1],
    ]
    assert real_switches(told) == [[1, "IOEVENTFD", 1], [2, "IRQFD", 1], [4, "IRQFD", 0], [6, "IRQFD", 1]]


def test_the_settings_of_a_part_of_a_run_are_those_where_it_begins(tmp_path: Path) -> None:
    """Whatever was switched and set before it: whoever runs it again by these runs the same."""
    whole = Recording(path_of_shipped("roundtrip"))
    events = events_of(whole)
    own = RecordingReport(whole).report()["settings"]
    assert own == whole.header.scenario.settings()
    cut = int(np.flatnonzero((events["kind"] == EventKind.WIRE) & (events["id"] == Switch.IOEVENTFD))[-1])
    tally, tsc = Tally(), int(events["tsc"][cut])
    head = events[:cut]
    tally.feed(head)
    pace = event(tsc - 1, EventKind.SETTING, Lane.ENGINE, Setting.PACE, *told_pace(37.5))
    tally.feed(np.concatenate([pace, event(tsc - 1, EventKind.SETTING, Lane.ENGINE, Setting.IDLE, 0, 1)]))
    with Recorder(tmp_path / "part.arrow", whole.header) as recorder:
        recorder.append(np.concatenate([prologue(tally, tsc), events[cut:]]))
    told = RecordingReport(Recording(tmp_path / "part.arrow")).report()["settings"]
    assert told == own | {"ioeventfd": tally.wiring[Switch.IOEVENTFD], "irqfd": tally.wiring[Switch.IRQFD]} | {
        "pace": pytest.approx(37.5),
        "idle": "spin",
    }
    assert told["ioeventfd"] is False
