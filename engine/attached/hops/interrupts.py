"""Interrupts by vector: who signals each, and how long after its message a vCPU takes it.

A local APIC holds an interrupt once, however often its message comes before it is taken: those are counted, and the
time is the oldest one's. What neither a message nor a line has caused is the vCPU's own: its timer, or another CPU.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bellwire.engine.attached.hops.one_at_a_time import Letter, Turn
from bellwire.engine.attached.hops.places import DoorbellKey, HopThreads, SeenPlaces
from bellwire.engine.attached.hops.rows import NONE, HopRows, Indices, Mask, newest_row_before
from bellwire.engine.events import Clock
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.kernel.event_fields import BY_A_VCPU
from bellwire.engine.kernel.records import RecordKind

CALL_WRITE, CALL_WRITEV, CALL_IOCTL, CALL_IO_URING_ENTER = 1, 20, 16, 426  # numbers of system calls
NOT_TOLD = 2**32 - 1  # vector of a guest's own EOI
AT_ONCE_SECONDS = 200e-6  # from what causes it to an interrupt: what comes later has another cause
K = RecordKind


class SignalledBy(StrEnum):
    """How an interrupt is signalled."""

    WRITE = "write"  # write() to an irqfd's eventfd
    IOCTL = "ioctl"  # KVM_SIGNAL_MSI or KVM_IRQ_LINE
    IO_URING = "io_uring"
    DOORBELL = "doorbell"  # a guest's doorbell, whose eventfd is the irqfd's
    KERNEL = "kernel"  # a thread of the kernel's: vhost, or a completion
    ITSELF = "itself"  # the vCPU's timer, or another CPU


CALLS = {
    CALL_WRITE: SignalledBy.WRITE,
    CALL_WRITEV: SignalledBy.WRITE,
    CALL_IOCTL: SignalledBy.IOCTL,
    CALL_IO_URING_ENTER: SignalledBy.IO_URING,
}
ACCESSES = (K.PIO, K.MMIO, K.FAST_MMIO)
SELECTED = (K.MSI, K.ACCEPTED, K.WORK_QUEUED, K.WORK_STARTED, K.WORK_ENDED, *ACCESSES)


@dataclass(frozen=True)
class InterruptKey:
    """A vector at a local APIC. vm: the VMM's fd of the VM; None where several VMs have the same message."""

    vm: int | None
    vector: int
    apic: int


@dataclass(frozen=True)
class MessageKey:
    """A message to a VM; the VM as InterruptKey has it."""

    vm: int | None
    address: int
    data: int


@dataclass(frozen=True)
class Sender:
    """Who signals an interrupt, and how. thread: 0: nobody does."""

    thread: int
    how: SignalledBy


