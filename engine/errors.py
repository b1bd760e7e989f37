"""Every error that the engine raises: one clear sentence with what to do."""

from __future__ import annotations

import errno as errno_names
import os


class EngineError(Exception):
    """Something went wrong that the user can be told in one sentence."""


class NoKvmError(EngineError):
    """KVM cannot be used on this machine, or not by this user; the text says how to mend it."""


class ScenarioError(EngineError):
    """A scenario file or setting is wrong; the text names file, line, key and what is allowed."""


class RecordingError(EngineError):
    """A recording cannot be read or written; the text says why."""


class GuestError(EngineError):
    """The guest ended in a way that no guest should; the text gives KVM's verdict."""


class KvmError(EngineError):
    """The kernel refused an operation.

    operation: what was asked, in words, with its arguments. errno: the kernel's answer. remedy: what to do, or "".
    """

    def __init__(self, operation: str, errno: int, remedy: str = "") -> None:
        self.operation, self.errno, self.remedy = operation, errno, remedy
        name = errno_names.errorcode.get(errno, str(errno))
        text = f"{operation}: {os.strerror(errno)} ({name})"
        super().__init__(f"{text}. {remedy}" if remedy else text)


def check(result: int, operation: str, remedy: str = "") -> int:
    """Passes on what a C function returned; raises KvmError if it was -errno."""
    if result < 0:
        raise KvmError(operation, -result, remedy)
    return result
