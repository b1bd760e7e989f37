"""A recording as a source of events: with a Session's interface, so that a view cannot tell them apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bellwire.engine.errors import EngineError, RecordingError
from bellwire.engine.events import EventKind, Events, end_to_end, no_events
from bellwire.engine.folds.prologue import prologue
from bellwire.engine.folds.tally import Tally
from bellwire.engine.language import tr, tr_later
from bellwire.engine.recordings.excerpts.excerpt import cut_in
from bellwire.engine.recordings.index import Indexer
from bellwire.engine.recordings.outline import newest_changes
from bellwire.engine.recordings.recorder import by_time
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.source import LATEST, Label, Order, Source

REASON = tr_later("This is a recording: it shows what happened, and cannot be changed.")


UNCOUNTED = tr_later("The recording was not yet read as a whole: totals count from a moment before this one.")
AT_ONCE = 1 << 17  # events: a fold of more would have to give up journeys
PRELUDE = 1 << 18  # events before the moment that is sought, which come at once


@dataclass(frozen=True)
class Resumed:
    """How things stood before the first event that a replay yields, if that is not the recording's first."""

    tally: Tally  # of everything before
    opening: Events  # what a fold that begins there has to know, see engine/folds/prologue.py
    counted: bool  # whether the tally is of the whole recording until then, or counts from there


