"""How full the rings of the diagram are, from events. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from viz.model import LiveModel

VIRTQUEUE_SIZE = 64  # buffers: what the guests' drivers set up
COALESCED_ROOM = 170  # writes: a page of struct kvm_coalesced_mmio


@dataclass(frozen=True)
class RingFill:
    """tail, head: of a ring of `size` slots, both counted from the start; what lies between them is in use."""

    tail: int
    head: int
    size: int

    @property
    def used(self) -> int:
        """Slots in use."""
        return min(max(self.head - self.tail, 0), self.size)

    @property
    def text(self) -> str:
        """How many."""
        return str(self.used)

    def used_slices(self, slices: int) -> set[int]:
        """Which of `slices` equal parts of the ring have a slot in use."""
        return {(self.tail + n) % self.size * slices // self.size for n in range(self.used)}


def ring_fill(model: LiveModel, of: str) -> RingFill:
    """The fill of "virtqueue" or of "coalesced" writes."""
    tally = model.tally
    if of == "virtqueue":
        return RingFill(tally.buffers_used, tally.buffers_added, VIRTQUEUE_SIZE)
    return RingFill(tally.doorbells_received, tally.doorbells_rung, COALESCED_ROOM)
