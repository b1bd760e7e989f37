"""bw-kernel while it watches: starts it, tells it of which processes, takes what it writes, and ends it.

It ends with us whatever happens: it sees the end of its standard input, which the kernel closes if we are killed. Its
programs in the kernel live no longer than it does.
"""

from __future__ import annotations

import os
import subprocess
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from bellwire.engine.errors import answer_of
from bellwire.engine.events import FUNCTIONS, PROBES_BIT, PROBES_LACK_BIT, TRACEPOINTS, ProbesLack, Records
from bellwire.engine.kernel.program import NOT_BUILT, PROGRAM, KernelSightError, reason_of
from bellwire.engine.kernel.records import RecordCounter, SharedRecords
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.language import tr

PATIENCE_SECONDS = 2.0  # for its end, once it was told
READY = "ready"
KNOWN_BITS = (1 << len(TRACEPOINTS)) - 1 | (1 << len(FUNCTIONS)) - 1 << PROBES_BIT | max(ProbesLack) << PROBES_LACK_BIT


class KernelWatch(Owner):
    """Starts it and returns at once; it is `ready` a tenth of a second later. KernelSightError if it cannot be run.

    exits: whether each exit is told of as well. None of its methods waits but close(), which waits for its end.
    """

    def __init__(self, program: Path = PROGRAM, exits: bool = False) -> None:
        if not program.exists():
            raise KernelSightError(tr(NOT_BUILT))
        self._program = program
        self.ready = False
        self.refused: KernelSightError | None = None  # why it has ended, or does not watch one of the processes
        self.refusals: dict[int, KernelSightError] = {}  # process -> why it is not watched
        self._asked = deque[int]()  # processes of which it has yet to answer
        self._said = b""
        self._shared = SharedRecords()
        try:
            self._process = subprocess.Popen(
                [program, "events", str(self._shared.fd), *(["exits"] if exits else [])],
                pass_fds=(self._shared.fd,),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd="/",
            )
        except OSError as error:
            self._shared.close()
            raise KernelSightError(tr("bw-kernel cannot be run: {what}.", what=answer_of(error))) from error
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)

    def add(self, process: int, threads: Iterable[int] = ()) -> None:
        """Watches a process: what its guests do, and its threads, or those of them that are named."""
        words = " ".join(map(str, ("process", process, *threads)))
        self._asked.append(process)
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended: look() says why
            self._process.stdin.write(f"{words}\n".encode())
            self._process.stdin.flush()

    def look(self) -> None:
        """Takes note of what it has said: `ready` and `refused` are as of now."""
        assert self._process.stdout is not None
        while piece := self._process.stdout.read(4096):
            *lines, self._said = (self._said + piece).split(b"\n")
            for line in lines:
                self._note(line.decode(errors="replace"))
        if self.refused is None and self._process.poll() is not None:
            self.ready = False
            assert self._process.stderr is not None
            self.refused = reason_of(self._process.stderr.read().decode(errors="replace"), self._program)

    def _note(self, line: str) -> None:
        if line == READY:
            self.ready = True
            return
        process = self._asked.popleft() if self._asked else 0
        if not line.startswith("process "):
            why = self.refusals[process] = reason_of(line, self._program)
            self.refused = self.refused or why

    def take(self) -> Records:
        """All new records, dtype RECORD, in about the order of their time."""
        return self._shared.take()

    @property
    def complete(self) -> int:
        """TSC: every record of an earlier time can be taken."""
        return self._shared.count(RecordCounter.COMPLETE)

    @property
    def lost(self) -> int:
        """Records so far that found the kernel's ring full."""
        return self._shared.count(RecordCounter.LOST)

    @property
    def error(self) -> int:
        """Cycles by which the records' times may be off."""
        return self._shared.count(RecordCounter.ERROR)

    @property
    def tracepoints(self) -> int:
        """Those that are listened to, and functions that are probed, a bit each: as Setting.KERNEL has them."""
        return self._shared.count(RecordCounter.TRACEPOINTS) & KNOWN_BITS

    @property
    def pid(self) -> int:
        """Of the program."""
        return self._process.pid

    def end(self) -> None:
        """Ends it, and waits for that; what it wrote can still be taken. May be called again."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Ends it, and gives the memory back. May be called again."""
        self.end()
        for stream in filter(None, (self._process.stdout, self._process.stderr)):
            stream.close()
        self._shared.close()
