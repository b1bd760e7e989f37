"""The guest of a real QEMU, which has a virtio disk: QEMU is VMM and device in one, and knows nothing of us.

This program starts QEMU and gives it the guest's memory; both wires are QEMU's own: it registers the ioeventfd once the
driver has enabled the device, and the irqfd once it has enabled the device's messages. What we know of either is what
the guest stamps. The guest has one request under way at a time, so each doorbell is answered by one interrupt.
What the guest says it has written is looked up in the disk's image at the end.
"""

from __future__ import annotations

from typing import Any

from bellwire.engine.errors import EngineError
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.kvm.partners.qemu import disk_devices, qemu_refusal, vhost_user_devices
from bellwire.engine.kvm.partners.storage_daemon import StorageDaemon, daemon_refusal, unnamed_image
from bellwire.engine.language import tr_later
from bellwire.engine.machines.disk import DISK_SIZE, disk_trouble, disk_truth
from bellwire.engine.machines.machine import Partner
from bellwire.engine.machines.qemu.guest_in_qemu import QemuGuest
from bellwire.engine.machines.qemu.one_in_qemu import OneInQemu
from bellwire.engine.scenarios.scenario import Doorbell

DEVICE = "/machine/peripheral-anon/device[1]/virtio-backend"

QEMU_SIGNALS = tr_later("QEMU signals here: ring the doorbell.")


class DiskInQemu(OneInQemu):
    """Builds what a scenario names."""

    daemon: StorageDaemon | None = None  # that serves the disk, if QEMU does not

    @classmethod
    def refusal(cls) -> str:
        """QEMU may not be installed, whose package needs that of the daemon."""
        return qemu_refusal() or daemon_refusal()

    def _device(self, guest: QemuGuest, doorbell: Doorbell) -> tuple[list[str], tuple[int, ...]]:
        """The disk."""
        how = self.scenario.qemu
        assert how is not None
        self.cannot |= {"interrupt": QEMU_SIGNALS}
        self._queue: dict[str, Any] = {}
        if how.device == "vhost-user-blk":
            self.daemon = self._stack.enter(StorageDaemon(DISK_SIZE))
            self.image, connection = self.daemon.image, self.daemon.connect()
            return vhost_user_devices(connection), (connection.fileno(),)
        self.image = unnamed_image(DISK_SIZE)
        self._stack.callback(self.image.close)
        return disk_devices(self.image, io_thread=how.io_thread, ioeventfd=doorbell.ioeventfd), (self.image.fileno(),)

    def _name_partner(self) -> None:
        served_by = self.daemon or self.vmm.qemu
        self.partner, self.partner_pid = str(served_by), served_by.pid

    def truth(self) -> dict[str, Any]:
        """What disk_truth() says, and base: requests that QEMU's device has taken, modulo 2**16; -1: not told."""
        stamped = super().truth()
        return {
            **stamped,
            "signalled": stamped["received"],
            **disk_truth(self.ringer.memory, self.image),
            "base": self._queue.get("last-avail-idx", -1),
        }

    def trouble(self) -> EngineError | None:
        """A daemon or a QEMU that has ended, or a guest that has read something wrong."""
        if self.daemon and (told := self.daemon.ending()):
            return EngineError(told)
        return super().trouble() or disk_trouble(self.ringer.memory)

    def partners(self) -> tuple[Partner, ...]:
        """QEMU, and the daemon if there is one."""
        return (*super().partners(), self.daemon) if self.daemon else super().partners()

    def signal_threads(self) -> SignalThreads:
        """All of QEMU's, and of the daemon's if there is one."""
        return SignalThreads(processes={self.vmm.qemu.pid: 0, self.partner_pid: 0})

    def _ask_last(self) -> None:
        """How far QEMU's device is; of the daemon's queue QEMU knows nothing."""
        if self.vmm.answers and self.daemon is None:
            self._queue = self.vmm.qemu.queue(DEVICE)
