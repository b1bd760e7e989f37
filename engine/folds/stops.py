"""When the whole program stood still: stopped by a signal, or its machine was. What was under way then is no latency.

One thread alone that is late is no stop: a signal waits for it, and that is what a latency is of. A stop is a time in
which the engine's thread did not run and nobody else has left an event either.

Another process with a part in the signals may be stopped as well, by a signal or a debugger, and how long it stands
still is a matter of whoever did that: no latency either. That it does is noticed a little after it has begun.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Clock, EventKind, Events, Setting, by_kind

STOP_SECONDS = 0.5  # a shorter silence is nothing
EVER = np.uint64(2**64 - 1)  # TSC: it is not over
KEPT = 64  # stops before the newest batch; a journey under way began before so many at most

Numbers = npt.NDArray[np.uint64]


class Stops:
    """A fold over events."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.count = self.cycles = 0  # stops so far, and how long all of them were
        self._from, self._to = np.empty(0, np.uint64), np.empty(0, np.uint64)  # TSC of the last few, rising
        self._stalls: list[tuple[int, int]] = []  # of the engine's thread, from and to
        self._last = 0  # TSC of the newest event

    def feed(self, events: Events) -> None:
        """Takes note of stops that end in the next batch."""
        if not events.size:
            return
        self._from, self._to = self._from[-KEPT:], self._to[-KEPT:]
        settings = by_kind(events).of(EventKind.SETTING)
        stalls = settings[settings["id"] == Setting.STALLED]
        self._stalls += [(int(stall["tsc"]), int(stall["tsc"]) + int(stall["arg"])) for stall in stalls]
        times = events["tsc"] if not self._last else np.append(np.uint64(self._last), events["tsc"])
        silent = np.flatnonzero(times[1:] > times[:-1] + np.uint64(self.clock.cycles(STOP_SECONDS)))
        for at in silent.tolist():
            self._judge(int(times[at]), int(times[at + 1]))
        self._last = max(self._last, int(times[-1]))
        self._stalls = [stall for stall in self._stalls if stall[1] >= self._last][-KEPT:]

    def _judge(self, start: int, end: int) -> None:
        """Whether nothing ran in a silence: most of it is a stall."""
        stalled = max((min(end, stall[1]) - max(start, stall[0]) for stall in self._stalls), default=0)
        if stalled > (end - start) // 2:
            self.count, self.cycles = self.count + 1, self.cycles + end - start
            self._from = np.append(self._from, np.uint64(start))
            self._to = np.append(self._to, np.uint64(end))

    def within(self, start: Numbers, end: Numbers) -> npt.NDArray[np.bool_]:
        """Whether a stop lies between each start and its end; shape (n,), as both."""
        return np.searchsorted(self._to, start, "right") < np.searchsorted(self._from, end, "left")

    def working(self, tsc: Numbers) -> npt.NDArray[np.float64]:
        """Each time (shape (n,)) less the stops before it, in cycles: a clock that stands still with the program."""
        lengths = np.concatenate([[0.0], np.cumsum((self._to - self._from).astype(np.float64))])
        forgotten = self.cycles - lengths[-1]
        working: npt.NDArray[np.float64] = (
            tsc.astype(np.float64) - lengths[np.searchsorted(self._to, tsc, "right")] - forgotten
        )
        return working


@dataclass
class Stopped:
    """Of one process: how often it stood still and went on, and how long at least, in cycles.

    journeys: that were under way then and are in no latency, by Latencies.
    """

    count: int = 0
    cycles: int = 0
    since: int | None = None  # TSC from which on it stands still now
    journeys: int = 0


class PartnerStops:
    """A fold over events. of: by the number of the process. newest: TSC of the newest event."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.of: dict[int, Stopped] = {}
        self.newest = 0
        # TSC, of the last few that are over, and whose each was
        self._from, self._to = np.empty(0, np.uint64), np.empty(0, np.uint64)
        self._whose = np.empty(0, np.int64)

    def feed(self, events: Events) -> None:
        """Takes note of those that begin or end in the next batch."""
        if not events.size:
            return
        self.newest = max(self.newest, int(events["tsc"][-1]))
        self._from, self._to, self._whose = self._from[-KEPT:], self._to[-KEPT:], self._whose[-KEPT:]
        if by_kind(events).counts[EventKind.SETTING]:
            settings = by_kind(events).of(EventKind.SETTING)
            for one in settings[settings["id"] == Setting.PARTNER_STOPPED]:
                self._note(int(one["tsc"]), int(one["seq"]) or int(one["arg"]), bool(one["arg"]))

    def _note(self, tsc: int, pid: int, stopped: bool) -> None:
        """One is told again where a part of a run begins, and at its end."""
        one = self.of.setdefault(pid, Stopped())
        if stopped:
            one.since = tsc if one.since is None else one.since
        elif one.since is not None:
            one.count, one.cycles = one.count + 1, one.cycles + max(0, tsc - one.since)
            self._from = np.append(self._from, np.uint64(one.since))
            self._to = np.append(self._to, np.uint64(tsc))
            self._whose = np.append(self._whose, pid)
            one.since = None

    def within(self, start: Numbers, end: Numbers) -> npt.NDArray[np.bool_]:
        """Whether a stop, over or not, lies between each start and its end; shape (n,), as both."""
        stood = np.zeros(start.size, bool)
        for pid in self.of:
            stood |= self._stood(pid, start, end)
        return stood

    def count(self, start: Numbers, end: Numbers) -> None:
        """Counts journeys (shape (n,)) that are left out, for each process that stood still meanwhile."""
        for pid, one in self.of.items():
            one.journeys += int(self._stood(pid, start, end).sum())

    def _stood(self, pid: int, start: Numbers, end: Numbers) -> npt.NDArray[np.bool_]:
        """The same as within(), of one process."""
        begins, ends = self._from[self._whose == pid], self._to[self._whose == pid]
        since = self.of[pid].since
        if since is not None:
            begins, ends = np.append(begins, np.uint64(since)), np.append(ends, EVER)
        stood: npt.NDArray[np.bool_] = np.any((start[:, None] < ends) & (end[:, None] > begins), axis=1)
        return stood
