"""One guest: a VM with memory, one vCPU and its thread, what the guest stamps and what KVM counts of it.

Machines are built of guests (engine/machines/machine.py). The engine thread alone uses them.
"""

from __future__ import annotations

import time
from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.errors import GuestError
from bellwire.engine.events import STATS, Clock, Events, Lane, end_to_end
from bellwire.engine.host.host import allowed_cpus, sharing_a_core
from bellwire.engine.host.patience import Patience
from bellwire.engine.kvm.owner import Belongings
from bellwire.engine.kvm.ring import Ring
from bellwire.engine.kvm.stats import VcpuStats
from bellwire.engine.kvm.vcpu import Vcpu
from bellwire.engine.kvm.vm import GsiRoute, Kvm, Memory, Vm
from bellwire.engine.language import tr
from bellwire.engine.machines.stamping import FAULTS, NOBODY, SCRATCH, GuestProgram, StampingGuest
from bellwire.engine.verdict import Ending, Verdict

VCPU_RING = 1 << 17
READY_SECONDS = 1.0  # how long a guest may take to boot, where it has a CPU
READY_TURN = 0.0005  # seconds until it is looked at again


def two_cpus() -> tuple[int, int]:
    """CPUs for a guest and its partner, of two cores if there are two; (-1, -1), any, if there is only one CPU."""
    cpus = allowed_cpus()
    if len(cpus) < 2:
        return -1, -1
    apart = [cpu for cpu in cpus[:-1] if cpu not in sharing_a_core(cpus[-1])]
    return (apart or cpus[:-1])[-1], cpus[-1]


class Guest(StampingGuest):
    """Raises NoKvmError or KvmError if it cannot be built; then nothing is left behind.

    index: which guest it is, `vm` of its events. beside: a guest whose VM it shares, as the vCPU of number `index`;
    shares_control: and whose control page, so that both are told of interrupts and paces at once.
    """

    def __init__(
        self,
        program: GuestProgram,
        index: int = 0,
        *,
        split_irqchip: bool = False,
        beside: Guest | None = None,
        shares_control: bool = False,
    ) -> None:
        super().__init__(program, index)
        self._beside, self._shares_control = beside, shares_control
        self._stack = Belongings()
        self._split = split_irqchip
        try:
            self._build()
        except BaseException:
            self._stack.close()
            raise

    def _build(self) -> None:
        enter = self._stack.enter
        if self._beside:
            self._join(self._beside)
        else:
            self._found()
        self.ring = enter(Ring(VCPU_RING))
        self.vcpu = enter(Vcpu(self.vm, self.memory, self.ring, self._number))
        stats = VcpuStats.of(self.vcpu.fd)
        self._stats = enter(stats) if stats else None
        self.clock = Clock(self.vcpu.tsc_hz(), self.vcpu.tsc_offset())
        self.load()
        self.prepare_stamps()

    @property
    def _number(self) -> int:
        """Of the vCPU in its VM, and so of its local APIC."""
        return self.index if self._beside else 0

    def _found(self) -> None:
        """A VM of its own."""
        kvm = self._stack.enter(Kvm())
        self.memory = self._stack.enter(Memory())
        self.vm = self._stack.enter(Vm(kvm))
        if self._split:
            self.vm.enable_split_irqchip()
        else:
            self.vm.create_irqchip()
        self.vm.set_user_memory_region(self.memory)

    def _join(self, other: Guest) -> None:
        """Another vCPU of a VM that is there, with memory of its own."""
        self.vm = other.vm
        self.memory = self._stack.enter(Memory(base=self._number * lib.BW_VCPU_MEMORY))
        self.vm.add_vcpu_memory(self.memory, other.memory if self._shares_control else None)

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, cpu: int = -1) -> None:
        """Starts the vCPU's thread; the pace is still held."""
        self.vcpu.start(cpu)

    def wait_until_ready(self) -> None:
        """Until the guest takes interrupts, has ended, or has had READY_SECONDS: the session sees which."""
        patience = Patience(READY_SECONDS, READY_TURN)
        while not self.ready:
            if self.vcpu.ended or patience.ends(self.vcpu.ended):
                return
            time.sleep(READY_TURN)

    def nudge(self) -> None:
        """Wakes the guest from HLT, so that it looks at its control page. Counts as no interrupt of the scenario."""
        self.vm.signal_msi(GsiRoute.msi(0, lib.BW_VECTOR_NUDGE, self._number))

    # -- what has happened -------------------------------------------------------------------------------------------

    def drain(self, announced: Any = None) -> Events:
        """All new events of the vCPU's thread and of the guest itself, not sorted.

        announced: where, for C, the number of interrupts signalled to this guest stands; None: it follows another.
        """
        events = end_to_end(self.drain_ring(self.ring), self.drain_stamps(announced or NOBODY))
        events["vm"] = self.index
        return events

    def drain_ring(self, ring: Ring) -> Events:
        """All new events of one ring."""
        return self._scratch[: ring.drain(self._scratch_c, SCRATCH)].copy()

    def lost(self) -> dict[Lane, int]:
        """Events lost so far, by the lane that lost them."""
        return {Lane.GUEST: self.lost_stamps(), Lane.VCPU: self.ring.dropped}

    def stats(self) -> dict[str, int]:
        """KVM's own counters of the vCPU, those of STATS that this kernel has."""
        return self._stats.read(STATS) if self._stats else {}

    def trouble(self, who: str = "") -> GuestError | None:
        """Why the guest is no more, if it has ended. who: as it begins a sentence; "" if it is the only one."""
        if not self.vcpu.ended:
            return None
        ending, fault = self.vcpu.ending(), self.memory.get(lib.BW_STATUS + lib.BW_ST_FAULT, "I")
        if ending.verdict is Verdict.ENDED and 0 < fault <= FAULTS:
            ending = Ending(Verdict.FAULT, fault - 1)
        return GuestError(ending.told(who or tr("The guest")), ending.verdict)

    def close(self) -> None:
        """Ends the thread, closes, unmaps."""
        self._stack.close()
