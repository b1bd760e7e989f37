"""How far threads have come: up to when all is published that they have read the clock for.

A thread may lose its CPU between reading the clock and publishing what it has read it for, and on a busy host not get
it back for longer than anybody would wait. Once it sleeps, or has run on for a while, that lies behind it (proc(5):
the state in /proc/PID/stat; clock_getcpuclockid(3): what a thread has run).
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from bellwire.engine.host.host import comm_of
from bellwire.engine.host.idleness import PROC, run_state, run_time

QEMU_VCPU = re.compile(r"CPU \d+/KVM")  # what a QEMU with debug-threads=on calls a vCPU's thread
RAN_ON = 1_000_000  # ns on a CPU: far more than lies between a look at the clock and what is written then
COUNTED_LATE = 10_000_000  # ns that another process's thread may have run without being told: a tick of 100 Hz
# States of a thread that may be between any two instructions: it runs, waits for a CPU or for a page, or is stopped.
BETWEEN = "RDTt"


class Headway:
    """Of some threads of this process, and of the vCPUs' threads of other processes that are QEMUs."""

    def __init__(self, threads: Iterable[int], processes: Iterable[int] = ()) -> None:
        own = [ThreadsWay(PROC / "self" / "task" / str(thread), thread) for thread in threads]
        self._ways = own + [ThreadsWay(folder) for process in processes for folder in vcpu_threads(process)]

    def at(self, now: int) -> int:
        """The time up to which each has published all; `now` is one that has passed (both in cycles of the TSC)."""
        return min([way.at(now) for way in self._ways], default=now)


class ThreadsWay:
    """Of one thread. tid: of this process, where the kernel tells exactly what it has run."""

    def __init__(self, folder: Path, tid: int | None = None) -> None:
        self._folder, self._tid = folder, tid
        self._enough = RAN_ON if tid is not None else RAN_ON + COUNTED_LATE
        self._looks: deque[tuple[int, int]] = deque()  # that it has not passed yet: when, and what it had run by then
        self._passed = 0

    def at(self, now: int) -> int:
        """The newest look that it has passed, at least."""
        ran = self._run_time()
        if ran is None or run_state(self._folder) not in BETWEEN:  # an ended one has no state
            self._looks.clear()
            self._passed = now
            return now
        self._looks.append((now, ran))
        while self._looks and ran - self._looks[0][1] >= self._enough:
            self._passed = self._looks.popleft()[0]
        return self._passed

    def _run_time(self) -> int | None:
        """Nanoseconds that it has run; None if it has ended, or nothing counts them."""
        if self._tid is None:
            return run_time(self._folder)
        try:
            return time.clock_gettime_ns(cpu_clock(self._tid))
        except OSError:
            return None


def cpu_clock(tid: int) -> int:
    """The clock of a thread's time on a CPU, as pthread_getcpuclockid(3) makes it: for threads of this process."""
    return ~tid << 3 | 6  # CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED (Linux, include/linux/posix-timers_types.h)


def vcpu_threads(process: int) -> Iterator[Path]:
    """Those of a QEMU; none of one that has ended."""
    for folder in (PROC / str(process) / "task").glob("*"):
        if QEMU_VCPU.fullmatch(comm_of(folder)):
            yield folder
