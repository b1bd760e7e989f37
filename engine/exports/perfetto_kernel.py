"""Perfetto's tracks of the kernel's stages: what waits for a CPU, for a worker, in a local APIC, and each call's time.

Each is a slice between two events that the kernel's tracepoints told, in the category "derived", on a track of its own;
one whose end was lost ends where the next begins. What is merged with what waits already begins no slice of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bellwire.engine.events import ROLE_BITS, EventKind, ThreadRole
from bellwire.engine.exports.perfetto_flows import Row
from bellwire.engine.exports.perfetto_packets import TraceWriter, Type

DERIVED = "derived"
KERNEL_NAMES: dict[EventKind, str] = {
    EventKind.PIO: "kvm_pio",
    EventKind.MMIO: "kvm_mmio",
    EventKind.DEVICE_READ: "device read",
    EventKind.USER_EXIT: "kvm_userspace_exit",
    EventKind.WAKING: "sched_waking",
    EventKind.RUNS: "sched_switch",
    EventKind.WRITE: "write() entered",
    EventKind.WRITTEN: "write() returns",
    EventKind.MSI: "kvm_msi_set_irq",
    EventKind.WORK_QUEUED: "irqfd_inject queued",
    EventKind.WORK_STARTED: "irqfd_inject started",
    EventKind.SET_IRQ: "kvm_set_irq",
    EventKind.ACCEPTED: "kvm_apic_accept_irq",
    EventKind.INJECTED: "injected",
    EventKind.WOKEN: "kvm_vcpu_wakeup",
    EventKind.GUEST_EOI: "kvm_eoi",
    EventKind.IOEVENTFD_WRITE: "ioeventfd_write",
    EventKind.EVENTFD_SIGNAL: "eventfd_signal_mask",
    EventKind.IRQFD_WAKEUP: "irqfd_wakeup",
    EventKind.IRQFD_INJECT: "irqfd_inject",
    EventKind.RESAMPLER_ACK: "irqfd_resampler_ack",
}
TRACKS_OF_ROLES: dict[int, str] = {ThreadRole.VCPU: "vCPU thread", ThreadRole.IO_THREAD: "I/O thread"}
TrackOf = Callable[[str, str, int, int], int]  # what, its name, VM, number: its uuid


class KernelStage(NamedTuple):
    """A stage from an event of one kind to one of another. merges: what comes while it lasts is merged with it."""

    begins: EventKind
    ends: EventKind
    name: str
    track: str
    by_thread: bool = False
    merges: bool = False


STAGES = (
    KernelStage(EventKind.WAKING, EventKind.RUNS, "waits for a CPU", "run queue", by_thread=True),
    KernelStage(EventKind.WRITE, EventKind.WRITTEN, "in the call that signals", "system call", by_thread=True),
    KernelStage(EventKind.WORK_QUEUED, EventKind.WORK_STARTED, "waits for a worker", "irqfd's work item", merges=True),
    KernelStage(EventKind.ACCEPTED, EventKind.INJECTED, "waits to be injected", "local APIC", merges=True),
)
BEGUN_BY, ENDED_BY = {stage.begins: stage for stage in STAGES}, {stage.ends: stage for stage in STAGES}


class KernelTracks:
    """Is given each event of the kernel, in order. several: there are several VMs; an APIC says not of which it is."""

    def __init__(self, writer: TraceWriter, track_of: TrackOf, several: bool = False) -> None:
        self._writer, self._track_of, self._several = writer, track_of, several
        self._open: set[tuple[EventKind, int, int]] = set()  # the kind that began it, VM, number

    def feed(self, row: Row) -> None:
        """Begins a slice, or ends one."""
        if stage := BEGUN_BY.get(row.kind):
            self._begin(row, stage)
        elif (stage := ENDED_BY.get(row.kind)) and self._key(row, stage) in self._open:
            self._open.remove(self._key(row, stage))
            self._writer.end(row.at, self._track(row, stage), {"until.seq": row.seq})

    def _begin(self, row: Row, stage: KernelStage) -> None:
        key = self._key(row, stage)
        if self._several and row.kind == EventKind.ACCEPTED and not row.seq:
            return  # whose it is nobody tells, so that its injection would not be found
        if stage.by_thread and thread_role_of(row) not in TRACKS_OF_ROLES:
            return
        if key in self._open and stage.merges:
            return
        track = self._track(row, stage)
        if key in self._open:
            self._writer.end(row.at, track, {"end was lost": 1})
        self._open.add(key)
        self._writer.event(row.at, Type.BEGIN, track, stage.name, DERIVED, {"seq": row.seq})

    def _key(self, row: Row, stage: KernelStage) -> tuple[EventKind, int, int]:
        return stage.begins, row.vm, row.id

    def _track(self, row: Row, stage: KernelStage) -> int:
        """By thread, GSI or vector."""
        if not stage.by_thread:
            which = f"GSI {row.id}" if stage.begins == EventKind.WORK_QUEUED else f"vector {row.id:#x}"
            return self._track_of(stage.track, f"{stage.track}, {which}", row.vm, row.id)
        name = f"{TRACKS_OF_ROLES[thread_role_of(row)]} {row.id >> ROLE_BITS}: {stage.track}"
        return self._track_of(stage.track, name, row.vm, row.id)


def thread_role_of(row: Row) -> int:
    """The ThreadRole of the thread that an event of the scheduler, or a system call, is about."""
    return row.id & (1 << ROLE_BITS) - 1
