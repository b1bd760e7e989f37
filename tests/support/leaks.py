"""Notices the file descriptors, threads and child processes that a test has left behind."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import dataclass

from tests.support.processes import children, files_of, threads_of

GRACE_S = 20.0  # a closed VM takes its worker along, and a thread leaves /proc, some time later on a busy machine

# Threads that a library starts once and keeps for the process's life, by the name that the kernel shows (15 letters).
POOLED = "Thread (pooled)"
LIBRARY_THREADS = frozenset({"jemalloc_bg_thd", POOLED, "QXcbEventQueue", "QDBusConnection", "gmain", "gdbus"})


@dataclass(frozen=True)
class Belongings:
    """What this process holds: fd -> what it is, thread id -> its name, child's pid -> its name."""

    fds: dict[int, str]
    threads: dict[int, str]
    children: dict[int, str]

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
        children = [f"process {pid}: {name}" for pid, name in self.children.items() if pid not in before.children]
        return fds + threads + children


def belongings() -> Belongings:
    """What this process holds now."""
    return Belongings(files_of(), _threads(), {pid: threads_of(pid).get(pid, "?") for pid in children()})


def left_behind(before: Belongings) -> list[str]:
    """What is there beyond `before` and stays, one line each; empty is good."""
    deadline = time.monotonic() + GRACE_S
    while left := belongings().beyond(before):
        if time.monotonic() > deadline:
            break
        gc.collect()
        time.sleep(0.01)
    return left


def _threads() -> dict[int, str]:
    python_names = {thread.native_id: thread.name for thread in threading.enumerate()}
    return {task: python_names.get(task, name) for task, name in threads_of().items()}
