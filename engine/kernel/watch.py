"""bw-kernel while it watches: starts it, tells it of which processes, takes what it writes, and ends it.

It ends with us whatever happens: it sees the end of its standard input, which the kernel closes if we are killed. Its
programs in the kernel live no longer than it does.

Where it cannot watch, bw-tracefs does, if it can; both are told the same and write the same. If that is killed itself,
its instances of tracefs trace no more, and the next one that is started removes them.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from bellwire.engine.events import FUNCTIONS, PROBES_BIT, PROBES_LACK_BIT, TRACEPOINTS, ProbesLack, Records
from bellwire.engine.kernel.program import (
    NOT_BUILT,
    PROGRAM,
    TRACEFS_PROGRAM,
    KernelSightError,
    reason_of,
    start_program,
    why_ended,
)
from bellwire.engine.kernel.records import RecordCounter, SharedRecords
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.language import tr

PATIENCE_SECONDS = 10.0  # for its end, once it was told
READY = "ready"
KNOWN_BITS = (1 << len(TRACEPOINTS)) - 1 | (1 << len(FUNCTIONS)) - 1 << PROBES_BIT | max(ProbesLack) << PROBES_LACK_BIT
PROGRAMS = (PROGRAM, TRACEFS_PROGRAM)  # the first one that can watch does


class KernelWatch(Owner):
    """Starts it and returns at once; it is `ready` a tenth of a second later. KernelSightError if none can be run.

    exits: whether each exit is told of as well, by bw-kernel. None of its methods waits but close(), for its end.
    """

    def __init__(self, programs: Sequence[Path] = (), exits: bool = False) -> None:
        programs = programs or PROGRAMS
        self._left = [program for program in programs if program.exists()]
        self._exits = exits
        self.ready = False
        self.refused: KernelSightError | None = None  # why it has ended, or does not watch one of the processes
        self.refusals: dict[int, KernelSightError] = {}  # process -> why it is not watched
        self._first: KernelSightError | None = None  # why the first program does not watch: that is to be mended
        if not programs[0].exists():
            self._first = KernelSightError(tr(NOT_BUILT))
        self._asked: list[tuple[int, str]] = []  # processes, and the line that it was told of each
        self._ended: list[subprocess.Popen[bytes]] = []  # that did not watch
        self._shared = SharedRecords()
        try:
            self._start()
        except BaseException:
            self._shared.close()
            raise

    def _start(self) -> None:
        """Starts the next program, and tells it all that the ones before were told."""
        if not self._left:
            raise self._first or KernelSightError(tr(NOT_BUILT))
        program = self._left.pop(0)
        words = ["events", str(self._shared.fd), *(["exits"] if self._exits else [])]
        self._process = start_program(*words, program=program, passed=(self._shared.fd,))
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._program, self._said, self._answers = program, b"", 0
        for _, line in self._asked:
            self._tell(line)

    def add(self, process: int, threads: Iterable[int] = ()) -> None:
        """Watches a process: what its guests do, and its threads, or those of them that are named."""
        line = " ".join(map(str, ("process", process, *threads)))
        self._asked.append((process, line))
        self._tell(line)

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended: look() says why
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def look(self) -> None:
        """Takes note of what it has said: `ready` and `refused` are as of now."""
        assert self._process.stdout is not None
        while piece := self._process.stdout.read(4096):
            *lines, self._said = (self._said + piece).split(b"\n")
            for line in lines:
                self._note(line.decode(errors="replace"))
        if self.refused is None and self._process.poll() is not None:
            self._note_end(why_ended(self._process, self._program))

    def _note(self, line: str) -> None:
        if line == READY:
            self.ready = True
            return
        process = 0 if self.answered else self._asked[self._answers][0]
        self._answers += 1
        if not line.startswith("process "):
            why = self.refusals[process] = reason_of(line, self._program)
            self.refused = self.refused or why

    def _note_end(self, reason: KernelSightError) -> None:
        """It has ended: before it could watch, so that the next one is to try, or while it did."""
        if self.ready:
            self.ready, self.refused = False, reason
        else:
            self._first = self._first or reason
            self._ended.append(self._process)
            try:
                self._start()
            except KernelSightError:
                self.refused = self._first

    @property
    def answered(self) -> bool:
        """Whether it has said of every process that it was told of whether it watches it."""
        return self._answers >= len(self._asked)

    @property
    def program(self) -> Path:
        """The one that watches, or is about to."""
        return self._program

    @property
    def by_tracefs(self) -> bool:
        """Whether it is bw-tracefs that watches."""
        return self._program == TRACEFS_PROGRAM

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

    def kill(self) -> None:
        """Ends it at once, whatever it does; nothing else may be expected of it. May be called again."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Ends it, and waits for that; what it wrote can still be taken. May be called again.

        One that does not end, as it was stopped or hangs, is killed, and `refused` says so.
        """
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            self.refused = self.refused or KernelSightError(
                tr(
                    "{program} did not end within {seconds:.0f} s and was killed: what it had not told yet is missing.",
                    program=self.program.name,
                    seconds=PATIENCE_SECONDS,
                )
            )

    def close(self) -> None:
        """Ends it, and gives the memory back. May be called again."""
        self.end()
        for process in (*self._ended, self._process):
            for stream in filter(None, (process.stdin, process.stdout, process.stderr)):
                with suppress(OSError):
                    stream.close()
        self._shared.close()
