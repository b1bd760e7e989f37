"""A recording that is opened: where its batches are, what is in them, and what is missing.

Guarantees:
- Opening a file looks at the heads of its batches only, so it takes no longer for being large; memory goes with their
  number, 40 bytes each.
- Whatever a file holds, it is opened as far as it goes, or refused with one sentence.
- What lies in a damaged batch is counted as missing, never guessed.

The file could be mapped. It is read instead: a mapped file that someone cuts off ends the process that looks at it, and
its pages would count as this process's memory.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bellwire.engine.errors import RecordingError, answer_and_remedy, answer_of
from bellwire.engine.events import EVENT, EventKind, Events, Lane, end_to_end, event, no_events
from bellwire.engine.host.text_files import open_descriptor
from bellwire.engine.language import grouped, tr, tr_later, tr_n
from bellwire.engine.outputs import fingerprint, is_growing
from bellwire.engine.recordings.annotations.annotation import ANNOTATIONS, Annotation, read_annotations
from bellwire.engine.recordings.arrow_stream import RECORD_BATCH, SCHEMA, Message, read_message, stream_start
from bellwire.engine.recordings.attached.notes import MOST_NOTED, MOST_NOTES, SEEN, SeenNote, note_from_json
from bellwire.engine.recordings.batch import ROWS_LIMIT, BatchPart, check_rows, decoded, decoded_part, kinds_in
from bellwire.engine.recordings.header import FIELDS, METADATA, read_header
from bellwire.engine.recordings.index_cache import identity
from bellwire.engine.recordings.metadata import BatchFacts, batch_facts
from bellwire.engine.recordings.outline import Outline
from bellwire.engine.recordings.recorder import by_time

CHANGES = (EventKind.WIRE, EventKind.SETTING)
ENTRY: np.dtype[np.void] = np.dtype(
    [
        ("offset", "<i8"),  # in the file
        ("size", "<i8"),  # bytes
        ("first", "<u8"),  # TSC
        ("last", "<u8"),
        ("events", "<i8"),
    ]
)
Entries = npt.NDArray[np.void]  # shape (batches,), dtype ENTRY

LATEST = 2**64 - 1  # TSC
YEAR = 365 * 86400.0  # seconds
CACHED = 48 << 20  # bytes of batches that are kept once they were read
NAMED = 5  # damaged batches that a sentence names
PARTS = 8  # batches of which a part is kept
MOST_YEARS = 10  # between a recording's first event and its last
SMALL = 16 << 20  # bytes of events that any file may hold; a larger one
MOST_DENSE = 100  # holds at most so many times its own size: events compress to a fifth, or a tenth

READ_AGAIN = 4 << 20  # bytes: a batch of no more is read into memory that is there already

REPLACED = tr_later("{path} has been cut off, replaced or removed since it was opened.")
HOPS = tr_later(
    "{path} was recorded of {process}, seen from outside: hops, not journeys. `bellwire replay` shows it, "
    "`bellwire info` counts what it holds, and `bellwire convert` turns it into other files."
)

Progress = Callable[[float], None]  # the share that is done, 0..1


class Recording:
    """An opened recording. Its batches may overlap in time: a session has late events."""

    def __init__(self, path: Path, *, attached: bool = False) -> None:
        """Looks at the head of each batch; RecordingError if it is not a recording.

        attached: whether one of a VMM that was seen from outside will do as well, which holds no journeys.
        """
        self.path = path
        self.damaged: dict[int, int] = {}  # number of each batch that could not be read: its events
        self.whole = False  # whether the end of the stream was found
        self.growing = False  # whether a bellwire was still writing it
        self.changed = ""  # that the file is another one by now, once somebody who looks at it has met that
        self.gone: set[int] = set()  # numbers of the batches that could not be read because of that
        self._cache: OrderedDict[int, Events] = OrderedDict()
        self._parts: OrderedDict[int, BatchPart] = OrderedDict()
        self._held = -1  # the descriptor, while somebody holds the file
        self._holding = threading.Lock()  # of it: others may read while it is let go
        self._room = threading.local()  # of each thread: what batches are read into, one after the other
        self.closing: Outline | None = None  # what its end says that it comes to, if it has one
        self._noted = b""  # what is written on it, as its last end has it
        self.annotations: tuple[Annotation, ...] = ()  # what somebody has written on it
        self.illegible = ""  # why they cannot be read, if they cannot
        self.notes: list[SeenNote] = []  # what was registered meanwhile, of a VMM that was seen from outside
        self._noted_bytes = self._largest_note = 0
        try:
            with opened_file(path) as file:
                about = os.fstat(file)
                self._file = about.st_dev, about.st_ino
                self.as_opened = fingerprint(about)  # of what its name led to
                self._most = max(SMALL, MOST_DENSE * about.st_size)
                message = schema_message(file)
                schema = os.pread(file, message.size, message.offset)
                self.header = read_header(schema_metadata(schema), path)
                if self.header.attached and not attached:
                    raise RecordingError(tr(HOPS, path=path, process=self.header.attached.title))
                self.growing = is_growing(file)  # before it is looked at: what ends meanwhile is whole
                self.entries: Entries = by_end(np.fromiter(self._walk(file, message.end), ENTRY))
                self._take_annotations(self._noted)
                self.identity = identity(
                    os.fstat(file), schema, self.entries.tobytes()
                )  # for whoever keeps what it holds
        except (OSError, ValueError) as error:
            reason = tr("not an Arrow file, or cut off at its start")
            if isinstance(error, OSError):
                reason = answer_and_remedy(error)
            raise RecordingError(
                tr("{path} cannot be opened as a recording: {reason}.", path=path, reason=reason)
            ) from error
        self._refuse_ages()

    def _refuse_ages(self) -> None:
        """RecordingError for a file that says to have lasted so long that its times could not be computed with."""
        began = self.header.started_tsc or self.first
        longest = self.header.clock.cycles(MOST_YEARS * YEAR)
        if self.entries.size and max(abs(self.first - began), self.last - self.first) > longest:
            raise RecordingError(
                tr(
                    "{path} is refused: by its events it lasted for more than {most_years} years.",
                    path=self.path,
                    most_years=MOST_YEARS,
                )
            )

    def _refuse_dense(self, held: int) -> None:
        """RecordingError for a file that would become too large; before anything of it is decompressed."""
        if held > self._most:
            raise RecordingError(
                tr(
                    "{path} is refused: it is {size} MB that become more than {most} MB, as no recording of a guest "
                    "does.",
                    path=self.path,
                    size=grouped(self.path.stat().st_size / 1e6, 2),
                    most=grouped(self._most / 1e6),
                )
            )

    def _walk(self, file: int, offset: int) -> Iterator[tuple[int, ...]]:
        """An entry for each batch. What comes after one that is cut off or damaged is not looked at."""
        rows = 0
        while True:
            try:
                message = read_message(file, offset)
                if message is None:
                    self.whole = True
                    return
                if message.kind != RECORD_BATCH or message.rows < 0:
                    raise ValueError(tr("not a batch"))
                rows += message.rows
                self._refuse_dense(rows * EVENT.itemsize)
                entry = self._entry(file, message)
            except (OSError, ValueError):
                return
            if entry:
                self.closing = None  # what comes behind an end makes it none
                yield entry
            offset = message.end

    def _entry(self, file: int, message: Message) -> tuple[int, ...] | None:
        """What a batch says about itself, or, if it says nothing, what is in it; None for the closing message."""
        about = message.metadata.get(METADATA)
        if SEEN in message.metadata:
            self._take_note(message)
            return None
        if about is not None and message.rows == 0:
            self._noted = message.metadata.get(ANNOTATIONS, b"")
            self.closing = Outline.from_json(about)
            return None
        facts = batch_facts(about) if about is not None else self._found(file, message)
        if facts.events != message.rows:
            raise ValueError(tr("a batch that contradicts itself"))
        return message.offset, message.size, facts.first, facts.last, facts.events

    def _take_note(self, message: Message) -> None:
        """What stands between the events; ValueError if it may not stand there."""
        text = message.metadata[SEEN]
        self._noted_bytes += len(text)
        self._largest_note = max(self._largest_note, len(text))
        if not self.header.attached or message.rows or len(self.notes) >= MOST_NOTES or self._noted_bytes > MOST_NOTED:
            raise ValueError(tr("a note where there is none"))
        self.notes.append(note_from_json(text))

    def _take_annotations(self, text: bytes) -> None:
        """Those of an end. Damaged ones are left out, and `warning` says so."""
        self.annotations, self.illegible = (), ""
        try:
            self.annotations = read_annotations(text) if text else ()
        except ValueError as error:
            self.illegible = str(error)

    def _found(self, file: int, message: Message) -> BatchFacts:
        """What is in a batch that says nothing about itself."""
        events = self._events(file, message)
        if events is None:
            raise ValueError("damaged")
        return BatchFacts(int(events["tsc"][0]), int(events["tsc"][-1]), events.size)

    # -- the file

    def hold(self) -> None:
        """Keeps the file open until let_go(): removed or replaced, it is still the one that was opened.

        RecordingError if it is another one already.
        """
        with self._holding:
            if self._held < 0:
                try:
                    self._held = self._same_file()
                except (OSError, ValueError) as error:
                    raise RecordingError(
                        tr("{path} has changed since it was opened: {error}", path=self.path, error=answer_of(error))
                    ) from error

    def let_go(self) -> None:
        """Ends what hold() began."""
        with self._holding:
            if self._held >= 0:
                os.close(self._held)
            self._held = -1

    def _same_file(self) -> int:
        file = open_descriptor(self.path)
        about = os.fstat(file)
        if (about.st_dev, about.st_ino) != self._file:
            os.close(file)
            raise ValueError(tr("another file has its name"))
        return file

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """A descriptor of the file; ValueError if nobody holds it and another one has its name."""
        with self._holding:
            file = os.dup(self._held) if self._held >= 0 else -1
        if file < 0:
            file = self._same_file()
        try:
            yield file
        finally:
            os.close(file)

    # -- what there is

    def __len__(self) -> int:
        """How many events there are."""
        return int(self.entries["events"].sum())

    @cached_property
    def first(self) -> int:
        """TSC of the first event; 0 if there is none."""
        return int(self.entries["first"].min()) if self.entries.size else 0

    @cached_property
    def last(self) -> int:
        """TSC of the last event; 0 if there is none."""
        return int(self.entries["last"].max(initial=0))

    @property
    def seconds(self) -> float:
        """From the first event to the last."""
        return self.header.clock.ns(self.last - self.first) / 1e9

    @property
    def first_ns(self) -> int:
        """The wall clock's time (Unix, ns) of the first event; 0 if it is not known.

        Not that at which the file was begun: what is saved out of memory is older.
        """
        header = self.header
        if not header.started_ns:
            return 0
        return max(header.started_ns + round(header.clock.ns(self.first - header.started_tsc)), 1)

    @property
    def notes_end(self) -> float | None:
        """Seconds after which there may be no more notes of what was registered, as there was no room; else None."""
        full = len(self.notes) >= MOST_NOTES or self._noted_bytes + self._largest_note > MOST_NOTED
        return self.header.clock.ns(self.notes[-1].tsc - self.first) / 1e9 if self.notes and full else None

    @property
    def warning(self) -> str:
        """What is missing, "" if nothing is."""
        found = []
        if not self.whole and self.growing:
            found.append(
                tr_n(
                    "This recording is still being written: this is its first event.",
                    "This recording is still being written: these are its first {n} events.",
                    len(self),
                )
            )
        elif not self.whole:
            found.append(
                tr_n(
                    "This recording was cut off or damaged: it ends early, after {n} event.",
                    "This recording was cut off or damaged: it ends early, after {n} events.",
                    len(self),
                )
            )
        if self.notes_end is not None:
            found.append(
                tr(
                    "It has no room for more notes of what was registered: what changed after {seconds} s may not be in"
                    " it.",
                    seconds=grouped(self.notes_end, 1),
                )
            )
        if self.damaged:
            found.append(
                tr_n(
                    "{n} event lies in damaged parts and is left out: {batches}.",
                    "{n} events lie in damaged parts and are left out: {batches}.",
                    sum(self.damaged.values()),
                    batches=self._damaged_words(),
                )
            )
        if self.illegible:
            found.append(tr("Its annotations are left out, they cannot be read: {why}.", why=self.illegible))
        if self.changed:
            found.append(tr(REPLACED, path=self.path))
        return " ".join(found)

    def _damaged_words(self) -> str:
        """Which batches are damaged, the first of them."""
        numbers = sorted(self.damaged)
        named = ", ".join(str(number + 1) for number in numbers[:NAMED]) + " …" * (len(numbers) > NAMED)
        total = self.entries.size
        return tr_n("batch {named} of {total}", "batches {named} of {total}", len(numbers), named=named, total=total)

    @property
    def lost_nothing(self) -> bool:
        """Whether its end says that no event is missing from it; what is damaged since is, all the same."""
        said = self.closing
        return said is not None and said.events == len(self) and not {"LOST", "PASSED_OVER"} & said.kinds.keys()

    def outline(self, progress: Progress = lambda share: None) -> Outline:
        """What it comes to: as it was written down at the end, else by reading everything."""
        if self.closing is None or self.closing.events != len(self):
            outline = Outline()
            for number in range(self.entries.size):
                outline.feed(self.read_once(number))
                progress((number + 1) / self.entries.size)
            self.closing = outline
        return self.closing

    # -- events

    def batches(self, start: int = 0) -> Iterator[Events]:
        """The batches as they were written, from number `start` on; RecordingError if the file has changed."""
        for number in range(start, self.entries.size):
            yield self._cache[number] if number in self._cache else self.read_once(number)

    def sorted_batches(self, progress: Progress = lambda share: None) -> Iterator[Events]:
        """All events, sorted over the batches' borders: those that came late are where they belong.

        progress: is told of each batch when the next one is asked for.
        """
        done, total = 0, max(len(self), 1)
        for events in sorted_throughout(self.batches(), self.entries["first"]):
            yield events
            done += events.size
            progress(done / total)

    def window(self, t0: int, t1: int) -> Events:
        """The events with t0 <= tsc < t1, in order. Reads no more than it needs."""
        return self._together(*self._touched(t0, t1))

    def windows(self, t0: int, t1: int) -> Iterator[Events]:
        """The same in one piece; in several, one after the other, if it is so much that it should not be held together.

        Of a stretch of time that cannot be made shorter there may be as much: all of a recording may be of one moment.
        """
        touched, edges = self._touched(t0, t1)
        if int(self.entries["events"][touched].sum()) <= ROWS_LIMIT:
            yield self._together(touched, edges)
        else:
            yield from sorted_throughout(
                self._inside(touched, edges), np.maximum(self.entries["first"][touched], edges[0])
            )

    def _touched(self, t0: int, t1: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.uint64]]:
        """The batches that have something of t0 <= tsc < t1, and these times."""
        edges = np.array([min(max(t, 0), LATEST) for t in (t0, t1)], np.uint64)
        return np.flatnonzero((self.entries["first"] < edges[1]) & (self.entries["last"] >= edges[0])), edges

    def _together(self, touched: npt.NDArray[np.intp], edges: npt.NDArray[np.uint64]) -> Events:
        """All that lies between, in order."""
        return by_time(end_to_end(no_events(), *self._inside(touched, edges)))

    def _inside(self, touched: npt.NDArray[np.intp], edges: npt.NDArray[np.uint64]) -> Iterator[Events]:
        """Of each of these batches what lies between."""
        for number in touched.tolist():
            part = None if number in self._cache else self._part(number, *edges.tolist())
            if part is None:
                events = self.read(number)
                part = events[slice(*np.searchsorted(events["tsc"], edges))]
            yield part

    def _part(self, number: int, t0: int, t1: int) -> Events | None:
        """The events of a batch with t0 <= tsc < t1, without the rest of it; None if all of it is to be read.

        That is so of a batch that something is wrong with, too: who reads all of it finds out what.
        """
        if number in self.damaged:
            return None
        part, entry = self._parts.get(number), self.entries[number]
        found = part.between(t0, t1) if part else None
        if found is not None:
            return found
        try:
            with self._opened() as file:
                message, times = self._message(file, entry), (int(entry["first"]), int(entry["last"]))
                part = decoded_part(message, lambda offset, size: self._bytes(file, offset, size), times, t0, t1)
        except (OSError, ValueError):
            return None
        if part is None:
            return None
        part.events.flags.writeable = False
        self._parts[number] = part
        while len(self._parts) > PARTS:
            self._parts.popitem(last=False)
        return part.between(t0, t1)

    def changes(self, number: int) -> Events:
        """The changes of wires and settings in a batch, without the rest of it where it has none."""
        try:
            with self._opened() as file:
                message = self._message(file, self.entries[number])
                kinds = kinds_in(message, lambda offset, size: self._bytes(file, offset, size))
        except (OSError, ValueError):
            return no_events()  # who reads all of it finds out what is wrong
        if not np.isin(kinds, CHANGES).any():
            return no_events()
        events = self.read_once(number)
        return events[np.isin(events["kind"], CHANGES)]

    def read(self, number: int) -> Events:
        """A batch, which must not be written to; nothing if it is damaged, or if the file has changed: `changed`.

        It is for who looks at the file again and again, and whom `warning` tells of it.
        """
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number]
        try:
            events = self._intact(number)
        except RecordingError as error:
            self.note_gone(number, error)
            return no_events()
        if events is None:
            return no_events()
        self._cache[number] = events
        while sum(kept.nbytes for kept in self._cache.values()) > CACHED and len(self._cache) > 1:
            self._cache.popitem(last=False)
        return events

    def read_or_lost(self, number: int) -> Events:
        """The same for who counts: in place of a damaged batch is the word that its events are lost."""
        events = self.read(number)
        return self._lost(number) if number in self.damaged else events

    def unread(self, t0: int, t1: int) -> list[tuple[int, int]]:
        """From when to when (TSC) batches lie, in whole or in part between two times, that could not be read."""
        found = self._between(self.gone | self.damaged.keys(), t0, t1)
        return [(int(entry["first"]), int(entry["last"])) for entry in found]

    def lacks(self, t0: int, t1: int) -> bool:
        """Whether a batch that lies there, in whole or in part, could not be read because the file has changed."""
        return bool(self._between(self.gone, t0, t1).size)

    def _between(self, numbers: set[int], t0: int, t1: int) -> Entries:
        """The entries of those batches that lie, in whole or in part, between two times (TSC)."""
        found = self.entries[sorted(numbers)]
        inside: Entries = found[(found["first"] <= np.uint64(max(t1, 0))) & (found["last"] >= np.uint64(max(t0, 0)))]
        return inside

    def note_gone(self, number: int, error: RecordingError) -> None:
        """Somebody could not read a batch: `changed`, and `gone` has it and all that the file has no room for now."""
        self.changed = str(error)
        try:
            with self._opened() as file:
                size = os.fstat(file).st_size
        except (OSError, ValueError):
            size = 0  # another file
        self.gone |= {number, *np.flatnonzero(self.entries["offset"] + self.entries["size"] > size).tolist()}

    def read_once(self, number: int) -> Events:
        """The same, not kept, for who goes through all of them; RecordingError if the file has changed.

        In place of a damaged one is the word that its events are lost, so that no count takes them for none.
        """
        events = self._intact(number)
        return self._lost(number) if events is None else events

    def _lost(self, number: int) -> Events:
        """A LOST event of everything in a batch, of whatever lane."""
        entry = self.entries[number]
        first, last, count = int(entry["first"]), int(entry["last"]), int(entry["events"])
        return event(last, EventKind.LOST, Lane.ENGINE, Lane.ENGINE, max(first - 1, 0), count)

    def _intact(self, number: int) -> Events | None:
        """A batch; None if it is damaged, which is noted. RecordingError if the file has changed."""
        events = self._read(self.entries[number])
        if events is None:
            self.damaged[number] = int(self.entries["events"][number])
        return events

    def _read(self, entry: np.void) -> Events | None:
        """The events; None if they cannot be events."""
        try:
            with self._opened() as file:
                events = self._events(file, self._message(file, entry))
        except (OSError, ValueError) as error:
            raise RecordingError(
                tr("{path} has changed since it was opened: {error}", path=self.path, error=answer_of(error))
            ) from error
        if events is None or (events["tsc"][0], events["tsc"][-1]) != (entry["first"], entry["last"]):
            return None
        return events

    @staticmethod
    def _message(file: int, entry: np.void) -> Message:
        """The head of a batch; ValueError if there is another one by now."""
        message = read_message(file, int(entry["offset"]))
        if message is None or (message.size, message.rows) != (entry["size"], entry["events"]):
            raise ValueError(tr("another batch is there"))
        return message

    def _events(self, file: int, message: Message) -> Events | None:
        """The events of one batch as it is in the file; None if they cannot be events."""
        try:
            check_rows(message)
            events = decoded(message, self._bytes(file, message.offset, message.size))
        except (OSError, ValueError):
            return None
        events.flags.writeable = False
        return events

    def _bytes(self, file: int, offset: int, size: int) -> bytes | memoryview:
        """So much of the file, until this thread reads the next piece.

        Memory that is asked for anew each time goes back to the kernel each time, which then clears it page by page.
        """
        if size > READ_AGAIN:
            return os.pread(file, size, offset)
        room: bytearray | None = getattr(self._room, "bytes", None)
        if room is None or len(room) < size:
            room = self._room.bytes = bytearray(size)
        read = os.preadv(file, [memoryview(room)[:size]], offset)
        return memoryview(room)[:read]


def sorted_throughout(batches: Iterable[Events], first: npt.NDArray[np.uint64]) -> Iterator[Events]:
    """Batches that are sorted each for itself as pieces that are sorted throughout. first: tsc, of each batch."""
    later = np.minimum.accumulate(first[::-1])[::-1]
    held = no_events()
    for number, events in enumerate(batches):
        held = by_time(end_to_end(held, events))
        end = later[number + 1] if number + 1 < later.size else None
        cut = held.size if end is None else int(np.searchsorted(held["tsc"], end))
        cut = max(cut, held.size - ROWS_LIMIT)  # of a file that is out of order altogether
        if cut:
            yield held[:cut]
        held = held[cut:]


def by_end(entries: Entries) -> Entries:
    """In the order of the run, wherever the file has them. By their last events: of late ones only the first are."""
    return entries[np.argsort(entries["last"], kind="stable")]


@contextmanager
def opened_file(path: Path) -> Iterator[int]:
    """The same as open_descriptor(), closed behind it."""
    file = open_descriptor(path)
    try:
        yield file
    finally:
        os.close(file)


def schema_message(file: int) -> Message:
    """The first message of the file; ValueError if it is no schema."""
    message = read_message(file, stream_start(file))
    if message is None or message.kind != SCHEMA:
        raise ValueError(tr("no schema"))
    return message


def schema_metadata(schema: bytes) -> dict[bytes, bytes]:
    """The metadata of a schema that has our columns; ValueError if it has others, or if Arrow cannot read it."""
    try:
        read = pa.ipc.read_schema(pa.py_buffer(schema))
    except Exception as error:  # whatever another library makes of bytes that may be anything
        raise ValueError(tr("no schema")) from error
    metadata: dict[bytes, bytes] = dict(read.metadata or {})
    if METADATA in metadata and not read.equals(pa.schema(FIELDS)):
        raise ValueError(tr("other columns"))
    return metadata
