"""Makes the index of a recording in a thread of its own, while the recording is shown already."""

from __future__ import annotations

import threading

from engine.errors import RecordingError
from engine.recording import Recording
from engine.recording_index import RecordingIndex


class Indexer:
    """`index` is there once it is read from the cache or built; `share` (0..1) says how far that is."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.index: RecordingIndex | None = None
        self.share = 0.0
        self.error: RecordingError | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins, unless it has; what is in the cache is there at once."""
        self.index = self.index or RecordingIndex.cached(self.recording)
        if self.index is None and self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._make, name="index", daemon=True)
            self._thread.start()

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
        """Ends, with or without an index; what there is of one is given back."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self.index is not None:
            self.index.close()
            self.index = None

    def _make(self) -> None:
        try:
            self.index = RecordingIndex.built(self.recording, self._note, self._stop)
        except RecordingError as error:
            self.error = error

    def _note(self, share: float) -> None:
        self.share = share
