"""What bw-kernel tells of a process, as parts of a topology: engine/kernel/topology.h says what is in a record."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from bellwire.engine._core import lib
from bellwire.engine.attached.topology import SeenHits, SeenIoeventfd, SeenIrqfd, SeenVcpu, SeenVm
from bellwire.engine.events import STATS
from bellwire.engine.host.host import ROOT, comm_of
from bellwire.engine.kvm.gsi import PIC_PINS, GsiRoute
from bellwire.engine.kvm.ioeventfd import IoMatch

HEAD, RECORD = struct.Struct("=4I"), struct.Struct("=2I7Q")
NO_EVENTFD = 2**64 - 1
BUSES = {0: "mmio", 1: "pio", 2: "ccw", 4: "iocsr"}  # enum kvm_bus of linux/kvm_host.h
FAST_BUS = 3  # the MMIO bus that is looked up by address alone
IRQCHIPS = {0: "none", 1: "full", 2: "split"}  # enum kvm_irqchip_mode
CHIP, MSI = 1, 2  # KVM_IRQ_ROUTING_*
CHIPS = {0: lib.BW_ROUTE_PIC_MASTER, 1: lib.BW_ROUTE_PIC_SLAVE, 2: lib.BW_ROUTE_IOAPIC}  # KVM_IRQCHIP_*
OTHER_TARGET = 100  # added to a type of linux/kvm.h that is neither, as that of Xen's event channels


class SeenKind(IntEnum):
    """enum topology_kind of topology.h."""

    VM = 1
    VCPU = 2
    COUNTER = 3
    IOEVENTFD = 4
    IRQFD = 5
    ROUTE = 6
    EVENTFD = 7
    HIT = 8


HIT_BUSES = {1: "pio", 2: "mmio", 3: "fast"}  # enum hit_kind of hits.h
UNTOLD = {
    SeenKind.VCPU: "vcpus",
    SeenKind.IOEVENTFD: "ioeventfds",
    SeenKind.IRQFD: "irqfds",
    SeenKind.ROUTE: "routes",
}


@dataclass(frozen=True)
class SeenRecord:
    """One of them. vm: from 1 on, 0: none. value: six numbers."""

    kind: int
    fd: int
    vm: int
    value: tuple[int, ...]


@dataclass
class LookTaken:
    """One look: struct topology_head, and its records."""

    settled: bool
    dropped: int
    untold: tuple[str, ...]
    records: list[SeenRecord]


@dataclass
class VmParts:
    """What is gathered of a VM."""

    fd: int | None = None
    irqchip: str = ""
    vcpus: dict[int, SeenVcpu] = field(default_factory=dict)
    ioeventfds: list[SeenIoeventfd] = field(default_factory=list)
    irqfds: list[SeenIrqfd] = field(default_factory=list)
    routes: list[GsiRoute] = field(default_factory=list)

    def whole(self) -> SeenVm:
        """All of it."""
        vcpus = tuple(vcpu for _, vcpu in sorted(self.vcpus.items()))
        ioeventfds = tuple(one_a_call(self.ioeventfds))
        return SeenVm(self.fd, self.irqchip, vcpus, ioeventfds, tuple(self.irqfds), tuple(self.routes))


def look_taken(head: bytes, body: bytes) -> LookTaken:
    """What was written of one look."""
    _, settled, dropped, untold = HEAD.unpack(head)
    records = [SeenRecord(kind, fd, vm, tuple(value)) for kind, fd, vm, *value in RECORD.iter_unpack(body)]
    return LookTaken(
        bool(settled), dropped, tuple(name for kind, name in UNTOLD.items() if untold >> kind & 1), records
    )


def eventfds_told(records: Iterable[SeenRecord]) -> dict[int, tuple[int, ...]]:
    """id -> the process's fds of it."""
    found: dict[int, tuple[int, ...]] = {}
    for record in records:
        if record.kind == SeenKind.EVENTFD:
            found[record.value[0]] = (*found.get(record.value[0], ()), record.fd)
    return found


