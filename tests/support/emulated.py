"""A recording of an emulated CPU: order and counts of the fake source, and times that mean nothing."""

from __future__ import annotations

from pathlib import Path

from bellwire.engine.events import EventKind, Lane, Setting, event
from bellwire.engine.host.host import EMULATED
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from tests.support.fake_source import START, FakeSource

FACTS = {"cpu": f"{EMULATED} version 2.5+", "backend": "kvm_amd"}
SAID = "kvm_amd (TCG): times mean nothing"


def emulated_recording(path: Path, scenario: str = "roundtrip", seconds: float = 1.0) -> Path:
    """As it would be made in the lab."""
    source = FakeSource(scenario)
    source.host |= FACTS
    pace = event(START, EventKind.SETTING, Lane.ENGINE, Setting.PACE, 0, round(source.scenario.pace.per_second))
    with source, Recorder(path, Header.of(source, "0.1.0")) as recorder:
        recorder.append(pace)
        for _ in range(round(seconds / 0.05)):
            source.run(0.05)
            recorder.append(source.take())
    return path
