"""What stands between the events of a recording of a VMM: what it had registered from a moment on, and its threads.

Guarantees: how much of it a recording holds is bounded, for who writes as for who reads; what is beyond is counted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bellwire.engine.attached.processes import LONGEST_NAME, KvmProcess
from bellwire.engine.attached.topology import Topology
from bellwire.engine.recordings.attached.seen_json import (
    MOST_NUMBER,
    Number,
    process_from_json,
    topology_from_json,
    topology_to_json,
)
from bellwire.engine.recordings.metadata import Table, json_table

SEEN = b"bellwire.seen"  # the key of a note among a message's metadata
MOST_NOTES, MOST_NOTED = 4000, 32 << 20  # notes of a recording, and bytes of all of them
MOST_THREADS = 4096  # that one note names


@dataclass(frozen=True)
class SeenThread:
    """A thread that events name. pid: of its process; 0: the kernel's own."""

    tid: int
    pid: int
    name: str


@dataclass(frozen=True)
class SeenNote:
    """topology: what is registered from `tsc` on; None: as before. threads: those that are named from then on."""

    tsc: int
    topology: Topology | None = None
    threads: tuple[SeenThread, ...] = ()


@dataclass(frozen=True)
class AttachedTo:
    """Whom a recording is of. told: each change of what is registered was told; else it was looked for now and then."""

    process: KvmProcess
    told: bool = False

    @property
    def title(self) -> str:
        """The VMM and its guest, in a few words."""
        return f"{self.process.name} · {self.process.guest}" if self.process.guest else self.process.name


def note_to_json(note: SeenNote, number: Number = int) -> bytes:
    """As it is written. number: what stands for a process or a thread."""
    threads = [{"tid": number(one.tid), "pid": number(one.pid), "name": one.name} for one in note.threads]
    topology = {"topology": topology_to_json(note.topology, number)} if note.topology else {}
    return json.dumps({"tsc": note.tsc, "threads": threads, **topology}, separators=(",", ":")).encode()


def note_from_json(text: bytes) -> SeenNote:
    """As it was written; ValueError if it is something else."""
    content = json_table(text, "a note")
    topology = topology_from_json(content.table("topology")) if "topology" in content else None
    threads = tuple(thread_from_json(table) for table in content.tables("threads", MOST_THREADS))
    return SeenNote(content.whole("tsc"), topology, threads)


def thread_from_json(content: Table) -> SeenThread:
    """A thread."""
    tid, pid = (content.whole(key, 0, MOST_NUMBER - 1) for key in ("tid", "pid"))
    return SeenThread(tid, pid, content.text("name", LONGEST_NAME))


def attached_to_json(attached: AttachedTo) -> dict[str, object]:
    """As it stands in a header."""
    process = attached.process
    return {"pid": process.pid, "name": process.name, "guest": process.guest, "told": int(attached.told)}


def attached_from_json(content: Table) -> AttachedTo:
    """As it stood in a header; ValueError."""
    return AttachedTo(process_from_json(content), "told" in content and content.whole("told", 0, 1) == 1)


def threads_by_number(notes: Sequence[SeenNote]) -> dict[int, SeenThread]:
    """Every thread that is named, by the newest name of its number."""
    return {one.tid: one for note in notes for one in note.threads}
