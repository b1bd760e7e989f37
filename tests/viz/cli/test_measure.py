"""The reconciliation of a run can fail, at each of the counters that it stands on."""

from __future__ import annotations

import pytest

from bellwire.engine.folds.tally import Tally
from bellwire.viz.cli.measure import disagreements
from tests.support.fake_source import FakeSource

COUNTERS = {
    "rung": "doorbells rung",
    "received": "doorbells received",
    "pending": "doorbells pending",
    "signalled": "interrupts signalled",
    "handled": "interrupts handled",
    "reads": "reads of the eventfd",
    "lost": "events dropped",
}


@pytest.fixture
def run() -> tuple[Tally, dict[str, int]]:
    """What the events come to, and the counters that agree with it."""
    source, tally = FakeSource(), Tally()
    with source:
        source.run(0.5)
        tally.feed(source.take())
    counted = (tally.doorbells_rung, tally.doorbells_received, tally.doorbells_pending, tally.irqs_signalled)
    truth = dict(zip(COUNTERS, (*counted, tally.irqs_handled, tally.eventfd_reads, tally.dropped), strict=True))
    assert truth["rung"] > 500
    return tally, truth


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("off", [1, -1])
def test_each_counter_that_differs_is_named(run: tuple[Tally, dict[str, int]], counter: str, off: int) -> None:
    tally, truth = run
    assert disagreements(tally, truth) == []
    found = disagreements(tally, truth | {counter: truth[counter] + off})
    assert len(found) == 1
    assert f"{COUNTERS[counter]} {truth[counter]}, but {truth[counter] + off} were counted" in found[0]


def test_no_counters_are_no_agreement(run: tuple[Tally, dict[str, int]]) -> None:
    assert disagreements(run[0], {}) == ["The session ended without its counters."]
