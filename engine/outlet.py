"""The queue between a source's own thread and one who takes its events: bounded, however slowly they are taken.

Guarantees:
- put() waits for nobody, and leaves no more than `room` events waiting. What does not fit is passed over, oldest
  first. Whoever takes in parts and does not catch up within CATCH_UP takes goes on from near the present.
- Nothing is passed over in silence: in its place come PASSED_OVER events, which say when, how many and of which sort,
  so that a count over what is taken comes to the same as a count over everything that was put.
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

from bellwire.engine.events import EVENT, EventKind, Events, Lane, by_kind, chosen, end_to_end, no_events

VIEW_ROOM = 1 << 18  # events, 8 MB: half a second of the fastest scenarios
RECORDING_ROOM = 1 << 20  # events, 32 MB: two seconds of them, that a disk may stand still
CATCH_UP = 5  # takes: a moment's delay may be worked off; what goes on longer would only grow
MOST_AMOUNT = 2**32 - 1
MOST_CHANGES = 1024  # of wiring, settings and losses, that stay of what is passed over

Numbers = npt.NDArray[np.uint64]


class Outlet:
    """One thread puts, another one takes."""

    def __init__(self, room: int = VIEW_ROOM, cut: int = 0) -> None:
        """room: events that may wait. cut: cycles; what is passed over is told apart at each of their multiples."""
        self._cut = cut
        self._most_room = self.room = room
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
            self._make_room()

    def take(self, most: int | None = None) -> Events:
        """The oldest of what waits, shape (n,): about `most`. Waits for nothing but a put() under way.

        most: so few are taken at once that no more than CATCH_UP times as many shall wait; put() sees to it, so that
        whoever takes need not do it as well.
        """
        with self._lock:
            if most is not None:
                self._left_behind = self._left_behind + 1 if self._count > most else 0
                late = self._left_behind >= CATCH_UP
                self._left_behind *= not late
                self.room = min(self._most_room, most if late else CATCH_UP * most)
            taken, self._instead = self._instead, no_events()
            return end_to_end(taken, *self._oldest(self._count if most is None else most))

    @property
    def waits_from(self) -> int | None:
        """TSC of the oldest event that waits; None if none does."""
        with self._lock:
            return int(self._waiting[0]["tsc"][0]) if self._waiting else None

    def fork(self, room: int) -> Self:
        """Another outlet, which begins with what the next take() of this one would."""
        twin = type(self)(room, self._cut)
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

    def _make_room(self) -> None:
        if self._count > self.room:
            gone = [self._instead, *self._oldest(self._count - self.room)]
            self._instead = without_most(end_to_end(*gone), self._cut)


# -- What stays of events that are passed over. A sort is what kind, lane, vm and id of an event say: eight bytes.


def without_most(events: Events, cut: int = 0) -> Events:
    """What stays of events that are passed over: changes, the newest of each sort, and before them what is gone.

    That is told by PASSED_OVER events, of which there may be some among the events (shape (n,), sorted by tsc) already;
    each tells of one sort, and of one part of the time if there is a cut.
    """
    told = events["kind"] == EventKind.PASSED_OVER
    stays = np.zeros(events.size, bool)
    stays[np.flatnonzero((events["lane"] == Lane.ENGINE) & ~told)[-MOST_CHANGES:]] = True
    sorts = dict(rows_by_sort(np.where(told, events["seq"], sorts_of(events))))
    for rows in sorts.values():
        stays[rows[~told[rows]][-1:]] = True
    tsc = events["tsc"]
    parts = np.cumsum(stays, dtype=np.uint64)  # what follows the same event that stays, in the same part of the time
    if cut:
        parts += tsc // np.uint64(cut)
    gone = []
    for sort, rows in sorts.items():
        rows = rows[~stays[rows]]
        ends = np.flatnonzero(np.append(parts[rows][1:] != parts[rows][:-1], [True] * min(rows.size, 1)))
        counts = np.diff(np.cumsum(np.where(told, events["arg"].astype(np.int64), 1)[rows])[ends], prepend=0)
        sums = np.diff(np.cumsum(np.where(told, events["id"], amounts(events))[rows])[ends], prepend=0)
        gone.append(passed_over_events(tsc[rows[ends]], sort, counts, sums))
    merged = end_to_end(*gone, chosen(events, stays))
    return chosen(merged, np.argsort(merged["tsc"], kind="stable"))


def amounts(events: Events) -> npt.NDArray[np.int64]:
    """What each event stands for besides itself: its arg; of an EXIT 1 if it is a doorbell; shape (n,)."""
    arg = np.minimum(events["arg"], MOST_AMOUNT).astype(np.int64)
    return np.where(events["kind"] == EventKind.EXIT, (events["seq"] > 0).astype(np.int64), arg)


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


def passed_over_events(
    tsc: Numbers, sort: int, counts: npt.NDArray[np.integer], sums: npt.NDArray[np.integer]
) -> Events:
    """The events that tell how many of one sort are gone, and of what amounts; all of shape (n,)."""
    told = np.zeros(tsc.size, EVENT)
    told["tsc"], told["kind"], told["lane"], told["seq"] = tsc, EventKind.PASSED_OVER, Lane.ENGINE, sort
    told["arg"], told["id"] = counts, np.minimum(sums, MOST_AMOUNT)
    return told


def passed_over(events: Events, kind: EventKind) -> Events:
    """How many of one kind were passed over, as if they had come: kind, lane, vm and id are theirs; shape (n,).

    arg is how many, seq what their amounts add up to.
    """
    told = by_kind(events).of(EventKind.PASSED_OVER)
    if not told.size:  # most batches: dozens of folds ask
        return told
    told = told[told["seq"] & np.uint64(0xFFFF) == kind]
    like = told.copy()
    like.view(np.uint64).reshape(-1, 4)[:, 1] = told["seq"]
    like["seq"] = told["id"]
    found: Events = like
    return found


def kinds_passed_over(told: Events) -> list[EventKind]:
    """Of which kinds these PASSED_OVER events tell."""
    return [EventKind(kind) for kind in set((told["seq"] & np.uint64(0xFFFF)).tolist())]


# What the thread of a vCPU did, and words about what is not known of it.
VCPU_THREAD = (EventKind.EXIT, EventKind.ENTRY, EventKind.LOST, EventKind.PASSED_OVER)


def gap_times(events: Events, lane: Lane) -> Numbers:
    """When something of a lane was missing before, lost or passed over; TSC, rising."""
    counts = by_kind(events).counts
    known = not (counts[EventKind.LOST] or counts[EventKind.PASSED_OVER])
    times: Numbers = events["tsc"][:0] if known else events["tsc"][gaps_of(events, lane)]
    return times


def gaps_of(events: Events, lane: Lane) -> npt.NDArray[np.bool_]:
    """Where something of a lane is missing before, lost or passed over; shape (n,). ENGINE's losses are of any lane."""
    lost = (events["kind"] == EventKind.LOST) & ((events["id"] == lane) | (events["id"] == Lane.ENGINE))
    told = events["kind"] == EventKind.PASSED_OVER
    gaps: npt.NDArray[np.bool_] = lost | (told & (events["seq"] >> np.uint64(16) & np.uint64(0xFF) == lane))
    return gaps
