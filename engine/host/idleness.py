"""Whether threads stand still because they have nothing to do, and not because others have the CPU.

On a busy host a thread that could go on may wait for longer than anybody watches: that nothing happens meanwhile shows
nothing. A thread that sleeps waits for something else (proc(5), /proc/PID/stat, state S or D); one that never sleeps
has had its turn once it has run for a while (Linux, Documentation/scheduler/sched-stats.rst, /proc/PID/schedstat).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from bellwire.engine.host.host import read_text

HAD_ITS_TURN = 2_000_000  # ns on a CPU: long enough for whoever looks again and again to see what it waits for
PROC = Path("/proc")


class Idleness:
    """Of some threads of this process, and of all threads of other processes."""

    def __init__(self, threads: Iterable[int], processes: Iterable[int] = (), proc: Path = PROC) -> None:
        self._own = [proc / "self" / "task" / str(thread) for thread in threads]
        self._others = [proc / str(process) / "task" for process in processes]
        self._ran: dict[Path, int | None] = {}
        self.begin_anew()

    def begin_anew(self) -> None:
        """Something has happened: what they have run so far shows nothing of what comes."""
        self._ran = {thread: run_time(thread) for thread in self._threads()}

    def shown(self) -> bool:
        """Whether each sleeps, has had its turn since, or has ended; true as well where /proc does not tell."""
        return all(run_state(thread) != "R" or self._had_its_turn(thread) for thread in self._threads())

    def _threads(self) -> Iterator[Path]:
        """Those that there are now."""
        yield from self._own
        for folder in self._others:
            with suppress(OSError):  # the process has ended
                yield from folder.iterdir()

    def _had_its_turn(self, thread: Path) -> bool:
        """Whether it has run for long enough; true where nothing counts that."""
        now = run_time(thread)
        before = self._ran.setdefault(thread, now)  # one that has begun since
        return before is None or now is None or now - before >= HAD_ITS_TURN


def run_state(thread: Path) -> str:
    """A letter; "" of a thread that has ended. thread: its folder in /proc."""
    return read_text(thread / "stat").rpartition(")")[2].strip()[:1]


def run_time(thread: Path) -> int | None:
    """Nanoseconds that it has had a CPU; None where nothing counts them. thread: its folder in /proc."""
    told = read_text(thread / "schedstat").split()
    return int(told[0]) if told else None
