"""Writes a recording while its events come: an Arrow IPC file, whose footer other programs want to see.

Guarantees:
- What was appended is on its way to the disk after a quarter of a second, or once there is a batch of it; so a process
  that is killed loses less than a second, as long as append() is called, be it without events, and the disk takes them:
  one that stands still keeps up to RECORDING_ROOM events of engine/outlet.py waiting, as to drop them would lose more.
- A failure to write ends the recording, never the session: it is kept in `Recorder.error`.
- A file that was closed ends with its Outline and Arrow's footer; one that was not has lost nothing else.

Batches are compressed only on demand: as they are, any tool can map the file and read a batch without decoding it.
"""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bellwire.engine.errors import RecordingError
from bellwire.engine.events import Events, chosen, end_to_end, no_events
from bellwire.engine.language import tr, tr_n
from bellwire.engine.outputs import MisplacedError, grow, reason, whole_or_not
from bellwire.engine.recordings.annotations.annotation import ANNOTATIONS, Annotation, annotations_to_json
from bellwire.engine.recordings.attached.notes import MOST_NOTED, MOST_NOTES, SEEN, SeenNote, note_to_json
from bellwire.engine.recordings.attached.seen_json import Number
from bellwire.engine.recordings.batch import crc32_of
from bellwire.engine.recordings.header import FIELDS, METADATA, Header
from bellwire.engine.recordings.metadata import MOST_BYTES
from bellwire.engine.recordings.outline import Outline

BATCH = 1 << 16  # events: 2 MB
HOLD_SECONDS = 0.25  # how long events wait for their batch to become full
PATIENCE_SECONDS = 1.0  # a guest does not wait for whoever reads its events from a pipe
EventColumns = Mapping[str, npt.NDArray[Any]]
NO_COLUMNS: EventColumns = {field.name: no_events()[field.name] for field in FIELDS}
STREAM = ".arrows"  # suffix of a recording without what makes a stream a file


