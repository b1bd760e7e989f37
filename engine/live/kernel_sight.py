"""The inside of the kernel, beside a session's own events: switched on and off while the guest runs.

Records are held until the session hands on its own events of the same time, as these say which signal each record is
of. The session waits for them for as long as bw-kernel goes on; if that ends or hangs, the session goes on without.
Where bw-tracefs watches in its place, all of this is true of that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError
from bellwire.engine.events import (
    TRACEFS_BIT,
    Clock,
    EventKind,
    Events,
    Lane,
    Setting,
    chosen,
    end_to_end,
    event,
    no_events,
)
from bellwire.engine.kernel.program import KernelSightError, no_answer
from bellwire.engine.kernel.records import no_records
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.kernel.watch import KernelWatch
from bellwire.engine.live.kernel_numbers import KernelNumbers
from bellwire.engine.live.watermark import PUBLISH_SECONDS
from bellwire.engine.scenarios.scenario import Scenario

LAG_SECONDS = 0.5  # how far bw-kernel may be behind before nobody waits for it
LATEST = 2**64 - 1


class KernelSight:
    """Of one session; used by its engine thread alone."""

    def __init__(self, scenario: Scenario, backend: str, clock: Clock) -> None:
        self._scenario, self._backend = scenario, backend
        self._lag, self._publishing = clock.cycles(LAG_SECONDS), clock.cycles(PUBLISH_SECONDS)
        self._watch: KernelWatch | None = None
        self._numbers: KernelNumbers | None = None
        self._held = no_records()
        self._told = False  # whether an event has said that it is on
        self._end = False  # whether the next tick ends it
        self._lost = self._looked_at = self._complete = 0
        self.lost = 0  # records in all, each of which a LOST event tells of
        self.refused: EngineError | None = None  # why nothing is seen, if it was asked for

    @property
    def on(self) -> bool:
        """Whether it watches, or is about to."""
        return self._watch is not None

    @property
    def begins(self) -> bool:
        """Whether it has yet to be seen if it can watch."""
        return self._watch is not None and not self._told

    def switch_on(self, threads: SignalThreads) -> None:
        """Begins to watch, or goes on. What keeps it from that is in `refused`."""
        self._end = False
        if self._watch is None:
            try:
                self._begin(threads)
            except EngineError as error:
                self.refused = error

    def switch_off(self) -> None:
        """Ends it at the next tick."""
        self._end = True

    def give_up(self, seconds: float) -> None:
        """Nobody waits any more for its first word, which has not come for so long."""
        assert self._watch is not None
        self.refused = KernelSightError(no_answer(self._watch.program, seconds))
        self._watch.kill()
        self._watch.close()
        self._watch = None

    def _begin(self, threads: SignalThreads) -> None:
        self.refused, self._told, self._lost = None, False, 0
        self._watch = KernelWatch()
        if threads.own:
            self._watch.add(os.getpid(), threads.own)
        for process in threads.processes:
            self._watch.add(process)
        self._numbers = KernelNumbers(self._scenario, threads, self._backend)

    def tick(self, now: int) -> Events:
        """Takes what there is; the events that tell whether it watches, and what was lost."""
        if self._watch is None:
            return no_events()
        self._watch.look()
        parts = [no_events()]
        if self._watch.ready and self._watch.answered and not self._told:
            self._told = True
            self._looked_at = now
            listened = self._watch.tracepoints | self._watch.by_tracefs << TRACEFS_BIT
            parts.append(self._tell(now, listened, self._watch.error))
        self._complete = self._watch.complete  # before they are taken
        self._held = end_to_end(self._held, self._watch.take())
        parts += self._losses(now)
        if self._watch.refused or self._end:
            parts += self._stop()
        return end_to_end(*parts)

    def _tell(self, now: int, tracepoints: int, error: int = 0) -> Events:
        return event(now, EventKind.SETTING, Lane.ENGINE, Setting.KERNEL, error, tracepoints)

    def _losses(self, now: int) -> list[Events]:
        assert self._watch is not None
        lost, before = self._watch.lost, self._looked_at
        new, self._lost, self._looked_at = lost - self._lost, lost, now
        self.lost += new
        return [event(now, EventKind.LOST, Lane.ENGINE, Lane.KVM, before, new)] if new > 0 else []

    def _stop(self) -> list[Events]:
        """What was written until its end is still taken, and is of before the event that tells of it."""
        watch, told = self._watch, self._told
        assert watch is not None
        passed = watch.refused if self._end else None  # nobody wants to know why it would have ended
        self._watch = None
        watch.end()
        self._held = end_to_end(self._held, watch.take())
        watch.close()
        self.refused, self._end = None if watch.refused is passed else watch.refused, False
        return [self._tell(int(lib.bw_tsc()), 0)] if told else []

    def watermark(self, now: int, published: Mapping[int, int]) -> int:
        """Up to when every record is there, and every stamp of a doorbell that the kernel has told of.

        published: by guest, TSC of its newest stamps. LATEST if nobody need wait for anything.
        """
        if self._watch is None or not self._told or now - self._complete > self._lag or self._numbers is None:
            return LATEST
        awaited = self._numbers.awaits(self._held, published, now - self._publishing)
        return self._complete if awaited is None else min(self._complete, awaited)

    def until(self, watermark: int, batch: Events) -> Events:
        """The events of the records up to a time, beside the session's own up to then: together, in order."""
        if not self._held.size:
            if self._watch is None:
                self._numbers = None  # nothing will come that has to be numbered
            if self._numbers is not None:
                self._numbers.note(batch)
            return batch
        held = chosen(self._held, np.argsort(self._held["tsc"], kind="stable"))
        cut = int(np.searchsorted(held["tsc"], np.uint64(min(max(watermark, 0), LATEST)), "right"))
        ready, self._held = held[:cut], held[cut:]
        assert self._numbers is not None
        error = self._watch.error if self._watch else 0
        return woven(batch, self._numbers.events(ready, batch, error))

    def close(self) -> None:
        """Ends it. May be called again."""
        if self._watch is not None:
            self._watch.close()
        self._watch = None


def woven(first: Events, second: Events) -> Events:
    """Both, by their time; at the same time the first comes first."""
    both = end_to_end(first, second)
    return chosen(both, np.argsort(both["tsc"], kind="stable"))
