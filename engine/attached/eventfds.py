"""Which processes hold an eventfd: the kernel gives each a number, the same in all of them (proc(5), fdinfo).

That is how the other end of a wire is found: a back end of vhost-user has QEMU's doorbell and interrupt, another VMM
the doorbell that is its own interrupt. Processes that this user may not look at are counted, not guessed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from bellwire.engine.attached.processes import command_line, open_files, program_name, running_pids
from bellwire.engine.host.host import ROOT, read_text

EVENTFD_FILE = "anon_inode:[eventfd]"


@dataclass(frozen=True, order=True)
class EventfdHolder:
    """A process that has an eventfd. fds: its numbers of it."""

    pid: int
    name: str
    fds: tuple[int, ...]


@dataclass(frozen=True)
class HeldEventfds:
    """holders: eventfd id -> who has it, in the order of the pids. hidden: processes that could not be looked at."""

    holders: dict[int, tuple[EventfdHolder, ...]]
    hidden: int


def held_eventfds(root: Path = ROOT) -> HeldEventfds:
    """Every eventfd of every process that may be looked at."""
    holders, hidden = defaultdict[int, list[EventfdHolder]](list), 0
    for pid in running_pids(root):
        folder = root / "proc" / str(pid)
        try:
            fds = eventfds_of(folder)
        except PermissionError:
            hidden += 1
            continue
        name = program_name(folder, command_line(folder)) if fds else ""
        for number, held in fds.items():
            holders[number].append(EventfdHolder(pid, name, tuple(held)))
    return HeldEventfds({number: tuple(some) for number, some in holders.items()}, hidden)


def eventfds_of(folder: Path) -> dict[int, list[int]]:
    """A process's eventfds: id -> its fds of it. {} once it is gone; PermissionError if it may not be looked at."""
    found = defaultdict[int, list[int]](list)
    try:
        for fd, target in sorted(open_files(folder)):
            if target == EVENTFD_FILE and (number := _eventfd_id(folder / "fdinfo" / str(fd))) is not None:
                found[number].append(fd)
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return dict(found)


def _eventfd_id(path: Path) -> int | None:
    for line in read_text(path).splitlines():
        if line.startswith("eventfd-id:"):
            return int(line.partition(":")[2])
    return None
