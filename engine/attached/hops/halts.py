"""vCPUs that were halted: how often each goes on, and how long after it was woken it has a CPU."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from bellwire.engine.attached.hops.places import SeenPlaces
from bellwire.engine.attached.hops.rows import HopRows, Indices
from bellwire.engine.events import Clock
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.kernel.records import RecordKind

K = RecordKind


@dataclass(frozen=True)
class VcpuKey:
    """A vCPU. vm: the VMM's fd of the VM."""

    vm: int | None
    number: int


class HaltFold:
    """slept: halts in which the thread gave its CPU away; polled: those that KVM waited for. latencies: of the first,
    ns from the waking to having a CPU."""

    def __init__(self, clock: Clock) -> None:
        self.slept, self.polled = Counter[VcpuKey](), Counter[VcpuKey]()
        self.latencies = defaultdict[VcpuKey, Histogram](Histogram)
        self._clock = clock

    def feed(self, rows: HopRows, places: SeenPlaces) -> None:
        """The next batch."""
        woken = rows.of(K.WOKEN) & rows.new
        for tid, (vm, number) in places.vcpus.items():
            own = np.flatnonzero(woken & (rows.thread == tid))
            if not own.size:
                continue
            key = VcpuKey(places.vms[vm].fd, number)
            slept = own[rows.records["b"][own] == 1]
            self.slept[key] += slept.size
            self.polled[key] += own.size - slept.size
            self._measure(key, rows, slept)

    def _measure(self, key: VcpuKey, rows: HopRows, slept: Indices) -> None:
        """Of those that were woken, got their CPU next and then went on."""
        runs = rows.previous[slept]
        runs = runs[(runs >= 0) & (rows.kind[runs] == K.RUNS)]
        wakings = rows.previous[runs]
        known = (wakings >= 0) & (rows.kind[wakings] == K.WAKING)
        cycles = (rows.tsc[runs[known]] - rows.tsc[wakings[known]]).astype(np.int64)
        self.latencies[key].record(self._clock.ns_array(cycles))
