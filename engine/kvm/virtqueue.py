"""The device's side of a split virtqueue in the guest's memory (virtio 1.2, 2.7)."""

from __future__ import annotations

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.owner import Handle
from bellwire.engine.kvm.ring import Ring
from bellwire.engine.kvm.vm import Memory
from bellwire.engine.language import tr, tr_later

FAULTS = {
    lib.BW_VIRTQUEUE_INDEX: tr_later("its available index is ahead by more than the queue holds, or runs backwards"),
    lib.BW_VIRTQUEUE_HEAD: tr_later("an entry of its available ring is no descriptor"),
    lib.BW_VIRTQUEUE_NEXT: tr_later("a descriptor names a next one that is none"),
    lib.BW_VIRTQUEUE_LOOP: tr_later("a chain of descriptors is longer than the queue"),
    lib.BW_VIRTQUEUE_ADDRESS: tr_later("a buffer is outside of the guest's memory"),
    lib.BW_VIRTQUEUE_ORDER: tr_later("a readable descriptor follows a writable one"),
    lib.BW_VIRTQUEUE_LENGTH: tr_later("a request is longer than {most} bytes"),
    lib.BW_VIRTQUEUE_INDIRECT: tr_later("a descriptor is indirect, which was not negotiated"),
}


class VirtqueueDevice(Handle):
    """The device's side of a split virtqueue in the guest's memory (engine/core/virtqueue.c).

    work: TSC cycles that the device takes for each buffer.
    """

    def __init__(self, memory: Memory, ring: Ring, *, event_idx: bool, work: int = 0) -> None:
        vring = {
            "size": lib.BW_VIRTQUEUE_SIZE,
            "event_idx": int(event_idx),
            "descriptors": lib.BW_VIRTQUEUE_DESCRIPTORS,
            "available": lib.BW_VIRTQUEUE_AVAILABLE,
            "used": lib.BW_VIRTQUEUE_USED,
        }
        layout = ffi.new("struct bw_vring *", vring)
        handle = lib.bw_virtqueue_new(memory.pointer, memory.size, layout, ring.handle)
        super().__init__(handle, lib.bw_virtqueue_free)
        if self.handle == ffi.NULL:
            raise EngineError(tr("No memory for a virtqueue."))
        lib.bw_virtqueue_set_work(self.handle, work)

    @property
    def available(self) -> int:
        """Buffers that the device has seen."""
        return int(lib.bw_virtqueue_available(self.handle))

    @property
    def used(self) -> int:
        """Buffers that the device has served."""
        return int(lib.bw_virtqueue_used(self.handle))

    @property
    def fault(self) -> str:
        """What is wrong with what the driver wrote, as a clause; "" if nothing."""
        return tr(FAULTS.get(lib.bw_virtqueue_fault(self.handle), ""), most=lib.BW_REQUEST_MAX)
