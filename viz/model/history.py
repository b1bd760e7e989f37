"""The newest records of a stream, in bounded memory, found by their time.

Guarantees: never more than `limit` records plus one chunk; appending never copies what is already held; a look-up
touches only the chunks that the time can be in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import chosen, end_to_end, put

Records = npt.NDArray[np.void]
Times = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.int64]
CHUNK = 1 << 14  # records


class Chunk:
    """A piece of the history, filled from the front; `start` and `end` are those of its records."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self.records: Records = np.empty(CHUNK, dtype)
        self.starts: Times = np.empty(CHUNK, np.uint64)
        self.ends: Times = np.empty(CHUNK, np.uint64)
        self.used = 0
        self.first, self.last = 2**64 - 1, 0
        self._counts: dict[str, Counts] = {}  # of a field's values, once the chunk is full

    def add(self, records: Records, starts: Times, ends: Times) -> int:
        """Takes as many of the records as there is room for; how many."""
        n = min(records.size, CHUNK - self.used)
        to = slice(self.used, self.used + n)
        put(self.records[to], records[:n])
        self.starts[to], self.ends[to] = starts[:n], ends[:n]
        self.used += n
        self.first = min(self.first, int(starts[:n].min()))
        self.last = max(self.last, int(ends[:n].max()))
        return n

    def window(self, t0: int, t1: int) -> Records:
        """Records that lie, in whole or in part, between t0 and t1."""
        return chosen(self.records[: self.used], self._inside(t0, t1))

    def _inside(self, t0: int, t1: int) -> npt.NDArray[np.bool_]:
        inside: npt.NDArray[np.bool_] = self.starts[: self.used] <= np.uint64(t1)
        return inside & (self.ends[: self.used] >= np.uint64(t0))

    def count(self, t0: int, t1: int) -> int:
        """How many records lie, in whole or in part, between t0 and t1."""
        return int(np.count_nonzero(self._inside(t0, t1)))

    def count_by(self, field: str, values: int, t0: int, t1: int) -> Counts:
        """How many records between t0 and t1 have each value of `field`; shape (values,)."""
        whole = t0 <= self.first and self.last <= t1
        if not whole or self.used < CHUNK:
            return count_each(self.window(t0, t1)[field], values)
        if field not in self._counts:
            self._counts[field] = count_each(self.records[field], values)
        return self._counts[field]


def count_each(numbers: npt.NDArray[np.unsignedinteger], values: int) -> Counts:
    """How often each of 0..values-1 is among the numbers; shape (values,)."""
    return np.bincount(numbers, minlength=values)[:values]


def overlap(first: int, last: int, t0: int, t1: int) -> float:
    """Which share of first..last lies in t0..t1."""
    common = min(last, t1) - max(first, t0)
    return 0.0 if common < 0 else (common + 1) / (last - first + 1)


class Rows(Protocol):
    """Records by their positions, as a table shows them and a search goes through them."""

    def __len__(self) -> int:
        """How many there are."""

    @property
    def oldest(self) -> int:
        """The position of the oldest one."""

    @property
    def total(self) -> int:
        """The position after the newest one."""

    def pick(self, positions: npt.NDArray[np.int64]) -> Records:
        """The records at some positions (rising, all of them there); shape (n,)."""

    def until(self, t: int) -> int:
        """The position after the last record that starts at t or before."""

    def starting(self, times: Times) -> npt.NDArray[np.int64]:
        """The positions of the records that start at one of `times`, rising; shape (n,)."""


