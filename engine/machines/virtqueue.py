"""A machine whose guest drives a virtqueue: the I/O thread is the device.

Both sides suppress what the other one need not hear: a kick while the device is awake, an interrupt while the driver is
taking buffers back. So there are fewer doorbells and fewer interrupts than buffers, and how many fewer is what the two
ways of suppression, flags and event-idx, differ in.

Three equations hold exactly at rest, for buffers, doorbells (kicks) and interrupts:

    buffers added        = used + in flight
    doorbells rung       = received + pending
    interrupts signalled = handled + merged + pending

An interrupt tells of used buffers. It answers no certain doorbell, so there is no round trip of one.
"""

from __future__ import annotations

from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError, GuestError
from bellwire.engine.kvm.virtqueue import VirtqueueDevice
from bellwire.engine.language import tr, tr_n
from bellwire.engine.machines.one_guest import OneGuest
from bellwire.engine.verdict import Verdict


class VirtqueueMachine(OneGuest):
    """The classic machine, but what the guest rings for is buffers, and the I/O thread interrupts only where asked."""

    def _connect(self) -> None:
        wanted = self.scenario.virtqueue
        assert wanted is not None
        self.guest.control(lib.BW_CTL_EVENT_IDX, "I", int(wanted.event_idx))
        work = self.clock.cycles(wanted.work_us / 1e6)
        self.virtqueue = VirtqueueDevice(self.guest.memory, self.io_ring, event_idx=wanted.event_idx, work=work)
        self._stack.callback(self._end_serving)
        super()._connect()
        self.io_thread.serve(self.virtqueue.handle)

    def _end_serving(self) -> None:
        """First the thread, which uses the virtqueue: if it does not end, both are left behind."""
        self.io_thread.stop()
        self.virtqueue.close()

    def truth(self) -> dict[str, Any]:
        """added, taken, wrong: what the guest says; available, used: what the device has counted."""
        return {
            **super().truth(),
            "added": self._says(lib.BW_ST_BUFFERS_ADDED),
            "available": self.virtqueue.available,
            "used": self.virtqueue.used,
            "taken": self._says(lib.BW_ST_BUFFERS_TAKEN),
            "wrong": self._says(lib.BW_ST_BUFFERS_WRONG),
        }

    def _says(self, offset: int) -> int:
        """A counter of the guest's."""
        return self.guest.memory.get(lib.BW_STATUS + offset, "Q")

    def trouble(self) -> EngineError | None:
        """A driver that broke the virtqueue, or a device that did, too."""
        if self.virtqueue.fault:
            text = tr("The guest's driver has broken the virtqueue: {fault}.", fault=self.virtqueue.fault)
            return GuestError(text, Verdict.DRIVER)
        if wrong := self._says(lib.BW_ST_BUFFERS_WRONG):
            text = tr_n(
                "The guest found {n} buffer that came back wrong.",
                "The guest found {n} buffers that came back wrong.",
                wrong,
            )
            return GuestError(text, Verdict.DRIVER)
        return super().trouble()

    def progress(self) -> tuple[int, ...]:
        """And buffers used and taken back."""
        return *super().progress(), self.virtqueue.used, self._says(lib.BW_ST_BUFFERS_TAKEN)

    def at_rest(self) -> bool:
        """And every buffer added is taken back."""
        counts = {self._says(lib.BW_ST_BUFFERS_ADDED), self._says(lib.BW_ST_BUFFERS_TAKEN), self.virtqueue.used}
        return super().at_rest() and len(counts) == 1
