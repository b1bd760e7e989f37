"""What is said of journeys that have no latency."""

from __future__ import annotations

import numpy as np
import pytest

import bellwire.engine.folds.journeys
from bellwire.engine.events import EVENT, Clock, EventKind, Lane
from bellwire.engine.findings.pairing import pairing_findings
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.scenarios.scenario import load_scenario


def test_of_what_was_not_followed_it_is_not_said_that_events_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bellwire.engine.folds.journeys, "WAITING_LIMIT", 100)
    rows = [(number * 10, EventKind.IRQFD, Lane.IO_THREAD, 0, 24, number, 0) for number in range(1, 151)]
    late = np.array([(2000, EventKind.HANDLER, Lane.GUEST, 0, 0x40, 150, 150)], EVENT)
    latencies = Latencies(load_scenario("irq-msi"), Clock(1e9))
    for batch in (np.array(rows, EVENT), late):
        latencies.feed(batch)
    assert [(finding.claim, finding.numbers) for finding in pairing_findings(latencies)] == [
        (
            "50 journeys were not followed to their end, as too many were under way at once; 100 were.",
            {"not_followed": 50, "complete": 100},
        )
    ]