class InterruptFold:
    """sent, taken: by key. messages: how often each was sent. senders: by key and who.

    latencies: by key, ns from the oldest message to its being taken.
    direct: doorbells that were interrupts at once, of this VMM's guest or of another one.
    """

    def __init__(self, clock: Clock, threads: HopThreads, host_ends: bool) -> None:
        """host_ends: whether the host writes the EOI of what it injects (kvm_pvm), so that this is the moment."""
        self.sent, self.taken = Counter[InterruptKey](), Counter[InterruptKey]()
        self.messages = Counter[MessageKey]()
        self.senders = Counter[tuple[InterruptKey, Sender]]()
        self.latencies = defaultdict[InterruptKey, Histogram](Histogram)
        self.direct = Counter[DoorbellKey]()
        self._clock, self._at_once = clock, clock.cycles(AT_ONCE_SECONDS)
        self._threads, self._takes = threads, K.EOI if host_ends else K.INJECTED
        self._held: dict[InterruptKey, int] = {}  # TSC of the oldest message that is not taken yet
        self._queued: dict[int, int] = {}  # work -> the thread that has queued it
        self._works_for: dict[int, int] = {}  # worker -> that thread, of the work that it does
        self._times = defaultdict[InterruptKey, list[float]](list)  # of this batch
        self._vmms = set[int]()  # other processes that have VMs of their own,
        self._foreign = set[int]()  # and threads of theirs that are vCPUs

    def feed(self, rows: HopRows, places: SeenPlaces, doorbell: Indices) -> list[Letter]:
        """The next batch. doorbell: the one that each row rings. What has happened, for who asks for its order."""
        found = Batch(rows, places, doorbell)
        self._learn(rows, places)
        letters: list[Letter] = []
        for at in np.flatnonzero(rows.new & (rows.of(*SELECTED) | self._are_taken(rows))).tolist():
            letter = self._letter(found, at)
            if letter:
                letters.append(letter)
        for key, times in self._times.items():
            self.latencies[key].record(times)
        self._times.clear()
        return letters

    def _learn(self, rows: HopRows, places: SeenPlaces) -> None:
        """Who does what only vCPUs do, and is of another process, is a vCPU of that one's."""
        for thread in vcpus_elsewhere(rows, places) - self._foreign:
            pid = self._threads.named(thread, places.topology).pid
            if pid != places.topology.process.pid:
                self._foreign.add(thread)
                self._vmms.add(pid)

    def _are_taken(self, rows: HopRows) -> Mask:
        taken: Mask = rows.of(self._takes) & (rows.records["a"] != NOT_TOLD)
        return taken

    def _letter(self, found: Batch, at: int) -> Letter | None:
        """What one row is."""
        kind = found.kind[at]
        if kind == K.MSI:
            return self._message(found, at)
        if kind == K.ACCEPTED:
            return self._accepted(found, at)
        if kind == self._takes:
            return self._take(found, at)
        if kind in ACCESSES:
            return self._access(found, at)
        self._work(found, at)
        return None

    def _access(self, found: Batch, at: int) -> Letter | None:
        """A doorbell of the VMM's own guests."""
        rung = found.doorbell[at]
        return Letter(Turn.RUNG, found.tsc[at], found.places.doorbells[rung]) if rung >= 0 else None

    def _message(self, found: Batch, at: int) -> Letter | None:
        """A message to a local APIC, if it is for a VM of this VMM's."""
        sender, vm = self._sender(found, at), found.places.vm_of_message(found.a[at], found.b[at])
        rung = found.doorbell[found.cause[at]] if sender.how == SignalledBy.DOORBELL else NONE
        if rung >= 0:
            key = found.places.doorbells[rung]
            self.direct[key] += 1
            led = found.places.led_to(key.doorbell.eventfd)
            if led is None:
                return None  # another VMM's interrupt
            vm = led[0]
        elif not self._is_ours(found, at, sender):
            return None
        fd = found.places.vms[vm].fd if vm >= 0 else None
        self.messages[MessageKey(fd, found.a[at], found.b[at])] += 1
        return self._signal(InterruptKey(fd, found.b[at] & 0xFF, found.apic[at]), found.tsc[at], sender)

    def _sender(self, found: Batch, at: int) -> Sender:
        """Who sends a message, by what the thread has just done."""
        thread, cause = found.thread[at], found.cause[at]
        kind = found.kind[cause] if cause >= 0 and found.tsc[at] - found.tsc[cause] <= self._at_once else None
        if kind == K.WRITE:
            return Sender(thread, CALLS.get(found.a[cause], SignalledBy.KERNEL))
        return Sender(thread, SignalledBy.DOORBELL if kind in ACCESSES else SignalledBy.KERNEL)

    def _is_ours(self, found: Batch, at: int, sender: Sender) -> bool:
        """Whether a message is for this VMM: another one signals its own guest by the same message."""
        pid, topology = self._threads.named(sender.thread, found.places.topology).pid, found.places.topology
        if pid == topology.process.pid or found.thread[at] in self._works_for:
            return True
        known = any((r.address, r.data) == (found.a[at], found.b[at]) for vm in topology.vms for r in vm.routes)
        return known and (pid not in self._vmms or sender.how == SignalledBy.DOORBELL)

    def _accepted(self, found: Batch, at: int) -> Letter | None:
        """A local APIC has taken it in: if no message has said so already, a line has caused it, or the vCPU itself.

        Of another VMM's vCPU that is its own guest's, but for a message: it may ring what interrupts this one.
        """
        origin = found.origin[at]
        kind = found.kind[origin] if origin >= 0 else None
        if (kind == K.MSI and found.b[origin] & 0xFF == found.a[at]) or found.thread[at] in self._foreign:
            return None
        only = found.places.vms[0].fd if len(found.places.vms) == 1 else None
        key = InterruptKey(only, found.a[at], found.b[at])
        if kind != K.SET_IRQ or found.tsc[at] - found.tsc[origin] > self._at_once:
            self._signal(key, found.tsc[at], Sender(0, SignalledBy.ITSELF))
            return None
        return self._signal(key, found.tsc[at], self._line_sender(found, origin))

    def _line_sender(self, found: Batch, line: int) -> Sender:
        """Who has changed a line: of a worker, who has queued its work."""
        thread = found.thread[line]
        if thread in self._works_for:
            return Sender(self._works_for[thread], SignalledBy.WRITE)
        return self._sender(found, line)

    def _work(self, found: Batch, at: int) -> None:
        thread, kind = found.thread[at], found.kind[at]
        if kind == K.WORK_QUEUED:
            self._queued[found.b[at]] = thread
        elif kind == K.WORK_STARTED:
            self._works_for[thread] = self._queued.get(found.b[at], 0)
        else:
            self._works_for.pop(thread, None)

    def _signal(self, key: InterruptKey, tsc: int, sender: Sender) -> Letter:
        self.sent[key] += 1
        self.senders[key, sender] += 1
        self._held.setdefault(key, tsc)
        return Letter(Turn.SENT, tsc, key)

    def _take(self, found: Batch, at: int) -> Letter | None:
        vm, number = found.vm[at], found.vcpu[at]
        if vm == NONE:
            return None
        key = InterruptKey(found.places.vms[vm].fd, found.a[at], number)
        sent = self._held.pop(key, None)
        if sent is None:
            return None  # injected once more, after an exit in the middle of it; or sent before it was listened to
        self.taken[key] += 1
        self._times[key].append(self._clock.ns(found.tsc[at] - sent))
        return Letter(Turn.TAKEN, found.tsc[at], key)


