"""The queue between a source's own thread and one who takes its events: bounded, however slowly they are taken.

Guarantees:
- put() waits for nobody, and leaves no more than `room` events waiting. What does not fit is passed over, the oldest
  first. Whoever takes in parts and does not catch up within CATCH_UP takes goes on from near the present.
- Nothing is passed over in silence: in its place come LOST events, which say when and how many, and PASSED_OVER events,
  which say of which sort, so that a count over what is taken comes to the same as a count over everything that was put.
- What changes how the rest is read (wiring, settings, refusals) is never passed over, and of every sort of event the
  newest is not, so that numbers which only grow are known up to the newest.
- Everything comes once, in the order in which it was put.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Self

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import EventKind, Events, Lane, event, no_events

VIEW_ROOM = 1 << 18  # events, 8 MB: half a second of the fastest scenarios
RECORDING_ROOM = 1 << 20  # events, 32 MB: two seconds of them
CATCH_UP = 8  # takes: a moment's delay may be worked off; what goes on longer would only grow
MOST_CHANGES = 1024  # of wiring and settings, that stay of what is passed over

Numbers = npt.NDArray[np.uint64]


class Outlet:
    """One thread puts, another one takes."""

    def __init__(self, room: int = VIEW_ROOM) -> None:
        """room: events that may wait."""
        self.room = room
        self._lock = threading.Lock()
        self._waiting: deque[Events] = deque()
        self._count = 0  # events that wait
        self._instead = no_events()  # in place of those passed over just before them
        self._left_behind = 0  # takes in a row after which some still waited
        self.closed = False

    def put(self, events: Events) -> None:
        """Adds the next batch (shape (n,)), which nobody may change any more."""
        if not events.size:
            return
        with self._lock:
            self._waiting.append(events)
            self._count += events.size
            self._make_room(self.room)

    def take(self, most: int | None = None) -> Events:
        """The oldest of what waits, shape (n,): about `most`. Waits for nothing but a put() under way."""
        with self._lock:
            if most is not None:
                self._keep_up(most)
            taken, self._instead = self._instead, no_events()
            return np.concatenate([taken, *self._oldest(self._count if most is None else most)])

    def _keep_up(self, most: int) -> None:
        """Goes on from the present if too much waits for one who takes so few, or has done so for too long."""
        self._left_behind = self._left_behind + 1 if self._count > most else 0
        if self._left_behind >= CATCH_UP:
            self._left_behind = 0
            self._make_room(most)
        self._make_room(CATCH_UP * most)

    @property
    def waits_from(self) -> int | None:
        """TSC of the oldest event that waits; None if none does."""
        with self._lock:
            return int(self._waiting[0]["tsc"][0]) if self._waiting else None

    def fork(self, room: int) -> Self:
        """Another outlet, which begins with what the next take() of this one would."""
        twin = type(self)(room)
        with self._lock:
            twin._waiting, twin._count, twin._instead = self._waiting.copy(), self._count, self._instead
        return twin

    def close(self) -> None:
        """Nobody will take any more; what waits can still be taken."""
        self.closed = True

    def _oldest(self, most: int) -> list[Events]:
        """Takes out as many of the oldest, in batches."""
        found: list[Events] = []
        while most > 0 and self._waiting:
            batch = self._waiting.popleft()
            if batch.size > most:
                self._waiting.appendleft(batch[most:])
            found.append(batch[:most])
            self._count -= found[-1].size
            most -= found[-1].size
        return found

    def _make_room(self, room: int) -> None:
        if self._count > room:
            self._instead = without_most(np.concatenate([self._instead, *self._oldest(self._count - room)]))


# -- What stays of events that are passed over. A sort is what kind, lane, vm and id of an event say: eight bytes.


def without_most(events: Events) -> Events:
    """What stays of events that are passed over: changes, the newest of each sort, and before them what is gone.

    LOST events say how many a lane lost, PASSED_OVER events how many of each sort these were; such may be among the
    events (shape (n,), sorted by tsc) already. Sorted by tsc, too.
    """
    lost, told = (events["kind"] == kind for kind in (EventKind.LOST, EventKind.PASSED_OVER))
    stays = np.zeros(events.size, bool)
    stays[np.flatnonzero((events["lane"] == Lane.ENGINE) & ~lost & ~told)[-MOST_CHANGES:]] = True
    sorts = dict(rows_by_sort(np.where(told, events["seq"], sorts_of(events))))
    for rows in sorts.values():
        stays[rows[~lost[rows] & ~told[rows]][-1:]] = True
    places = np.flatnonzero(stays)
    follows = np.searchsorted(places, np.arange(events.size))  # which of those that stay comes next
    times = np.append(events["tsc"][places], events["tsc"][-1:])
    counts = np.where(lost | told, events["arg"], 1).astype(np.float64)
    gone = []
    for sort, rows in sorts.items():
        rows = rows[~stays[rows] & ~lost[rows]]
        sums = np.bincount(follows[rows], counts[rows])
        gone += [passed_over_event(int(times[n]), sort, int(sums[n])) for n in np.flatnonzero(sums)]
    lanes = np.where(lost, events["id"], events["lane"])
    since = np.where(lost & (events["seq"] > 0), events["seq"], events["tsc"])
    for lane in Lane:
        rows = np.flatnonzero((lanes == lane) & ~stays & ~told)
        sums = np.bincount(follows[rows], counts[rows])
        for n in np.flatnonzero(sums):
            first = int(since[rows[follows[rows] == n]].min())
            gone.append(event(int(times[n]), EventKind.LOST, Lane.ENGINE, lane, first, int(sums[n])))
    merged = np.concatenate([*gone, events[stays]])
    return merged[np.argsort(merged["tsc"], kind="stable")]


def sorts_of(events: Events) -> Numbers:
    """The sort of each event; shape (n,)."""
    words = np.ascontiguousarray(events).view(np.uint64).reshape(-1, 4)
    found: Numbers = words[:, 1]
    return found


def rows_by_sort(sorts: Numbers) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Each sort there is, and where it stands, rising: there are few, so each is looked for by itself."""
    left = np.arange(sorts.size)
    while left.size:
        sort = sorts[left[0]]
        own = sorts[left] == sort
        yield int(sort), left[own]
        left = left[~own]


def passed_over_event(tsc: int, sort: int, count: int) -> Events:
    """The event that tells of `count` events of a sort."""
    return event(tsc, EventKind.PASSED_OVER, Lane.ENGINE, 0, sort, count)


def passed_over(events: Events, kind: EventKind) -> Events:
    """How many of one kind were passed over, as if they had come: kind, lane, vm and id are theirs, arg is how many."""
    told = events[events["kind"] == EventKind.PASSED_OVER]
    told = told[told["seq"] & np.uint64(0xFFFF) == kind]
    like = told.copy()
    like.view(np.uint64).reshape(-1, 4)[:, 1] = told["seq"]
    found: Events = like
    return found
