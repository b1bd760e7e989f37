"""Things that are closed once, and file descriptors, which most of KVM's things are."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from engine._core import lib
from engine.errors import check


class Owner:
    """Something that is closed once, by `with` or by hand."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Fd(Owner):
    """An open file descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


class Eventfd(Fd):
    """A counter that one side adds to and the other reads (eventfd(2))."""

    def __init__(self, count: int = 0, flags: int = 0) -> None:
        super().__init__(check(lib.bw_eventfd_new(count, flags), "eventfd()"))

    def count(self) -> int:
        """The count now, without taking it (proc(5), /proc/[pid]/fdinfo)."""
        for line in Path(f"/proc/self/fdinfo/{self.fd}").read_text().splitlines():
            if line.startswith("eventfd-count:"):
                return int(line.split()[1], 16)
        return 0