class Recorder:
    """Writes events to a file. Use with `with`, or call close()."""

    def __init__(
        self,
        path: Path,
        header: Header,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        compression: Literal["lz4", "zstd"] | None = None,
        force: bool = True,
        into: IO[bytes] | None = None,
        stream: bool | None = None,
        annotations: Sequence[Annotation] = (),
        notes: Sequence[SeenNote] = (),
    ) -> None:
        """Creates the file, which grows from now on; RecordingError if that is not possible.

        compression: one of Arrow's. force: replaces what is there. into: what to write to instead, which its owner
        closes. stream: without what makes a stream a file; else the path's suffix says so. annotations: what somebody
        has written on the run. notes: of a VMM that was seen from outside, what note() took.
        """
        self.path, self.header = path, header
        self.error: RecordingError | None = None  # why the recording ended early
        self.outline = Outline()  # of what is in the file
        self.annotations = annotations  # written at its end
        self._schema = header.schema()
        self._monotonic = monotonic
        self._held: list[Events] = []
        self._held_since = 0.0
        self._closed = False
        self._output = grow(path, force, PATIENCE_SECONDS) if into is None else None
        self._file = self._output.file if self._output else into or io.BytesIO()
        options = pa.ipc.IpcWriteOptions(use_threads=False, compression=compression)
        new = pa.ipc.new_stream if (path.suffix == STREAM if stream is None else stream) else pa.ipc.new_file
        self._writer = new(cast(io.IOBase, self._file), self._schema, options=options)
        self._notes = self._noted = 0  # how many notes, and bytes of them
        for note in notes:
            self.note(note)

    @property
    def events(self) -> int:
        """Events recorded so far, those that wait for their batch included."""
        return self.outline.events + sum(events.size for events in self._held)

    @property
    def size(self) -> int:
        """Bytes in the file so far; of a closed one, all of them."""
        return self._output.written if self._output else self._file.tell()

    def append(self, events: Events) -> None:
        """Takes the next events (shape (n,)). After an error it does nothing."""
        if self.error is not None:
            return
        if events.size:
            if not self._held:
                self._held_since = self._monotonic()
            self._held.append(events)
        due = bool(self._held) and self._monotonic() - self._held_since >= HOLD_SECONDS
        if due or self._waiting >= BATCH:
            self.flush()

    @property
    def _waiting(self) -> int:
        return sum(events.size for events in self._held)

    def flush(self) -> None:
        """Writes what waits for its batch."""
        events = by_time(end_to_end(no_events(), *self._held))
        self._held = []
        for start in range(0, events.size, BATCH):
            self._write(events[start : start + BATCH])

    def _write(self, events: Events) -> None:
        """Writes one batch; its metadata says what is in it, so that nobody has to look."""
        if self.error is not None:
            return
        columns = {field.name: np.ascontiguousarray(events[field.name]) for field in FIELDS}
        about = {"first": int(events["tsc"][0]), "last": int(events["tsc"][-1]), "events": events.size}
        text = json.dumps(about | {"crc32": crc32_of(columns)})
        if self._put(columns, {METADATA: text.encode()}):
            self.outline.feed(events)

    def _put_end(self) -> None:
        """Writes what the run has come to, and what is written on it."""
        metadata = {METADATA: self.outline.to_json().encode()}
        if self.annotations:
            metadata[ANNOTATIONS] = annotations_to_json(self.annotations).encode()
        self._put(NO_COLUMNS, metadata)

    def _put(self, columns: EventColumns, metadata: dict[bytes, bytes]) -> bool:
        """Writes one message. False, and the reason in `error`, if it cannot be written."""
        arrays = [pa.array(columns[field.name]) for field in FIELDS]
        try:
            self._writer.write_batch(pa.record_batch(arrays, schema=self._schema), custom_metadata=metadata)
            self._file.flush()
        except OSError as error:
            self._fail(error, reason(error))
        return self.error is None

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        """These in place of those before: at once, so that a process that is killed has not lost them.

        It is one more message like the last one, with the outline so far; what comes after it makes it void.
        """
        self.annotations = annotations
        if self.error is None:
            self.flush()
            self._put_end()

    def note(self, note: SeenNote, number: Number = int) -> None:
        """Writes what stands between the events, at once: whoever is killed has not lost it.

        number: what stands for a process or a thread. Beyond so many, or so large ones, there are no more.
        """
        text = note_to_json(note, number)
        room = self._notes < MOST_NOTES and self._noted + len(text) <= MOST_NOTED and len(text) <= MOST_BYTES
        if self.error is None and room:
            self.flush()
            self._notes, self._noted = self._notes + 1, self._noted + len(text)
            self._put(NO_COLUMNS, {SEEN: text})

    def _fail(self, error: Exception, why: str) -> None:
        """Notes why it has ended; after a failed write Arrow and Python would try to write the rest once more."""
        if self._output is None:
            raise error
        self.error = has_ended(self.path, why, self.outline.events or None)
        self._output.give_up(keep=self.outline.events > 0)

    def close(self) -> None:
        """Writes what is left and the outline, and ends the file; may be called again."""
        if self._closed:
            return
        self.flush()
        if self.error is None:
            self._put_end()
        self._closed = True
        try:
            self._writer.close()
            if self._output and self.error is None:
                self._output.keep()
        except MisplacedError as error:
            self.error = error
        except (OSError, ValueError, RecordingError) as error:  # ValueError: the file was closed after an error
            if self.error is None:
                self._fail(error, reason(error))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def save_recording(
    path: Path,
    header: Header,
    batches: Iterable[Events],
    *,
    force: bool = False,
    patience: float = math.inf,
    annotations: Sequence[Annotation] = (),
) -> int:
    """Writes a recording of these batches; how many events. RecordingError, and no file, if that is not possible.

    patience: seconds in which a device or a pipe must take something.
    """
    with whole_or_not(path, force, patience=patience) as file:
        return write_recording(file, header, batches, stream=path.suffix == STREAM, annotations=annotations)


def write_recording(
    file: IO[bytes],
    header: Header,
    batches: Iterable[Events],
    *,
    stream: bool = False,
    annotations: Sequence[Annotation] = (),
    notes: Sequence[SeenNote] = (),
) -> int:
    """The same into a file that is open; OSError. notes: as a Recorder takes them."""
    with Recorder(Path(), header, into=file, stream=stream, annotations=annotations, notes=notes) as recorder:
        for events in batches:
            recorder.append(events)
    return recorder.events


def by_time(events: Events) -> Events:
    """The events sorted by tsc; those of one time keep their order."""
    tsc = events["tsc"]
    if (tsc[1:] >= tsc[:-1]).all():
        return events
    return chosen(events, np.argsort(tsc, kind="stable"))


def has_ended(path: Path, why: str, events: int | None) -> RecordingError:
    """What to say of a recording that cannot go on. events: what its file holds; None: there is no file."""
    why = why.rstrip(".")
    if events is None:
        return RecordingError(tr("The recording {path} has ended: {why}. There is no file.", path=path, why=why))
    return RecordingError(
        tr_n(
            "The recording {path} has ended: {why}. It holds {n} event.",
            "The recording {path} has ended: {why}. It holds {n} events.",
            events,
            path=path,
            why=why,
        )
    )
