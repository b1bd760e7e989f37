"""A history that goes on on the disk: of a recording, what is not held in memory is read when it is looked at.

Guarantees: what has been played is held as ever; any other moment, before or after, costs reading a few batches. What
is held in memory is asked only where it has everything: batches of a recording overlap in time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import EVENT, EventKind, Lane, end_to_end, event
from bellwire.engine.recordings.excerpts.spread import Spread
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.viz.model.history import Counts, History, Records, Times, count_each

AT_A_TIME = 1 << 16  # events between two that are looked for: where more are, the two are looked for one by one
NEAR = 1 << 12  # events that a search reads first
FARTHER = 4  # times as many next


class RecordedRows:
    """A recording's events by their places in its file, as far as a replay has come.

    An event that lies in a damaged part is a LOST one.
    """

    def __init__(self, replay: Replay) -> None:
        self._replay, self._recording = replay, replay.recording
        self._ends = np.cumsum(replay.recording.entries["events"])

    def __len__(self) -> int:
        return self.total

    @property
    def oldest(self) -> int:
        """The file's first."""
        return 0

    @property
    def total(self) -> int:
        """How many of the file's events come before the next one that the replay yields."""
        return self._replay.position

    def pick(self, positions: npt.NDArray[np.int64]) -> Records:
        """The events at some positions (rising); shape (n,)."""
        found = np.empty(positions.size, EVENT)
        batches = np.searchsorted(self._ends, positions, "right")
        for number in np.unique(batches).tolist():
            there = batches == number
            events = self._batch(number)
            found[there] = events[positions[there] - (int(self._ends[number]) - events.size)]
        return found

    def _batch(self, number: int) -> Records:
        events = self._recording.read(number)
        if events.size:
            return events
        entry = self._recording.entries[number]
        return np.repeat(event(int(entry["first"]), EventKind.LOST, Lane.ENGINE, Lane.ENGINE, 0, 1), entry["events"])

    def until(self, t: int) -> int:
        """The position after the last event at t or before."""
        begun = np.flatnonzero(self._recording.entries["first"] <= np.uint64(max(t, 0)))
        if not begun.size:
            return 0
        number = int(begun[-1])
        events = self._batch(number)
        start = int(self._ends[number]) - events.size
        return min(start + int(np.searchsorted(events["tsc"], np.uint64(t), "right")), self.total)

    def starting(self, times: Times) -> npt.NDArray[np.int64]:
        """The positions of the events at one of `times`, rising; shape (n,)."""
        if not times.size:
            return np.empty(0, np.int64)
        entries, found = self._recording.entries, [np.empty(0, np.int64)]
        for number in np.flatnonzero((entries["first"] <= times.max()) & (entries["last"] >= times.min())).tolist():
            events = self._batch(number)
            start = int(self._ends[number]) - events.size
            found.append(start + np.flatnonzero(np.isin(events["tsc"], times)))
        at = np.concatenate(found)
        return at[at < self.total]


