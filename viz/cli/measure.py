"""Runs a scenario without a window until enough is measured: what `bellwire run` does."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

from bellwire.engine.counted import number_of
from bellwire.engine.errors import GuestError
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.kernel.stages import KernelStages
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.tally import Tally
from bellwire.engine.host.patience import Patience
from bellwire.engine.live.session import Session
from bellwire.engine.source import Source
from bellwire.viz.cli.ending import ENDING

if TYPE_CHECKING:  # importing Arrow takes longer than anything else here
    from bellwire.engine.recordings.capture import Capture

LOOK_SECONDS = 0.05  # how often the events are taken
STALL_SECONDS = 5.0  # without a single new signal, what is still missing will not come;
FIRST_STALLS = 4  # times as long before the first one, for which a guest has to find its pace

Progress = Callable[[float, int], None]  # seconds since the start, signals so far


@dataclass
class Measurement:
    """What was measured; `trouble` has one sentence for everything that should not have happened."""

    source: Source
    tally: Tally
    latencies: Latencies
    evidence: Evidence
    elapsed_s: float
    trouble: list[str]
    interrupted: int = 0  # number of the signal that came before all of it had ended
    recording: Capture | None = None  # which has ended
    kernel: KernelStages | None = None  # what the kernel has told; None: it was not watched


def signals(source: Source, tally: Tally) -> int:
    """What the pace counts: doorbells rung, or, where the host keeps it, interrupts signalled."""
    return tally.irqs_signalled if source.scenario.doorbell is None else tally.doorbells_rung


class Interrupts:
    """Notes Ctrl-C, SIGTERM and SIGHUP instead of dying, so that the guest, and a recording, end in order."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.number = self.number or number


@contextmanager
def noted_interrupts() -> Iterator[Interrupts]:
    """While this is open, an interrupt is noted; within another one it is that one which notes it, so that whoever
    began first hears of it as well, and none is missed between the two."""
    heard_by = map(signal.getsignal, ENDING)
    if outer := next((handler for handler in heard_by if isinstance(handler, Interrupts)), None):
        yield outer
        return
    noted = Interrupts()
    numbers = [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]  # nohup ignores SIGHUP
    before = {number: signal.signal(number, noted) for number in numbers}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def measure(
    session: Session, recorder: Callable[[], Capture] | None, seconds: float, count: int | None, progress: Progress
) -> Measurement:
    """Runs `session` for that many seconds, or until `count` signals have arrived.

    recorder: begins to record once the session runs. Raises EngineError if the session cannot start.
    """
    with noted_interrupts() as noted, session:
        recording = recorder() if recorder else None
        run = Run(session, progress)
        while session.alive and not noted.number and not run.done(seconds, count):
            time.sleep(LOOK_SECONDS)
            run.look()
            if recording and recording.error:
                break
        elapsed = run.elapsed()
        cut_short = bool(noted.number)
        try:
            session.stop()
        finally:
            run.look()
            if recording:
                recording.stop()
                recording.wait()
    run.kernel.finish()
    trouble = troubles(session, run, recording, None if cut_short else count)
    kernel = run.kernel if run.kernel.listened else None
    return Measurement(
        session, run.tally, run.latencies, run.evidence, elapsed, trouble, noted.number, recording, kernel
    )


class Run:
    """What has come from a session so far."""

    def __init__(self, session: Session, progress: Progress) -> None:
        self.session, self.progress = session, progress
        self.tally = Tally()
        self.latencies = Latencies(session.scenario, session.clock, session.backend)
        self.evidence = Evidence(session.scenario, session.backend)
        doorbell = session.scenario.doorbell
        any_length = bool(doorbell and doorbell.bus == "mmio" and not doorbell.length)
        self.kernel = KernelStages(session.clock, session.backend, any_length)
        self._signals = 0
        self._patience = Patience(STALL_SECONDS, LOOK_SECONDS)
        self._stalled = False

    def elapsed(self) -> float:
        """Seconds since the guest has begun to signal; 0 until then."""
        return 0.0 if self.session.begun_at is None else time.monotonic() - self.session.begun_at

    def look(self) -> None:
        """Takes what is new."""
        events = self.session.take()
        self.tally.feed(events)
        self.kernel.feed(events, self.latencies.feed(events))
        self.evidence.feed(events)
        self._signals = signals(self.session, self.tally)
        self._patience.seconds = STALL_SECONDS * (1 if self._signals else FIRST_STALLS)
        self._stalled = self._patience.ends((self._signals, self.session.begun_at))
        self.progress(self.elapsed(), self._signals)

    @property
    def without_a_signal(self) -> str:
        """How long none has come, in words."""
        waited = self._patience.waited
        return f"{waited:.0f} s" if waited >= 1 else f"{waited:.1f} s"

    def done(self, seconds: float, count: int | None) -> bool:
        """Whether the time is over, or the signals have all arrived, or no more come."""
        if count is None or self.session.begun_at is None:
            return self.elapsed() >= seconds
        return self._stalled or (self._signals >= count and self.tally.settled)


def troubles(session: Session, run: Run, recorder: Capture | None, count: int | None) -> list[str]:
    """One sentence for everything that should not have happened."""
    meant = session.scenario.ends and isinstance(session.error, GuestError)  # the guest was made to end
    errors = (None if meant else session.error, recorder.error if recorder else None)
    found = [str(error) for error in errors if error] + [session.unseen] * bool(session.unseen)
    rung = signals(session, run.tally)
    ran = session.error is None or meant  # else it is that which kept the others from coming
    if count is not None and rung != count and ran and not (meant or run.evidence.unended):
        why = "then the recording ended" if recorder and recorder.error else f"then none for {run.without_a_signal}"
        found.append(f"{rung} of {number_of(count, 'signal')} came, {why}.")
    if ran:
        found += disagreements(run.tally, session.truth())
    return found


def disagreements(tally: Tally, truth: dict[str, Any]) -> list[str]:
    """Where the events do not add up to what guest, threads and eventfds have counted themselves.

    Events that found no room are known losses: with them only the losses can be compared, for what is missing of one
    kind makes more of another. What was passed over because it came faster than it was taken is counted all the same.
    """
    if not truth:
        return ["The session ended without its counters."]
    pairs = {
        "doorbells rung": (tally.doorbells_rung, truth["rung"]),
        "doorbells received": (tally.doorbells_received, truth["received"]),
        "doorbells pending": (tally.doorbells_pending, truth["pending"]),
        "interrupts signalled": (tally.irqs_signalled, truth["signalled"]),
        "interrupts handled": (tally.irqs_handled, truth["handled"]),
        "reads of the eventfd": (tally.eventfd_reads, truth["reads"]),
        "events dropped": (tally.lost, truth["lost"]),
    }
    incomplete = tally.missing > tally.passed_over
    if incomplete:
        pairs = {"events dropped": pairs["events dropped"]}
    return ["The events do not add up: more arrived than was signalled."] * (not incomplete and not tally.possible) + [
        f"The events do not add up: {name} {events}, but {counted} were counted."
        for name, (events, counted) in pairs.items()
        if events != counted
    ]
