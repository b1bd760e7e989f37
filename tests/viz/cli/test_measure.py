"""The reconciliation of a run can fail, at each of the counters that it stands on, and so can a run that stops."""

from __future__ import annotations

import re
import signal
import time
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.events import EVENT, EventKind, Lane, event
from bellwire.engine.folds.tally import Tally
from bellwire.engine.live.session import Session
from bellwire.engine.recordings.capture import Capture
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Source
from bellwire.viz.cli.measure import Run, disagreements, measure, noted_interrupts, troubles
from tests.support.fake_source import FakeSource
from tests.support.sessions import wait_for

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


def test_what_is_lost_of_one_kind_is_not_too_much_of_another(run: tuple[Tally, dict[str, int]]) -> None:
    """A doorbell whose stamp is lost was received all the same."""
    tally, truth = run
    tally.feed(
        np.concatenate(
            [
                event(10**12, EventKind.DOORBELL, Lane.IO_THREAD, 0, truth["rung"] + 5, 5 + truth["pending"]),
                event(10**12, EventKind.LOST, Lane.GUEST, Lane.GUEST, 0, 10),
            ]
        )
    )
    assert not tally.possible
    assert disagreements(tally, truth | {"lost": 10}) == []
    assert len(disagreements(tally, truth)) == 1


def test_no_counters_are_no_agreement(run: tuple[Tally, dict[str, int]]) -> None:
    assert disagreements(run[0], {}) == ["The session ended without its counters."]


class Stuck(Source):
    """A host that has signalled once and waits for good: how often the handler ran and the resamplefd was signalled."""

    error = None
    begun_at = 0.0

    def __init__(self, scenario: str, handled: int, resamples: int) -> None:
        like = FakeSource(scenario)
        super().__init__(like.scenario, like.host, like.clock)
        self.handled, self.resamples = handled, resamples

    def take(self, most: int | None = None) -> np.ndarray[tuple[int], np.dtype[np.void]]:
        """All at once."""
        rows = [event(1000, EventKind.IRQFD, Lane.IO_THREAD, 5, 1, 0)]
        rows += [event(2000, EventKind.HANDLER, Lane.GUEST, 0x44, 1, 1)] * self.handled
        rows += [event(3000, EventKind.RESAMPLE, Lane.IO_THREAD, 5, 1, 1)] * self.resamples
        return np.concatenate(rows).astype(EVENT)

    def truth(self) -> dict[str, int]:
        """As it was."""
        return dict.fromkeys(COUNTERS, 0) | {"signalled": 1, "handled": self.handled}


@pytest.mark.parametrize(
    ("scenario", "handled", "resamples", "in_order"),
    [
        ("lab-no-eoi", 1, 0, True),  # nobody ends the interrupt, so the device has nothing to signal for
        ("lab-no-eoi", 1, 1, False),  # the back end has ended it, and then nothing came
        ("lab-no-eoi", 0, 0, False),  # no handler has begun: that would be another fault
        ("irq-level-resample", 1, 0, False),  # whose handler does end it
    ],
)
def test_signals_that_cannot_come_are_no_trouble_and_others_are(
    scenario: str, handled: int, resamples: int, in_order: bool
) -> None:
    source = cast(Session, Stuck(scenario, handled, resamples))
    run = Run(source, lambda seconds, signals: None)
    run.look()
    found = troubles(source, run, None, 200)
    assert [re.sub(r"for [\d.]+ s", "for - s", one) for one in found] == (
        [] if in_order else ["1 of 200 signals came, then none for - s."]
    )


def test_a_run_that_its_recording_ends_is_not_said_to_have_fallen_silent() -> None:
    source = cast(Session, Stuck("irq-level-resample", 1, 0))
    run = Run(source, lambda seconds, signals: None)
    run.look()
    ended = SimpleNamespace(error=EngineError("No space left on device."))
    found = troubles(source, run, cast(Capture, ended), 200)
    assert found == ["No space left on device.", "1 of 200 signals came, then the recording ended."]


def test_a_run_is_as_long_as_the_guest_has_signalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it took until the kernel was watched: that is no time of the run, nor one without a signal."""
    source, now = Stuck("irq-level-resample", 1, 0), [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(source, "begun_at", None)
    run = Run(cast(Session, source), lambda seconds, signals: None)
    for _ in range(20):
        now[0] += 2.0
        run.look()
        assert (run.elapsed(), run.done(1.0, None), run.done(1.0, 10)) == (0.0, False, False)
    monkeypatch.setattr(source, "begun_at", 1039.0)
    run.look()
    assert (run.elapsed(), run.done(1.5, None), run.done(1.0, 10)) == (1.0, False, False)
    now[0] += 1.0
    assert run.done(1.5, None)


@pytest.mark.kvm
def test_a_session_has_begun_once_it_is_watched_and_paced() -> None:
    with Session(load_scenario("irq-msi")) as session:
        wait_for(lambda: session.begun_at is not None)
        assert session.begun_at is not None
        assert session.begun_at <= time.monotonic()
    assert Session(load_scenario("irq-msi")).begun_at is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupt_is_missed_at_no_seam_between_two_that_note_them(number: signal.Signals) -> None:
    """Before the inner one begins, and behind its end."""
    with noted_interrupts() as outer:
        signal.raise_signal(number)
        with noted_interrupts() as inner:
            assert inner.number == number
    with noted_interrupts() as outer:
        with noted_interrupts():
            pass
        signal.raise_signal(number)
    assert outer.number == number


def test_an_interrupt_while_a_run_ends_is_noted_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes another run behind it would go on."""
    source = Stuck("irq-level-resample", 1, 1)
    monkeypatch.setattr(source, "stop", lambda: signal.raise_signal(signal.SIGTERM))
    done = measure(cast(Session, source), None, 0.0, 1, lambda seconds, signals: None)
    assert (done.interrupted, done.trouble) == (signal.SIGTERM, [])
