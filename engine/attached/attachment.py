"""A process that is looked at again and again: its topology at each moment, and the sentence that it has ended.

bw-kernel goes through the kernel's lists; who holds the other ends of wires is looked up in /proc as the wires change,
and now and then, as it takes a thousand times as long.
"""

from __future__ import annotations

import select
import time
from pathlib import Path
from typing import IO

from bellwire.engine._core import lib
from bellwire.engine.attached.eventfds import HeldEventfds, held_eventfds
from bellwire.engine.attached.processes import KvmProcess, attachable, still_there
from bellwire.engine.attached.records import (
    HEAD,
    RECORD,
    LookTaken,
    counts_told,
    eventfds_told,
    hits_told,
    look_taken,
    vms_told,
)
from bellwire.engine.attached.topology import Topology
from bellwire.engine.errors import EngineError
from bellwire.engine.host.host import ROOT
from bellwire.engine.kernel.program import PROGRAM, KernelSightError, no_answer, start_program, why_ended
from bellwire.engine.kvm.owner import Owner

ANSWER_SECONDS = 30.0  # for a look, on a machine that has much else to do
HOLDERS_SECONDS = 2.0  # how often it is looked up who holds the eventfds


class ProcessEndedError(EngineError):
    """The process that was looked at has ended; the text says so, and who has its number now."""


class TopologyProgram(Owner):
    """bw-kernel, which looks at a process each time that it is asked. KernelSightError: why it does not."""

    def __init__(self, pid: int, program: Path = PROGRAM, counting: bool = False) -> None:
        words = ["topology", str(pid), *(["hits"] if counting else [])]
        self._process = start_program(*words, program=program)
        self._program = program

    def look(self) -> LookTaken:
        """What the process has registered now."""
        until = time.monotonic() + ANSWER_SECONDS
        try:
            stream(self._process.stdin).write(b"?")
            stream(self._process.stdin).flush()
            head = self._read(HEAD.size, until)
            return look_taken(head, self._read(HEAD.unpack(head)[0] * RECORD.size, until))
        except (BrokenPipeError, EOFError):
            raise why_ended(self._process, self._program) from None

    def _read(self, size: int, until: float) -> bytes:
        """So many bytes; EOFError if it has ended."""
        got, source = b"", stream(self._process.stdout)
        while len(got) < size:
            ready, _, _ = select.select([source], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise KernelSightError(no_answer(self._program, ANSWER_SECONDS))
            piece = source.read1(size - len(got))  # type: ignore[attr-defined]
            if not piece:
                raise EOFError
            got += piece
        return got

    def close(self) -> None:
        """Ends it. May be called again."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            try:
                stream(pipe).close()
            except BrokenPipeError:  # what it was asked last, and had no time to hear
                continue


def stream(pipe: IO[bytes] | None) -> IO[bytes]:
    """A pipe that there is."""
    assert pipe is not None
    return pipe


class Attachment(Owner):
    """A running VMM, seen from outside. EngineError, in one sentence, if it cannot be looked at.

    process: who it is. Nothing of it is stopped or changed. counting: also how often its wires are used.
    """

    def __init__(self, pid: int, program: Path = PROGRAM, root: Path = ROOT, counting: bool = False) -> None:
        self.process: KvmProcess = attachable(pid, root)
        self.looked = (0, 0)  # TSCs between which the kernel's lists were gone through last
        self._root = root
        self._held, self._held_of = HeldEventfds({}, 0), set[int]()
        self._next_held = 0.0
        self._counting = counting
        self._program = TopologyProgram(pid, program, counting)

    def look(self) -> Topology:
        """What it has registered now. ProcessEndedError once it has ended."""
        began = int(lib.bw_tsc())
        try:
            taken = self._program.look()
        except KernelSightError:
            self._check_still_there()
            raise
        self.looked = (began, int(lib.bw_tsc()))
        self._check_still_there()
        vms = vms_told(taken.records, self._root / "proc" / str(self.process.pid) / "task")
        held = self._holders(set().union(*(vm.eventfds for vm in vms)))
        others = {
            number: tuple(holder for holder in some if holder.pid != self.process.pid)
            for number, some in held.holders.items()
        }
        told = {number: some for number, some in others.items() if some}
        hits = hits_told(taken.records) if self._counting else None
        state = (held.hidden, taken.settled, taken.dropped, taken.untold, counts_told(taken.records), hits)
        return Topology(self.process, vms, eventfds_told(taken.records), told, *state)

    def _check_still_there(self) -> None:
        if ended := still_there(self.process, self._root):
            raise ProcessEndedError(ended)

    def _holders(self, wired: set[int]) -> HeldEventfds:
        """Who holds the eventfds that wires end at, of all processes."""
        if wired != self._held_of or time.monotonic() >= self._next_held:
            held = held_eventfds(self._root)
            ours = {number: some for number, some in held.holders.items() if number in wired}
            self._held, self._held_of = HeldEventfds(ours, held.hidden), wired
            self._next_held = time.monotonic() + HOLDERS_SECONDS
        return self._held

    def close(self) -> None:
        """Looks no more. May be called again."""
        self._program.close()
