"""The guest of a real QEMU, which has a virtio disk: QEMU is VMM and device in one, and knows nothing of us.

This program starts QEMU and gives it the guest's memory; both wires are QEMU's own: it registers the ioeventfd once the
driver has enabled the device, and the irqfd once it has enabled the device's messages. What we know of either is what
the guest stamps. The guest has one request under way at a time, so each doorbell is answered by one interrupt.
What the guest says it has written is looked up in the disk's image at the end.
"""

from __future__ import annotations

import time
from typing import Any

from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventfdRole, Events, Lane
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.kvm.owner import Belongings
from bellwire.engine.kvm.partners.qemu import disk_devices, qemu_refusal, vhost_user_devices
from bellwire.engine.kvm.partners.storage_daemon import StorageDaemon, daemon_refusal, unnamed_image
from bellwire.engine.language import tr_later
from bellwire.engine.machines.disk import DISK_SIZE, disk_trouble, disk_truth
from bellwire.engine.machines.machine import Machine
from bellwire.engine.machines.qemu.guest_in_qemu import IOEVENTFD_STAYS, IRQFD_STAYS, GuestInQemu, QemuGuest
from bellwire.engine.machines.stamping import GuestProgram
from bellwire.engine.scenarios.scenario import Pace, QemuStart, Scenario

DEVICE = "/machine/peripheral-anon/device[1]/virtio-backend"

QEMU_SIGNALS = tr_later("QEMU signals here: ring the doorbell.")


class DiskInQemu(Machine):
    """Builds what a scenario names. cpus: for QEMU's vCPU and its I/O thread; by default two of this process's."""

    def __init__(self, scenario: Scenario, limit: int | None = None, cpus: tuple[int, int] | None = None) -> None:
        super().__init__(scenario, limit, cpus)
        assert scenario.doorbell is not None
        assert scenario.interrupt is not None
        assert scenario.qemu is not None
        self.cannot |= {"ioeventfd": IOEVENTFD_STAYS, "irqfd": IRQFD_STAYS, "interrupt": QEMU_SIGNALS}
        self._stack = Belongings()
        self.daemon: StorageDaemon | None = None  # that serves the disk, if QEMU does not
        self._queue: dict[str, Any] = {}
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    @classmethod
    def refusal(cls) -> str:
        """QEMU may not be installed, whose package needs that of the daemon."""
        return qemu_refusal() or daemon_refusal()

    def _build(self) -> None:
        doorbell, interrupt = self.scenario.doorbell, self.scenario.interrupt
        assert doorbell is not None
        assert interrupt is not None
        assert self.scenario.qemu is not None
        program = GuestProgram(self.scenario.guest, self.limit, doorbell, interrupt.vector)
        self.guest = self._stack.enter(QemuGuest(program))
        self.guest.follow(self.guest)
        self.clock = self.guest.clock
        disk = self._disk(self.scenario.qemu, doorbell.ioeventfd)
        self.vmm = self._stack.enter(GuestInQemu(self.guest, *disk))
        served_by = self.daemon or self.vmm.qemu
        self.partner, self.partner_pid = str(served_by), served_by.pid

    def _disk(self, how: QemuStart, ioeventfd: bool) -> tuple[list[str], tuple[int, ...]]:
        """The disk: its part of QEMU's command, and the fds that this names."""
        if how.device == "vhost-user-blk":
            self.daemon = self._stack.enter(StorageDaemon(DISK_SIZE))
            self.image, connection = self.daemon.image, self.daemon.connect()
            return vhost_user_devices(connection), (connection.fileno(),)
        self.image = unnamed_image(DISK_SIZE)
        self._stack.callback(self.image.close)
        return disk_devices(self.image, io_thread=how.io_thread, ioeventfd=ioeventfd), (self.image.fileno(),)

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Lets QEMU run the guest; the pace is still held."""
        self.vmm.start(*self.cpus)

    def wait_until_ready(self) -> None:
        """Until the guest's driver has set its device up, and the clocks were compared."""
        self.vmm.wait_until_ready()

    @property
    def ready(self) -> bool:
        """Whether the guest takes interrupts."""
        return self.guest.ready

    def set_pace(self, pace: Pace, running: bool) -> None:
        """Takes effect as soon as the guest looks."""
        self.guest.set_idle(pace.idle)
        self.guest.set_pace(pace, running)

    def ring_once(self) -> None:
        """Asks the guest for one doorbell."""
        self.guest.ring_once()

    # -- what has happened -------------------------------------------------------------------------------------------

    def drain(self) -> Events:
        """All new events of the guest, the only one who tells of any."""
        return self.guest.drain_stamps()

    def counts(self) -> dict[EventfdRole, int | None]:
        """Both eventfds are QEMU's."""
        return {EventfdRole.DOORBELL: None, EventfdRole.IRQ: None}

    def stats(self) -> dict[str, int]:
        """KVM's own counters of the vCPU, as QEMU tells them."""
        return self.vmm.stats()

    def lost(self) -> dict[Lane, int]:
        """Events lost so far, by the lane that lost them."""
        return {Lane.GUEST: self.guest.lost_stamps()}

    def truth(self) -> dict[str, Any]:
        """What disk_truth() says, and base: requests that QEMU's device has taken, modulo 2**16; -1: not told."""
        rung, seen = self.guest.rung(), self.guest.last_irq_seen()
        return {
            "rung": rung,
            "handled": self.guest.handled(),
            "reads": 0,
            "received": seen,
            "signalled": seen,
            "refused": 0,
            "relayed": 0,
            "exits": {},
            "pending": rung - seen,
            "irq_pending": rung - seen,
            "nonsense": self.guest.nonsense(),
            "lost": sum(self.lost().values()),
            **disk_truth(self.guest.memory, self.image),
            "base": self._queue.get("last-avail-idx", -1),
        }

    def trouble(self) -> EngineError | None:
        """A daemon or a QEMU that has ended, or a guest that has read something wrong."""
        if self.daemon and (told := self.daemon.ending()):
            return EngineError(told)
        return self.vmm.trouble() or disk_trouble(self.guest.memory)

    def at_rest(self) -> bool:
        """Twice the same count, all handled."""
        before = self.guest.rung()
        time.sleep(0.002)
        return self.guest.rung() == before == self.guest.last_irq_seen()

    def signal_threads(self) -> SignalThreads:
        """All of QEMU's, and of the daemon's if there is one."""
        return SignalThreads(processes={self.vmm.qemu.pid: 0, self.partner_pid: 0})

    # -- ending ------------------------------------------------------------------------------------------------------

    def stop_threads(self) -> None:
        """Ends QEMU, which is asked before what KVM counted and how far its device is; stamps can still be drained."""
        self.vmm.ask_for_stats()
        if self.vmm.answers and self.daemon is None:  # of the daemon's queue QEMU knows nothing
            self._queue = self.vmm.qemu.queue(DEVICE)
        self.vmm.close()

    def close(self) -> None:
        """Ends QEMU, closes, unmaps."""
        self._stack.close()
