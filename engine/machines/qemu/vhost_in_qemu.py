"""The guest of a real QEMU that has handed its device to the kernel: a vhost worker takes over both wires.

This program starts QEMU, gives it the guest's memory and the open device of the kernel's, and looks at what comes out
at the other end: of a network card at a tap device, of a socket at a connection of its own. All else is QEMU's: once
the driver has begun the device, QEMU gives the guest's memory, the kick and the call eventfd to the kernel, and
registers the two as ioeventfd and irqfd. From then on no thread of QEMU has a part in a signal.

The worker joins the kick's wait queue and reads no count, so that it rises by one a doorbell. It is an eventfd of
QEMU's, and known by that: all others are read, or drained by an irqfd.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError
from bellwire.engine.events import Events
from bellwire.engine.kvm.partners.qemu import network_devices, qemu_refusal, socket_devices
from bellwire.engine.kvm.partners.tap import tap_refusal
from bellwire.engine.kvm.partners.vhost_kernel import (
    NET,
    VSOCK,
    VhostFile,
    VhostVsockFile,
    device_refusal,
    worker_named,
    worker_of,
)
from bellwire.engine.machines.far_ends import FarEnd, NetworkEnd, SocketEnd
from bellwire.engine.machines.qemu.guest_in_qemu import QemuGuest
from bellwire.engine.machines.qemu.one_in_qemu import OneInQemu
from bellwire.engine.machines.vhost_kernel import WORKER_SIGNALS
from bellwire.engine.scenarios.scenario import Doorbell


class VhostInQemu(OneInQemu):
    """What both have in common: who the worker is, and how often it was kicked."""

    device: Path
    far_end: FarEnd
    _before: dict[int, int] | None = None  # counts of QEMU's eventfds once the guest was ready
    _kicks = -1

    def _device(self, guest: QemuGuest, doorbell: Doorbell) -> tuple[list[str], tuple[int, ...]]:
        self.cannot |= {"interrupt": WORKER_SIGNALS}
        self.vhost = self._open(guest)
        return self._devices()

    @abstractmethod
    def _open(self, guest: QemuGuest) -> VhostFile:
        """Opens the device, whose owner QEMU will be."""

    @abstractmethod
    def _devices(self) -> tuple[list[str], tuple[int, ...]]:
        """Its part of QEMU's command, and the fds that this names."""

    def _name_partner(self) -> None:
        thread, name = worker_of(self.vmm.qemu.pid, self.device)
        self.partner, self.partner_pid = worker_named(name, thread), thread

    def wait_until_ready(self) -> None:
        """And what QEMU's eventfds count until then is no kick."""
        super().wait_until_ready()
        self._before = self.vmm.qemu.eventfd_counts()
        if self.ready:
            self.far_end.connect()

    # -- what has happened -------------------------------------------------------------------------------------------

    def tick(self) -> Events:
        """Looks at what has come out."""
        self.far_end.look()
        return super().tick()

    def truth(self) -> dict[str, Any]:
        """kicks: by how much the count of the kick eventfd has grown; -1: not told. And what came out."""
        self.far_end.look()
        stamped, came = super().truth(), self.far_end.truth()
        return {**stamped, "signalled": stamped["received"], "kicks": self._kicks, **came}

    def trouble(self) -> EngineError | None:
        """What came out wrong, too."""
        return super().trouble() or self.far_end.trouble()

    def _ask_last(self) -> None:
        """How often it was kicked, as long as QEMU is there."""
        if self._before is not None and (after := self.vmm.qemu.eventfd_counts()):
            self._kicks = max(count - self._before.get(fd, 0) for fd, count in after.items())


class NetworkInQemu(VhostInQemu):
    """A guest with a network card: its frames come out of a tap device."""

    device = NET

    @classmethod
    def refusal(cls) -> str:
        """QEMU may not be installed, the kernel may not have it, or this user may not use it."""
        return qemu_refusal() or device_refusal(NET) or tap_refusal()

    def _open(self, guest: QemuGuest) -> VhostFile:
        self.far_end = NetworkEnd(self._stack)
        self._tap = self.far_end.network.tap
        return self._stack.enter(VhostFile(NET))

    def _devices(self) -> tuple[list[str], tuple[int, ...]]:
        return network_devices(self._tap, self.vhost), (self._tap.fd, self.vhost.fd)


class SocketInQemu(VhostInQemu):
    """A guest with a socket: this program connects to it, and gets what it sends."""

    device = VSOCK

    @classmethod
    def refusal(cls) -> str:
        """QEMU may not be installed, the kernel may not have it, or this user may not use it."""
        return qemu_refusal() or device_refusal(VSOCK)

    def _open(self, guest: QemuGuest) -> VhostFile:
        vhost = self._stack.enter(VhostVsockFile())
        self.far_end = SocketEnd(self._stack, vhost.set_guest_cid)
        self._cid = self.far_end.cid
        guest.control(lib.BW_CTL_CID, "Q", self._cid)
        return vhost

    def _devices(self) -> tuple[list[str], tuple[int, ...]]:
        return socket_devices(self._cid, self.vhost), (self.vhost.fd,)
