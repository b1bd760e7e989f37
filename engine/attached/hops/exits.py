"""How long a vCPU was out of its guest, by reason.

Where the kernel tells of each exit (kvm_exit, kvm_entry), until the guest goes on, in the kernel or in user space. Of
those that leave for user space also, and where those two never fire (kvm_pvm) alone, until KVM_RUN is called again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from bellwire.engine.attached.hops.exit_names import hardware_exit
from bellwire.engine.attached.hops.places import SeenPlaces
from bellwire.engine.attached.hops.rows import HopRows, Indices
from bellwire.engine.events import Clock, full_exit_name
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.kernel.event_fields import errno_told
from bellwire.engine.kernel.records import RecordKind

K = RecordKind


@dataclass(frozen=True)
class ExitKey:
    """A reason. to_user: it is why KVM_RUN has returned; else why the CPU has left the guest."""

    to_user: bool
    reason: str


class ExitFold:
    """counts, durations: by reason; ns."""

    def __init__(self, clock: Clock) -> None:
        self.counts = Counter[ExitKey]()
        self.durations = defaultdict[ExitKey, Histogram](Histogram)
        self.total_ns = Counter[ExitKey]()
        self._clock = clock
        self._left: dict[int, tuple[int, ExitKey]] = {}  # thread -> when and why KVM_RUN has returned

    def feed(self, rows: HopRows, places: SeenPlaces) -> None:
        """The next batch."""
        ours = rows.new & (places.vm_of(rows) >= 0)
        self._served(rows, np.flatnonzero(ours & rows.of(K.EXIT_SERVED)))
        self._returned(rows, np.flatnonzero(ours & rows.of(K.USER_EXIT, K.RUN_ENTERED)))

    def _served(self, rows: HopRows, where: Indices) -> None:
        """Exits that the kernel has told of as a whole."""
        records = rows.records[where]
        codes = records["a"] | records["b"] << np.uint64(32)
        for code in np.unique(codes).tolist():
            key = ExitKey(False, hardware_exit(code & 0xFFFFFFFF, code >> 32))
            times = records["c"][codes == code]
            self.counts[key] += times.size
            self._record(key, times.astype(np.float64))

    def _returned(self, rows: HopRows, where: Indices) -> None:
        """KVM_RUN has returned, and is called again."""
        some, times = rows.records[where], defaultdict[ExitKey, list[float]](list)
        columns = (*(some[name].tolist() for name in ("kind", "thread", "tsc", "a")), errno_told(some["b"]).tolist())
        for kind, thread, tsc, reason, error in zip(*columns, strict=True):
            if kind == K.USER_EXIT:
                key = ExitKey(True, full_exit_name(reason, error))
                self.counts[key] += 1
                self._left[thread] = tsc, key
            elif thread in self._left:
                left, key = self._left.pop(thread)
                times[key].append(self._clock.ns(tsc - left))
        for key, durations in times.items():
            self._record(key, np.array(durations))

    def _record(self, key: ExitKey, ns: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
        self.durations[key].record(ns)
        self.total_ns[key] += int(ns.sum())
