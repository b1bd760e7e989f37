"""Two QEMUs, each with a guest: the doorbell of guest A is the interrupt of guest B, by ivshmem.

Each QEMU has a device ivshmem-doorbell, and this program is their ivshmem server: it makes one eventfd for each of the
two, and gives both to both. A's QEMU registers B's eventfd as an ioeventfd for what A writes to ring B; B's QEMU
registers the same eventfd as an irqfd, once B's driver has enabled the device's messages. So A's store is B's
interrupt, and neither QEMU nor this program has a part in it: what engine/machines/two_guests.py does in one process.

The number of a doorbell goes by the page that both guests share, their devices' BAR 2.
"""

from __future__ import annotations

import time
from dataclasses import replace

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventfdRole
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.kvm.partners.ivshmem import IvshmemServer
from bellwire.engine.kvm.partners.qemu import ivshmem_devices, qemu_refusal
from bellwire.engine.language import tr
from bellwire.engine.machines.qemu.guest_in_qemu import GuestInQemu, QemuGuest
from bellwire.engine.machines.qemu.machine_in_qemu import MachineInQemu
from bellwire.engine.machines.stamping import GuestProgram
from bellwire.engine.machines.two_guests import NO_HOST_THREAD
from bellwire.engine.scenarios.scenario import Doorbell, Interrupt

HEARING_SECONDS = 5.0  # how long a QEMU may take to read what it is told


class TwoQemus(MachineInQemu):
    """Guest A rings, guest B is interrupted. cpus: for A's vCPU and B's; by default two of this process's."""

    @classmethod
    def refusal(cls) -> str:
        """QEMU may not be installed."""
        return qemu_refusal()

    def _build(self, doorbell: Doorbell, interrupt: Interrupt) -> None:
        """B, which never rings, could ring A: each is the other's peer."""
        enter = self._stack.enter
        self.cannot |= {"interrupt": NO_HOST_THREAD}
        self.server = enter(IvshmemServer(lib.BW_PAGE_SIZE, 2))
        bells = [doorbell, replace(doorbell, value=0)]
        programs = [GuestProgram(self.scenario.guest, self.limit, bell, interrupt.vector) for bell in bells]
        self.guests = [enter(QemuGuest(program, index)) for index, program in enumerate(programs)]
        connections = [self.server.connection(guest.index) for guest in self.guests]
        self.vmms = [
            enter(GuestInQemu(guest, ivshmem_devices(connection), (connection.fileno(),)))
            for guest, connection in zip(self.guests, connections, strict=True)
        ]
        self.partner = ", ".join(str(vmm.qemu) for vmm in self.vmms)

    def start(self) -> None:
        """Lets both run; the pace is still held. By then each QEMU has registered what it was told of."""
        for vmm, cpu in zip(self.vmms, self.cpus, strict=True):
            self._wait_until_heard(vmm)
            vmm.start(cpu)

    def _wait_until_heard(self, vmm: GuestInQemu) -> None:
        """Or until it has ended, which trouble() tells. Its next answer comes after all that it has read."""
        until = time.monotonic() + HEARING_SECONDS
        while not self.server.has_read(vmm.guest.index) and vmm.qemu.exit_code is None:
            if time.monotonic() > until:
                raise EngineError(
                    vmm.qemu.stop_told()
                    or tr("{program} does not read what its ivshmem server says.", program=vmm.qemu)
                )
            time.sleep(0.0005)

    def counts(self) -> dict[EventfdRole, int | None]:
        """The count of the eventfd that interrupts B, which is A's doorbell's."""
        count = self.server.eventfds[self.listener.index].count()
        return {EventfdRole.DOORBELL: count, EventfdRole.IRQ: count}

    def signal_threads(self) -> SignalThreads:
        """All of both QEMUs'."""
        return SignalThreads(processes={vmm.qemu.pid: vmm.guest.index for vmm in self.vmms})
