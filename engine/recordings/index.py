"""What a recording comes to at every scale: built once by reading it, kept in the cache, asked by views.

Guarantees: an answer costs a few thousand rows, whatever stretch of time is asked for and however large the recording
is; memory goes with the events, less than a byte each; an index that is not of this very file is built anew.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from bellwire.engine.errors import EngineError, RecordingError, answer_of
from bellwire.engine.events import Events
from bellwire.engine.folds.journeys import JOURNEY, JourneyTracker
from bellwire.engine.folds.latency import LEFT_OUT_KEPT
from bellwire.engine.folds.tally import Tally, state_of, tally_of
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.language import tr
from bellwire.engine.recordings.contents import KINDS, Contents
from bellwire.engine.recordings.index_cache import keep_index, kept_index
from bellwire.engine.recordings.index_rows import ROW, SUMS, Rows, next_level, rows_in, rows_of
from bellwire.engine.recordings.recording import Progress, Recording

TABLES = {  # what of an index is kept as it lies in memory
    "rows": ROW,
    "kinds": np.dtype(np.int64),
    "slowest": JOURNEY,
    "left_out": np.dtype(np.uint64),
}
MOST = 1 << 14  # rows that one answer is made of
COARSEST = 1 << 10  # rows of the last level, or fewer
TALLIES = 1 << 10  # tallies that are kept
WORTH_KEEPING = 1 << 20  # events; smaller recordings are read as quickly

Tallies = list[tuple[int, dict[str, Any]]]  # number of a batch, state of a tally before it (folds/tally.py)
Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.uint64]


class Parts(NamedTuple):
    """What lies in each of n equal parts of a stretch of time. What is counted where a part begins is shared out."""

    lanes: Floats  # shape (n, number of Lane): events
    busy: Floats  # shape (n, len(BUSY)): cycles


class Level:
    """Rows in the order of time, and where in them a time is."""

    def __init__(self, rows: Rows, starts: Times, ends: Times) -> None:
        """starts: no row from here on begins earlier; ends: no row up to here ends later; both rise."""
        self.rows, self.starts, self.ends = rows, starts, ends

    @classmethod
    def of(cls, rows: Rows) -> Self:
        """A level of these rows."""
        starts = np.minimum.accumulate(rows["start"][::-1])[::-1]
        return cls(rows, np.ascontiguousarray(starts), np.maximum.accumulate(rows["end"]))

    def between(self, t0: int, t1: int) -> slice:
        """The rows that t0..t1 touches."""
        low = np.searchsorted(self.ends, np.uint64(max(t0, 0)), side="left")
        high = np.searchsorted(self.starts, np.uint64(max(t1, 0)), side="right")
        return slice(int(low), int(max(low, high)))


class RecordingIndex:
    """levels: from fine to coarse. tallies: the state of a Tally (tally.state_of) before some of the batches."""

    def __init__(self, levels: list[Level], tallies: Tallies, contents: Contents | None = None) -> None:
        self.levels, self.tallies, self.contents = levels, tallies, contents

    def bins(self, t0: int, t1: int, n: int) -> Parts:
        """What lies in each of `n` equal parts of t0..t1 (TSC)."""
        rows = self._rows(t0, t1)
        edges = np.linspace(0, max(t1 - t0, 1), n + 1)
        start, end = (since(rows[name], t0) for name in ("start", "end"))
        time = np.maximum.accumulate(np.stack([start, end], axis=1).ravel())
        return Parts(*(shared_out(rows[name], time, edges) for name in SUMS))

    def _rows(self, t0: int, t1: int) -> Rows:
        """Those of the finest level that has no more than MOST there."""
        chosen = self.levels[-1], self.levels[-1].between(t0, t1)
        for level in reversed(self.levels):
            place = level.between(t0, t1)
            if place.stop - place.start > MOST:
                break
            chosen = level, place
        return chosen[0].rows[chosen[1]]

    def about(self, t0: int, t1: int) -> float:
        """How many events lie between, about."""
        return float(self.bins(t0, t1, 1).lanes.sum())

    def tally_before(self, batch: int) -> tuple[int, Tally]:
        """The number of a batch up to this one, and the tally of everything before it."""
        numbers = [number for number, _ in self.tallies]
        number, state = self.tallies[int(np.searchsorted(numbers, batch, side="right")) - 1]
        return number, tally_of(state)

    # -- in the cache

    @classmethod
    def of_rows(cls, rows: Rows, tallies: Tallies, contents: Contents) -> Self:
        """An index of these rows, which are its finest level."""
        levels = [Level.of(rows)]
        while levels[-1].rows.size > COARSEST:
            levels.append(Level.of(next_level(levels[-1].rows)))
        return cls(levels, tallies, contents)

    @classmethod
    def cached(cls, recording: Recording) -> Self | None:
        """The one in the cache; None if there is none of this very recording."""
        most = most_rows(recording) * ROW.itemsize + (recording.entries.size * KINDS + LEFT_OUT_KEPT) * 8
        found = kept_index(recording.identity, TABLES, most)
        if found is None:
            return None
        about, tables = found
        contents = Contents.restored(recording, tables, about["gaps"])
        return cls.of_rows(tables["rows"], [(number, state) for number, state in about["tallies"]], contents)

    @classmethod
    def built(cls, recording: Recording, progress: Progress, stop: threading.Event | None = None) -> Self | None:
        """Reads the whole recording and keeps what it finds in the cache; None if `stop` was set meanwhile."""
        tallies: Tallies = []
        rows, used, contents = np.empty(most_rows(recording), ROW), 0, Contents(recording)
        for some in read_rows(recording, tallies, contents, progress, stop or threading.Event()):
            rows[used : used + some.size] = some
            used += some.size
        if stop is not None and stop.is_set():
            return None
        if len(recording) >= WORTH_KEEPING:
            about = {"tallies": tallies, "gaps": contents.written_gaps()}
            keep_index(recording.identity, about, {"rows": rows[:used], **contents.tables()})
        return cls.of_rows(rows[:used], tallies, contents)


def most_rows(recording: Recording) -> int:
    """How many rows its finest level has, if nothing of it is damaged."""
    return int(rows_in(recording.entries["events"]).sum())


def read_rows(
    recording: Recording, tallies: Tallies, contents: Contents, progress: Progress, stop: threading.Event
) -> Iterator[Rows]:
    """The rows of each batch; puts a tally into `tallies` every so often, and everything into `contents`."""
    tracker = JourneyTracker(recording.header.scenario, recording.header.backend)
    tally, batches = Tally(), recording.entries.size
    every = -(-batches // TALLIES) or 1
    for number, events in enumerate(read_ahead(recording)):
        if stop.is_set():
            return
        if number % every == 0:
            tallies.append((number, state_of(tally)))
        journeys = tracker.feed(events)
        contents.feed(number, events, journeys)
        if events.size:
            tally.feed(events)
            yield rows_of(events, journeys)
        progress((number + 1) / batches)


def read_ahead(recording: Recording) -> Iterator[Events]:
    """Every batch; the next one is read and unpacked while this one is worked on, unless there is no thread for it."""
    wanted, read = SimpleQueue[int](), SimpleQueue[Events | BaseException]()
    thread = threading.Thread(target=read_wanted, args=(recording, wanted, read), name="read-ahead", daemon=True)
    try:
        begin_thread(thread)
    except EngineError:
        yield from map(recording.read_once, range(recording.entries.size))
        return
    try:
        for number in range(recording.entries.size + 1):
            if number < recording.entries.size:
                wanted.put(number)
            if number:
                yield told_or_raised(read.get())
    finally:
        wanted.put(-1)
        thread.join()


def read_wanted(recording: Recording, wanted: SimpleQueue[int], read: SimpleQueue[Events | BaseException]) -> None:
    """Reads batches until a negative number is wanted; what is raised is told to whoever waits for the batch."""
    while (number := wanted.get()) >= 0:
        try:
            read.put(recording.read_once(number))
        except BaseException as error:
            read.put(error)


def told_or_raised(told: Events | BaseException) -> Events:
    """What another thread has read, or what it has met."""
    if isinstance(told, BaseException):
        raise told
    return told


def since(times: npt.NDArray[np.uint64], origin: int) -> Floats:
    """Cycles since the origin, negative before it."""
    difference: npt.NDArray[np.int64] = (times - np.uint64(max(origin, 0))).astype(np.int64)
    return difference.astype(np.float64)


def shared_out(amounts: npt.NDArray[Any], time: Floats, edges: Floats) -> Floats:
    """The amounts of rows (shape (rows, width)) shared out to the parts between edges; time: start, end of each row."""
    if not amounts.shape[0]:
        return np.zeros((edges.size - 1, amounts.shape[1]))
    out = np.zeros((edges.size - 1, amounts.shape[1]))
    for column in np.flatnonzero(amounts.any(axis=0)).tolist():
        total = np.cumsum(amounts[:, column], dtype=np.float64)
        steps = np.stack([total - amounts[:, column], total], axis=1).ravel()
        out[:, column] = np.diff(np.interp(edges, time, steps, left=0.0, right=total[-1]))
    return out


# -- Makes the index of a recording in a thread of its own, while the recording is shown already.


class Indexer:
    """`index` is there once it is read from the cache or built; `share` (0..1) says how far that is.

    when_asked: it is made when somebody asks for it, who waits; start() makes nothing.
    """

    def __init__(self, recording: Recording, when_asked: bool = False) -> None:
        self.recording, self.when_asked = recording, when_asked
        self._index: RecordingIndex | None = None
        self.share = 0.0
        self.error: EngineError | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def index(self) -> RecordingIndex | None:
        """The index; None while it is not there, or if it cannot be."""
        if self._index is None and self.when_asked and self.error is None and not self._stop.is_set():
            self._index = RecordingIndex.cached(self.recording)
            if self._index is None:
                self._make()
        return self._index

    def start(self) -> None:
        """Begins, unless it has; what is in the cache is there at once."""
        self._stop.clear()
        if self.when_asked:
            return
        self._index = self._index or RecordingIndex.cached(self.recording)
        if self._index is None and self._thread is None:
            thread = threading.Thread(target=self._make, name="index", daemon=True)
            try:
                begin_thread(thread)
            except EngineError as error:  # it is shown without one
                self.error = error
            else:
                self._thread = thread

    @property
    def busy(self) -> bool:
        """Whether the index is being made."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> RecordingIndex | None:
        """The index, once it is there; None if it cannot be."""
        if self._thread is not None:
            self._thread.join()
        return self.index

    def stop(self) -> None:
        """Ends, with or without an index."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._index = None

    def _make(self) -> None:
        try:
            self._index = RecordingIndex.built(self.recording, self._note, self._stop)
        except RecordingError as error:
            self.error = error
        except BaseException as error:
            what = f"{type(error).__name__}: {answer_of(error)}"
            self.error = RecordingError(tr("The recording's overview cannot be made: {error}", error=what))
            raise  # to whoever asked, or hears of what ends a thread

    def _note(self, share: float) -> None:
        self.share = share
