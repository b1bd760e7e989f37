"""VMs with ioeventfds, irqfds, routes and vCPUs as chance has it, and what was registered by the engine's own table."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.attached.topology import SeenVm
from bellwire.engine.errors import KvmError
from bellwire.engine.kvm.gsi import GSI_COUNT, GsiRoute
from bellwire.engine.kvm.ioeventfd import LENGTHS, Ioeventfd
from bellwire.engine.kvm.irqfd import Irqfd
from bellwire.engine.kvm.owner import Belongings, Eventfd
from bellwire.engine.kvm.vcpu import Vcpu
from bellwire.engine.kvm.vm import Kvm, Memory, Vm

MANY = 0.02  # share of VMs that have thousands of each


class RandomWiring(Belongings):
    """A VM. What KVM refuses, as two doorbells at one place, is not registered and not in the table."""

    def __init__(self, kvm: Kvm, memory: Memory, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        self.vm = self.enter(Vm(kvm))
        self.split = chance.random() < 0.3
        if self.split:
            self.vm.enable_split_irqchip()
        else:
            self.vm.create_irqchip()
        self.vcpus = [self.enter(Vcpu(self.vm, memory, None, number)).fd for number in range(chance.randrange(3))]
        self.eventfds = [self.enter(Eventfd()) for _ in range(chance.randrange(1, 12))]
        self.many = chance.random() < MANY
        for _ in range(2000 if self.many else chance.randrange(12)):
            self.add_ioeventfd()
        for _ in range(chance.randrange(8)):
            self.add_irqfd()
        if chance.random() < 0.7:
            self.route()

    def add_ioeventfd(self) -> None:
        """One at a random place, of those where several collide."""
        chance, length = self.chance, self.chance.choice(LENGTHS)
        address = chance.choice((0x510, 0x514, 0xFE003000, 2**40, chance.randrange(2**48), 2**64 - 16))
        datamatch = chance.choice((None, 0, chance.randrange(2**64)))
        with suppress(KvmError):
            Ioeventfd(
                self.vm, chance.choice(self.eventfds), address, length, pio=chance.random() < 0.4, datamatch=datamatch
            )

    def add_irqfd(self) -> None:
        """One, of which some share a GSI, and some have a resamplefd."""
        chance = self.chance
        gsi = chance.choice((chance.randrange(24), chance.randrange(GSI_COUNT)))
        resamplefd = chance.choice(self.eventfds) if chance.random() < 0.3 else None
        with suppress(KvmError):
            Irqfd(self.vm, chance.choice(self.eventfds), gsi, resamplefd)

    def route(self) -> None:
        """Another table."""
        chance = self.chance
        routes = []
        for gsi in sorted(chance.sample(range(GSI_COUNT), 3000 if self.many else chance.randrange(40))):
            pin = chance.randrange(24)
            if self.split or chance.random() < 0.7:
                address = lib.BW_LOCAL_APIC | chance.randrange(256) << 12
                routes.append(GsiRoute(gsi, lib.BW_ROUTE_MSI, address=address, data=chance.randrange(2**16)))
            elif pin < 16 and chance.random() < 0.5:
                routes += [GsiRoute.pic(gsi, pin), GsiRoute.ioapic(gsi, pin)]
            else:
                routes.append(GsiRoute.ioapic(gsi, pin))
        self.vm.set_gsi_routing(*routes)

    def change(self) -> None:
        """Takes something away, or adds it."""
        registered = [*self.vm.ioeventfds, *self.vm.irqfds]
        change = self.chance.choice((self.add_ioeventfd, self.add_irqfd, self.route, None))
        if change:
            change()
        elif registered:
            self.chance.choice(registered).close()

    def table(self) -> tuple[Any, ...]:
        """What the engine itself knows of it, as seen() has it."""
        ioeventfds: Any = self.vm.ioeventfds
        irqfds: Any = self.vm.irqfds
        return (
            self.vm.irqchip,
            list(range(len(self.vcpus))),
            [(one.match, one.eventfd.id, one.match.bus == "mmio" and not one.match.length) for one in ioeventfds],
            Counter((one.eventfd_id, one.gsi, one.resamplefd.id if one.resamplefd else None) for one in irqfds),
            Counter(self.vm.routes),
        )


def seen_table(vm: SeenVm) -> tuple[Any, ...]:
    """The same of what is seen from outside."""
    return (
        vm.irqchip,
        [vcpu.number for vcpu in vm.vcpus],
        [(one.match, one.eventfd, one.fast) for one in vm.ioeventfds],
        Counter((one.eventfd, one.gsi, one.resample) for one in vm.irqfds),
        Counter(vm.routes),
    )
