"""Whether threads stand still because they have nothing to do, and not because others have the CPU.

On a busy host a thread that could go on may wait for longer than anybody watches: that nothing happens meanwhile shows
nothing. A thread that sleeps waits for something else (proc(5), /proc/PID/stat, state S or D); one that never sleeps
has had its turn once it has run for a while (Linux, Documentation/scheduler/sched-stats.rst, /proc/PID/schedstat).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bellwire.engine.host.host import read_text

HAD_ITS_TURN = 2_000_000  # ns on a CPU: long enough for whoever looks again and again to see what it waits for
OF_THIS_PROCESS = Path("/proc/self/task")


class Idleness:
    """Of some threads of this process."""

    def __init__(self, threads: Iterable[int], folder: Path = OF_THIS_PROCESS) -> None:
        self._threads, self._folder = tuple(threads), folder
        self.begin_anew()

    def begin_anew(self) -> None:
        """Something has happened: what they have run so far shows nothing of what comes."""
        self._ran = {thread: self._run_time(thread) for thread in self._threads}

    def shown(self) -> bool:
        """Whether each sleeps, has had its turn since, or has ended; true as well where /proc does not tell."""
        return all(self._state(thread) != "R" or self._had_its_turn(thread) for thread in self._threads)

    def _had_its_turn(self, thread: int) -> bool:
        """Whether it has run for long enough; true where nothing counts that."""
        before, now = self._ran[thread], self._run_time(thread)
        return before is None or now is None or now - before >= HAD_ITS_TURN

    def _state(self, thread: int) -> str:
        return read_text(self._folder / str(thread) / "stat").rpartition(")")[2].strip()[:1]

    def _run_time(self, thread: int) -> int | None:
        """Nanoseconds; None where nothing counts them."""
        told = read_text(self._folder / str(thread) / "schedstat").split()
        return int(told[0]) if told else None
