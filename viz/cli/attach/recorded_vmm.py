"""`bellwire attach PID --record FILE`: what is seen is written as well, as long as somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bellwire.engine.attached.processes import attachable
from bellwire.engine.outputs import target_of
from bellwire.engine.recordings.attached.vmm_capture import VmmCapture
from bellwire.viz.cli.recording_reports import what_was_recorded
from bellwire.viz.cli.terminal import out, say
from bellwire.viz.text.versions import program_version


@contextmanager
def recorded_meanwhile(pid: int, file: Path, force: bool, hide: Collection[str]) -> Iterator[Callable[[], bool]]:
    """While this is open, a process is recorded; then the sentence that says what was. Ctrl-C ends it.

    Yields what says whether it goes on: nobody is to look on and believe that it is still written.

    EngineError if it cannot be recorded, or not to its end.
    """
    target = target_of(file, force)
    capture = VmmCapture(file, attachable(pid), program_version(), force=force, hide=hide)
    try:
        capture.wait_until_begun()
        with suppress(KeyboardInterrupt):
            yield lambda: capture.error is None
    finally:
        capture.stop()
        capture.wait()
    if capture.error:
        raise capture.error
    (say if target.streams else out)(what_was_recorded(capture))
