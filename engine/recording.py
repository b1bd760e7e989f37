"""A recording on disk: an Arrow IPC stream of events, readable by any tool that reads Arrow.

Guarantees:
- Every batch is on its way to the disk when append() returns; a file that was cut off is readable up to its last whole
  batch, and says that it was cut off.
- A failure to write ends the recording, never the session: it is kept in `Recorder.error`.
- Whatever a file holds, it is opened or refused with one sentence.

The schema's metadata has one entry, "bellwire": JSON with the format's version, scenario, host, clock and program.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from engine.errors import RecordingError, ScenarioError
from engine.events import EVENT, Clock, Eventfd, EventKind, Events, Lane, Setting, Switch, no_events
from engine.scenario import Scenario, scenario_of
from engine.scenario_rules import Origin
from engine.source import Source

VERSION = 1
FIELDS = [pa.field(name, pa.from_numpy_dtype(EVENT[name]), nullable=False) for name in EVENT.names or ()]
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"  # Arrow's mark at the end of a stream that was closed
DAMAGE = (EOFError, OSError, StopIteration, ValueError, pa.ArrowException)  # what reading a damaged file may raise


@dataclass(frozen=True)
class Header:
    """What a recording is of."""

    scenario: Scenario
    host: dict[str, str]
    backend: str
    clock: Clock
    program: str  # version that wrote it

    @classmethod
    def of(cls, source: Source, program: str) -> Self:
        """What a recording of this source is of."""
        return cls(source.scenario, source.host, source.backend, source.clock, program)

    def schema(self) -> pa.Schema:
        """The Arrow schema with this header in its metadata."""
        content = {
            "version": VERSION,
            "program": self.program,
            "scenario": {"name": self.scenario.name, **self.scenario.tables()},
            "host": self.host,
            "backend": self.backend,
            "clock_hz": self.clock.hz,
            "kinds": {kind.name: kind.value for kind in EventKind},
            "lanes": {lane.name: lane.value for lane in Lane},
        }
        return pa.schema(FIELDS, {"bellwire": json.dumps(content)})


def read_header(schema: pa.Schema, path: Path) -> Header:
    """The header in an Arrow schema; RecordingError if there is none, or a newer one."""
    metadata: Mapping[bytes, bytes] = schema.metadata or {}
    if b"bellwire" not in metadata:
        raise RecordingError(f"{path} is an Arrow file, but not a recording of bellwire.")
    try:
        content: dict[str, Any] = json.loads(metadata[b"bellwire"])
        if content["version"] > VERSION:
            version = f"format {content['version']}, this program reads {VERSION}"
            raise RecordingError(f"{path} was recorded by a newer bellwire ({version}): update it.")
        scenario = dict(content["scenario"])
        name, clock = str(scenario.pop("name")), Clock(float(content["clock_hz"]))
        host = {str(key): str(value) for key, value in content["host"].items()}
        header = Header(
            scenario_of(name, scenario, Origin("")), host, str(content["backend"]), clock, str(content["program"])
        )
    except (ValueError, KeyError, TypeError, AttributeError, ScenarioError) as error:
        raise RecordingError(f"{path}: the header of this recording is damaged: {error}") from error
    if not schema.equals(pa.schema(FIELDS)) or not 0 < clock.hz < float("inf"):
        raise RecordingError(f"{path}: the header of this recording is damaged: other columns, or no clock")
    return header


class Recorder:
    """Writes events to a file while they come. Use with `with`, or call close()."""

    def __init__(self, path: Path, header: Header) -> None:
        """Creates or replaces the file; RecordingError if that is not possible."""
        self.path = path
        self.events = 0  # recorded so far
        self.error: RecordingError | None = None  # why the recording ended early
        self._schema = header.schema()
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise RecordingError(f"{path} cannot be written: {error.strerror}") from error
        options = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
        self._writer = pa.ipc.new_stream(self._file, self._schema, options=options)

    def append(self, events: Events) -> None:
        """Writes one batch (shape (n,)) in the order of its tsc. After an error it does nothing."""
        if self.error is not None or not events.size:
            return
        events = in_order(events)
        columns = [pa.array(np.ascontiguousarray(events[field.name])) for field in FIELDS]
        try:
            self._writer.write_batch(pa.record_batch(columns, schema=self._schema))
            self._file.flush()
        except OSError as error:
            why = error.strerror or str(error)
            self.error = RecordingError(f"The recording has ended: {why}. {self.path} holds {self.events} events.")
        else:
            self.events += events.size

    def close(self) -> None:
        """Ends the file; may be called again."""
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


@dataclass(frozen=True)
class Entry:
    """Where a batch is in the file, and when it was. Batches may overlap in time: a session has late events."""

    offset: int
    size: int  # bytes
    first: int  # TSC
    last: int
    events: int


class Recording:
    """An opened recording. Memory goes with the number of batches; the events stay on the disk."""

    def __init__(self, path: Path) -> None:
        """Looks through the whole file once; RecordingError if it is not a recording."""
        self.path = path
        self.warning = ""  # what is missing, "" if nothing is
        self.entries: list[Entry] = []
        try:
            with pa.OSFile(str(path), "rb") as file:
                self.header = read_header(pa.ipc.read_schema(pa.ipc.read_message(file)), path)
                self._schema = bytes_of(file, 0, file.tell())
                whole = self._index(file)
        except DAMAGE as error:
            reason = getattr(error, "strerror", None) or "not an Arrow file, or cut off at its start"
            raise RecordingError(f"{path} cannot be opened as a recording: {reason}.") from error
        if not whole:
            self.warning = f"This recording was cut off or damaged: it ends early, after {len(self)} events."

    def __len__(self) -> int:
        """How many events there are."""
        return sum(entry.events for entry in self.entries)

    @cached_property
    def first(self) -> int:
        """TSC of the first event; 0 if there is none."""
        return min((entry.first for entry in self.entries), default=0)

    @cached_property
    def last(self) -> int:
        """TSC of the last event; 0 if there is none."""
        return max((entry.last for entry in self.entries), default=0)

    def batches(self, start: int = 0) -> Iterator[Events]:
        """The batches as they were appended, from number `start` on; RecordingError if the file has changed."""
        for entry in self.entries[start:]:
            yield self._read(entry)

    def window(self, t0: int, t1: int) -> Events:
        """The events with t0 <= tsc < t1, in order."""
        found = [self._read(entry) for entry in self.entries if entry.first < t1 and entry.last >= t0]
        events = in_order(np.concatenate([no_events(), *found]))
        return events[(events["tsc"] >= t0) & (events["tsc"] < t1)]

    def _index(self, file: pa.NativeFile) -> bool:
        """Notes every whole batch. False if one is cut off or damaged: what comes after it is not looked at."""
        while True:
            offset = file.tell()
            if file.read(len(END_OF_STREAM)) == END_OF_STREAM:
                return True
            file.seek(offset)
            try:
                pa.ipc.read_message(file)
                size = file.tell() - offset
                events = self._events(bytes_of(file, offset, size))
            except DAMAGE:
                return False
            if not events.size:
                return False
            self.entries.append(Entry(offset, size, int(events["tsc"][0]), int(events["tsc"][-1]), events.size))

    def _read(self, entry: Entry) -> Events:
        try:
            with pa.OSFile(str(self.path), "rb") as file:
                return self._events(bytes_of(file, entry.offset, entry.size))
        except DAMAGE as error:
            raise RecordingError(f"{self.path} has changed since it was opened: {error}") from error

    def _events(self, message: bytes) -> Events:
        """The events of one batch as it is in the file; one of DAMAGE if they cannot be events."""
        # As a stream of its own, because only a stream's reader can be kept from starting threads.
        stream = pa.BufferReader(self._schema + message)
        batch = pa.ipc.open_stream(stream, options=pa.ipc.IpcReadOptions(use_threads=False)).read_next_batch()
        batch.validate(full=True)
        events = np.empty(batch.num_rows, EVENT)
        for field in FIELDS:
            events[field.name] = batch.column(field.name).to_numpy()
        if not plausible(events):
            raise ValueError("not events")
        return events


def bytes_of(file: pa.NativeFile, offset: int, size: int) -> bytes:
    """A part of the file; the position is behind it afterwards."""
    file.seek(offset)
    return bytes(file.read(size))


def in_order(events: Events) -> Events:
    """The events sorted by tsc; those of one time keep their order."""
    return events[np.argsort(events["tsc"], kind="stable")]


# How many ids there are of the kinds whose ids are an enum.
IDS = {
    EventKind.COUNT: len(Eventfd),
    EventKind.WIRE: len(Switch),
    EventKind.SETTING: len(Setting),
    EventKind.LOST: len(Lane),
}


def plausible(events: Events) -> bool:
    """Whether these are events in the order of their time, of kinds and ids that exist."""
    kinds, tsc = events["kind"], events["tsc"]
    known = bool(np.isin(kinds, list(EventKind)).all() and (events["lane"] < len(Lane)).all())
    ids = all((events["id"][kinds == kind] < limit).all() for kind, limit in IDS.items())
    return known and bool(ids) and bool((tsc[1:] >= tsc[:-1]).all())
