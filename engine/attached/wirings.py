"""What a VMM has registered at each moment: what looks find, and between them each change that the kernel tells of.

A look takes its time, and what is registered meanwhile it may have seen or not: such a look tells nothing of the wires.
What nobody tells of (an eventfd that is closed, records that found no room) the next look finds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from bellwire.engine._core import lib
from bellwire.engine.attached.records import NO_EVENTFD, route_told
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, SeenVm, Topology
from bellwire.engine.events import Clock, Records, chosen
from bellwire.engine.kernel.records import RecordKind
from bellwire.engine.kvm.ioeventfd import IoMatch

CCW = 8  # KVM_IOEVENTFD_FLAG_VIRTIO_CCW_NOTIFY
BYTE, HALF = 0xFF, 0xFFFFFFFF
FLAGS_AT, TOOK_AT, UPPER_AT = 8, 16, 32  # where they stand in `c`, and what else is in upper halves (record.h)
TOOK_NS = 1 << 14
KINDS = (RecordKind.IOEVENTFD, RecordKind.IRQFD, RecordKind.ROUTES, RecordKind.ROUTE)

Values = tuple[int, int, int, int]  # a to d of a record
VmChange = Callable[[SeenVm], SeenVm]
Change = Callable[[Topology], Topology]


@dataclass(frozen=True)
class WiredRecords:
    """records: in order; topology: what was registered while they happened, since a TSC; 0: as before."""

    topology: Topology
    since: int
    records: Records


@dataclass(frozen=True)
class WireChange:
    """What was registered in a VM, by the VMM's fd of it: asked for at `tsc`, and done at `until`."""

    tsc: int
    until: int
    vm: int
    change: VmChange

    def applied(self, topology: Topology) -> Topology:
        """What is registered then."""
        vms = tuple(self.change(vm) if vm.fd == self.vm else vm for vm in topology.vms)
        return replace(topology, vms=vms)


@dataclass(frozen=True)
class DatedLook:
    """What was found, between two TSCs."""

    began: int
    ended: int
    seen: Topology

    def crosses(self, change: WireChange) -> bool:
        """Whether it is not known if it has seen a change."""
        return change.tsc <= self.ended and change.until >= self.began

    def wired(self, topology: Topology) -> Topology:
        """With the wires that it has found."""
        return with_known_wires(topology, self.seen)


class Wirings:
    """Of one VMM. topology: as of the newest part; at first what a look has found, which has ended at a TSC."""

    def __init__(self, clock: Clock, topology: Topology, looked: int) -> None:
        self.topology = topology
        self._clock = clock
        self._looks, self._changes = deque[DatedLook](), list[WireChange]()
        self._complete, self._has_new = looked, False

    def look(self, seen: Topology, began: int, ended: int) -> None:
        """What a look has found between these TSCs.

        Its wires hold once all records from before its end are there. The rest holds at once: whoever runs a vCPU has
        done so before.
        """
        self._looks.append(DatedLook(began, ended, seen))
        before, self.topology = self.topology, with_known_wires(seen, self.topology)
        self._has_new |= self.topology != before

    def parts(self, records: Records, complete: int) -> list[WiredRecords]:
        """The next batch, rising by tsc, in parts in which the same was registered.

        complete: TSC up to which everything is there. What tells of the wires is not among their records.
        """
        is_wire = np.isin(records["kind"], KINDS)
        others = chosen(records, ~is_wire) if is_wire.any() else records
        parts, begin, since = list[WiredRecords](), 0, self._complete if self._has_new else 0
        for tsc, after in self._steps(chosen(records, is_wire), complete):
            before, self.topology = self.topology, after(self.topology)
            if self.topology != before:
                end = int(np.searchsorted(others["tsc"], np.uint64(tsc)))
                parts.append(WiredRecords(before, since, others[begin:end]))
                begin, since = max(begin, end), max(tsc, since)
        self._complete, self._has_new = max(complete, self._complete), False
        return [*parts, WiredRecords(self.topology, since, others[begin:])]

    def _steps(self, wires: Records, complete: int) -> list[tuple[int, Change]]:
        """What changes, in order: when, and how."""
        new = list(self._told(wires))
        self._changes += new
        steps: list[tuple[int, Change]] = [(one.tsc, one.applied) for one in new]
        while self._looks and self._looks[0].ended <= complete:
            look = self._looks.popleft()
            if not any(look.crosses(one) for one in self._changes):
                steps.append((look.ended, look.wired))
        oldest = self._looks[0].began if self._looks else complete
        self._changes = [one for one in self._changes if one.until >= oldest]
        return sorted(steps, key=lambda step: step[0])

    def _told(self, wires: Records) -> Iterator[WireChange]:
        """What the kernel has told."""
        process = self.topology.process.pid
        rows: list[tuple[int, int, int, Values]] = [
            (
                int(one["tsc"]),
                int(one["kind"]),
                int(one["thread"]),
                (int(one["a"]), int(one["b"]), int(one["c"]), int(one["d"])),
            )
            for one in wires
        ]
        for at, (tsc, kind, thread, values) in enumerate(rows):
            how, ids = values[2:]
            if kind == RecordKind.ROUTE or how >> UPPER_AT != process:
                continue
            if kind == RecordKind.ROUTES:
                table = [more[3] for more in rows[at + 1 :] if more[:3] == (tsc, RecordKind.ROUTE, thread)]
                if len(table) < values[0]:  # some found no room
                    continue
                change = routing_changed(table[: values[0]])
            else:
                change = ioeventfd_changed(values) if kind == RecordKind.IOEVENTFD else irqfd_changed(values)
            took = self._clock.cycles((how >> TOOK_AT & 0xFFFF) * TOOK_NS / 1e9)
            yield WireChange(tsc, tsc + took, ids >> UPPER_AT, change)


