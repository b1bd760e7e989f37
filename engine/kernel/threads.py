"""Which threads a machine's signals go through: whom to watch in the kernel, and what each of them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class SignalThreads:
    """vcpus: thread -> `vm` of its events; io_threads: those that answer, of this process both; 0: not yet running.

    processes: others, all of whose threads are watched, and the `vm` of each; vCPUs among them show themselves by what
    they do.
    """

    vcpus: Mapping[int, int] = field(default_factory=dict)
    io_threads: frozenset[int] = frozenset()
    processes: Mapping[int, int] = field(default_factory=dict)

    @property
    def all_run(self) -> bool:
        """Whether each of this process's has begun to run, so that its number is known."""
        return 0 not in self.vcpus and 0 not in self.io_threads

    def vm_of(self, thread: int) -> int:
        """The `vm` of a thread of one of these processes; 0 where it is not known."""
        return next((vm for pid, vm in self.processes.items() if Path(f"/proc/{pid}/task/{thread}").exists()), 0)

    @property
    def own(self) -> tuple[int, ...]:
        """Those of this process."""
        return tuple(sorted({*self.vcpus, *self.io_threads} - {0}))
