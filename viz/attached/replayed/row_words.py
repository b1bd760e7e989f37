"""What a row of the timeline is called, and its colour. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from bellwire.engine.attached.topology import SeenVcpu
from bellwire.engine.events import EventKind, exit_name
from bellwire.engine.language import tr
from bellwire.engine.recordings.attached.seen_moments import SeenMoments
from bellwire.engine.recordings.attached.seen_rows import SeenRow, SeenRowKind, SeenRows
from bellwire.viz.attached.hop_words import recorded_thread

COLORS = {
    SeenRowKind.DOORBELL: "doorbell",
    SeenRowKind.THREAD: "io_thread",
    SeenRowKind.MESSAGE: "interrupt",
    SeenRowKind.LINE: "interrupt",
    SeenRowKind.VCPU: "guest",
}


@dataclass(frozen=True)
class RowWords:
    """name: what it is of. what: what its marks are."""

    name: str
    what: str
    color: str


class RowNames:
    """Names rows of one recording; each is looked up once."""

    def __init__(self, moments: SeenMoments, rows: SeenRows) -> None:
        self._moments, self._rows = moments, rows
        self._vcpus = {
            vcpu.tid: vcpu for topology in moments.topologies for vm in topology.vms for vcpu in vm.vcpus if vcpu.tid
        }
        self._known: dict[SeenRow, RowWords] = {}

    def of(self, row: SeenRow) -> RowWords:
        """A row's."""
        if row not in self._known:
            self._known[row] = RowWords(*self._words(row), COLORS[row.kind])
        return self._known[row]

    def _words(self, row: SeenRow) -> tuple[str, str]:
        match row.kind:
            case SeenRowKind.DOORBELL:
                _, doorbell = self._rows.doorbells[row.number]
                return f"{doorbell.match.bus} {doorbell.match.address:#x}", tr("rung")
            case SeenRowKind.THREAD:
                return self.thread(row.number), tr("woken, and on a CPU")
            case SeenRowKind.MESSAGE:
                vector, apic = row.number & 0xFF, row.number >> 8
                return tr("vector {vector:#x}, APIC {apic}", vector=vector, apic=apic), tr("sent")
            case SeenRowKind.LINE:
                return f"GSI {row.number}", tr("raised")
            case SeenRowKind.VCPU:
                return self._vcpu(row.number), tr("exits, and injected")

    def thread(self, tid: int) -> str:
        """A thread's name; of which process, where that is not the VMM."""
        return recorded_thread(self._moments, tid) or tr("a thread that is not named")

    def _vcpu(self, tid: int) -> str:
        vcpu: SeenVcpu | None = self._vcpus.get(tid)
        return self.thread(tid) if vcpu is None else tr("vCPU {number}", number=vcpu.number)


def event_words(kind: EventKind, id: int, arg: int = 0) -> str:
    """What a mark in a row is. id, arg: the event's."""
    match kind:
        case EventKind.PIO | EventKind.MMIO | EventKind.FAST_MMIO:
            return tr("the doorbell is rung")
        case EventKind.WAKING:
            return tr("it is woken")
        case EventKind.RUNS:
            return tr("it gets a CPU")
        case EventKind.MSI:
            return tr("the message is sent")
        case EventKind.SET_IRQ:
            return tr("the line is raised")
        case EventKind.INJECTED:
            return tr("vector {vector:#x} is injected", vector=id)
        case EventKind.USER_EXIT:
            return tr("out to user space: {reason}", reason=exit_name(id, arg))
        case EventKind.ENTRY:
            return tr("back into the guest")
        case _:
            return kind.name.lower()
