"""One guest: a VM with memory, one vCPU and its thread, what the guest stamps and what KVM counts of it.

Machines are built of guests (engine/machines/machine.py). The engine thread alone uses them.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import EngineError, GuestError
from bellwire.engine.events import EVENT, STATS, Clock, Events, Lane, end_to_end
from bellwire.engine.host.host import allowed_cpus, sharing_a_core
from bellwire.engine.kvm.irqchip import IoapicPin
from bellwire.engine.kvm.owner import Belongings, Owner
from bellwire.engine.kvm.ring import Ring
from bellwire.engine.kvm.stats import VcpuStats
from bellwire.engine.kvm.vcpu import Vcpu
from bellwire.engine.kvm.vm import GsiRoute, Kvm, Memory, Vm
from bellwire.engine.language import tr
from bellwire.engine.scenarios.rules import GUESTS
from bellwire.engine.scenarios.scenario import Doorbell, Pace
from bellwire.engine.verdict import Ending, Verdict

VCPU_RING = 1 << 17
SCRATCH = 1 << 19  # events that one drain can take from one source
READY_SECONDS = 1.0  # how long a guest may take to boot
NO_LIMIT = 2**64 - 1
FAULTS = 32  # the exceptions that a guest's handlers tell of
NOBODY = ffi.new("const uint64_t *", 0)  # the number of interrupts that a host which sends none has announced


def guest_image(name: str) -> Path:
    """The flat image of a guest. EngineError if it was not built."""
    image = GUESTS / f"{name}.bin"
    if not image.exists():
        raise EngineError(tr("The guest {name} is not built; `make build` builds it.", name=name))
    return image


def two_cpus() -> tuple[int, int]:
    """CPUs for a guest and its partner, of two cores if there are two; (-1, -1), any, if there is only one CPU."""
    cpus = allowed_cpus()
    if len(cpus) < 2:
        return -1, -1
    apart = [cpu for cpu in cpus[:-1] if cpu not in sharing_a_core(cpus[-1])]
    return (apart or cpus[:-1])[-1], cpus[-1]


@dataclass(frozen=True)
class GuestProgram:
    """What a guest runs and how it is set up: guests/<image>.c and its control page."""

    image: str
    limit: int = NO_LIMIT  # doorbells in all
    doorbell: Doorbell | None = None
    vector: int = 0  # of the interrupts that it stamps
    ioapic_pin: int | None = None  # that it programs
    level: bool = False  # how: level-triggered, not edge-triggered
    masked: bool = False  # and masked
    hold_us: int = 0  # how long it keeps interrupts off once it is interrupted


class Guest(Owner):
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
        self.program, self.index = program, index
        self._beside, self._shares_control = beside, shares_control
        self._stack = Belongings()
        self._singles = 0
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
        self._load()
        self._prepare_stamps()

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

    def _load(self) -> None:
        program = self.program
        self.memory.load(guest_image(program.image))
        self.control(lib.BW_CTL_IOAPIC_PIN, "I", 0xFFFFFFFF if program.ioapic_pin is None else program.ioapic_pin)
        pin = IoapicPin(program.vector, program.level, program.masked)
        self.control(lib.BW_CTL_IOAPIC_ENTRY, "I", pin.entry)
        self.control(lib.BW_CTL_HOLD, "Q", self.clock.cycles(program.hold_us / 1e6))
        self.control(lib.BW_CTL_LIMIT, "Q", program.limit)
        self.control(lib.BW_CTL_PERIOD, "Q", lib.BW_PERIOD_BY_HAND)
        if doorbell := program.doorbell:
            self.control(lib.BW_CTL_BUS, "I", lib.BW_BUS_PIO if doorbell.bus == "pio" else lib.BW_BUS_MMIO)
            self.control(lib.BW_CTL_ADDRESS, "Q", doorbell.address)
            self.control(lib.BW_CTL_VALUE, "Q", doorbell.value)
            self.control(lib.BW_CTL_WIDTH, "I", doorbell.width)
            self.control(lib.BW_CTL_QUEUES, "I", doorbell.queues)
            self.control(lib.BW_CTL_ADDRESSES, "I", doorbell.addresses)

    def _prepare_stamps(self) -> None:
        address = self.program.doorbell.address if self.program.doorbell else 0
        stamps = lib.bw_stamps_new(self.memory.pointer, address & 0xFFFFFFFF, self.program.vector, lib.bw_tsc())
        if stamps == ffi.NULL:
            raise EngineError(tr("No memory for the guest's stamps."))
        self._stamps = ffi.gc(stamps, lib.bw_stamps_free)
        if self.program.doorbell:
            lib.bw_stamps_set_addresses(self._stamps, self.program.doorbell.addresses)
        self._scratch = np.empty(SCRATCH, EVENT)
        self._scratch_c = ffi.cast("struct bw_event *", ffi.from_buffer(self._scratch))

    def control(self, offset: int, layout: str, value: int) -> None:
        """Stores one number in the control page, which the guest reads."""
        self.memory.put(lib.BW_CONTROL + offset, layout, value)

    # -- running -----------------------------------------------------------------------------------------------------

    def follow(self, ringer: Guest) -> None:
        """Its interrupts are announced by the doorbells of another guest, or of itself; by no host. Before start()."""
        lib.bw_stamps_follow(self._stamps, ringer._stamps)

    def start(self, cpu: int = -1) -> None:
        """Starts the vCPU's thread; the pace is still held."""
        self.vcpu.start(cpu)

    def wait_until_ready(self) -> None:
        """Until the guest takes interrupts, has ended, or READY_SECONDS are over: the session sees which."""
        until = time.monotonic() + READY_SECONDS
        while not self.ready:
            if self.vcpu.ended or time.monotonic() > until:
                return
            time.sleep(0.0005)

    @property
    def ready(self) -> bool:
        """Whether the guest says that it takes interrupts."""
        return bool(self.memory.get(lib.BW_STATUS + lib.BW_ST_READY, "I"))

    def period(self, per_second: float) -> int:
        """Cycles between two ticks of a pace, as the control page and the I/O thread take it."""
        if math.isinf(per_second):
            return int(lib.BW_PERIOD_FLAT_OUT)
        return self.clock.cycles(1 / per_second) if per_second > 0 else int(lib.BW_PERIOD_BY_HAND)

    def set_idle(self, idle: str) -> None:
        """HLT or spin between signals."""
        self.control(lib.BW_CTL_IDLE, "I", lib.BW_IDLE_SPIN if idle == "spin" else lib.BW_IDLE_HLT)

    def set_pace(self, pace: Pace, running: bool) -> None:
        """The guest rings at this pace from now on.

        FAST, which makes the guest look at nothing else, is cleared first and set last.
        """
        period = self.period(pace.per_second)
        self.control(lib.BW_CTL_FAST, "I", 0)
        self.control(lib.BW_CTL_BURST, "I", pace.burst)
        self.control(lib.BW_CTL_PERIOD, "Q", period)
        self.control(lib.BW_CTL_RUNNING, "I", int(running))
        self.control(lib.BW_CTL_FAST, "I", int(running and period == lib.BW_PERIOD_FLAT_OUT))

    def ring_once(self) -> None:
        """Asks for one doorbell."""
        self._singles += 1
        self.control(lib.BW_CTL_SINGLES, "I", self._singles & 0xFFFFFFFF)
        self.nudge()

    def nudge(self) -> None:
        """Wakes the guest from HLT, so that it looks at its control page. Counts as no interrupt of the scenario."""
        self.vm.signal_msi(GsiRoute.msi(0, lib.BW_VECTOR_NUDGE, self._number))

    # -- what has happened -------------------------------------------------------------------------------------------

    def drain(self, announced: Any = None) -> Events:
        """All new events of the vCPU's thread and of the guest itself, not sorted.

        announced: where, for C, the number of interrupts signalled to this guest stands; None: it follows another.
        """
        events = end_to_end(self.drain_ring(self.ring), self._drain_stamps(announced or NOBODY))
        events["vm"] = self.index
        return events

    def drain_ring(self, ring: Ring) -> Events:
        """All new events of one ring."""
        return self._scratch[: ring.drain(self._scratch_c, SCRATCH)].copy()

    def _drain_stamps(self, announced: Any) -> Events:
        count = lib.bw_stamps_drain(self._stamps, announced, self._scratch_c, SCRATCH)
        return self._scratch[:count].copy()

    def lost(self) -> dict[Lane, int]:
        """Events lost so far, by the lane that lost them."""
        stamps = lib.bw_stamps_lost(self._stamps) + self.nonsense()
        return {Lane.GUEST: int(stamps), Lane.VCPU: self.ring.dropped}

    def nonsense(self) -> int:
        """Stamps that cannot be true."""
        return int(lib.bw_stamps_nonsense(self._stamps))

    def rung(self) -> int:
        """Doorbells that the guest says it has rung."""
        return self.memory.get(lib.BW_STATUS + lib.BW_ST_RUNG, "Q")

    def handled(self) -> int:
        """Interrupt handlers whose stamps were drained."""
        return int(lib.bw_stamps_handled(self._stamps))

    def last_irq_seen(self) -> int:
        """The newest interrupt that a drained handler has seen."""
        return int(lib.bw_stamps_last_irq(self._stamps))

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
