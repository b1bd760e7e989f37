"""VMMs as they are seen from outside, for what shows them: a few parts, and more than have room."""

from __future__ import annotations

from bellwire.engine.attached.eventfds import EventfdHolder
from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, SeenVcpu, SeenVm, Topology
from bellwire.engine.attached.watched import Rates
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import IoMatch

VMM = KvmProcess(4213, 1, 0, "qemu-system-x86_64", "web", 1, 1)
HIDDEN = KvmProcess(4300, 1, 4_000_000, "firecracker", "tiny")
DAEMON, OTHER = EventfdHolder(90, "qemu-storage-daemon", (12,)), EventfdHolder(711, "virtiofsd", (7, 8))
VM = SeenVm(
    11,
    "full",
    (SeenVcpu(0, 33, "CPU 0/KVM", {"exits": 2500, "irq_injections": 1200}),),
    (SeenIoeventfd(IoMatch("mmio", 0xFE003000, 0), 70, fast=True), SeenIoeventfd(IoMatch("pio", 0x510, 2, 9), 71)),
    (SeenIrqfd(72, 2), SeenIrqfd(73, 5, 74)),
    (GsiRoute.msi(2, 0x40), GsiRoute.pic(5, 5), GsiRoute.ioapic(5, 5)),
)
SEEN = Topology(
    VMM,
    (VM,),
    {70: (19,), 71: (20,), 72: (21,), 73: (22,)},
    {70: (DAEMON,), 72: (OTHER, DAEMON)},
    counts={70: 3, 71: 10**6},
)
RATES: Rates = {(11, 0, "exits"): 1234.0, (11, 0, "irq_injections"): 99.0}


def crowded(wires: int = 40, vcpus: int = 8) -> Topology:
    """One with more of everything than a picture has room for."""
    doorbells = tuple(SeenIoeventfd(IoMatch("mmio", 0xFE000000 + n, 4), 100 + n) for n in range(wires // 2))
    irqfds = tuple(SeenIrqfd(500 + n, 24 + n) for n in range(wires - len(doorbells)))
    vm = SeenVm(11, "split", tuple(SeenVcpu(n, None) for n in range(vcpus)), doorbells, irqfds)
    return Topology(VMM, (vm,), hidden=2, settled=False)
