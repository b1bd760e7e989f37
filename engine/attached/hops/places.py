"""What records are about, of a VMM whose topology is known: which doorbell, which vCPU, whose thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bellwire.engine.attached.hops.rows import NONE, HopRows, Indices, Mask
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, SeenVm, Topology
from bellwire.engine.host.host import ROOT, comm_of
from bellwire.engine.kernel.records import RecordKind

WRITES_PIO, WRITES_MMIO = 1, 2  # d of such records, if the guest writes
LONGEST_THREAD = 16  # characters: the kernel keeps no more of a program's


@dataclass(frozen=True)
class HopThread:
    """A thread and the process that it is of; pid 0: it has ended before anybody looked, or is the kernel's."""

    tid: int
    name: str = ""
    pid: int = 0
    program: str = ""


@dataclass(frozen=True)
class DoorbellKey:
    """One of a VM's doorbells. vm: the VMM's fd of the VM."""

    vm: int | None
    doorbell: SeenIoeventfd


class HopThreads:
    """Names of threads, each looked up once."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root, self._known = root, dict[int, HopThread]()

    def named(self, tid: int, topology: Topology) -> HopThread:
        """A thread of the VMM, or of a process that holds an end of one of its wires."""
        if tid not in self._known:
            self._known[tid] = self._found(tid, topology)
        return self._known[tid]

    def _found(self, tid: int, topology: Topology) -> HopThread:
        process = topology.process
        for pid, program in ((process.pid, process.name), *topology.partners):
            if name := comm_of(self._root / "proc" / str(pid) / "task" / str(tid), LONGEST_THREAD):
                return HopThread(tid, name, pid, program)
        return HopThread(tid, comm_of(self._root / "proc" / str(tid), LONGEST_THREAD))


class SeenPlaces:
    """A topology, by what records tell. doorbells: a key each, in the order of their indices.

    vcpus: thread -> the VM's index and the vCPU's number.
    """

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self._placed = [(index, one) for index, vm in enumerate(topology.vms) for one in vm.ioeventfds]
        self.doorbells = [DoorbellKey(topology.vms[index].fd, one) for index, one in self._placed]
        self.vcpus = {
            vcpu.tid: (index, vcpu.number) for index, vm in enumerate(topology.vms) for vcpu in vm.vcpus if vcpu.tid
        }

    @property
    def vms(self) -> tuple[SeenVm, ...]:
        """The VMs, by their indices."""
        return self.topology.vms

    def vm_of(self, rows: HopRows) -> Indices:
        """The VM whose vCPU each row is in; NONE: of none of this VMM's."""
        return looked_up({tid: vm for tid, (vm, _) in self.vcpus.items()}, rows)

    def vcpu_of(self, rows: HopRows) -> Indices:
        """The number of the vCPU that each row is in; NONE."""
        return looked_up({tid: number for tid, (_, number) in self.vcpus.items()}, rows)

    def doorbell_of(self, rows: HopRows) -> Indices:
        """The doorbell that each row rings; NONE: none."""
        found = np.full(rows.records.size, NONE)
        written = self._written(rows)
        if not written.any():
            return found
        records, vms = rows.records, self.vm_of(rows)
        addresses = set(np.unique(records["a"][written]).tolist())
        for number, (vm, one) in enumerate(self._placed):
            if one.match.address in addresses:
                found[written & (vms == vm) & takes_writes(rows, one)] = number
        return found

    def _written(self, rows: HopRows) -> Mask:
        """What a guest has written to a device."""
        direction = rows.records["d"]
        ports = rows.of(RecordKind.PIO) & (direction == WRITES_PIO)
        stores = rows.of(RecordKind.MMIO) & (direction == WRITES_MMIO)
        written: Mask = ports | stores | rows.of(RecordKind.FAST_MMIO)
        return written

    def led_to(self, eventfd: int) -> tuple[int, SeenIrqfd] | None:
        """The VM of this VMM, by its index, whose interrupt an eventfd is, and which; None."""
        return next(
            ((vm, irqfd) for vm, seen in enumerate(self.vms) for irqfd in seen.irqfds if irqfd.eventfd == eventfd), None
        )

    def vm_of_message(self, address: int, data: int) -> int:
        """The VM that a message is for, by its routes; NONE if several or none have it."""
        has = [
            index
            for index, vm in enumerate(self.vms)
            if any((route.address, route.data) == (address, data) for route in vm.routes)
        ]
        only = 0 if len(self.vms) == 1 else NONE
        return has[0] if len(has) == 1 else only


def takes_writes(rows: HopRows, one: SeenIoeventfd) -> Mask:
    """Which rows are at a doorbell, with the length and the value that it takes."""
    records, match = rows.records, one.match
    at = records["a"] == np.uint64(match.address)
    kind = RecordKind.PIO if match.bus == "pio" else RecordKind.MMIO
    takes = rows.of(kind)
    if match.length:
        takes &= records["c"] == match.length
    if match.datamatch is not None:
        takes &= records["b"] == np.uint64(match.datamatch)
    if one.fast:
        takes |= rows.of(RecordKind.FAST_MMIO)
    found: Mask = at & takes
    return found


def looked_up(table: Mapping[int, int], rows: HopRows) -> Indices:
    """What stands in a table by thread, of each row's; NONE."""
    different, which = np.unique(rows.thread, return_inverse=True)
    values = np.array([table.get(thread, NONE) for thread in different.tolist()], np.int64)
    return values[which] if different.size else np.empty(0, np.int64)
