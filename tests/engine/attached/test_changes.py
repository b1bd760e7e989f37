"""What came and what went between two looks, each as a sentence."""

from __future__ import annotations

from dataclasses import replace

from bellwire.engine.attached.changes import TopologyChange, topology_changes
from bellwire.engine.attached.eventfds import EventfdHolder
from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, SeenVcpu, SeenVm, Topology
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import IoMatch

VMM = KvmProcess(7, 1, 0, "qemu")
DOORBELL = SeenIoeventfd(IoMatch("pio", 0x510, 2, 9), 70)
VM = SeenVm(
    4, "full", (SeenVcpu(0, 33, "vcpu", {"exits": 1}),), (DOORBELL,), (SeenIrqfd(71, 5),), (GsiRoute.msi(5, 64),)
)
BEFORE = Topology(VMM, (VM,))


def told(before: Topology, after: Topology) -> list[str]:
    """The sentences."""
    return [str(change) for change in topology_changes(before, after)]


def test_nothing_has_changed() -> None:
    counted = replace(VM, vcpus=(replace(VM.vcpus[0], counters={"exits": 900}),))
    assert told(BEFORE, BEFORE) == told(BEFORE, replace(BEFORE, vms=(counted,))) == []


def test_each_part_is_told_as_it_comes_and_as_it_goes() -> None:
    empty = Topology(VMM, ())
    parts = [
        "VM of fd 4",
        "vCPU 0",
        "ioeventfd at port 0x510, length 2, value 0x9 to eventfd 70",
        "irqfd of eventfd 71 to GSI 5",
        "route of GSI 5 to MSI vector 0x40 at APIC 0",
    ]
    assert told(empty, BEFORE) == [f"New: {part}." for part in parts]
    assert told(BEFORE, empty) == [f"Gone: {part}." for part in parts]


def test_a_route_that_leads_elsewhere_goes_and_comes() -> None:
    routed = replace(VM, routes=(GsiRoute.msi(5, 65),))
    assert told(BEFORE, replace(BEFORE, vms=(routed,))) == [
        "Gone: route of GSI 5 to MSI vector 0x40 at APIC 0.",
        "New: route of GSI 5 to MSI vector 0x41 at APIC 0.",
    ]


def test_one_of_two_that_are_equal_counts() -> None:
    twice = replace(VM, irqfds=VM.irqfds * 2)
    found = topology_changes(replace(BEFORE, vms=(twice,)), BEFORE)
    assert found == [TopologyChange("irqfd", False, VM.irqfds[0], 4)]


def test_who_holds_the_other_end_is_told() -> None:
    daemon = EventfdHolder(9, "qemu-storage-daemon", (12,))
    held = replace(BEFORE, holders={70: (daemon,)})
    assert told(BEFORE, held) == ["qemu-storage-daemon, pid 9 holds eventfd 70 now."]
    assert told(held, BEFORE) == ["qemu-storage-daemon, pid 9 does not hold eventfd 70 any more."]
    assert held.partners == ((9, "qemu-storage-daemon"),)
    assert replace(held, holders={99: (daemon,)}).partners == ()
