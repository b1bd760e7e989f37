"""A VMM that is watched, in place of one that runs: these looks, one after the other, then its end."""

from __future__ import annotations

from dataclasses import replace

from bellwire.engine.attached.attachment import ProcessEndedError
from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.topology import SeenIoeventfd, SeenVcpu, SeenVm, Topology
from bellwire.engine.attached.watched import WatchedVmm
from bellwire.engine.kvm.ioeventfd import IoMatch

VMM = KvmProcess(7, 1, 0, "crosvm")
DOORBELL = SeenIoeventfd(IoMatch("pio", 0x510, 2), 70)
VM = SeenVm(4, "full", (SeenVcpu(0, 33, "vcpu", {"exits": 100}),))
BEFORE, AFTER = Topology(VMM, (VM,)), Topology(VMM, (replace(VM, ioeventfds=(DOORBELL,)),))


class LooksTaken:
    """In place of an attachment: these looks, then the end."""

    def __init__(self, *looks: Topology) -> None:
        self._looks = iter(looks)

    def look(self) -> Topology:
        try:
            return next(self._looks)
        except StopIteration:
            raise ProcessEndedError("crosvm, pid 7 has ended.") from None


def watching(*looks: Topology) -> WatchedVmm:
    """A VMM of these looks."""
    return WatchedVmm(LooksTaken(*looks))  # type: ignore[arg-type]
