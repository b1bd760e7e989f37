"""The journeys in a part of a recording, without the rest of it.

Guarantees: all those that were under way in the part are found, however many events it has; where one of them began
before it or ends after it, as much around is read as that takes, up to FARTHEST events on either side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bellwire.engine.events import (
    BUFFERS_ADDED,
    BUFFERS_USED,
    SIGNALLING,
    EventKind,
    Events,
    Lane,
    chosen,
    doorbell_numbers,
    end_to_end,
    event,
    no_events,
)
from bellwire.engine.folds.beginning import Before
from bellwire.engine.folds.journeys import Journeys, JourneyTracker, finish, no_journeys, select
from bellwire.engine.folds.latency import begin
from bellwire.engine.recordings.excerpts.spread import Spread
from bellwire.engine.recordings.recording import LATEST, Recording
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

AROUND = 1 << 11  # events before and after a part that are read in any case,
FARTHER = 4  # and so many times as many, and again, while some of a journey is missing,
FARTHEST = 1 << 17  # but no more than so many: what is not over by then may never end
AT_A_TIME = 1 << 16  # events


@dataclass(frozen=True)
class ReadStretch:
    """The journeys that were under way between two times (TSC), while no more of the file becomes unreadable."""

    t0: int
    t1: int
    unreadable: int
    journeys: Journeys


class Excerpts:
    """The journeys in any part of a recording; those around where was looked last are known."""

    def __init__(self, recording: Recording) -> None:
        self.recording, self.spread = recording, Spread(recording.entries)
        self._found = ReadStretch(0, -1, 0, no_journeys())

    def between(self, t0: int, t1: int) -> Journeys:
        """The journeys that were under way between t0 and t1 (TSC), by what the events around say; shape (n,)."""
        t0, t1 = max(t0, 0), max(t1, 0)
        found = self._found
        if not (found.t0 <= t0 and t1 <= found.t1 and found.unreadable == self._unreadable):
            low, high = max(self.spread.away(t0, -AROUND), 0), self.spread.away(t1, AROUND)
            found = ReadStretch(low, high, self._unreadable, self._read(low, high))
            if found.journeys.size <= AT_A_TIME:
                self._found = found
        return under_way(found.journeys, t0, t1)

    def over(self, tsc: int) -> int:
        """When what was under way at a time is over; that time if nothing was."""
        journeys = self.between(tsc, tsc)
        return int(finish(journeys).max()) + 1 if journeys.size else tsc

    @property
    def _unreadable(self) -> int:
        return len(self.recording.gone) + len(self.recording.damaged)

    def _read(self, t0: int, t1: int) -> Journeys:
        """The journeys that were under way then, from as far back as they began."""
        before = AROUND
        while True:
            start = self.spread.away(t0, -before)
            all_of_it = start <= self.recording.first or before >= FARTHEST
            found = self._read_from(start, t0, t1, at_any_rate=all_of_it)
            if found is not None:
                return found
            before *= FARTHER

    def _read_from(self, start: int, t0: int, t1: int, *, at_any_rate: bool) -> Journeys | None:
        """The same from what comes at `start` and later; None if something began before that."""
        scenario, backend = self.recording.header.scenario, self.recording.header.backend
        tracker, opening, found = JourneyTracker(scenario, backend), StreamStart(scenario), [no_journeys()]
        if start > self.recording.first:
            found.append(tracker.feed(cut_in(self.recording.window(start, self.spread.away(start, AROUND)), scenario)))
        for low, high in self._pieces(start, t1, tracker):
            for events in self.recording.windows(low, high):
                if not at_any_rate and opening.lacks(events, t0):
                    return None
                found.append(under_way(tracker.feed(events), t0, t1))
        return end_to_end(*found)

    def _pieces(self, start: int, t1: int, tracker: JourneyTracker) -> Iterator[tuple[int, int]]:
        """What to read one after the other: the part, something behind it, and more while anything goes on there."""
        end, after = self.spread.away(t1, AROUND) + 1, AROUND
        yield from self.spread.pieces(start, end, AT_A_TIME)
        while tracker.under_way_since(t1) and end <= self.recording.last and after < FARTHEST:
            after *= FARTHER
            low, end = end, min(self.spread.away(t1, after) + 1, LATEST)
            yield low, end


class StreamStart:
    """The first numbers of a stream that begins in the midst of a run, and whether what comes is all of that stream."""

    def __init__(self, scenario: Scenario) -> None:
        traits = traits_of(scenario)
        self._direct, self._answered = Trait.DIRECT in traits, Trait.ANSWERED in traits
        self._queues = scenario.doorbell.queues if scenario.doorbell else 1
        self._rung = self._signalled = 0  # the first numbers; 0: none yet
        self._answering = False  # whether a signal has come
        self._rings = scenario.doorbell is not None
        self._looked = False  # whether what comes before the part has been looked at

    def lacks(self, events: Events, t0: int) -> bool:
        """Whether something of the next events, from t0 (TSC) on, goes on with what began before the stream."""
        rings, signals = select(events, EventKind.RING), signals_in(events)
        self._rung = self._rung or first_number(rings)
        self._signalled = self._signalled or first_number(signals)
        late = np.uint64(t0)
        if self._begins_in(events, rings if self._rings else signals, t0):
            return True
        reads, rung = select(events, EventKind.DOORBELL), select(events, EventKind.RUNG)
        reads, rung = reads[reads["tsc"] >= late], rung[rung["tsc"] >= late]
        handlers = select(events, EventKind.HANDLER)
        handlers = handlers[(handlers["tsc"] >= late) & (handlers["arg"] > 0)]
        oldest_read = doorbell_numbers(reads, self._queues) - np.maximum(reads["arg"], 1) * self._queues + self._queues
        oldest_handled = handlers["seq"] - handlers["arg"] + 1
        rungs = [oldest_read, rung["seq"], oldest_handled if self._direct else oldest_handled[:0]]
        if precedes(np.concatenate(rungs), self._rung):
            return True
        if not self._direct and precedes(oldest_handled, self._signalled):
            return True
        return self._answers_unseen(signals, t0)

    def _begins_in(self, events: Events, starts: Events, t0: int) -> bool:
        """Whether the part begins in these events, and no journey before it: who knows what was under way by then."""
        if self._looked or (events.size and events["tsc"][-1] < np.uint64(t0)):
            self._looked = self._looked or bool(starts.size)
            return False
        self._looked = True
        return not starts.size or bool(starts["tsc"][0] >= np.uint64(t0))

    def _answers_unseen(self, signals: Events, t0: int) -> bool:
        """Whether the stream's first signal comes from t0 on, and answers doorbells: it is not known from which on."""
        if not signals.size or self._answering or not self._answered:
            return False
        self._answering = True
        return bool(signals["tsc"][0] >= np.uint64(t0) and signals["arg"][0] > 1)


