"""A recording that is written in the background, while somebody looks at what it records.

Guarantees: append() never waits for the disk, a thread of its own writes; what was appended until stop() is written
before stop() returns, or `error` says why not; a disk that fails ends the recording and nothing else.
"""

from __future__ import annotations

import queue
import threading
from pathlib import Path

from bellwire.engine.errors import RecordingError
from bellwire.engine.events import Events, no_events
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder

IDLE_SECONDS = 0.2  # how often the recorder is asked to write what waits, while nothing comes
STOP_SECONDS = 30.0


class Capture:
    """Writes to `path` until it is stopped. RecordingError if the file cannot be made."""

    def __init__(self, path: Path, header: Header, beginning: Events) -> None:
        """beginning: what the recording opens with (engine/folds/prologue.py)."""
        self.path = path
        self._recorder = Recorder(path, header)
        self._batches: queue.SimpleQueue[Events | None] = queue.SimpleQueue()
        self._batches.put(beginning)
        self._thread = threading.Thread(target=self._write, name="recording", daemon=True)
        self._thread.start()

    def append(self, events: Events) -> None:
        """Takes the next batch, shape (n,)."""
        if events.size:
            self._batches.put(events)

    def stop(self) -> None:
        """Writes what is left and closes the file; may be called again."""
        self._batches.put(None)
        self._thread.join(STOP_SECONDS)

    @property
    def events(self) -> int:
        """Recorded so far."""
        return self._recorder.events

    @property
    def size(self) -> int:
        """Bytes in the file so far."""
        return self._recorder.size

    @property
    def error(self) -> RecordingError | None:
        """Why it ended early, if it did."""
        return self._recorder.error

    def _write(self) -> None:
        with self._recorder:
            while (events := self._next()) is not None:
                self._recorder.append(events)

    def _next(self) -> Events | None:
        try:
            return self._batches.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            return no_events()
