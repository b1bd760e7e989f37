"""A guest as its shared memory shows it: what it is told in its control page, what it stamps.

Who runs it does not matter here: a vCPU thread of this process (engine/machines/guest.py), or another VMM.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import EngineError
from bellwire.engine.events import EVENT, Clock, Events
from bellwire.engine.kvm.irqchip import IoapicPin
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.kvm.vm import Memory
from bellwire.engine.language import tr
from bellwire.engine.scenarios.rules import GUESTS
from bellwire.engine.scenarios.scenario import Doorbell, Pace

SCRATCH = 1 << 19  # events that one drain can take from one source
NO_LIMIT = 2**64 - 1
FAULTS = 32  # the exceptions that a guest's handlers tell of
NOBODY = ffi.new("const uint64_t *", 0)  # the number of interrupts that a host which sends none has announced


def guest_image(name: str) -> Path:
    """The flat image of a guest. EngineError if it was not built."""
    image = GUESTS / f"{name}.bin"
    if not image.exists():
        raise EngineError(tr("The guest {name} is not built; `make build` builds it.", name=name))
    return image


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


class StampingGuest(Owner):
    """Whoever inherits from it brings `memory` and `clock`, and calls load() and prepare_stamps()."""

    memory: Memory
    clock: Clock

    def __init__(self, program: GuestProgram, index: int = 0) -> None:
        self.program, self.index = program, index
        self._singles = 0

    def load(self) -> None:
        """Puts the program into its memory, and what it is told at its start."""
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

    def prepare_stamps(self) -> None:
        """From now on what it stamps can be drained."""
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

    def follow(self, ringer: StampingGuest) -> None:
        """Its interrupts are announced by the doorbells of another guest, or of itself; by no host. Before start()."""
        lib.bw_stamps_follow(self._stamps, ringer._stamps)

    @property
    def ready(self) -> bool:
        """Whether the guest says that it takes interrupts."""
        return bool(self.memory.get(lib.BW_STATUS + lib.BW_ST_READY, "I"))

    @abstractmethod
    def nudge(self) -> None:
        """Has the guest look at its control page soon, though it waits."""

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

    # -- what has happened -------------------------------------------------------------------------------------------

    def drain_stamps(self, announced: Any = NOBODY) -> Events:
        """All new events of the guest itself. announced: as in Guest.drain()."""
        count = lib.bw_stamps_drain(self._stamps, announced, self._scratch_c, SCRATCH)
        return self._scratch[:count].copy()

    def lost_stamps(self) -> int:
        """Stamps that were overwritten, or whose time is not known, or that cannot be true."""
        return int(lib.bw_stamps_lost(self._stamps)) + self.nonsense()

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


def stamped_truth(guests: Sequence[StampingGuest]) -> dict[str, Any]:
    """Machine.truth() where the first guest rings, the last is interrupted, and nobody here has a part in it.

    "lost" is the machine's to say.
    """
    ringer, listener = guests[0], guests[-1]
    rung, seen = ringer.rung(), listener.last_irq_seen()
    return {
        "rung": rung,
        "handled": listener.handled(),
        "reads": 0,
        "received": seen,
        "signalled": rung,
        "refused": 0,
        "relayed": 0,
        "exits": {},
        "pending": rung - seen,
        "irq_pending": rung - seen,
        "nonsense": sum(guest.nonsense() for guest in guests),
    }


def name_among(guest: StampingGuest, guests: Sequence[StampingGuest]) -> str:
    """ "Guest A", as it begins a sentence; "" of the only one."""
    return tr("Guest {letter}", letter="AB"[guest.index]) if len(guests) > 1 else ""
