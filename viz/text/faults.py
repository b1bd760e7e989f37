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

from bellwire.engine.errors import ERRNO, MEMORY_REMEDY, SYSTEM_REMEDIES, answer_of
from bellwire.engine.language import tr
from bellwire.viz.text.versions import program_version

TRACEBACK = "BELLWIRE_TRACEBACK"  # of the environment: 1 prints tracebacks as well
PACKAGE = Path(__file__).resolve().parent.parent.parent
MAIN = "MainThread"
FAULT_CODE = 70  # what the process ends with after a fault of its own (sysexits.h: EX_SOFTWARE)

# How the loader of libraries, and numpy, say that there is no memory for them.
NO_ROOM = ("failed to map segment", "cannot allocate memory", "cannot map zero-fill", os.strerror(errno.ENOMEM))

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
        sentence = tr("The thread {name!r} has ended: {sentence}", name=thread, sentence=sentence)
    about = f"bellwire {program_version()}, Python {platform.python_version()}, Linux {platform.release()}"
    lines = "".join(traceback.format_exception(error))
    traceback.clear_frames(error.__traceback__)
    return Fault(sentence, f"{sentence}\n{about}\n{lines}", thread)


def foreseen(error: BaseException) -> str:
    """What the system may refuse anywhere, and what then helps; "" for anything else."""
    if isinstance(error, OSError):
        return system_answer(error)
    if isinstance(error, MemoryError):
        return tr("There is not enough memory for this; {remedy}", remedy=tr(MEMORY_REMEDY))
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return tr("No thread can be started. {remedy}", remedy=tr(SYSTEM_REMEDIES[errno.EAGAIN]))
    if isinstance(error, ImportError):
        again = tr("`pip install --force-reinstall bellwire` installs what it needs.")
        remedy = library_remedy(error, again)
        return tr("bellwire cannot be loaded: {error}. {remedy}", error=answer_of(error), remedy=remedy)
    return ""


def library_remedy(error: Exception, otherwise: str) -> str:
    """What helps where a library cannot be loaded. otherwise: what does unless it is the system that refused it."""
    text = str(error)
    if f"Error {errno.EMFILE}" in text or os.strerror(errno.EMFILE) in text:  # the loader tells an errno as a number
        return tr(SYSTEM_REMEDIES[errno.EMFILE])
    if any(words in text for words in NO_ROOM):
        return tr(MEMORY_REMEDY)
    return otherwise


def system_answer(error: OSError) -> str:
    """The system's answer in one sentence: of which file, what it said, what to do."""
    answer = answer_of(error)
    what = f"{error.filename}: {answer}"
    if error.filename is None and error.errno == errno.ENOENT and is_nowhere():
        return tr("The folder in which bellwire was started has been removed; start it in another one.")
    if error.filename is None:
        place = where(error.__traceback__) or tr("where no line is known")
        what = tr("The system refuses something ({place}): {answer}", place=place, answer=answer)
    remedy = tr(SYSTEM_REMEDIES.get(error.errno or 0, ""))
    return f"{what.rstrip('.')}. {remedy}".rstrip()


def unforeseen(error: BaseException) -> str:
    """A fault of the program: which, and where."""
    lines = traceback.format_exception_only(error)[-1].strip().splitlines() or [type(error).__name__]
    place = where(error.__traceback__)
    fault = ERRNO.sub("", lines[0]).rstrip(".")
    return tr("bellwire has a fault: {fault}.", fault=f"{fault} ({place})" if place else fault)


def where(trace: TracebackType | None) -> str:
    """The innermost line of ours: "viz/plots/plot.py, line 12"; "" if there is none."""
    ours = [frame for frame in traceback.extract_tb(trace) if is_ours(frame.filename)]
    if not ours:
        return ""
    file = Path(ours[-1].filename).resolve().relative_to(PACKAGE)
    return tr("{file}, line {line}", file=file, line=ours[-1].lineno)


def is_ours(file: str) -> bool:
    """Whether a line of a traceback is in this package: "<frozen posixpath>" is no file, and not to be looked for."""
    return Path(file).is_absolute() and Path(file).resolve().is_relative_to(PACKAGE)


def is_nowhere() -> bool:
    """Whether the folder that names of files begin in has been removed."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


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
        let_start_return(met.object)  # first: where there is no memory, to tell of it may fail
        if met.exc_value is not None:
            tell(fault_of(met.exc_value, ""))

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
