"""Threads of Python's that somebody waits for."""

from __future__ import annotations

import threading

from bellwire.engine.errors import EngineError
from bellwire.engine.language import tr


def begin_thread(thread: threading.Thread) -> None:
    """Starts it. EngineError if the system has no thread for it, or no memory to begin it with."""
    try:
        thread.start()
        if thread.ident is None:  # whoever hears of uncaught faults lets start() return then
            raise RuntimeError(tr("there is not enough memory for it"))
    except RuntimeError as error:
        raise EngineError(
            tr("No thread can be started: {error}. `ulimit -u` says how many there may be.", error=error)
        ) from error
