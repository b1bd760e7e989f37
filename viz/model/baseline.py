"""A recording that runs are compared with, read in the background."""

from __future__ import annotations

import threading
from pathlib import Path

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.findings.compare import Side, side_of
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.language import tr


class EndedError(Exception):
    """The reading is of no use any more."""


class Baseline:
    """A recording that runs are compared with; it is read in a thread of its own. share: how much is read, 0..1."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.side: Side | None = None
        self.error = ""
        self.share = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._read, name="read a baseline", daemon=True)
        try:
            begin_thread(self._thread)
        except EngineError as error:
            self.error = str(error)

    def _read(self) -> None:
        from bellwire.engine.recordings.recording import Recording

        try:
            self.side = side_of(Recording(self.path), self.path.name, self._note)
        except EngineError as error:
            self.error = str(error)
        except EndedError:
            pass
        except BaseException as error:
            kind, said = type(error).__name__, answer_of(error)
            self.error = tr("{path} cannot be read: {kind}: {error}", path=self.path, kind=kind, error=said)
            raise  # to whoever hears of what ends a thread

    def _note(self, share: float) -> None:
        self.share = share
        if self._ending.is_set():
            raise EndedError

    def wait(self) -> None:
        """Until it is read, or cannot be."""
        if self._thread.ident is not None:  # it has begun
            self._thread.join()

    def close(self) -> None:
        """Ends the reading; waits for that."""
        self._ending.set()
        self.wait()
