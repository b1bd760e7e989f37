"""A recording that is written in the background, while somebody looks at what it records.

Guarantees: its outlet is its own, so that it is complete however slowly somebody looks, and nobody ever waits for the
disk; what the disk is too slow for is told by LOST events. stop() returns at once; once `ended`, all that came until
then is written, or `error` says why not. A disk that fails ends the recording and nothing else.
"""

from __future__ import annotations

import threading
from pathlib import Path

from bellwire.engine.errors import EngineError, RecordingError, answer_of
from bellwire.engine.events import Events
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.outlet import Outlet
from bellwire.engine.outputs import STUCK_SECONDS
from bellwire.engine.recordings.annotations.annotation import Annotation
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder, has_ended

LOOK_SECONDS = 0.05  # how often it takes what has come


class WritingThread:
    """A thread that writes a recording. _recorder: what it writes to; None: nothing yet."""

    path: Path
    _recorder: Recorder | None
    _thread: threading.Thread

    @property
    def ended(self) -> bool:
        """Whether the file is closed, all is written that will be."""
        return not self._thread.is_alive()

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until it has ended, or for so long; whether it has."""
        self._thread.join(seconds)
        return self.ended

    def wait_while_it_gets_on(self) -> bool:
        """Waits until it has ended, or has written nothing more for STUCK_SECONDS; whether it has ended."""
        size = -1
        while not self.wait(STUCK_SECONDS) and self.size != size:
            size = self.size
        return self.ended

    @property
    def events(self) -> int:
        """Recorded so far."""
        return self._recorder.events if self._recorder else 0

    @property
    def seconds(self) -> float:
        """From the first event in the file to the last."""
        if self._recorder is None:
            return 0.0
        outline = self._recorder.outline
        return self._recorder.header.clock.ns(outline.last - outline.first) / 1e9

    @property
    def size(self) -> int:
        """Bytes in the file so far."""
        return self._recorder.size if self._recorder else 0


class Capture(WritingThread):
    """Writes to `path` what comes to `outlet` until it is stopped. RecordingError if the file cannot be made.

    The outlet is closed at its end, and if it cannot begin.
    """

    _recorder: Recorder

    def __init__(self, path: Path, header: Header, beginning: Events, outlet: Outlet, *, force: bool = False) -> None:
        """beginning: what the recording opens with (engine/folds/prologue.py). force: replaces what is there."""
        self.path = path
        self.annotations: tuple[Annotation, ...] = ()  # of the run so far; whoever changes them sets others
        self._outlet = outlet
        self._stopping = threading.Event()
        self._fault: RecordingError | None = None  # what the thread has died of
        self._thread = threading.Thread(target=self._write, name="recording", daemon=True)
        try:
            self._recorder = Recorder(path, header, force=force)
            self._recorder.append(beginning)
            self._begin()
        except BaseException:
            outlet.close()  # nobody takes what its source would go on to put
            raise

    def _begin(self) -> None:
        try:
            begin_thread(self._thread)
        except EngineError:
            self._recorder.close()  # nothing will come: what it opens with is whole
            raise

    def stop(self) -> None:
        """No more than has come by now is to be written; may be called again."""
        self._outlet.close()
        self._stopping.set()

    @property
    def error(self) -> RecordingError | None:
        """Why it ended early, if it did."""
        return self._fault or self._recorder.error

    def _write(self) -> None:
        try:
            with self._recorder:
                self._follow()
        except BaseException as error:
            what = f"{type(error).__name__}: {answer_of(error)}"
            self._fault = has_ended(self.path, what, self.events)
            raise  # to whoever hears of what ends a thread
        finally:
            self._outlet.close()

    def _follow(self) -> None:
        stopping = False
        while not stopping and self.error is None:
            stopping = self._stopping.wait(LOOK_SECONDS)  # before the last look, so that it is the last
            while (events := self._outlet.take()).size:
                self._recorder.append(events)
            self._recorder.append(events)  # nothing; what waits for its batch may be due
            if tuple(self._recorder.annotations) != self.annotations:
                self._recorder.annotate(self.annotations)
