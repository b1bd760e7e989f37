"""Runs a command to which the kernel refuses calls: `python -m tests.support.forbidden EPERM socket -- COMMAND`."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

NUMBERS = {"socket": 41, "sched_setaffinity": 203, "sched_getaffinity": 204, "eventfd2": 290, "memfd_create": 319}
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
ALLOW, REFUSE = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # of BPF: the number of the call, which stands first; compare; answer


def instruction(code: int, value: int, true: int = 0, false: int = 0) -> bytes:
    """One struct sock_filter."""
    return struct.pack("=HBBI", code, true, false, value)


def forbid(names: list[str], answer: int) -> None:
    """From now on this process, and what it becomes, gets that errno from these calls (x86-64; seccomp(2))."""
    refusals = [
        part
        for name in names
        for part in (instruction(JUMP_IF_EQUAL, NUMBERS[name], 0, 1), instruction(RETURN, REFUSE | answer))
    ]
    code = b"".join([instruction(LOAD, 0), *refusals, instruction(RETURN, ALLOW)])
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("=H6xQ", len(code) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    end = sys.argv.index("--")
    forbid(sys.argv[2:end], getattr(errno, sys.argv[1]))
    os.execvp(sys.argv[end + 1], sys.argv[end + 1 :])
