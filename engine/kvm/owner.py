"""Things that are closed once, and file descriptors, which most of KVM's things are."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import LeftBehindError, check

Owned = TypeVar("Owned", bound="Owner")


class Owner:
    """Something that is closed once, by `with` or by hand.

    While a Belongings is taken apart and a thread does not end, what is older than the thread stays open: it may be in
    use. A guest that ran on in memory that was given back would write into whatever is there next.
    """

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, LeftBehindError):
            self.close()


class Belongings(Owner):
    """What is closed together, the newest first.

    close() can be called again: after a LeftBehindError what is left, the thread and whatever is older, is still here.
    Of other errors the first is raised once everything is closed.
    """

    def __init__(self) -> None:
        self._ends: list[Callable[[], object]] = []

    def enter(self, owner: Owned) -> Owned:
        """Takes an owner over, which close() closes."""
        self._ends.append(owner.close)
        return owner

    def callback(self, end: Callable[[], object]) -> None:
        """Has something else done when it is its turn."""
        self._ends.append(end)

    def close(self) -> None:
        first: Exception | None = None
        while self._ends:
            try:
                self._ends[-1]()
            except LeftBehindError:
                raise
            except Exception as error:
                first = first or error
            self._ends.pop()
        if first:
            raise first


class HasFd(Protocol):
    """Whatever has a file descriptor."""

    @property
    def fd(self) -> int:
        """The file descriptor; -1 once it is closed."""
        ...


class Handle(Owner):
    """Something of the core's. free: the function of engine/core/core.h that gives it back."""

    def __init__(self, handle: Any, free: Callable[[Any], object]) -> None:
        self.handle, self._free = handle, free

    def close(self) -> None:
        if self.handle != ffi.NULL:
            self._free(self.handle)
        self.handle = ffi.NULL


class Fd(Owner):
    """An open file descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


class Eventfd(Fd):
    """A counter that one side adds to and the other takes (eventfd(2))."""

    def __init__(self, count: int = 0, flags: int = 0) -> None:
        super().__init__(check(lib.bw_eventfd_new(count, flags), "eventfd()"))

    @classmethod
    def semaphore(cls, count: int = 0) -> Eventfd:
        """One whose readers get 1 at a time (EFD_SEMAPHORE)."""
        return cls(count, os.EFD_SEMAPHORE)

    @classmethod
    def adopt(cls, fd: int) -> Eventfd:
        """Owns a file descriptor that came from elsewhere; whether it is an eventfd at all, the kernel knows."""
        eventfd = cls.__new__(cls)
        Fd.__init__(eventfd, fd)
        return eventfd

    def duplicate(self) -> Eventfd:
        """Another file descriptor of the same counter (dup(2))."""
        return self.adopt(os.dup(self.fd))

    def signal(self, count: int = 1) -> None:
        """Adds to the counter; waits while it is full."""
        os.eventfd_write(self.fd, count)

    def take(self) -> int:
        """What read(2) gives now: the whole count, or 1 of a semaphore; 0 if there is nothing. Never blocks."""
        return os.eventfd_read(self.fd) if self._readable else 0

    @property
    def _readable(self) -> bool:
        """Whether the count is above 0."""
        waiting = select.poll()
        waiting.register(self.fd, select.POLLIN)
        return bool(waiting.poll(0))

    def count(self) -> int | None:
        """The count now, without taking it (proc(5), /proc/[pid]/fdinfo); None where /proc does not tell."""
        if told := self._info("eventfd-count"):
            return int(told, 16)
        return None if self.fd >= 0 and self._readable else 0

    def left(self) -> int:
        """The count, once nobody adds to it any more: taken where it cannot be looked at."""
        count = self.count()
        return self.take() if count is None else count

    @property
    def genuine(self) -> bool:
        """Whether it is an eventfd that is open, and not another file; True where the kernel does not tell."""
        return bool(self._info("eventfd-count")) or not Path("/proc/self/fdinfo").exists()

    @property
    def id(self) -> int:
        """The kernel's number of the counter, which all its duplicates share; -1 if it is closed or not told."""
        return int(self._info("eventfd-id") or "-1")

    def _info(self, name: str) -> str:
        """One line of /proc/self/fdinfo; "" if there is none."""
        if self.fd < 0:
            return ""
        try:
            lines = Path(f"/proc/self/fdinfo/{self.fd}").read_text().splitlines()
        except OSError:
            return ""
        return next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:")), "")
