"""Writes a recording while its events come: an Arrow IPC file, whose footer other programs want to see.

Guarantees:
- What was appended is on its way to the disk after a quarter of a second, or once there is a batch of it; so a process
  that is killed loses less than a second, as long as append() is called, be it without events.
- A failure to write ends the recording, never the session: it is kept in `Recorder.error`.
- A file that was closed ends with its Outline and Arrow's footer; one that was not has lost nothing else.

Batches are compressed only on demand: as they are, any tool can map the file and read a batch without decoding it.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
import pyarrow as pa

from bellwire.engine.errors import RecordingError
from bellwire.engine.events import Events, no_events
from bellwire.engine.recordings.header import FIELDS, METADATA, Header
from bellwire.engine.recordings.outline import Outline

BATCH = 1 << 16  # events: 2 MB
HOLD_SECONDS = 0.25  # how long events wait for their batch to become full


class Recorder:
    """Writes events to a file. Use with `with`, or call close()."""

    def __init__(
        self,
        path: Path,
        header: Header,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        compression: Literal["lz4", "zstd"] | None = None,
    ) -> None:
        """Creates or replaces the file; RecordingError if that is not possible. compression: one of Arrow's."""
        self.path = path
        self.error: RecordingError | None = None  # why the recording ended early
        self.outline = Outline()  # of what is in the file
        self._schema = header.schema()
        self._monotonic = monotonic
        self._held: list[Events] = []
        self._held_since = 0.0
        self._closed = False
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise RecordingError(f"{path} cannot be written: {error.strerror}") from error
        options = pa.ipc.IpcWriteOptions(use_threads=False, compression=compression)
        self._writer = pa.ipc.new_file(self._file, self._schema, options=options)

    @property
    def events(self) -> int:
        """Events recorded so far, those that wait for their batch included."""
        return self.outline.events + sum(events.size for events in self._held)

    @property
    def size(self) -> int:
        """Bytes in the file so far; of a closed one, all of them."""
        return self.path.stat().st_size if self._closed else self._file.tell()

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
        events = by_time(np.concatenate([no_events(), *self._held]))
        self._held = []
        for start in range(0, events.size, BATCH):
            self._write(events[start : start + BATCH])

    def _write(self, events: Events) -> None:
        """Writes one batch; its metadata says what is in it, so that nobody has to look."""
        if self.error is not None:
            return
        about = {"first": int(events["tsc"][0]), "last": int(events["tsc"][-1]), "events": events.size}
        if self._put(events, about):
            self.outline.feed(events)

    def _put(self, events: Events, about: dict[str, int] | str) -> bool:
        """Writes one message, and says what it is about. False, and the reason in `error`, if it cannot be written."""
        columns = [pa.array(np.ascontiguousarray(events[field.name])) for field in FIELDS]
        text = about if isinstance(about, str) else json.dumps(about)
        try:
            self._writer.write_batch(
                pa.record_batch(columns, schema=self._schema), custom_metadata={METADATA: text.encode()}
            )
            self._file.flush()
        except OSError as error:
            why = error.strerror or str(error)
            held = f"{self.path} holds {self.outline.events} events"
            self.error = RecordingError(f"The recording has ended: {why}. {held}.")
        return self.error is None

    def close(self) -> None:
        """Writes what is left and the outline, and ends the file; may be called again."""
        if self._closed:
            return
        self.flush()
        if self.error is None:
            self._put(no_events(), self.outline.to_json())
        self._closed = True
        # After a failed write Arrow and Python try to write the rest once more.
        for file in (self._writer, self._file):
            with contextlib.suppress(OSError):
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def save_recording(path: Path, header: Header, batches: Iterable[Events]) -> int:
    """Writes a recording of these batches; how many events. RecordingError, and no file, if that is not possible."""
    with whole_or_not(path) as unfinished:
        with Recorder(unfinished, header) as recorder:
            for events in batches:
                recorder.append(events)
        if recorder.error is not None:
            raise recorder.error
    return recorder.events


@contextlib.contextmanager
def whole_or_not(path: Path) -> Iterator[Path]:
    """Another file to write to, which replaces `path` once all is well; after an error nothing is left of it.

    RecordingError if it cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise RecordingError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def by_time(events: Events) -> Events:
    """The events sorted by tsc; those of one time keep their order."""
    tsc = events["tsc"]
    if (tsc[1:] >= tsc[:-1]).all():
        return events
    return events[np.argsort(tsc, kind="stable")]
