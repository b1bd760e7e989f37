"""Which events of the history pass a filter: their positions, found piece by piece and kept up to date.

Guarantees: an event is found as soon as it is known to fit, and in its place: where a filter asks for latencies, that
is when its journey is complete. The work of one advance() is bounded; memory is 8 bytes for each event found, and they
are forgotten as the history forgets them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bellwire.viz.model.filter import Everything, Filter, Sight
from bellwire.viz.model.journey_of import times_of
from bellwire.viz.model.live import LiveModel
from bellwire.viz.text.event_words import Wording

PIECE = 1 << 16  # events that are looked at in one go
SLOW_PIECE = 1 << 13  # where their words are looked at

Positions = npt.NDArray[np.int64]


class Search:
    """The events of a model that pass a filter."""

    def __init__(self, model: LiveModel, wording: Wording, wanted: Filter, start: int | None = None) -> None:
        """start: the position from which on it looks; by default the oldest that is held."""
        self.model, self.wording, self.wanted = model, wording, wanted
        self.looked = model.rows.oldest if start is None else start  # up to this position
        self.everything = isinstance(wanted, Everything)
        self._start = self.looked
        self._found = Found()
        self._journeys = model.journeys.total  # up to this one their events have been looked at again

    def __len__(self) -> int:
        """How many there are."""
        return self.looked - self._first if self.everything else len(self._found)

    @property
    def _first(self) -> int:
        return min(max(self._start, self.model.rows.oldest), self.looked)

    @property
    def done(self) -> bool:
        """Whether all that has come has been looked at."""
        return self.looked >= self.model.rows.total

    @property
    def share(self) -> float:
        """How much of what is held has been looked at, 0..1."""
        oldest, total = self.model.rows.oldest, self.model.rows.total
        return min(1.0, (self.looked - oldest) / (total - oldest)) if total > oldest else 1.0

    def positions(self, first: int, end: int) -> Positions:
        """Where the first..end-1st of them are in the history."""
        if self.everything:
            return np.arange(self._first + max(first, 0), min(self._first + end, self.looked))
        return self._found.values[max(first, 0) : end]

    def index(self, position: int) -> int:
        """How many of them come before a position."""
        if self.everything:
            return min(max(position - self._first, 0), len(self))
        return int(np.searchsorted(self._found.values, position))

    def advance(self) -> Positions:
        """Looks at the next events, and again at those whose journeys are complete now; what is new, rising."""
        events = self.model.rows
        self._found.forget_before(events.oldest)
        if self.everything:
            before, self.looked = max(self.looked, events.oldest), events.total
            return np.arange(before, self.looked)
        late = self._late()
        first = max(self.looked, events.oldest)
        end = min(first + (SLOW_PIECE if self.wanted.slow else PIECE), events.total)
        fresh = self._of(np.arange(first, end))
        self.looked = end
        self._found.add(fresh)
        return np.union1d(late, fresh)

    def _late(self) -> Positions:
        """Events that have been looked at before, and fit now that their journeys are complete."""
        journeys = self.model.journeys
        fresh, self._journeys = journeys.newest(journeys.total - self._journeys), journeys.total
        if not self.wanted.joins or not fresh.size:
            return np.empty(0, np.int64)
        again = self.model.rows.starting(times_of(fresh))
        again = again[(again < self.looked) & (again >= self._start)]
        return self._found.correct(again, self._of(again))

    def _of(self, positions: Positions) -> Positions:
        """Those of the positions (rising) whose events fit."""
        if not positions.size:
            return positions
        events = self.model.rows.pick(positions)
        known = self.model.present.latencies.known
        sight = Sight(events, self.model.journeys, self.model.clock, self.model.started_at, self.wording, known)
        return positions[self.wanted.matches(sight)]


class Found:
    """A rising row of numbers that grows at its end and is forgotten from its start."""

    def __init__(self) -> None:
        self._room: Positions = np.empty(1024, np.int64)
        self._from, self._to = 0, 0

    def __len__(self) -> int:
        return self._to - self._from

    @property
    def values(self) -> Positions:
        """All of them; not to be written to."""
        return self._room[self._from : self._to]

    def add(self, values: Positions) -> None:
        """At the end."""
        if self._to + values.size > self._room.size:
            kept = self.values
            self._room = np.empty(2 * (len(self) + values.size) + 1024, np.int64)
            self._room[: kept.size] = kept
            self._from, self._to = 0, kept.size
        self._room[self._to : self._to + values.size] = values
        self._to += values.size

    def correct(self, known: Positions, right: Positions) -> Positions:
        """Of the `known` numbers those in `right`, and no others, belong here; which of them are new here."""
        if not known.size:
            return known
        at = self._from + int(np.searchsorted(self.values, known[0]))
        tail = self._room[at : self._to]
        new = np.setdiff1d(right, tail, assume_unique=True)
        corrected = np.union1d(np.setdiff1d(tail, known, assume_unique=True), right)
        self._to = at
        self.add(corrected)
        return new

    def forget_before(self, position: int) -> None:
        """Those below it go."""
        self._from += int(np.searchsorted(self.values, position))
