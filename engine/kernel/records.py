"""The records that bw-kernel writes into shared memory: engine/kernel/record.h and shared.h say the same in C.

One process writes and one thread here takes; a record is there before `head` says so. This is for x86, whose processors
see stores in the order in which another one made them.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from enum import IntEnum

import numpy as np

from bellwire.engine.errors import refusal_of
from bellwire.engine.events import Records
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.language import tr

PAGE, ROOM = 4096, 1 << 17  # bytes of the counters; records
RECORD: np.dtype[np.void] = np.dtype(
    [
        ("tsc", "<u8"),
        ("kind", "<u2"),
        ("cpu", "<u2"),
        ("thread", "<u4"),
        ("a", "<u8"),
        ("b", "<u8"),
        ("c", "<u8"),
        ("d", "<u8"),
    ]
)


class RecordKind(IntEnum):
    """What has fired; record.h says what a to d are of each."""

    PIO = 1
    MMIO = 2
    FAST_MMIO = 3
    USER_EXIT = 4
    MSI = 5
    SET_IRQ = 6
    ACCEPTED = 7
    EOI = 8
    INJECTED = 9
    WOKEN = 10
    WAKING = 11
    RUNS = 12
    WRITE = 13
    WRITTEN = 14
    WORK_QUEUED = 15
    WORK_STARTED = 16
    WORK_ENDED = 17
    IOEVENTFD_WRITE = 18
    EVENTFD_SIGNAL = 19
    IRQFD_WAKEUP = 20
    IRQFD_INJECT = 21
    RESAMPLER_ACK = 22
    RUN_ENTERED = 40
    EXIT_SERVED = 41
    IOEVENTFD = 42
    IRQFD = 43
    ROUTES = 44
    ROUTE = 45


class RecordCounter(IntEnum):
    """Where each counter stands, in steps of 8 bytes."""

    HEAD = 0
    COMPLETE = 1
    LOST = 2
    ERROR = 3
    TRACEPOINTS = 4
    TAIL = 8


def no_records() -> Records:
    """An empty batch."""
    return np.empty(0, RECORD)


class SharedRecords(Owner):
    """The memory, which its writer gets as a file descriptor and nobody can make smaller. EngineError: none."""

    def __init__(self) -> None:
        size = PAGE + ROOM * RECORD.itemsize
        try:
            self.fd = os.memfd_create("bellwire-kernel", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            try:
                os.ftruncate(self.fd, size)
                fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
                self._memory = mmap.mmap(self.fd, size)
            except BaseException:
                os.close(self.fd)
                raise
        except (OSError, MemoryError) as error:
            raise refusal_of(error, tr("What the kernel tells")) from error
        self._counters = np.frombuffer(self._memory, np.uint64, PAGE // 8)
        self._records = np.frombuffer(self._memory, RECORD, ROOM, PAGE)

    def count(self, which: RecordCounter) -> int:
        """A counter as it is now."""
        return int(self._counters[which])

    def take(self) -> Records:
        """All new ones, in about the order of their time; shape (n,). What a writer says wrongly harms only itself."""
        head, tail = self.count(RecordCounter.HEAD), self.count(RecordCounter.TAIL)
        ready = min(max(head - tail, 0), ROOM)
        first = tail % ROOM
        taken = np.concatenate([self._records[first : first + ready], self._records[: max(first + ready - ROOM, 0)]])
        self._counters[RecordCounter.TAIL] = tail + ready
        return taken

    def close(self) -> None:
        """Unmaps it; what was taken stays."""
        if self.fd >= 0:
            del self._counters, self._records
            self._memory.close()
            os.close(self.fd)
        self.fd = -1