def counts_told(records: Iterable[SeenRecord]) -> dict[int, int]:
    """id -> the count that nobody has taken yet; of those that the process still has and this kernel tells."""
    return {one.value[0]: one.value[1] for one in records if one.kind == SeenKind.EVENTFD and one.value[2]}


def hits_told(records: Iterable[SeenRecord]) -> tuple[SeenHits, ...]:
    """What was counted."""
    hits = (one for one in records if one.kind == SeenKind.HIT and one.fd in HIT_BUSES)
    return tuple(SeenHits(HIT_BUSES[hit.fd], *hit.value[:4]) for hit in hits)


def vms_told(records: Iterable[SeenRecord], tasks: Path = ROOT / "proc/self/task") -> tuple[SeenVm, ...]:
    """The VMs, in the order in which they were found. tasks: where the names of the process's threads are."""
    found: dict[int, VmParts] = {}
    repeated = False  # the VM that is told of was told of before, by another fd of it
    for record in records:
        if not record.vm:
            continue
        parts = found.setdefault(record.vm, VmParts())
        if record.kind == SeenKind.VM:
            repeated = parts.fd is not None
            parts.fd = record.fd if parts.fd is None else parts.fd
            parts.irqchip = IRQCHIPS.get(record.value[0], "")
        elif record.kind in (SeenKind.VCPU, SeenKind.COUNTER):
            _take_vcpu(parts, record, tasks)
        elif not repeated:
            _take_part(parts, record)
    return tuple(parts.whole() for _, parts in sorted(found.items()))


def _take_vcpu(parts: VmParts, record: SeenRecord, tasks: Path) -> None:
    number, second, third = record.value[:3]
    if record.kind == SeenKind.VCPU:
        thread = comm_of(tasks / str(second)) if second else ""
        parts.vcpus.setdefault(number, SeenVcpu(number, second or None, thread))
    elif number in parts.vcpus and second < len(STATS):
        parts.vcpus[number].counters[STATS[second]] = third


def _take_part(parts: VmParts, record: SeenRecord) -> None:
    value = record.value
    if record.kind == SeenKind.IOEVENTFD:
        bus, address, length, datamatch, any_value, eventfd = value
        match = IoMatch(BUSES.get(bus, "mmio"), address, length, None if any_value else datamatch)
        parts.ioeventfds.append(SeenIoeventfd(match, eventfd, fast=bus == FAST_BUS))
    elif record.kind == SeenKind.IRQFD:
        parts.irqfds.append(SeenIrqfd(value[1], value[0], None if value[2] == NO_EVENTFD else value[2]))
    elif record.kind == SeenKind.ROUTE:
        gsi, kind, where, what = value[:4]
        second_pic = kind == CHIP and CHIPS.get(where) == lib.BW_ROUTE_PIC_SLAVE
        parts.routes.append(route_told(gsi, kind, where, what - PIC_PINS if second_pic else what))  # KVM counts both's


def route_told(gsi: int, kind: int, where: int, what: int) -> GsiRoute:
    """One route. kind: as in linux/kvm.h. where, what: a message's address and data, or a chip and its pin."""
    if kind == MSI:
        return GsiRoute(gsi, lib.BW_ROUTE_MSI, address=where, data=what)
    if kind == CHIP and where in CHIPS:
        return GsiRoute(gsi, CHIPS[where], pin=what)
    return GsiRoute(gsi, OTHER_TARGET + kind)


def one_a_call(seen: Iterable[SeenIoeventfd]) -> Iterator[SeenIoeventfd]:
    """One for one call: of any length on the MMIO bus KVM keeps two, of which the second is on the fast bus."""
    held: list[SeenIoeventfd] = []
    for one in seen:
        twin = SeenIoeventfd(one.match, one.eventfd)
        if one.fast and twin in held:
            held[held.index(twin)] = one
        else:
            held.append(one)
    yield from held
