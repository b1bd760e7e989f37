"""What goes wrong that nobody catches: a sentence, details to copy, and hooks that hear of it in every thread."""

from __future__ import annotations

import errno
import os
import platform
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from bellwire.engine.errors import MEMORY_REMEDY, SYSTEM_REMEDIES, answer_of
from bellwire.viz.text.versions import program_version

TRACEBACK = "BELLWIRE_TRACEBACK"  # of the environment: 1 prints tracebacks as well
PACKAGE = Path(__file__).resolve().parent.parent.parent
MAIN = "MainThread"
FAULT_CODE = 70  # what the process ends with after a fault of its own (sysexits.h: EX_SOFTWARE)

NO_MEMORY = f"There is not enough memory for this; {MEMORY_REMEDY}"
NO_THREAD = f"No thread can be started. {SYSTEM_REMEDIES[errno.EAGAIN]}"
DETAILS = f"{TRACEBACK}=1 prints where it was."


@dataclass(frozen=True)
class Fault:
    """An exception that nobody caught. sentence: what happened; details: that, versions and traceback, to be copied.

    thread: the name of the thread that it ended, "" if it was raised where nothing can be ended (a finalizer).
    """

    sentence: str
    details: str
    thread: str = MAIN


def fault_of(error: BaseException, thread: str = MAIN) -> Fault:
    """The fault that an exception is. What it refers to is let go: no frame, and no painter in one, lives on in it."""
    sentence = foreseen(error) or unforeseen(error)
    if thread not in (MAIN, ""):
        sentence = f"The thread {thread!r} has ended: {sentence}"
    about = f"bellwire {program_version()}, Python {platform.python_version()}, Linux {platform.release()}"
    lines = "".join(traceback.format_exception(error))
    traceback.clear_frames(error.__traceback__)
    return Fault(sentence, f"{sentence}\n{about}\n{lines}", thread)


def foreseen(error: BaseException) -> str:
    """What the system may refuse anywhere, and what then helps; "" for anything else."""
    if isinstance(error, OSError):
        return system_answer(error)
    if isinstance(error, MemoryError):
        return NO_MEMORY
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return NO_THREAD
    if isinstance(error, ImportError):
        return f"bellwire cannot be loaded: {error}. {import_remedy(str(error))}"
    return ""


def import_remedy(text: str) -> str:
    """The loader of libraries tells an errno as a number."""
    if f"Error {errno.EMFILE}" in text or os.strerror(errno.EMFILE) in text:
        return SYSTEM_REMEDIES[errno.EMFILE]
    return "`pip install --force-reinstall bellwire` installs what it needs."


def system_answer(error: OSError) -> str:
    """The system's answer in one sentence: of which file, what it said, what to do."""
    answer = answer_of(error)
    place = where(error.__traceback__) or "where no line is known"
    what = (
        f"{error.filename}: {answer}"
        if error.filename is not None
        else f"The system refuses something ({place}): {answer}"
    )
    remedy = SYSTEM_REMEDIES.get(error.errno or 0, "")
    return f"{what.rstrip('.')}. {remedy}".rstrip()


def unforeseen(error: BaseException) -> str:
    """A fault of the program: which, and where."""
    lines = traceback.format_exception_only(error)[-1].strip().splitlines() or [type(error).__name__]
    place = where(error.__traceback__)
    return f"bellwire has a fault: {lines[0].rstrip('.')}{f' ({place})' if place else ''}."


def where(trace: TracebackType | None) -> str:
    """The innermost line of ours: "viz/plots/plot.py, line 12"; "" if there is none."""
    ours = [frame for frame in traceback.extract_tb(trace) if Path(frame.filename).resolve().is_relative_to(PACKAGE)]
    return f"{Path(ours[-1].filename).resolve().relative_to(PACKAGE)}, line {ours[-1].lineno}" if ours else ""


def wants_traceback() -> bool:
    """Whether the user has asked for tracebacks."""
    return os.environ.get(TRACEBACK, "") not in ("", "0")


@contextmanager
def faults_told(tell: Callable[[Fault], object]) -> Iterator[None]:
    """While this is open, `tell` hears of each exception that nobody has caught, in the thread where it happened."""

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        tell(fault_of(error))
        forget_last()

    def in_thread(met: threading.ExceptHookArgs) -> None:
        if met.exc_value is not None and not isinstance(met.exc_value, SystemExit):
            tell(fault_of(met.exc_value, met.thread.name if met.thread else "?"))

    def unraisable(met: sys.UnraisableHookArgs) -> None:
        if met.exc_value is not None:
            tell(fault_of(met.exc_value, ""))
        let_start_return(met.object)

    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before


def let_start_return(function: object) -> None:
    """Of a thread that had no memory to begin its function: Thread.start() would wait for ever until it has begun."""
    thread = getattr(function, "__self__", None)
    if isinstance(thread, threading.Thread) and thread.ident is None:
        thread.__dict__["_is_stopped"] = True
        thread.__dict__["_started"].set()


def forget_last() -> None:
    """What Python keeps for a debugger keeps the fault's frames: in a paint, a painter whose device is gone by then."""
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        if hasattr(sys, name):
            delattr(sys, name)
