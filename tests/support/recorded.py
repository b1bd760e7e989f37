"""Recordings of the synthetic source, for whoever needs one that is neither tiny nor in need of KVM."""

from __future__ import annotations

from pathlib import Path

from bellwire.engine.events import EventKind, Lane, event
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.source import Order
from tests.support.fake_source import START, FakeSource


def recorded(path: Path, scenario: str = "roundtrip", seconds: float = 0.5) -> Recording:
    """A run in which both switches were turned and events were lost, in batches of 50 ms."""
    source = FakeSource(scenario)
    with source, Recorder(path, Header.of(source, "0.1.0")) as recorder:
        for number in range(max(4, round(seconds / 0.05))):
            source.run(0.05)
            recorder.append(source.take())
            if number % 4 == 1:
                source.order(Order.IOEVENTFD, number % 8 != 1)
            if number % 4 == 2:
                source.order(Order.IRQFD, number % 8 != 2)
            recorder.flush()
        recorder.append(event(START + 1, EventKind.LOST, Lane.ENGINE, Lane.VCPU, 0, 3))
    return Recording(path)
