"""Notices the file descriptors and threads that a test has left behind."""

from __future__ import annotations

import gc
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

GRACE_S = 20.0  # a closed VM takes its worker along, and a thread leaves /proc, some time later on a busy machine

# Threads that a library starts once and keeps for the process's life, by the name that the kernel shows (15 letters).
POOLED = "Thread (pooled)"
LIBRARY_THREADS = frozenset({"jemalloc_bg_thd", POOLED, "QXcbEventQueue", "QDBusConnection", "gmain", "gdbus"})


@dataclass(frozen=True)
class Belongings:
    """What this process holds: fd -> what it is, thread id -> its name."""

    fds: dict[int, str]
    threads: dict[int, str]

    def beyond(self, before: Belongings) -> list[str]:
        """One line for each thing that was not there before."""
        new = [(fd, what) for fd, what in self.fds.items() if before.fds.get(fd) != what]
        # Qt paints large areas with a pool of threads; each has an eventfd to be woken by.
        pooled = sum(tid not in before.threads and name == POOLED for tid, name in self.threads.items())
        wakers = [fd for fd, what in new if what == "anon_inode:[eventfd]"][:pooled]
        fds = [f"fd {fd}: {what}" for fd, what in new if fd not in wakers]
        threads = [
            f"thread {tid}: {name}"
            for tid, name in self.threads.items()
            if tid not in before.threads and name not in LIBRARY_THREADS
        ]
        return fds + threads


def belongings() -> Belongings:
    """What this process holds now."""
    return Belongings(_fds(), _threads())


def left_behind(before: Belongings) -> list[str]:
    """What is there beyond `before` and stays, one line each; empty is good."""
    deadline = time.monotonic() + GRACE_S
    while left := belongings().beyond(before):
        if time.monotonic() > deadline:
            break
        gc.collect()
        time.sleep(0.01)
    return left


def _fds() -> dict[int, str]:
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115 (no path: "anon_inode:kvm-vm")
        except OSError:  # the fd that listed them
            continue
    return found


def _threads() -> dict[int, str]:
    python_names = {thread.native_id: thread.name for thread in threading.enumerate()}
    found = {}
    for task in Path("/proc/self/task").iterdir():
        try:
            kernel_name = (task / "comm").read_text().strip()
        except OSError:  # it has ended meanwhile
            continue
        found[int(task.name)] = python_names.get(int(task.name), kernel_name)
    return found
