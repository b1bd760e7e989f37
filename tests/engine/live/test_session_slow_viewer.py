"""Host-paced scenarios flat out, and one who looks slowly: what is passed over is counted, and nobody else loses it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import no_events
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.tally import Tally
from bellwire.engine.live.session import Session
from bellwire.engine.outlet import RECORDING_ROOM, VIEW_ROOM
from bellwire.engine.recordings.capture import Capture
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.cli.measure import disagreements
from tests.support.sessions import PATIENCE, paced, wait_for

pytestmark = pytest.mark.kvm

FLAT_OUT = ("irq-msi", "irq-burst", "irq-signal-msi")
SIGNALS = VIEW_ROOM + 40_000  # more than may wait


def signalled(session: Session) -> int:
    """As far as the thread has come that signals."""
    machine = session._machine
    return int(machine.truth()["signalled"]) if machine else 0


@pytest.mark.parametrize("name", FLAT_OUT)
def test_one_who_looks_at_the_end_only_counts_what_was_passed_over(name: str) -> None:
    session = Session(replace(paced(name), pace=replace(paced(name).pace, per_second=math.inf)), limit=SIGNALS)
    with session:
        wait_for(lambda: signalled(session) == SIGNALS)
    events, tally = session.take(), Tally()
    tally.feed(events)
    truth = session.truth()
    assert events.size < VIEW_ROOM + 1000  # bounded, whatever has come
    assert tally.passed_over > 0
    assert disagreements(tally, truth) == []
    assert tally.irqs_signalled == SIGNALS
    if not truth["lost"]:
        assert (tally.irqs_handled, tally.exits_to_userspace) == (truth["handled"], truth["exits"])


def test_a_recording_is_complete_however_slowly_others_look(tmp_path: Path) -> None:
    session = Session(paced("irq-msi"), limit=SIGNALS)
    with session:
        capture = Capture(tmp_path / "run.arrow", Header.of(session, "0"), no_events(), session.tee(RECORDING_ROOM))
        wait_for(lambda: signalled(session) == SIGNALS)
    capture.stop()
    assert capture.wait(PATIENCE)
    recorded, seen = Tally(), Tally()
    for events in Recording(tmp_path / "run.arrow").batches():
        recorded.feed(events)
    seen.feed(session.take())
    truth = session.truth()
    assert (recorded.passed_over, recorded.dropped) == (0, truth["lost"])
    assert seen.passed_over == recorded.recorded - seen.recorded > 0
    assert seen.counts() == recorded.counts()


def test_one_who_takes_little_at_once_makes_up_no_journey() -> None:
    session = Session(paced("irq-msi"), limit=100_000)
    tally, whole = Tally(), Tally()
    with session:
        latencies = Latencies(session.scenario, session.clock)
        everything = session.tee(RECORDING_ROOM)

        def look() -> bool:
            events = session.take(500)
            tally.feed(events)
            latencies.feed(events)
            return signalled(session) == 100_000

        wait_for(look)
    complete = everything.take()
    whole.feed(complete)
    rest = session.take()
    tally.feed(rest)
    latencies.feed(rest)
    reference = Latencies(session.scenario, session.clock)
    for part in np.array_split(complete, 100):  # no more under way at once than are kept
        reference.feed(part)
    assert tally.counts() == whole.counts()
    assert 0 < latencies.journeys < reference.journeys
    for name, histogram in latencies.histograms.items():
        assert histogram.max <= reference.histograms[name].max