def with_known_wires(topology: Topology, known: Topology) -> Topology:
    """With the wires of the same VMs of another one; a VM that that has not keeps its own."""
    vms = {vm.fd: vm for vm in known.vms}
    return replace(topology, vms=tuple(with_wires_of(vms.get(vm.fd, vm), vm) for vm in topology.vms))


def with_wires_of(known: SeenVm, vm: SeenVm) -> SeenVm:
    """A VM with the wires of another one."""
    return replace(vm, ioeventfds=known.ioeventfds, irqfds=known.irqfds, routes=known.routes)


def ioeventfd_changed(values: Values) -> VmChange:
    """KVM_IOEVENTFD."""
    address, datamatch, how, ids = values
    flags, length = how >> FLAGS_AT & BYTE, how & BYTE
    pio = flags & lib.KVM_IOEVENTFD_FLAG_PIO
    bus = "pio" if pio else "ccw" if flags & CCW else "mmio"
    match = IoMatch(bus, address, length, datamatch if flags & lib.KVM_IOEVENTFD_FLAG_DATAMATCH else None)
    one = SeenIoeventfd(match, ids & HALF, fast=bus == "mmio" and not length)
    gone = bool(flags & lib.KVM_IOEVENTFD_FLAG_DEASSIGN)

    def change(vm: SeenVm) -> SeenVm:
        left = tuple(known for known in vm.ioeventfds if known != one)
        return replace(vm, ioeventfds=left if gone else (*left, one))

    return change


def irqfd_changed(values: Values) -> VmChange:
    """KVM_IRQFD, which takes away whatever leads from the eventfd to the GSI."""
    gsi, resample, how, ids = values
    flags, eventfd = how >> FLAGS_AT & BYTE, ids & HALF
    resampled = resample if flags & lib.KVM_IRQFD_FLAG_RESAMPLE and resample != NO_EVENTFD else None
    gone = bool(flags & lib.KVM_IRQFD_FLAG_DEASSIGN)

    def change(vm: SeenVm) -> SeenVm:
        left = tuple(known for known in vm.irqfds if (known.eventfd, known.gsi) != (eventfd, gsi))
        return replace(vm, irqfds=left if gone else (*left, SeenIrqfd(eventfd, gsi, resampled)))

    return change


def routing_changed(table: list[Values]) -> VmChange:
    """KVM_SET_GSI_ROUTING, which replaces all routes. KVM has the pins of a GSI in the opposite order."""
    told = [route_told(gsi & HALF, gsi >> UPPER_AT, where, what) for gsi, where, what, _ in table]
    told.reverse()
    routes = tuple(sorted(told, key=lambda route: route.gsi))
    return lambda vm: replace(vm, routes=routes)
