"""A machine whose guest talks with another process: qemu-storage-daemon is the device, by vhost-user.

The guest's memory, the doorbell's eventfd (kick) and the irqfd's (call) are handed to the daemon once. From then on
this program is out of the data path: the ioeventfd wakes the daemon, the daemon signals the irqfd, and what we know of
either is what the guest stamps. The guest has one request under way at a time, so each doorbell is answered by one
interrupt.

What the guest says it has written is looked up in the disk's image at the end.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventfdRole
from bellwire.engine.kvm.irqfd import Irqfd
from bellwire.engine.kvm.owner import Eventfd as EventfdFile
from bellwire.engine.kvm.partners.storage_daemon import StorageDaemon, daemon_refusal
from bellwire.engine.kvm.partners.vhost_user import VIRTIO_F_VERSION_1, FrontEnd
from bellwire.engine.language import tr, tr_later
from bellwire.engine.machines.disk import DISK_SIZE, disk_trouble, disk_truth
from bellwire.engine.machines.two_guests import SelfDoorbell

QUEUE = 0
DYING_SECONDS = 3.0  # a process that dies hangs up before it is gone: a moment, or on an emulated CPU a second
WHY_HANG_UP = tr_later("It does so when the guest's driver breaks the rules of the virtqueue.")
PARTNER_SIGNALS = tr_later("The other process signals here: ring the doorbell.")


class PartneredGuest(SelfDoorbell):
    """Like a guest that rings itself, but on the way from its doorbell to its interrupt there is somebody else.

    Whoever inherits from it brings `call`, the eventfd of the interrupt, before super()._build().
    """

    call: EventfdFile

    def set_irqfd(self, on: bool) -> None:
        """Assigns or deassigns it, if it is not so already; meanwhile the eventfd keeps the count."""
        if on and self._irqfd is None:
            self._irqfd = Irqfd(self.listener.vm, self.call, self.interrupt.gsi)
        else:
            super().set_irqfd(on)

    def counts(self) -> dict[EventfdRole, int | None]:
        """The counts of both eventfds, which the other side shares."""
        return {EventfdRole.DOORBELL: self.eventfd.count(), EventfdRole.IRQ: self.call.count()}

    def truth(self) -> dict[str, Any]:
        """Answers are interrupts, and what the eventfd keeps while no irqfd listens: more of them we do not see."""
        of_both = super().truth()
        answered = of_both["received"] + (0 if self._irqfd else self.call.left())
        return {
            **of_both,
            "received": answered,
            "signalled": answered,
            "pending": of_both["rung"] - answered,
        }


class VhostUserGuest(PartneredGuest):
    """Here it is another process."""

    _base = -1  # the available index that the daemon came to; -1: not asked yet

    @classmethod
    def refusal(cls) -> str:
        """The daemon may not be installed."""
        return daemon_refusal()

    def _build(self) -> None:
        enter = self._stack.enter
        self.cannot |= {"interrupt": PARTNER_SIGNALS}
        self.daemon = enter(StorageDaemon(DISK_SIZE))
        self.partner, self.partner_pid = str(self.daemon), self.daemon.pid
        self.call = enter(EventfdFile())
        super()._build()

    def _prepare_interrupt(self) -> None:
        """Hands everything over before the irqfd is there: the daemon may signal once, to be sure, at the start."""
        self.front_end = self._stack.enter(FrontEnd(self.daemon.connect(), str(self.daemon)))
        try:
            self._hand_over()
        except EngineError as error:  # of a daemon that has ended its own words say more
            raise EngineError(self.daemon.ending(DYING_SECONDS) or str(error)) from error
        self.call.take()

    def partners(self) -> tuple[StorageDaemon]:
        """The daemon."""
        return (self.daemon,)

    def _hand_over(self) -> None:
        to, memory = self.front_end, self.ringer.memory
        to.negotiate(VIRTIO_F_VERSION_1)
        to.set_mem_table(memory)
        to.set_vring_num(QUEUE, lib.BW_VIRTQUEUE_SIZE)
        to.set_vring_base(QUEUE, 0)
        parts = (lib.BW_VIRTQUEUE_DESCRIPTORS, lib.BW_VIRTQUEUE_USED, lib.BW_VIRTQUEUE_AVAILABLE)
        to.set_vring_addr(QUEUE, memory, *parts)
        to.set_vring_call(QUEUE, self.call)
        to.set_vring_kick(QUEUE, self.eventfd)
        to.set_vring_enable(QUEUE, True)

    # -- what has happened --------------------------------------------------------------------------------------------

    def truth(self) -> dict[str, Any]:
        """What disk_truth() says, and base: requests that the daemon has taken, modulo 2**16; -1 if unasked."""
        return {
            **super().truth(),
            **disk_truth(self.ringer.memory, self.daemon.image),
            "base": self._base,
        }

    def trouble(self) -> EngineError | None:
        """A daemon that has hung up, or a guest that read something else than it had written, too."""
        if self.front_end.hung_up:
            hung_up = tr("{program} has hung up.", program=self.daemon)
            return EngineError(self.daemon.ending(DYING_SECONDS) or f"{hung_up} {tr(WHY_HANG_UP)}")
        return disk_trouble(self.ringer.memory) or super().trouble()

    # -- ending -------------------------------------------------------------------------------------------------------

    def stop_threads(self) -> None:
        """Ends the vCPU's thread and stops the daemon's queue: what was under way there is done."""
        super().stop_threads()
        if self._base < 0 and not self.front_end.hung_up and not self.daemon.stop_told():
            with suppress(EngineError):  # `base` says that it did not answer; what was done before is still to be told
                self._base = self.front_end.get_vring_base(QUEUE)
