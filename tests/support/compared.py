"""Runs of the synthetic source that can be compared: two sides of a switch, and a recording."""

from __future__ import annotations

from pathlib import Path

from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.source import Order
from bellwire.viz.model.live import LiveModel
from tests.support.fake_source import FakeSource


def model_at_switch(switch: bool = True) -> LiveModel:
    """A second with the ioeventfd, and one without."""
    source = FakeSource()
    source.start()
    model = LiveModel(source)
    source.run(1.0)
    model.tick(0.05)
    if switch:
        source.order(Order.IOEVENTFD, False)
    source.run(1.0)
    model.tick(0.05)
    return model


def recorded(path: Path, cpu: str = "") -> Path:
    """A second of it in a file at `path`, of a host with this processor."""
    source = FakeSource()
    source.host |= {"cpu": cpu} if cpu else {}
    with source, Recorder(path, Header.of(source, "test")) as recorder:
        source.run(1.0)
        recorder.append(source.take())
    return path
