"""What was registered with KVM, as JSON in a recording, and read back through the door: into values of known ranges.

Numbers of processes and threads may be hidden (`--hide pid`): in place of each is one that no process has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from bellwire.engine.attached.eventfds import EventfdHolder
from bellwire.engine.attached.processes import LARGEST_PID, LONGEST_NAME, KvmProcess
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, SeenVcpu, SeenVm, Topology
from bellwire.engine.kvm.gsi import GSI_COUNT, GsiRoute
from bellwire.engine.kvm.ioeventfd import LENGTHS, IoMatch
from bellwire.engine.language import tr
from bellwire.engine.recordings.metadata import Table

MOST_NUMBER = 1 << 24  # of processes and threads, hidden ones included
MOST_MACHINES, MOST_OF_VM, MOST_FDS = 64, 20_000, 4096
MOST_FD, MOST_EVENTFD = 2**31 - 1, 2**31 - 1  # both are an int of the kernel's
BUSES = ("pio", "mmio", "ccw", "iocsr")
IRQCHIPS = ("", "none", "full", "split")
LISTS = ("vcpus", "ioeventfds", "irqfds", "routes")

Number = Callable[[int], int]  # of a process or a thread, as it is to be written


class HiddenNumbers:
    """In place of each number one that is no process's, the same each time."""

    def __init__(self) -> None:
        self._given: dict[int, int] = {}

    def __call__(self, number: int) -> int:
        return self._given.setdefault(number, LARGEST_PID + 1 + len(self._given)) if number else 0


# -- to JSON


def topology_to_json(topology: Topology, number: Number = int) -> dict[str, Any]:
    """All of it but counts and hits, which are events. number: what stands for a process or a thread."""
    process = topology.process
    holders = [
        {"eventfd": eventfd, "pid": number(one.pid), "name": one.name, "fds": list(one.fds)}
        for eventfd, some in topology.holders.items()
        for one in some
    ]
    return {
        "process": {"pid": number(process.pid), "name": process.name, "guest": process.guest},
        "vms": [vm_to_json(vm, number) for vm in topology.vms],
        "eventfds": [{"eventfd": eventfd, "fds": list(fds)} for eventfd, fds in topology.eventfds.items()],
        "holders": holders,
        "hidden": topology.hidden,
        "settled": int(topology.settled),
        "dropped": topology.dropped,
        "untold": [LISTS.index(name) for name in topology.untold],
    }


def vm_to_json(vm: SeenVm, number: Number) -> dict[str, Any]:
    """One VM; what is none is left out."""
    return {
        **({} if vm.fd is None else {"fd": vm.fd}),
        "irqchip": vm.irqchip,
        "vcpus": [{"number": vcpu.number, "tid": number(vcpu.tid or 0), "thread": vcpu.thread} for vcpu in vm.vcpus],
        "ioeventfds": [ioeventfd_to_json(one) for one in vm.ioeventfds],
        "irqfds": [given(asdict(irqfd)) for irqfd in vm.irqfds],
        "routes": [asdict(route) for route in vm.routes],
    }


def ioeventfd_to_json(one: SeenIoeventfd) -> dict[str, Any]:
    """A doorbell; without datamatch where any value does."""
    return {**given(asdict(one.match)), "eventfd": one.eventfd, "fast": int(one.fast)}


def given(members: dict[str, Any]) -> dict[str, Any]:
    """Those that there are."""
    return {name: value for name, value in members.items() if value is not None}


# -- from JSON


def topology_from_json(content: Table) -> Topology:
    """The topology that this JSON describes; ValueError if it describes none."""
    holders: dict[int, tuple[EventfdHolder, ...]] = {}
    for table in content.tables("holders", MOST_OF_VM):
        eventfd = table.whole("eventfd", 0, MOST_EVENTFD)
        one = EventfdHolder(number_in(table, "pid"), table.text("name", LONGEST_NAME), fds_in(table))
        holders[eventfd] = (*holders.get(eventfd, ()), one)
    return Topology(
        process_from_json(content.table("process")),
        tuple(vm_from_json(table) for table in content.tables("vms", MOST_MACHINES)),
        {
            table.whole("eventfd", 0, MOST_EVENTFD): fds_in(table)
            for table in content.tables("eventfds", 2 * MOST_OF_VM)
        },
        holders,
        content.whole("hidden", 0, MOST_NUMBER),
        bool(content.whole("settled", 0, 1)),
        content.whole("dropped"),
        tuple(LISTS[number] for number in content.wholes("untold", len(LISTS), len(LISTS) - 1)),
    )


def process_from_json(content: Table) -> KvmProcess:
    """Who it was; when it was started, and whose it was, no recording tells."""
    name, guest = (content.text(key, LONGEST_NAME) for key in ("name", "guest"))
    return KvmProcess(number_in(content, "pid"), 0, 0, name, guest, 1)


def number_in(content: Table, key: str) -> int:
    """The number of a process or a thread; 0: none."""
    return content.whole(key, 0, MOST_NUMBER - 1)


def fds_in(content: Table) -> tuple[int, ...]:
    """The file descriptors of something."""
    return content.wholes("fds", MOST_FDS, MOST_FD)


def vm_from_json(content: Table) -> SeenVm:
    """One VM."""
    return SeenVm(
        content.whole("fd", 0, MOST_FD) if "fd" in content else None,
        content.choice("irqchip", IRQCHIPS),
        tuple(vcpu_from_json(table) for table in content.tables("vcpus", MOST_FDS)),
        tuple(ioeventfd_from_json(table) for table in content.tables("ioeventfds", MOST_OF_VM)),
        tuple(irqfd_from_json(table) for table in content.tables("irqfds", MOST_OF_VM)),
        tuple(route_from_json(table) for table in content.tables("routes", GSI_COUNT)),
    )


def vcpu_from_json(content: Table) -> SeenVcpu:
    """A vCPU and its thread."""
    thread = content.text("thread", LONGEST_NAME)
    return SeenVcpu(content.whole("number", 0, 2**32 - 1), number_in(content, "tid") or None, thread)


def ioeventfd_from_json(content: Table) -> SeenIoeventfd:
    """A doorbell."""
    length = content.whole("length", 0, max(LENGTHS))
    if length not in LENGTHS:
        raise ValueError(tr("a doorbell of a length that there is not"))
    datamatch = content.whole("datamatch", 0, 2**64 - 1) if "datamatch" in content else None
    match = IoMatch(content.choice("bus", BUSES), content.whole("address", 0, 2**64 - 1), length, datamatch)
    return SeenIoeventfd(match, content.whole("eventfd", 0, MOST_EVENTFD), bool(content.whole("fast", 0, 1)))


def irqfd_from_json(content: Table) -> SeenIrqfd:
    """An interrupt."""
    resample = content.whole("resample", 0, MOST_EVENTFD) if "resample" in content else None
    return SeenIrqfd(content.whole("eventfd", 0, MOST_EVENTFD), content.whole("gsi", 0, 2**32 - 1), resample)


def route_from_json(content: Table) -> GsiRoute:
    """Where a GSI leads. A pin of a type that is not known may have any number."""
    most = {"gsi": 2**32 - 1, "type": 2**32, "pin": 2**32, "address": 2**64 - 1, "data": 2**32 - 1}
    return GsiRoute(*(content.whole(key, 0, limit) for key, limit in most.items()))
