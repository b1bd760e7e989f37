"""What the kernel's tracepoints tell of a running VMM, and of the processes at the other ends of its wires."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.topology import Topology
from bellwire.engine.events import TRACEPOINTS, Clock, Records, chosen, end_to_end
from bellwire.engine.host.host import emulated, host_facts
from bellwire.engine.kernel.program import PROGRAM, KernelSightError
from bellwire.engine.kernel.records import no_records
from bellwire.engine.kernel.watch import KernelWatch
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.kvm.vcpu import tsc_hz_of_guests


class AttachedStream(Owner):
    """A source that is drained: begins to listen, and returns at once. KernelSightError if it cannot.

    One thread uses it, several times a second: what is not taken in time is lost, and counted.
    """

    def __init__(self, process: KvmProcess, program: Path = PROGRAM) -> None:
        self.process = process
        self.clock = Clock(tsc_hz_of_guests(), emulated=emulated(host_facts()))
        self.complete = 0  # TSC: all records of earlier times have been taken
        self._watch = KernelWatch([program], exits=True)
        self._followed = {process.pid}
        self._held = no_records()
        self._watch.add(process.pid)

    def follow(self, topology: Topology) -> None:
        """Listens to the processes that hold an end of one of its wires as well, from when each has come."""
        for pid, _ in topology.partners:
            if pid not in self._followed:
                self._followed.add(pid)
                self._watch.add(pid)

    def take(self) -> Records:
        """All new records, dtype RECORD, sorted by tsc; what happened earlier will not come later. Shape (n,)."""
        self._watch.look()
        complete = self._watch.complete  # before they are taken
        held = end_to_end(self._held, self._watch.take())
        held = chosen(held, np.argsort(held["tsc"], kind="stable"))
        cut = int(np.searchsorted(held["tsc"], np.uint64(complete)))
        self._held, self.complete = held[cut:], complete
        return held[:cut]

    @property
    def ready(self) -> bool:
        """Whether it listens."""
        return self._watch.ready

    @property
    def refused(self) -> KernelSightError | None:
        """Why nothing comes any more; a partner that may not be listened to is passed over."""
        if self._watch.ready:
            return self._watch.refusals.get(self.process.pid)
        return self._watch.refused

    @property
    def lost(self) -> int:
        """Records so far that found the kernel's ring full."""
        return self._watch.lost

    @property
    def tracepoints(self) -> int:
        """Those that are listened to, a bit each, in the order of TRACEPOINTS."""
        return self._watch.tracepoints

    @property
    def tells_wires(self) -> bool:
        """Whether it tells of each change of what is registered."""
        return all(self.tracepoints >> TRACEPOINTS.index(name) & 1 for name in ("sys_enter", "sys_exit"))

    @property
    def error(self) -> int:
        """Cycles by which the records' times may be off."""
        return self._watch.error

    def close(self) -> None:
        """Listens no more. May be called again."""
        self._watch.close()
