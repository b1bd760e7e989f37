"""Every error that the engine raises: one clear sentence with what to do."""

from __future__ import annotations

import errno as errno_names
import os
import re
from typing import TYPE_CHECKING

from bellwire.engine.foreign import shown
from bellwire.engine.language import tr, tr_later

if TYPE_CHECKING:  # it is the core's
    from bellwire.engine.verdict import Verdict


LONGEST_SENTENCE = 4000  # characters: two paths as long as paths can be fit


class EngineError(Exception):
    """Something went wrong that the user can be told in one sentence.

    What a sentence quotes, a path or a part of a file, may come from anywhere: none of it steers whoever prints it.
    command: a sentence more for who types commands, before it is translated; a window has other means.
    """

    command = ""

    def __init__(self, text: str) -> None:
        super().__init__(shown(text, LONGEST_SENTENCE))


class NoKvmError(EngineError):
    """KVM cannot be used on this machine, or not by this user; the text says how to mend it."""


class LackingError(EngineError):
    """This host has KVM, but not all that a scenario's machine needs; the text says what, and what brings it."""


class ScenarioError(EngineError):
    """A scenario file or setting is wrong; the text names file, line, key and what is allowed."""


class LessonError(EngineError):
    """A lesson's file is wrong, or there is none; the text names file, line and what is allowed."""


class AssertionTextError(EngineError):
    """What a run is to be held to cannot be understood; the text says what was probably meant."""


class LeftBehindError(EngineError):
    """A thread did not end in time. What it uses, the guest's memory before all, must stay as it is."""


class RecordingError(EngineError):
    """A recording cannot be read or written; the text says why."""


class GuestError(EngineError):
    """The guest ended in a way that no guest should, or did what none should; the text says so in one sentence."""

    def __init__(self, text: str, verdict: Verdict) -> None:
        super().__init__(text)
        self.verdict = verdict


REMEDIES = {
    errno_names.ENOTTY: tr_later("This kernel's KVM does not know the call; a newer kernel is needed."),
    errno_names.ENOMEM: tr_later("The host has no memory left for it."),
    errno_names.EFBIG: tr_later("`ulimit -f` says how large a file of this process may be, its memory's too."),
    errno_names.EMFILE: tr_later("This process has too many files open; `ulimit -n` says how many it may have."),
    errno_names.EIO: tr_later("The VM belongs to another process, or is broken for good: make a new one."),
}  # what to do wherever the kernel answers so
FORBIDDEN = tr_later("Something forbids this process the call, as a sandbox does: start the program outside of it.")
# What to do where KVM, or another device of the kernel's, answers so: about anything else, look for what it has said.
DEVICE_REMEDIES = REMEDIES | dict.fromkeys((errno_names.EPERM, errno_names.EACCES), FORBIDDEN)
LOOK_AT_LOG = tr_later("Look for the kernel's own words: `sudo dmesg | tail`.")


class KvmError(EngineError):
    """The kernel refused an operation.

    operation: what was asked, in words, with its arguments. errno: the kernel's answer.
    remedy: why, and what to do; without one, what helps wherever the kernel answers so.
    """

    def __init__(self, operation: str, errno: int, remedy: str = "") -> None:
        self.operation, self.errno = operation, errno
        self.remedy = tr(remedy or DEVICE_REMEDIES.get(errno, LOOK_AT_LOG))
        name = errno_names.errorcode.get(errno, str(errno))
        super().__init__(f"{operation}: {os.strerror(errno)} ({name}). {self.remedy}")


THREADS_REMEDY = tr_later(
    "This user may have no more threads or processes, or this process no more memory; `ulimit -u` and `ulimit -v` say "
    "how much."
)
# What to do where the system, and not KVM, answers so.
SYSTEM_REMEDIES = REMEDIES | {
    errno_names.ENOTTY: "",
    errno_names.EIO: tr_later("What it lies on does not work; `dmesg` says what went wrong."),
    errno_names.ENFILE: tr_later("All programs of this machine together have too many files open."),
    errno_names.ENOSPC: tr_later("Its disk is full."),
    errno_names.EDQUOT: tr_later("Your quota on its disk is used up."),
    errno_names.EAGAIN: THREADS_REMEDY,
    errno_names.EROFS: tr_later("Its file system is mounted for reading only; name a place on another one."),
    errno_names.ENAMETOOLONG: tr_later("Its file system has no names as long as that; name it shorter."),
    errno_names.ELOOP: tr_later("Symbolic links lead in a circle there; `ls -l` shows them."),
}
SAYS_ALL = (errno_names.ENOSPC, errno_names.EDQUOT)  # whose own words are their remedy, of a file that is named
ERRNO = re.compile(r"\[errno -?\d+\] ?", re.IGNORECASE)  # as Python and Arrow write it
MEMORY_REMEDY = tr_later("`ulimit -v` says how much this process may have.")


def answer_of(error: BaseException) -> str:
    """What the system, or a library, said: without a number, and without the file's name, which its caller tells."""
    said = error.strerror if isinstance(error, OSError) else None
    return said or ERRNO.sub("", str(error)).strip() or type(error).__name__


def answer_and_remedy(error: BaseException) -> str:
    """The same and, where something helps, a sentence with that; no full stop at its end."""
    number = error.errno if isinstance(error, OSError) else None
    remedy = "" if number in SAYS_ALL else tr(SYSTEM_REMEDIES.get(number or 0, ""))
    return f"{answer_of(error).rstrip('.')}. {remedy}".rstrip(" .")


def refusal_of(error: OSError | MemoryError, what: str) -> EngineError:
    """What the system refused in the middle of something, as a sentence with what to do. what: who was refused it."""
    if isinstance(error, MemoryError):
        return EngineError(tr("{what} has not enough memory; {remedy}", what=what, remedy=tr(MEMORY_REMEDY)))
    who = tr("{what} needs {file}", what=what, file=error.filename) if error.filename is not None else what
    return EngineError(f"{who}: {answer_of(error)}. {tr(SYSTEM_REMEDIES.get(error.errno or 0, ''))}".rstrip())


def check(result: int, operation: str, remedy: str = "") -> int:
    """Passes on what a C function returned; raises KvmError if it was -errno."""
    if result < 0:
        raise KvmError(operation, -result, remedy)
    return result
