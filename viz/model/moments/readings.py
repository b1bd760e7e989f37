"""What is counted and paired, as of the newest event or as of a moment in the past: every view reads one of the two.

Guarantees: the figures of a moment are those that the same folds have after the events up to it and no others, as far
as that is held; where the latencies are not, they are those of the whole run so far, and `whole_run` says so.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bellwire.engine.events import Events, Switch
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.exit_split import ExitSplit
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.tally import Tally
from bellwire.engine.language import tr_later
from bellwire.viz.model.history import CHUNK, History
from bellwire.viz.model.moments.latencies import LatencyPast
from bellwire.viz.model.past import HeldPast

if TYPE_CHECKING:
    from bellwire.engine.recordings.replay import Replay

WHOLE_RUN = tr_later("whole run so far")  # said beside a figure that is not of the moment that the view shows
SINCE_JUMP = tr_later("since the jump")  # the same, where a recording was not played from its start


@dataclass
class Counts:
    """The folds that are small enough to be kept every now and then."""

    tally: Tally
    told: Tally  # of the same events as `evidence`: of a replay that was jumped into, those since then
    exits: ExitSplit
    evidence: Evidence

    @property
    def jumped(self) -> bool:
        """Whether they, but for `tally`, are only those since a moment in a recording that a replay was sent to."""
        return self.told is not self.tally

    def feed(self, events: Events) -> None:
        """Adds the next batch."""
        self.tally.feed(events)
        if self.jumped:
            self.told.feed(events)
        self.exits.feed(events)
        self.evidence.feed(events)


@dataclass
class Readings(Counts):
    """All of them. whole_run: the latencies are those of the whole run so far, whatever the moment is."""

    latencies: Latencies
    whole_run: bool = False

    @property
    def counts(self) -> Counts:
        """The same without the latencies."""
        return Counts(self.tally, self.told, self.exits, self.evidence)

    def wired(self, switch: Switch) -> bool:
        """Whether the switch is on."""
        return self.tally.wiring.get(switch, False)


class Moments:
    """The present's figures, fed with each batch before the history has it, and those of any moment that is held.

    The counts are kept at the end of each of the history's chunks, so that a moment costs folding one chunk at most;
    from one moment to a later one nearby, only what lies between.
    """

    def __init__(self, present: Readings, past: HeldPast, events: History, journeys: History, replay: Replay | None):
        self.present, self.past, self.events, self.replay = present, past, events, replay
        self.latencies = LatencyPast(present.latencies, past, journeys, played=replay is not None)
        self._kept = {0: pickle.dumps(present.counts)}  # by the position up to which the events are counted
        self._counts, self._position = present.counts, -1  # as they were asked for last
        self._seen, self._tsc, self._settled = present, -1, False

    def feed(self, events: Events) -> None:
        """Counts the next batch."""
        counts, done = self.present.counts, 0
        while done < events.size:
            position = self.events.total + done
            room = CHUNK - position % CHUNK
            part = events[done : done + room] if done or room < events.size else events
            counts.feed(part)
            done += part.size
            if (position + part.size) % CHUNK == 0:
                self._kept = {at: kept for at, kept in self._kept.items() if at >= self.events.oldest}
                self._kept[position + part.size] = pickle.dumps(counts)

    def at(self, tsc: int) -> Readings:
        """As they were at a moment; not to be changed."""
        if tsc != self._tsc or not self._settled:
            self._settled = self.past.complete >= tsc
            self._tsc, self._seen = tsc, self._readings(tsc)
        return self._seen

    def _readings(self, tsc: int) -> Readings:
        counts = self._from_memory(tsc) or self._from_file(tsc) or self.present.counts
        latencies = self.latencies.at(tsc) if self._in_memory(tsc) else None
        of = latencies or self.present.latencies
        return Readings(counts.tally, counts.told, counts.exits, counts.evidence, of, whole_run=latencies is None)

    def _in_memory(self, tsc: int) -> bool:
        return tsc >= max(self.events.whole_from, self.replay.yields_from if self.replay else 0)

    def _from_memory(self, tsc: int) -> Counts | None:
        """From what was kept before, and the events since; None if these are not held."""
        position = self.events.until(tsc)
        start = position // CHUNK * CHUNK
        if not self._in_memory(tsc) or start not in self._kept or start < self.events.oldest:
            return None
        if not start <= self._position <= position:
            self._counts, self._position = pickle.loads(self._kept[start]), start
        self._counts.feed(self.events.at(self._position, position))
        self._position = position
        return self._counts

    def _from_file(self, tsc: int) -> Counts | None:
        """Of a moment of a recording that was not played, or has left memory; None of a live run."""
        if self.replay is None:
            return None
        before, events = self.replay.stood_at(tsc)
        scenario, tally = self.replay.scenario, before.tally if before else Tally()
        told = Tally() if before else tally
        counts = Counts(tally, told, ExitSplit(scenario), Evidence(scenario, self.replay.backend))
        if before:
            for fold in (told, counts.exits, counts.evidence):
                fold.feed(before.opening)
        counts.feed(events)
        return counts
