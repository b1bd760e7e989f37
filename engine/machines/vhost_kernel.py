"""Machines whose guest talks with the kernel itself: a vhost worker is the device, and no process is in the way.

The guest's memory, the doorbell's eventfd (kick) and the irqfd's (call) are handed to the worker once. From then on a
signal does not leave the kernel: the ioeventfd wakes the worker, a thread of the kernel, and the worker signals the
irqfd. What we know of either is what the guest stamps. The guest has one request under way at a time, so each doorbell
is answered by one interrupt.

The worker joins the kick's wait queue and reads no count, so that the count is what KVM, or our vCPU thread, has
signalled since the beginning.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError, GuestError
from bellwire.engine.events import Events
from bellwire.engine.kvm.owner import Eventfd as EventfdFile
from bellwire.engine.kvm.partners.tap import tap_refusal
from bellwire.engine.kvm.partners.vhost_kernel import (
    HEADER_STAYS,
    NET,
    VIRTIO_F_VERSION_1,
    VSOCK,
    VhostDevice,
    VhostNet,
    VhostVsock,
    device_refusal,
)
from bellwire.engine.language import tr, tr_later
from bellwire.engine.machines.far_ends import FarEnd, NetworkEnd, SocketEnd
from bellwire.engine.machines.vhost_user import WHY_HANG_UP, PartneredGuest
from bellwire.engine.verdict import Verdict

RECEIVING, SENDING = 0, 1  # the queues of a network card (virtio 1.2, 5.1.2), and those of a socket (5.10.2)
SENT = (lib.BW_VIRTQUEUE_DESCRIPTORS, lib.BW_VIRTQUEUE_USED, lib.BW_VIRTQUEUE_AVAILABLE)
RECEIVED = (lib.BW_RECEIVING_DESCRIPTORS, lib.BW_RECEIVING_USED, lib.BW_RECEIVING_AVAILABLE)
LOOK_SECONDS = 0.001  # how often a guest that waits for room looks whether there is some
WORKER_SIGNALS = tr_later("The kernel's worker signals here: ring the doorbell.")


class VhostGuest(PartneredGuest):
    """What both have in common: a device of the kernel's, whose worker serves the queue that the guest sends by."""

    vhost: VhostDevice
    far_end: FarEnd
    _base = -1  # the available index that the worker came to; -1: not asked yet

    def _build(self) -> None:
        self.cannot |= {"interrupt": WORKER_SIGNALS}
        self.call = self._stack.enter(EventfdFile())
        super()._build()

    def _prepare_interrupt(self) -> None:
        """Hands everything over, once the guest is there; it is taken back before the guest is gone."""
        self._open()
        self.partner, self.partner_pid = str(self.vhost), self.vhost.worker
        self.vhost.set_vring_call(SENDING, self.call)
        self.vhost.set_vring_kick(SENDING, self.eventfd)
        self._begin_serving()

    @abstractmethod
    def _open(self) -> None:
        """Opens the device, and tells it of the guest's memory and of its queues."""

    @abstractmethod
    def _begin_serving(self) -> None:
        """From now on the worker serves the queue."""

    @abstractmethod
    def _end_serving(self) -> None:
        """The queue is at rest when this returns."""

    def wait_until_ready(self) -> None:
        """And from then on something comes out."""
        super().wait_until_ready()
        if self.ready:
            self.far_end.connect()

    # -- what has happened --------------------------------------------------------------------------------------------

    def tick(self) -> Events:
        """Looks at what has come out."""
        self.far_end.look()
        return super().tick()

    def truth(self) -> dict[str, Any]:
        """kicks: the kick's count; base: of taken buffers, modulo 2**16, -1: not told; what came out."""
        self.far_end.look()
        came = self.far_end.truth()
        return {**super().truth(), "kicks": self.eventfd.count(), "base": self._base, **came}

    def trouble(self) -> EngineError | None:
        """What came out wrong, and a worker that has met a broken virtqueue, too."""
        if wrong := self.far_end.trouble():
            return wrong
        if self.vhost.gave_up:
            gave_up = tr("The kernel's worker, {worker}, has given the virtqueue up.", worker=self.vhost)
            return GuestError(f"{gave_up} {tr(WHY_HANG_UP)}", Verdict.DRIVER)
        return super().trouble()

    def stop_threads(self) -> None:
        """Ends the vCPU's thread and stops the worker's queue: what was under way there is done."""
        super().stop_threads()
        if self._base < 0:
            with suppress(EngineError):  # `base` says that it was not told; the rest is still to be told
                self._end_serving()
                self._base = self.vhost.get_vring_base(SENDING)


class VhostNetGuest(VhostGuest):
    """A guest with a network card: its frames come out of a tap device."""

    vhost: VhostNet

    @classmethod
    def refusal(cls) -> str:
        """The kernel may not have it, or this user may not use it."""
        return device_refusal(NET) or tap_refusal()

    def _open(self) -> None:
        self.far_end = self._network = NetworkEnd(self._stack)
        self.vhost = self._stack.enter(VhostNet())
        memory = self.ringer.memory
        self.vhost.set_features(VIRTIO_F_VERSION_1 | HEADER_STAYS)
        self.vhost.set_mem_table(memory)
        self.vhost.hand_over_queue(SENDING, memory, SENT, lib.BW_VIRTQUEUE_SIZE)

    def _begin_serving(self) -> None:
        self.vhost.set_backend(SENDING, self._network.network.tap)

    def _end_serving(self) -> None:
        self.vhost.stop(SENDING)


class VhostVsockGuest(VhostGuest):
    """A guest with a socket: this program connects to it, and gets what it sends."""

    vhost: VhostVsock

    @classmethod
    def refusal(cls) -> str:
        """The kernel may not have it, or this user may not use it."""
        return device_refusal(VSOCK)

    def _open(self) -> None:
        self.vhost = self._stack.enter(VhostVsock())
        memory = self.ringer.memory
        self.vhost.set_features(VIRTIO_F_VERSION_1)
        self.vhost.set_mem_table(memory)
        for queue, parts in ((RECEIVING, RECEIVED), (SENDING, SENT)):
            self.vhost.hand_over_queue(queue, memory, parts, lib.BW_VIRTQUEUE_SIZE)
        self.ringer.control(lib.BW_CTL_LOOK, "Q", self.clock.cycles(LOOK_SECONDS))

    def _begin_serving(self) -> None:
        self.far_end = SocketEnd(self._stack, self.vhost.set_guest_cid)
        self.ringer.control(lib.BW_CTL_CID, "Q", self.far_end.cid)
        self.vhost.set_running(True)

    def _end_serving(self) -> None:
        self.vhost.set_running(False)