class Replay(Source):
    """Yields a recording's events at the pace at which they happened. At the end it rests, until restart().

    After seek() it goes on from there; what came shortly before comes at once. `resumed` says what came before that.
    """

    label = Label.REPLAY
    error: EngineError | None = None

    def __init__(self, recording: Recording, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        header = recording.header
        super().__init__(header.scenario, header.host, header.clock)
        self.recording = recording
        self._monotonic_ns = monotonic_ns
        self._started_ns: int | None = None
        self._stopped_at: int | None = None
        self._batches: Iterator[Events] = iter(())
        self._number = 0  # of the batch that is read next
        self._changes: list[Events] = []  # of wires and settings, of each of the first batches, as far as was asked
        first = recording.entries["first"]
        self._later = np.append(np.minimum.accumulate(first[::-1])[::-1], np.uint64(LATEST))  # no batch from here on
        self.yields_from = 0  # TSC from which on it yields everything: some batches begin before another one's end
        self.yields_first = recording.first  # TSC of the first event that it yields
        self._ahead = no_events()  # read from the disk, not yet due
        self._origin = recording.first  # TSC at which the wall clock was _started_ns
        self.indexer = Indexer(recording)
        self.resumed: Resumed | None = None
        self._begins_at = 0  # cycles after the first event
        self.passing = False  # its file is nobody's, and goes with what it was made for
        self.no_guest = ""  # why it is shown in place of a guest, if it is: a sentence with what to do

    @property
    def warning(self) -> str:
        """What is missing from the recording, or from its totals, "" if nothing is."""
        partial = "" if self.resumed is None or self.resumed.counted else tr(UNCOUNTED)
        unseen = str(self.indexer.error or "")
        return " ".join(filter(None, (self.recording.warning, partial, unseen)))

    @property
    def backend(self) -> str:
        """Which KVM ran the guest."""
        return self.recording.header.backend

    @property
    def alive(self) -> bool:
        """Whether events may still come."""
        return self._stopped_at is None and bool(self._ahead.size)

    def begin_at(self, cycles: int) -> None:
        """Makes start() begin that long after the first event."""
        self._begins_at = cycles

    def start(self) -> None:
        """Begins at the first event, or where begin_at() says. The file stays open until stop()."""
        self.recording.hold()
        self.seek(self.recording.first + self._begins_at)

    def _begin(self, batch: int, tsc: int) -> None:
        """Goes on from `tsc`, with what has come since the begin of a batch."""
        self.error, self._stopped_at = None, None
        self._batches, self._number = self.recording.batches(batch), batch
        self.yields_from = int(self.recording.entries["last"][:batch].max(initial=0)) + 1 if batch else 0
        self._ahead = self._next()
        self.yields_first = int(self._ahead["tsc"][0]) if self._ahead.size else self.recording.first
        self._origin, self._started_ns = tsc, self._monotonic_ns()

    def seek(self, tsc: int) -> None:
        """Makes `tsc` the present; RecordingError if the file has changed."""
        self.indexer.start()
        tsc = min(max(tsc, self.recording.first), self.recording.last)
        batch = self._prelude(tsc)
        self.resumed = self._resume(batch) if batch else None
        self._begin(batch, tsc)

    def _prelude(self, tsc: int) -> int:
        """The batch to begin with, so that at least PRELUDE events come at once, and little more."""
        entries = self.recording.entries
        after = int(np.searchsorted(np.maximum.accumulate(entries["last"]), np.uint64(tsc)))
        before = np.cumsum(entries["events"][:after][::-1])
        return max(0, after - 1 - int(np.searchsorted(before, PRELUDE)))

    def _resume(self, batch: int) -> Resumed:
        index = self.indexer.index
        if index is None:
            first, tally = self.recording.read(batch), Tally()
            opening = end_to_end(cut_in(first, self.scenario), self._stood_before(batch) if first.size else no_events())
            tally.feed(opening)
            return Resumed(tally, opening, counted=False)
        number, tally = index.tally_before(batch)
        for earlier in range(number, batch):
            tally.feed(self.recording.read_or_lost(earlier))
        return Resumed(tally, prologue(tally, int(self.recording.entries["first"][batch])), counted=True)

    def _stood_before(self, batch: int) -> Events:
        """How wires and settings stood, by what the file's end lists; of one that was cut off, or that has more changes
        than its end has room for, by all batches until then."""
        outline, tsc = self.recording.closing, int(self.recording.read(batch)["tsc"][0])
        if outline is None or outline.unlisted:
            return newest_changes(self._changes_before(batch), tsc)
        start = self.recording.read(0)
        readers = start["seq"][start["kind"] == EventKind.WIRE]
        reader = int(readers[0]) if readers.size else int(self.scenario.direct)
        return outline.stood_before(tsc, reader)

    def _changes_before(self, batch: int) -> Events:
        """All changes of wires and settings in the batches before one, in the order of the file."""
        while len(self._changes) < batch:
            self._changes.append(self.recording.changes(len(self._changes)))
        return end_to_end(no_events(), *self._changes[:batch])

    def stood_at(self, tsc: int) -> tuple[Resumed | None, Events]:
        """How things stood before the batch that a moment lies in (None: nothing was), and its events up to then."""
        ends = np.maximum.accumulate(self.recording.entries["last"])
        batch = min(int(np.searchsorted(ends, np.uint64(max(tsc, 0)))), ends.size - 1)
        events = self.recording.read(batch)
        return self._resume(batch) if batch else None, by_time(events[events["tsc"] <= np.uint64(max(tsc, 0))])

    def restart(self) -> None:
        """Begins again at the first event."""
        self._begins_at = 0
        self.start()

    def stop(self) -> None:
        """Ends; what was due until now can still be taken."""
        if self._stopped_at is None:
            self._stopped_at = self.now()
        self.indexer.stop()
        self.recording.let_go()

    def now(self) -> int:
        """The recording's present in TSC cycles: it runs with the wall clock, up to the last event."""
        if self._stopped_at is not None:
            return self._stopped_at
        if self._started_ns is None:
            return self.recording.first
        elapsed = self.clock.cycles((self._monotonic_ns() - self._started_ns) / 1e9)
        return min(self._origin + elapsed, self.recording.last)

    @property
    def position(self) -> int:
        """How many of the recording's events, in the order of its file, come before the next one that it yields."""
        return int(self.recording.entries["events"][: self._number].sum()) - self._ahead.size

    @property
    def complete(self) -> int:
        """Up to which TSC everything has been yielded."""
        waits = int(self._ahead["tsc"][0]) if self._ahead.size else LATEST
        return max(min(self.now(), waits - 1, int(self._later[self._number]) - 1), 0)

    def take(self, most: int | None = None) -> Events:
        """What has become due since the last call; if that is more than AT_ONCE, the rest comes with the next ones.

        Where more than `most` are due the recording plays slower than it happened: nothing is passed over.
        """
        if self._started_ns is None:
            return no_events()
        now, due = self.now(), [no_events()]
        before = (
            bool(self._ahead.size) and int(self._ahead["tsc"][0]) < self._origin
        )  # what a seek brings comes at once
        rest = AT_ONCE if most is None or before else min(most, AT_ONCE)
        while rest > 0 and self._ahead.size:
            count = min(int(np.searchsorted(self._ahead["tsc"], np.uint64(now), side="right")), rest)
            due.append(self._ahead[:count])
            rest -= count
            if count < self._ahead.size:
                self._ahead = self._ahead[count:]
                break
            self._ahead = self._next()
        if most is not None and not before and not rest and self._ahead.size and self._ahead["tsc"][0] <= now:
            self._origin, self._started_ns = int(self._ahead["tsc"][0]), self._monotonic_ns()
        return by_time(end_to_end(*due))

    def _next(self) -> Events:
        """The next batch of the recording; empty at its end, or where it can no longer be read."""
        self._number = min(self._number + 1, self.recording.entries.size)
        try:
            return next(self._batches, no_events())
        except RecordingError as error:
            self.error = error
            self._number -= 1  # nothing of it has been yielded
            self.recording.note_gone(self._number, error)
            return no_events()

    def can(self, order: Order) -> str:
        """A recording can do nothing; this is the reason, and what to do where that is known."""
        return f"{tr(REASON)} {self.no_guest}".rstrip()
