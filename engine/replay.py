"""A recording as a source of events: with a Session's interface, so that a view cannot tell them apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import numpy as np

from engine.errors import EngineError, RecordingError
from engine.events import Events, no_events
from engine.recorder import in_order
from engine.recording import Recording

REASON = "This is a recording: it shows what happened, and cannot be changed."


class Replay:
    """Yields a recording's events at the pace at which they happened. At the end it rests, until restart()."""

    label = "REPLAY"

    def __init__(self, recording: Recording, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.recording = recording
        self.scenario = recording.header.scenario
        self.host = recording.header.host
        self.backend = recording.header.backend
        self.clock = recording.header.clock
        self.error: EngineError | None = None
        self._monotonic_ns = monotonic_ns
        self._started_ns: int | None = None
        self._stopped_at: int | None = None
        self._batches: Iterator[Events] = iter(())
        self._ahead = no_events()  # read from the disk, not yet due

    @property
    def warning(self) -> str:
        """What is missing from the recording, "" if nothing is."""
        return self.recording.warning

    @property
    def alive(self) -> bool:
        """Whether events may still come."""
        return self._stopped_at is None and bool(self._ahead.size)

    def start(self) -> None:
        """Begins at the first event."""
        self.error, self._stopped_at = None, None
        self._batches = self.recording.batches()
        self._ahead = self._next()
        self._started_ns = self._monotonic_ns()

    def restart(self) -> None:
        """Begins again at the first event."""
        self.start()

    def stop(self) -> None:
        """Ends; what was due until now can still be taken."""
        if self._stopped_at is None:
            self._stopped_at = self.now()

    def now(self) -> int:
        """The recording's present in TSC cycles: it runs with the wall clock, from the first event to the last."""
        if self._stopped_at is not None:
            return self._stopped_at
        if self._started_ns is None:
            return self.recording.first
        elapsed = self.clock.cycles((self._monotonic_ns() - self._started_ns) / 1e9)
        return min(self.recording.first + elapsed, self.recording.last)

    def take(self) -> Events:
        """What has become due since the last call."""
        if self._started_ns is None:
            return no_events()
        now, due = self.now(), []
        while self._ahead.size and int(self._ahead["tsc"][-1]) <= now:
            due.append(self._ahead)
            self._ahead = self._next()
        split = int(np.searchsorted(self._ahead["tsc"], now, side="right"))
        due.append(self._ahead[:split])
        self._ahead = self._ahead[split:]
        return in_order(np.concatenate(due))

    def _next(self) -> Events:
        """The next batch of the recording; empty at its end, or where it can no longer be read."""
        try:
            return next(self._batches, no_events())
        except RecordingError as error:
            self.error = error
            return no_events()

    def can(self, ability: str) -> str:
        """A recording can do nothing; this is the reason."""
        return REASON

    def set_ioeventfd(self, on: bool) -> None:
        """Does nothing."""

    def set_irqfd(self, on: bool) -> None:
        """Does nothing."""

    def set_pace(self, per_second: float) -> None:
        """Does nothing."""

    def set_burst(self, signals: int) -> None:
        """Does nothing."""

    def set_idle(self, idle: str) -> None:
        """Does nothing."""

    def set_running(self, on: bool) -> None:
        """Does nothing."""

    def ring_once(self) -> None:
        """Does nothing."""

    def interrupt_once(self) -> None:
        """Does nothing."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