def precedes(numbers: np.ndarray[tuple[int], np.dtype[np.uint64]], first: int) -> bool:
    """Whether one of them is smaller than the first that came; or whether there are some, and none came."""
    return bool(numbers.size) and (not first or int(numbers.min()) < first)


def first_number(events: Events) -> int:
    """The number of the first one; 0 if there is none."""
    return int(events["seq"][0]) if events.size else 0


def signals_in(events: Events) -> Events:
    """What signals interrupts, in order."""
    return select(events, *SIGNALLING)


def under_way(journeys: Journeys, t0: int, t1: int) -> Journeys:
    """Those of them that were under way between two times (TSC)."""
    if not journeys.size:
        return journeys
    return chosen(journeys, (begin(journeys) <= np.uint64(t1)) & (finish(journeys) >= np.uint64(t0)))


def cut_in(events: Events, scenario: Scenario) -> Events:
    """What a stream that begins with these events opens with: the newest numbers before it, as its own say."""
    if not events.size:
        return no_events()
    queues = scenario.doorbell.queues if scenario.doorbell else 1
    rung, reads = select(events, EventKind.RING)["seq"], select(events, EventKind.DOORBELL)
    signalled = signals_in(events)["seq"]
    handlers, buffers = select(events, EventKind.HANDLER), select(events, EventKind.BUFFERS)
    covered = before_first(handlers)
    numbers = [
        (Before.RUNG, 0, min([*rung[:1] - 1, *doorbell_numbers(reads, queues)[:1] - 1], default=0)),
        (Before.SIGNALLED, 0, min(signalled[:1] - 1, default=0)),
        (Before.COVERED, 0, covered),
        (Before.BUFFERS_ADDED, 0, before_first(buffers[buffers["id"] == BUFFERS_ADDED])),
        (Before.BUFFERS_USED, 0, before_first(buffers[buffers["id"] == BUFFERS_USED])),
        *((Before.RECEIVED, queue, before_first(reads[reads["id"] == queue])) for queue in range(queues)),
    ]
    if scenario.direct:  # the handler receives them
        numbers.append((Before.RECEIVED, 0, covered))
    tsc = int(events["tsc"][0])
    began = [event(tsc, EventKind.BEFORE, Lane.ENGINE, which, int(seq), arg) for which, arg, seq in numbers if seq > 0]
    return np.concatenate([no_events(), *began])


def before_first(events: Events) -> int:
    """The number before those that the first of the events covers, whose arg says how many; 0 if there is none."""
    return int(events["seq"][0] - min(events["arg"][0], events["seq"][0])) if events.size else 0
