"""Processes that a test has started, or that what it tests has: what /proc tells of them.

Whatever it lists may have ended, or be closed, before it is read: that is left out.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def threads_of(pid: int | str = "self") -> dict[int, str]:
    """The threads of a process, by their numbers: what they are called."""
    return {task: name.strip() for task, name in _told_by_threads(pid, "comm").items()}


def children(pid: int | str = "self") -> list[int]:
    """The child processes of a process, of whichever thread of it."""
    return [int(child) for told in _told_by_threads(pid, "children").values() for child in told.split()]


def waited_for_a_cpu() -> dict[int, float]:
    """Seconds that each thread of this process could have run and did not, by its number; 0 if nothing counts that.

    Linux, Documentation/scheduler/sched-stats.rst: the second number of /proc/PID/schedstat.
    """
    told = _told_by_threads("self", "schedstat")  # there with CONFIG_SCHED_INFO
    return {task: int(numbers.split()[1]) / 1e9 for task, numbers in told.items()} or {0: 0.0}


def files_of(pid: int | str = "self") -> dict[int, str]:
    """What each file descriptor of a process leads to."""
    found = dict[int, str]()
    with suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                found[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")  # noqa: PTH115 (no path: "anon_inode:kvm-vm")
    return found


def written_thread(proc: Path, thread: int, state: str, ran: int, process: str = "self") -> Path:
    """What /proc tells of a thread in such a state that has run so many nanoseconds. -> its folder."""
    folder = proc / process / "task" / str(thread)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stat").write_text(f"{thread} (a) R (b) {state} 1 1 1")
    (folder / "schedstat").write_text(f"{ran} 5 7\n")
    return folder


def _told_by_threads(pid: int | str, what: str) -> dict[int, str]:
    found = dict[int, str]()
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                found[int(task)] = Path(f"/proc/{pid}/task/{task}/{what}").read_text(errors="replace")
    return found
