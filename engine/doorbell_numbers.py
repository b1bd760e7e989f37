"""One numbering for the doorbells of several vCPUs that ring the same eventfd.

Each vCPU numbers its own doorbells; the eventfd adds them up, and a count has no name. So the doorbells are numbered
anew in the order in which they were rung, and the read that brings the n-th count is taken to bring doorbell n. As
counts are alike, that differs from the truth only for doorbells whose instructions overlap.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.events import EventKind, Events

KEPT = 1 << 14  # newest doorbells of each vCPU whose number is remembered

Numbers = npt.NDArray[np.uint64]


class DoorbellNumbers:
    """Numbers doorbells from 1; batches come in the order of their time."""

    def __init__(self) -> None:
        self._given = 0
        self._own: dict[int, Numbers] = {}  # by vCPU: its own numbers, rising,
        self._new: dict[int, Numbers] = {}  # and what each has become

    def number(self, events: Events) -> None:
        """Gives each RING of the batch (sorted by tsc) the next number, and RUNG and EXIT that of their RING.

        An EXIT whose RING is not known yet says no number.
        """
        rings = np.flatnonzero(events["kind"] == EventKind.RING)
        new = np.arange(self._given + 1, self._given + 1 + rings.size, dtype=np.uint64)
        self._given += rings.size
        for vcpu in np.unique(events["vm"]).tolist():
            own = events["vm"][rings] == vcpu
            self._remember(vcpu, events["seq"][rings[own]], new[own])
            self._rename(vcpu, events)
        events["seq"][rings] = new

    def _remember(self, vcpu: int, own: Numbers, new: Numbers) -> None:
        known, become = self._own.get(vcpu, own[:0]), self._new.get(vcpu, new[:0])
        self._own[vcpu] = np.concatenate([known, own])[-KEPT:]
        self._new[vcpu] = np.concatenate([become, new])[-KEPT:]

    def _rename(self, vcpu: int, events: Events) -> None:
        kind = events["kind"]
        named = (kind == EventKind.RUNG) | ((kind == EventKind.EXIT) & (events["seq"] > 0))
        which = np.flatnonzero(named & (events["vm"] == vcpu))
        known, wanted = self._own[vcpu], events["seq"][which]
        at = np.minimum(np.searchsorted(known, wanted), max(known.size - 1, 0))
        found = known[at] == wanted if known.size else np.zeros(which.size, bool)
        events["seq"][which] = np.where(found, self._new[vcpu][at] if known.size else 0, 0)
