"""Lets a process that was forked ask before each of its system calls, and its parent answer (seccomp_unotify(2)).

The process calls `ask_before`, its parent `Asked.of` it and `answer`: the call is made, or fails by an errno without
having been made. x86-64 alone. Threads that the process starts, and processes, ask as well.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import select
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.forbidden import (
    ALLOW,
    JUMP_IF_EQUAL,
    LOAD,
    PR_SET_NO_NEW_PRIVS,
    RETURN,
    SECCOMP_MODE_FILTER,
    instruction,
)
from tests.support.processes import files_of

# The calls that are asked for, and what each one fails with; their numbers (asm/unistd_64.h).
CALLS = {
    "read": (0, errno.EIO),
    "write": (1, errno.EIO),
    "open": (2, errno.EMFILE),
    "poll": (7, errno.ENOMEM),
    "mmap": (9, errno.ENOMEM),
    "mprotect": (10, errno.ENOMEM),
    "ioctl": (16, errno.ENOMEM),
    "pread64": (17, errno.EIO),
    "socket": (41, errno.EMFILE),
    "connect": (42, errno.ECONNREFUSED),
    "sendmsg": (46, errno.ENOBUFS),
    "recvmsg": (47, errno.ECONNRESET),
    "bind": (49, errno.EADDRINUSE),
    "listen": (50, errno.EADDRINUSE),
    "socketpair": (53, errno.EMFILE),
    "clone": (56, errno.EAGAIN),
    "fork": (57, errno.EAGAIN),
    "vfork": (58, errno.EAGAIN),
    "fcntl": (72, errno.EINVAL),
    "ftruncate": (77, errno.ENOSPC),
    "mkdir": (83, errno.ENOSPC),
    "tgkill": (234, errno.EAGAIN),
    "sched_setaffinity": (203, errno.EPERM),
    "sched_getaffinity": (204, errno.EPERM),
    "epoll_wait": (232, errno.EIO),
    "epoll_ctl": (233, errno.ENOSPC),
    "openat": (257, errno.EMFILE),
    "ppoll": (271, errno.ENOMEM),
    "epoll_pwait": (281, errno.EIO),
    "timerfd_create": (283, errno.EMFILE),
    "timerfd_settime": (286, errno.ECANCELED),
    "accept4": (288, errno.EMFILE),
    "eventfd2": (290, errno.EMFILE),
    "epoll_create1": (291, errno.EMFILE),
    "dup3": (292, errno.EMFILE),
    "pipe2": (293, errno.EMFILE),
    "memfd_create": (319, errno.EMFILE),
    "io_uring_setup": (425, errno.ENOMEM),
    "io_uring_enter": (426, errno.EAGAIN),
    "io_uring_register": (427, errno.ENOMEM),
    "pidfd_open": (434, errno.EMFILE),
    "clone3": (435, errno.EAGAIN),
    "epoll_pwait2": (441, errno.EIO),
}
NAMES = {number: name for name, (number, _) in CALLS.items()}
ON_A_FILE = {"read", "write", "ioctl", "pread64", "sendmsg", "recvmsg", "fcntl", "ftruncate", "mmap"}
SECCOMP, PIDFD_GETFD = 317, 438  # numbers of calls as well
NEW_LISTENER, WAIT_KILLABLE = 1 << 3, 1 << 5  # SECCOMP_FILTER_FLAG_...: the fd to answer by; no signal interrupts it
ASK = 0x7FC00000  # SECCOMP_RET_USER_NOTIF
RECEIVE, SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_...
QUESTION = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif: id, pid, flags, nr, arch, instruction pointer, arguments
ANSWER = struct.Struct("=QqiI")  # struct seccomp_notif_resp: id, value, error, flags
GO_ON = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
IN_VAIN = 1.0  # seconds that a process may take until it asks

libc = ctypes.CDLL(None, use_errno=True)


def ask_before() -> int:
    """From now on this process asks before each of CALLS, by the fd returned, and its parent must answer. OSError."""
    questions = [
        part for number in NAMES for part in (instruction(JUMP_IF_EQUAL, number, 0, 1), instruction(RETURN, ASK))
    ]
    code = b"".join([instruction(LOAD, 0), *questions, instruction(RETURN, ALLOW)])
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("=H6xQ", len(code) // 8, ctypes.addressof(held))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    listener: int = libc.syscall(SECCOMP, SECCOMP_MODE_FILTER - 1, NEW_LISTENER | WAIT_KILLABLE, program)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener


@dataclass(frozen=True)
class Site:
    """Where a call is made: which, what it is about ("0xae80 on anon_inode:kvm-vcpu:#"), by which thread."""

    call: str
    about: str
    thread: str

    def __str__(self) -> str:
        return f"{self.call} {self.about} by {self.thread}"


class Asked:
    """What a process asks its parent by. Use with `with`."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._targets: dict[tuple[int, int], str] = {}

    @classmethod
    def of(cls, pid: int) -> Asked | None:
        """By the listener that a child has; None if it gets none."""
        until = time.monotonic() + IN_VAIN
        pidfd = os.pidfd_open(pid)
        try:
            while time.monotonic() < until:
                for fd, target in files_of(pid).items():
                    if target == "anon_inode:seccomp notify":
                        return cls(libc.syscall(PIDFD_GETFD, pidfd, fd, 0))
                time.sleep(0.001)
        finally:
            os.close(pidfd)
        return None

    def question(self, seconds: float) -> tuple[int, Site] | None:
        """The next one: its number, and where it is asked; None if none comes in so many seconds."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        if not poll.poll(seconds * 1000):
            return None
        asked = bytearray(QUESTION.size)
        try:
            fcntl.ioctl(self.fd, RECEIVE, asked)
        except OSError:  # whoever asked has ended
            return None
        number, pid, _, call, _, _, *arguments = QUESTION.unpack(asked)
        return number, site(pid, NAMES[call], arguments)

    def answer(self, number: int, error: int = 0) -> None:
        """The call is made, or fails."""
        try:
            fcntl.ioctl(self.fd, SEND, ANSWER.pack(number, 0, -error, 0 if error else GO_ON))
        except OSError as gone:
            if gone.errno != errno.ENOENT:
                raise

    def __enter__(self) -> Asked:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def site(pid: int, call: str, arguments: list[int]) -> Site:
    """Where a thread makes a call with these arguments."""
    about = ""
    if call == "openat":
        about = text_at(pid, arguments[1])
    elif call == "mmap":
        fd = ctypes.c_int32(arguments[4]).value
        about = "memory" if fd < 0 else link(f"/proc/{pid}/fd/{fd}")
    elif call in ON_A_FILE:
        about = link(f"/proc/{pid}/fd/{arguments[0] & 0xFFFFFFFF}")
    about = re.sub(r"\d+", "#", about)
    if call in ("ioctl", "fcntl"):
        about = f"{arguments[1] & 0xFFFFFFFF:#x} on {about}"
    try:
        thread = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        thread = ""
    return Site(call, about, thread)


def text_at(pid: int, address: int) -> str:
    """What a process has there, up to a zero."""
    try:
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            memory.seek(address)
            return memory.read(256).split(b"\0")[0].decode(errors="replace")
    except (OSError, ValueError, OverflowError):
        return ""


def link(path: str) -> str:
    """Where a link leads; "" if it is gone."""
    try:
        return os.readlink(path)  # noqa: PTH115 (no path: "anon_inode:kvm-vcpu:0")
    except OSError:
        return ""