class History:
    """Records of one dtype with a start and an end in time, given by `span(records) -> (starts, ends)`."""

    def __init__(self, dtype: np.dtype[np.void], limit: int, span: Callable[[Records], tuple[Times, Times]]) -> None:
        self.dtype, self.limit = dtype, limit
        self.total = 0  # ever appended
        self.whole_from = 0  # TSC from which on nothing has been forgotten; 0: nothing has
        self.forgotten: Callable[[Records], object] | None = None  # is told what goes
        self._span = span
        self._chunks: deque[Chunk] = deque()
        self._held = 0  # records in them
        self._first, self._last = 0, 0  # times: dozens of words ask for them in each frame

    def append(self, records: Records) -> None:
        """Adds the newest records; the oldest chunk goes when there is too much."""
        starts, ends = self._span(records)
        done = 0
        while done < records.size:
            if not self._chunks or self._chunks[-1].used == CHUNK:
                self._chunks.append(Chunk(self.dtype))
            done += self._chunks[-1].add(records[done:], starts[done:], ends[done:])
        self.total += records.size
        self._held += records.size
        while len(self) - CHUNK >= self.limit:
            oldest = self._chunks.popleft()
            self._held -= oldest.used
            self.whole_from = max(self.whole_from, oldest.last + 1)
            if self.forgotten:
                self.forgotten(oldest.records)
        self._first = min((chunk.first for chunk in self._chunks), default=0)
        self._last = max((chunk.last for chunk in self._chunks), default=0)

    def __len__(self) -> int:
        return self._held

    def __iter__(self) -> Iterator[Records]:
        """What is held, oldest first, in arrays of up to CHUNK records that must not be written to."""
        return (chunk.records[: chunk.used] for chunk in self._chunks)

    @property
    def oldest(self) -> int:
        """The position of the oldest record held: records are numbered from 0 in the order they came."""
        return self.total - len(self)

    def at(self, first: int, end: int) -> Records:
        """The records at the positions first..end-1, as far as they are held; shape (n,)."""
        found, base = [], self.oldest
        for chunk in self._chunks:
            if base < end and base + chunk.used > first:
                found.append(chunk.records[max(first - base, 0) : min(end - base, chunk.used)])
            base += chunk.used
        return end_to_end(np.empty(0, self.dtype), *found)

    def pick(self, positions: npt.NDArray[np.int64]) -> Records:
        """The records at some positions (rising, all of them held); shape (n,)."""
        chunks, found, base = self._chunks, np.empty(positions.size, self.dtype), self.oldest
        bounds = np.searchsorted(positions, base + np.cumsum([0, *(chunk.used for chunk in chunks)]))
        for chunk, low, high in zip(chunks, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            put(found[low:high], chosen(chunk.records, positions[low:high] - base))
            base += chunk.used
        return found

    def until(self, t: int) -> int:
        """The position after the last record that starts at t or before."""
        position = base = self.oldest
        for chunk in self._chunks:
            if chunk.first <= t:
                position = base + int(np.searchsorted(chunk.starts[: chunk.used], np.uint64(t), "right"))
            base += chunk.used
        return position

    def starting(self, times: Times) -> npt.NDArray[np.int64]:
        """The positions of the records that start at one of `times`, rising; shape (n,)."""
        if not times.size:
            return np.empty(0, np.int64)
        found, base = [np.empty(0, np.int64)], self.oldest
        low, high = int(times.min()), int(times.max())
        for chunk in self._chunks:
            if chunk.first <= high and chunk.last >= low:
                found.append(base + np.flatnonzero(np.isin(chunk.starts[: chunk.used], times)))
            base += chunk.used
        return np.concatenate(found)

    @property
    def first(self) -> int:
        """The earliest time held; 0 if nothing is."""
        return self._first

    @property
    def last(self) -> int:
        """The latest time held; 0 if nothing is."""
        return self._last

    def window(self, t0: int, t1: int) -> Records:
        """The records that lie, in whole or in part, between t0 and t1, in the order they came; shape (n,)."""
        return self.in_memory(t0, t1)

    def in_memory(self, t0: int, t1: int) -> Records:
        """The same, of those that came and were not forgotten: what was counted, whatever else there is on a disk."""
        found = [chunk.window(t0, t1) for chunk in self._chunks if chunk.first <= t1 and chunk.last >= t0]
        return end_to_end(np.empty(0, self.dtype), *found)

    def around(self, times: Times, reach: int) -> Records:
        """The records that lie between the times (rising, one at least), or not earlier than `reach` before; (n,)."""
        return self.window(max(int(times[0]) - reach, 0), int(times[-1]))

    def first_of(self, count: int, t0: int, t1: int) -> Records:
        """The first `count` records that start between t0 and t1, in the order of their starts; shape (n,)."""
        return self._starting(t0, t1)[:count]

    def last_of(self, count: int, t0: int, t1: int) -> Records:
        """The last `count` of them, in the same order; of what ended earlier no more is looked at than it takes."""
        found, earliest = np.empty(0, self.dtype), 0
        for chunk in reversed(self._chunks):
            if chunk.last >= earliest:
                found = self._started(end_to_end(chunk.window(max(t0, 0), max(t1, 0)), found), t0, t1)[-count:]
            earliest = int(self._span(found[:1])[0][0]) if 0 < count <= found.size else 0
        return found

    def _starting(self, t0: int, t1: int) -> Records:
        """All of them."""
        return self._started(self.window(max(t0, 0), max(t1, 0)), t0, t1)

    def _started(self, records: Records, t0: int, t1: int) -> Records:
        """Those of the records that start between t0 and t1, in the order of their starts; shape (n,)."""
        starts = self._span(records)[0]
        inside = np.flatnonzero((starts >= np.uint64(max(t0, 0))) & (starts <= np.uint64(max(t1, 0))))
        return chosen(records, inside[np.argsort(starts[inside], kind="stable")])

    def count_by(self, field: str, values: int, t0: int, t1: int) -> Counts:
        """How many records between t0 and t1 have each value 0..values-1 of a whole-number field; shape (values,)."""
        counts = np.zeros(values, np.int64)
        for chunk in self._chunks:
            if chunk.first <= t1 and chunk.last >= t0:
                counts += chunk.count_by(field, values, t0, t1)
        return counts

    def count_held(self, t0: int, t1: int) -> int:
        """How many records that are in memory lie, in whole or in part, between t0 and t1."""
        return sum(chunk.count(t0, t1) for chunk in self._chunks if chunk.first <= t1 and chunk.last >= t0)

    def about(self, t0: int, t1: int) -> float:
        """How many records lie between t0 and t1, about: within a chunk they are taken to be spread evenly."""
        return sum(chunk.used * overlap(chunk.first, chunk.last, t0, t1) for chunk in self._chunks)

    def after(self, number: int, count: int) -> Records:
        """Up to `count` records from the one with this number on, counted from the first that ever came."""
        found, at = [], self.total - len(self)
        for chunk in self._chunks:
            skip = max(number - at, 0)
            part = chunk.records[skip : min(chunk.used, skip + count)]
            found.append(part)
            number, count, at = number + part.size, count - part.size, at + chunk.used
        return end_to_end(np.empty(0, self.dtype), *found)

    def newest(self, count: int) -> Records:
        """The last `count` records, or fewer if there are no more."""
        found: list[Records] = []
        for chunk in reversed(self._chunks):
            if count <= 0:
                break
            found.insert(0, chunk.records[max(0, chunk.used - count) : chunk.used])
            count -= found[0].size
        return end_to_end(np.empty(0, self.dtype), *found)

    def start_after(self, t: int) -> int | None:
        """The earliest start later than t."""
        later = [c.starts[: c.used][c.starts[: c.used] > np.uint64(t)] for c in self._chunks if c.last > t]
        return min((int(starts.min()) for starts in later if starts.size), default=None)

    def start_before(self, t: int) -> int | None:
        """The latest start earlier than t."""
        earlier = [c.starts[: c.used][c.starts[: c.used] < np.uint64(t)] for c in self._chunks if c.first < t]
        return max((int(starts.max()) for starts in earlier if starts.size), default=None)

    def starting_at(self, t: int) -> Records:
        """The records that start exactly at t."""
        near = self.window(t, t)
        found: Records = near[self._span(near)[0] == np.uint64(t)]
        return found
