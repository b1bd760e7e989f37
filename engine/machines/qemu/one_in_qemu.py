"""What machines have in common whose one guest, in an unmodified QEMU, has one device: both wires are of its own."""

from __future__ import annotations

from abc import abstractmethod

from bellwire.engine.events import EventfdRole
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.machines.qemu.guest_in_qemu import GuestInQemu, QemuGuest
from bellwire.engine.machines.qemu.machine_in_qemu import MachineInQemu
from bellwire.engine.machines.stamping import GuestProgram
from bellwire.engine.scenarios.scenario import Doorbell, Interrupt


class OneInQemu(MachineInQemu):
    """cpus: for QEMU's vCPU and its I/O thread; by default two of this process's."""

    vmm: GuestInQemu

    def _build(self, doorbell: Doorbell, interrupt: Interrupt) -> None:
        program = GuestProgram(self.scenario.guest, self.limit, doorbell, interrupt.vector)
        guest = self._stack.enter(QemuGuest(program))
        devices, fds = self._device(guest, doorbell)
        self.vmm = self._stack.enter(GuestInQemu(guest, devices, fds))
        self.guests, self.vmms = [guest], [self.vmm]
        self._name_partner()

    @abstractmethod
    def _device(self, guest: QemuGuest, doorbell: Doorbell) -> tuple[list[str], tuple[int, ...]]:
        """Makes the device: its part of QEMU's command, and the fds that this names."""

    @abstractmethod
    def _name_partner(self) -> None:
        """Who waits for the guest's doorbells: partner and partner_pid."""

    def start(self) -> None:
        """Lets QEMU run the guest; the pace is still held."""
        self.vmm.start(*self.cpus)

    def counts(self) -> dict[EventfdRole, int | None]:
        """Both eventfds are QEMU's."""
        return {EventfdRole.DOORBELL: None, EventfdRole.IRQ: None}

    def signal_threads(self) -> SignalThreads:
        """All of QEMU's."""
        return SignalThreads(processes={self.vmm.qemu.pid: 0})
