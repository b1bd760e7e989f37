"""A ring of events between a C thread and the engine thread."""

from __future__ import annotations

from typing import Any

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.owner import Handle
from bellwire.engine.language import tr


class Ring(Handle):
    """A ring of events that a C thread fills (engine/core/ring.c)."""

    def __init__(self, capacity: int) -> None:
        super().__init__(lib.bw_ring_new(capacity), lib.bw_ring_free)
        if self.handle == ffi.NULL:
            raise EngineError(
                tr("No memory for a ring of {capacity} events (a power of two is needed).", capacity=capacity)
            )

    @property
    def dropped(self) -> int:
        """Events that found it full."""
        return int(lib.bw_ring_dropped(self.handle))

    def drain(self, out: Any, room: int) -> int:
        """Moves up to `room` events to the C array `out`. Returns how many."""
        return int(lib.bw_ring_drain(self.handle, out, room))