def vcpus_elsewhere(rows: HopRows, places: SeenPlaces) -> set[int]:
    """Threads that do what only vCPUs do, and are none of this VMM's that are known."""
    found = rows.thread[rows.of(*BY_A_VCPU) & (places.vm_of(rows) == NONE)]
    return set(np.unique(found).tolist())


def raised_elsewhere(rows: HopRows, foreign: set[int]) -> Mask:
    """Which interrupts other VMMs' vCPUs, these threads, cause for their own guests, by no message; shape (n,)."""
    if not foreign:
        return np.zeros(rows.records.size, bool)
    origin = newest_row_before(rows.thread, rows.acts & ~rows.of(K.ACCEPTED))
    by_message = (origin >= 0) & (rows.kind[origin] == K.MSI)
    by_themselves = rows.of(K.SET_IRQ) | (rows.of(K.ACCEPTED) & ~by_message)
    found: Mask = np.isin(rows.thread, list(foreign)) & by_themselves
    return found


def sent_elsewhere(rows: HopRows, places: SeenPlaces, doorbell: Indices, clock: Clock) -> Mask:
    """Which messages another VMM's guest gets, and what its local APICs say of them: a doorbell has sent each at once,
    and is no interrupt of this VMM's guests. doorbell: the one that each row rings. Shape (n,)."""
    origin = newest_row_before(rows.thread, rows.acts & ~rows.of(K.ACCEPTED, K.MSI))
    rung = np.where(origin >= 0, doorbell[origin], NONE)
    elsewhere = np.array([places.led_to(key.doorbell.eventfd) is None for key in places.doorbells] + [False])
    at_once = rows.tsc - rows.tsc[origin] <= clock.cycles(AT_ONCE_SECONDS)
    found: Mask = rows.of(K.MSI, K.ACCEPTED) & elsewhere[rung] & at_once
    return found


class Batch:
    """Columns of rows as plain numbers, which a loop reads much faster."""

    def __init__(self, rows: HopRows, places: SeenPlaces, doorbell: Indices) -> None:
        self.places = places
        acts = rows.acts & ~rows.of(K.ACCEPTED)
        origin = newest_row_before(rows.thread, acts)  # the same as the cause, but for other local APICs of one message
        self.kind: list[int] = rows.kind.tolist()
        self.tsc: list[int] = rows.tsc.tolist()
        self.thread: list[int] = rows.records["thread"].tolist()
        self.a: list[int] = rows.records["a"].tolist()
        self.b: list[int] = rows.records["b"].tolist()
        self.cause: list[int] = rows.cause.tolist()
        self.origin: list[int] = origin.tolist()
        self.doorbell: list[int] = doorbell.tolist()
        self.vm: list[int] = places.vm_of(rows).tolist()
        self.vcpu: list[int] = places.vcpu_of(rows).tolist()
        self.apic: list[int] = self._apics(rows, origin).tolist()

    def _apics(self, rows: HopRows, origin: Indices) -> Indices:
        """Of messages: the local APIC that has taken it in, or else the one that it is addressed to."""
        apic = (rows.records["a"] >> np.uint64(12) & np.uint64(0xFF)).astype(np.int64)
        told = np.flatnonzero(rows.of(K.ACCEPTED) & (origin >= 0))
        told = told[rows.kind[origin[told]] == K.MSI]
        apic[origin[told]] = rows.records["b"][told].astype(np.int64)
        return apic
