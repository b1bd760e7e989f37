"""How a command ends: whatever goes wrong is one sentence and an exit code, and what it prints arrives or is missed."""

from __future__ import annotations

import errno
import io
import os
import select
import signal
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Protocol

from bellwire.engine.errors import AssertionTextError, EngineError, LessonError, NoKvmError, ScenarioError
from bellwire.engine.foreign import shown
from bellwire.engine.language import tr
from bellwire.viz.cli.terminal import FAILED, INTERRUPTED, NO_KVM, USAGE, complain
from bellwire.viz.text.faults import DETAILS, FAULT_CODE, Fault, fault_of, foreseen, wants_traceback

NO_MORE_READER = 128 + signal.SIGPIPE  # as a shell names the end of a program that wrote to a closed pipe
HUNG_UP = 128 + signal.SIGHUP
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAYS_WHERE = "` shows "  # a command that shows what can be given
PLAINER = {  # what Click and Pydantic, which read options, say in words of their own
    "Value error, ": "",
    "is not a valid int range": "is no whole number",
    "is not a valid integer": "is no whole number",
    "is not a valid float range": "is no number",
    "is not a valid float": "is no number",
}
SAME_SECONDS = 1.0  # in which another signal says what the first one said
IMPORT_SECONDS = 0.02  # after which an import is looked at again
IMPORT = "<frozen importlib._bootstrap>"


class Interruption:
    """Hears the signals that end a program, and ends it by an exception, so that whatever is open is closed.

    Not in the midst of an import: there libraries in C end the process. And not once more at once, in the midst of
    what is closed.
    """

    def __init__(self) -> None:
        self._number, self._heard = 0, -SAME_SECONDS

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if time.monotonic() - self._heard < SAME_SECONDS:
            return
        if is_in_an_import(frame):
            self._number = self._number or number
            signal.setitimer(signal.ITIMER_REAL, IMPORT_SECONDS)
            return
        self._heard = time.monotonic()
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    def again(self, number: int, frame: FrameType | None) -> None:
        """Whoever hears the signal by now hears it."""
        if is_in_an_import(frame):
            signal.setitimer(signal.ITIMER_REAL, IMPORT_SECONDS)
        elif self._number:
            number, self._number = self._number, 0
            signal.raise_signal(number)


def is_in_an_import(frame: FrameType | None) -> bool:
    """Whether Python is loading a module there, or a library of Qt's that it calls."""
    while frame is not None and frame.f_code.co_filename != IMPORT:
        frame = frame.f_back
    return frame is not None


@contextmanager
def interruptions_raised() -> Iterator[None]:
    """While this is open, SIGINT, SIGTERM and, unless nohup has it ignored, SIGHUP are exceptions."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = Interruption()
    handlers = {number: heard for number in ENDING if signal.getsignal(number) != signal.SIG_IGN}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, heard.again)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def hung_up() -> bool:
    """Whether the terminal that the program was started in has gone, as SIGHUP says, too, unless nohup has it ignored.

    Whatever is read from it or written to it fails then, a progress bar for one, and may do so before the signal comes.
    """
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        return False
    streams = select.poll()
    for fd in (0, 1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(fd).st_mode):
                streams.register(fd, 0)
    return any(state & select.POLLHUP for _, state in streams.poll(0))


class OutputError(OSError):
    """What was to be printed cannot be. No BrokenPipeError, which Rich would end the program for."""


class StandardOutput(io.FileIO):
    """File descriptor 1. A failure says that it is the output's; a reader that is slow is waited for."""

    def __init__(self) -> None:
        super().__init__(1, "w", closefd=False)

    def write(self, data: Any) -> int:
        """Writes some of it, at least a byte."""
        try:
            while (written := super().write(data)) is None:  # somebody has made it non-blocking
                select.select([], [self], [])
        except OSError as error:
            raise OutputError(error.errno, error.strerror) from None
        return written


@contextmanager
def standard_streams() -> Iterator[None]:
    """While this is open, all three are there, and print what they can: an old locale has no "µ", and gets a "?".

    One that was closed is opened so that using it fails. Its number would be given to the next file else, and what a
    library prints would end up in a recording.
    """
    for fd, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, mode)  # the lowest number that is free: this one
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 (a file descriptor, for good)
    before = sys.stdout
    if before is None or (type(before) is io.TextIOWrapper and before.fileno() == 1):
        encoding = before.encoding if before else "utf-8"
        lines = before.line_buffering if before else False
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(StandardOutput()), encoding, "replace", line_buffering=lines)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")
    try:
        yield
    finally:
        give_up_unwritten()


def give_up_unwritten() -> None:
    """What could not be written is not tried again when Python ends, which would print a traceback."""
    for fd, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, fd)
            os.close(nowhere)
            with suppress(OSError, ValueError):
                stream.flush()


class UsageError(Protocol):
    """Click's, of which newer versions of Typer carry their own."""

    ctx: Any

    def format_message(self) -> str: ...


def usage(error: UsageError) -> str:
    """What is wrong with the arguments, in one sentence, and who explains them."""
    path = error.ctx.command_path if error.ctx else "bellwire"
    said = error.format_message().rstrip(".")
    for theirs, ours in PLAINER.items():
        said = said.replace(theirs, ours)
    return f"{said}." if SAYS_WHERE in said else f"{said}; `{path} --help` explains."


def ended_by(error: BaseException) -> int:
    """Says why a command ends with an exception; the exit code."""
    if wants_traceback() and not isinstance(error, KeyboardInterrupt):
        tell_traceback(error)
    match error:
        case SystemExit(code=int(code)):
            return code
        case OutputError():
            if error.errno == errno.EPIPE:  # `bellwire list | head -1`: the reader has had enough
                return NO_MORE_READER
            why = "standard output is closed" if error.errno == errno.EBADF else error.strerror
            return complain(f"What was to be printed cannot be written: {why}.", FAILED)
        case AssertionTextError():
            return complain(f"--assert {error}", USAGE)
        case ScenarioError() | LessonError():
            return complain(str(error), USAGE)
        case NoKvmError():
            return complain(str(error), NO_KVM)
        case EngineError():
            return complain(" ".join(filter(None, (str(error), tr(error.command)))), FAILED)
        case KeyboardInterrupt():
            return complain("interrupted", INTERRUPTED)
    if sentence := foreseen(error):
        return complain(sentence, FAILED)
    return complain(f"{fault_of(error).sentence} {DETAILS}", FAULT_CODE)


def tell_traceback(error: BaseException) -> None:
    """For whoever mends it."""
    import traceback

    with suppress(OSError):
        traceback.print_exception(error)


def complain_of(fault: Fault) -> None:
    """A fault that ended a thread, or nothing."""
    if wants_traceback():
        with suppress(OSError):
            print(shown(fault.details, lines=True), file=sys.stderr)
    complain(f"{fault.sentence} {DETAILS}", FAULT_CODE)