class RecordedHistory(History):
    """read(t0, t1) gives the recording's records that lie, in whole or in part, between t0 and t1.

    played(): from when to when (TSC) everything has been appended.
    """

    def __init__(
        self,
        dtype: np.dtype[np.void],
        limit: int,
        span: Callable[[Records], tuple[Times, Times]],
        recording: Recording,
        read: Callable[[int, int], Records],
        played: Callable[[], tuple[int, int]],
    ) -> None:
        super().__init__(dtype, limit, span)
        self._recording, self._read, self._played = recording, read, played
        self._spread = Spread(recording.entries)
        self._met = np.empty(0, dtype)  # the records at the start that was found last
        self._bare = (0, -1)  # from when to when (TSC) nothing starts, both included

    def _holds(self, t0: int, t1: int) -> bool:
        """Whether everything between is in memory."""
        start, end = self._played()
        return bool(len(self)) and max(start, self.whole_from) <= t0 and t1 <= end

    @property
    def first(self) -> int:
        """The earliest time there is."""
        return self._recording.first

    @property
    def last(self) -> int:
        """The latest time there is."""
        return self._recording.last

    def window(self, t0: int, t1: int) -> Records:
        """The records that lie, in whole or in part, between t0 and t1, in the order they came; shape (n,)."""
        return self.in_memory(t0, t1) if self._holds(t0, t1) else self._read(t0, t1)

    def around(self, times: Times, reach: int) -> Records:
        """Those near the times; where these are far apart not all between them is read, and some more than once.

        What is read says of each record until when it lasts, so nothing is looked for before the times.
        """
        t0, t1, middle = max(int(times[0]), 0), int(times[-1]), times.size // 2
        if self._holds(max(t0 - reach, 0), t1):
            return self.window(max(t0 - reach, 0), t1)
        if not middle or self.about(t0, t1) <= AT_A_TIME:
            return self._read(t0, t1)
        return end_to_end(self.around(times[:middle], reach), self.around(times[middle:], reach))

    def first_of(self, count: int, t0: int, t1: int) -> Records:
        """The first `count` records that start between t0 and t1, in the order of their starts; reads no more."""
        return self._some(count, t0, t1, +1)

    def last_of(self, count: int, t0: int, t1: int) -> Records:
        """The last `count` of them, in the same order."""
        return self._some(count, t0, t1, -1)

    def _some(self, count: int, t0: int, t1: int, direction: int) -> Records:
        """From what is near to what is far, until there are so many."""
        t0, t1, events = max(t0, self.first), min(t1, self.last), NEAR
        while t0 <= t1:
            low = t0 if direction > 0 else max(self._spread.away(t1, -events), t0)
            high = t1 if direction < 0 else min(self._spread.away(t0, events), t1)
            found = self._starting(low, high)
            if found.size >= count or (low, high) == (t0, t1):
                return found[:count] if direction > 0 else found[-count:]
            events *= FARTHER
        return np.empty(0, self.dtype)

    def count_by(self, field: str, values: int, t0: int, t1: int) -> Counts:
        """How many records between t0 and t1 have each value 0..values-1 of a whole-number field; shape (values,)."""
        if self._holds(t0, t1):
            return super().count_by(field, values, t0, t1)
        return count_each(self._read(t0, t1)[field], values)

    def about(self, t0: int, t1: int) -> float:
        """How many events lie between t0 and t1, about."""
        return self._spread.between(t0, t1)

    def start_after(self, t: int) -> int | None:
        """The earliest start later than t."""
        t = max(t, self.first - 1)
        found = super().start_after(t) if self._holds(t, t) else None
        return self._search(t, +1) if found is None or not self._holds(t, found) else found

    def start_before(self, t: int) -> int | None:
        """The latest start earlier than t."""
        t = min(t, self.last + 1)
        found = super().start_before(t) if self._holds(t, t) else None
        return self._search(t, -1) if found is None or not self._holds(found, t) else found

    def starting_at(self, t: int) -> Records:
        """The records that start exactly at t; of one so long that it is seen only from afar, as it was found."""
        found = super().starting_at(t)
        return found if found.size else self._met[self._span(self._met)[0] == np.uint64(t)]

    def _search(self, t: int, direction: int) -> int | None:
        """The nearest start beyond t, from what is near to what is far; what was found bare is not read again."""
        at, near, events = t, t, NEAR
        while True:
            at = self._past_bare(at, direction)
            if at > self.last if direction > 0 else at < self.first:
                return None
            far = self._spread.away(at, direction * events)
            read = self._read(max(min(at, far), 0), max(at, far))
            starts = self._span(read)[0]
            if (starts == np.uint64(t)).any():
                near = t + direction
            beyond = starts[starts > np.uint64(t)] if direction > 0 else starts[starts < np.uint64(t)]
            if beyond.size:
                start = int(beyond.min() if direction > 0 else beyond.max())
                self._met = read[starts == np.uint64(start)]
                self._remember_bare(near, start - direction, direction)
                return start
            self._remember_bare(near, far, direction)
            at, events = far + direction, min(events * FARTHER, AT_A_TIME)

    def _past_bare(self, at: int, direction: int) -> int:
        """The next time at which something may start; that one itself if it may be."""
        low, high = self._bare
        if not low <= at <= high:
            return at
        return high + 1 if direction > 0 else low - 1

    def _remember_bare(self, near: int, far: int, direction: int) -> None:
        """Nothing starts between the two, nor at them. What is known is one stretch: where the last search went."""
        low, high = (near, far) if direction > 0 else (far, near)
        if low > high:
            return
        known_low, known_high = self._bare
        if low <= known_high + 1 and known_low <= high + 1:
            low, high = min(low, known_low), max(high, known_high)
        self._bare = low, high
