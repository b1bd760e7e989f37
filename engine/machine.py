"""A scenario's machine: the VM, its threads and its wiring, built whole and closed whole.

The Session's engine thread is the only one that uses it, so nothing here locks. The wiring can change while the guest
runs, and nothing is lost at the switch:
- Every doorbell ends up in the one eventfd: KVM adds to it while the ioeventfd is assigned, the vCPU thread does after
  an exit while it is not. A doorbell is matched once by the kernel, so it takes one of the two ways and never both.
- An irqfd is assigned before the I/O thread is told to write it, and deassigned only after the I/O thread has
  acknowledged the other path. KVM_IRQFD's deassign waits for injections under way.
"""

from __future__ import annotations

import math
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from engine._core import ffi, lib
from engine.errors import EngineError
from engine.events import EVENT, Clock, Events, Lane
from engine.ioeventfd import Ioeventfd
from engine.iothread import IoThread
from engine.irqfd import Irqfd
from engine.owner import Eventfd
from engine.ring import Ring
from engine.scenario import Pace, Scenario
from engine.stats import VcpuStats
from engine.vcpu import Vcpu
from engine.vm import GsiRoute, Kvm, Memory, Vm

GUESTS = Path(__file__).parent.parent / "guests"
VCPU_RING = 1 << 17
IO_RING = 1 << 18
SCRATCH = 1 << 19  # events that one drain can take from one source
READY_SECONDS = 1.0  # how long a guest may take to boot
NO_LIMIT = 2**64 - 1
PATHS = {"irq-line": lib.BW_PATH_IRQ_LINE, "signal-msi": lib.BW_PATH_SIGNAL_MSI}
NUDGE = GsiRoute.msi(0, lib.BW_VECTOR_NUDGE)


def guest_image(name: str) -> Path:
    """The flat image of a guest. EngineError if it was not built."""
    image = GUESTS / f"{name}.bin"
    if not image.exists():
        raise EngineError(f"The guest {name} is not built; `python -m engine.build` builds it.")
    return image


def two_cpus() -> tuple[int, int]:
    """CPUs for the vCPU and the I/O thread, apart from each other; (-1, -1), any, if there is only one."""
    cpus = sorted(os.sched_getaffinity(0))
    return (cpus[-2], cpus[-1]) if len(cpus) > 1 else (-1, -1)


class Machine:
    """Builds what a scenario names. Raises NoKvmError or KvmError; then nothing is left behind."""

    def __init__(self, scenario: Scenario, limit: int | None = None, cpus: tuple[int, int] | None = None) -> None:
        self.scenario = scenario
        self.limit = NO_LIMIT if limit is None else limit
        self.cpus = two_cpus() if cpus is None else cpus
        self._stack = ExitStack()
        self._ioeventfd: Ioeventfd | None = None
        self._irqfd: Irqfd | None = None
        self._singles = 0
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    # -- building ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        enter = self._stack.enter_context
        self.kvm = enter(Kvm())
        self.memory = enter(Memory())
        self.vm = enter(Vm(self.kvm))
        self.vm.create_irqchip()
        self.vm.set_user_memory_region(self.memory)
        self.vcpu_ring, self.io_ring = enter(Ring(VCPU_RING)), enter(Ring(IO_RING))
        self.doorbell_eventfd, self.irq_eventfd = enter(Eventfd()), enter(Eventfd())
        self.vcpu = enter(Vcpu(self.vm, self.memory, self.vcpu_ring))
        self.stats = enter(VcpuStats(self.vcpu.fd))
        self.clock = Clock(self.vcpu.tsc_hz())
        self.route = self._set_route()
        self.io_thread = enter(
            IoThread(
                self.vm, self.memory, self.io_ring, self.doorbell_eventfd, self.irq_eventfd, self.route, self.clock.hz
            )
        )
        self._prepare_guest()
        self._prepare_stamps()
        self._connect()

    def _set_route(self) -> GsiRoute | None:
        """The table has the one route of the scenario, so no PIC takes part."""
        interrupt = self.scenario.interrupt
        if interrupt is None:
            return None
        if interrupt.route == "msi":
            route = GsiRoute.msi(interrupt.gsi, interrupt.vector)
        else:
            route = GsiRoute.ioapic(interrupt.gsi, interrupt.gsi)
        self.vm.set_gsi_routing(route)
        return route

    def _prepare_guest(self) -> None:
        self.memory.load(guest_image(self.scenario.guest))
        interrupt, doorbell = self.scenario.interrupt, self.scenario.doorbell
        through_ioapic = interrupt is not None and interrupt.route == "ioapic"
        self._control(lib.BW_CTL_IOAPIC_PIN, "I", interrupt.gsi if interrupt and through_ioapic else 0xFFFFFFFF)
        self._control(lib.BW_CTL_LIMIT, "Q", self.limit)
        self._control(lib.BW_CTL_PERIOD, "Q", lib.BW_PERIOD_BY_HAND)
        if doorbell:
            self._control(lib.BW_CTL_BUS, "I", lib.BW_BUS_PIO if doorbell.bus == "pio" else lib.BW_BUS_MMIO)
            self._control(lib.BW_CTL_ADDRESS, "Q", doorbell.address)
            self._control(lib.BW_CTL_VALUE, "Q", doorbell.value)
            self._control(lib.BW_CTL_WIDTH, "I", doorbell.width)

    def _control(self, offset: int, layout: str, value: int) -> None:
        self.memory.put(lib.BW_CONTROL + offset, layout, value)

    def _prepare_stamps(self) -> None:
        address = self.scenario.doorbell.address if self.scenario.doorbell else 0
        vector = self.scenario.interrupt.vector if self.scenario.interrupt else 0
        self._stamps = ffi.gc(
            lib.bw_stamps_new(self.memory.pointer, address & 0xFFFFFFFF, vector, lib.bw_tsc()), lib.bw_stamps_free
        )
        self._scratch = np.empty(SCRATCH, EVENT)
        self._scratch_c = ffi.cast("struct bw_event *", ffi.from_buffer(self._scratch))

    def _connect(self) -> None:
        """The wiring that the scenario starts with."""
        doorbell, interrupt = self.scenario.doorbell, self.scenario.interrupt
        orders = self.io_thread.orders
        orders.limit = self.limit
        if doorbell:
            self.vcpu.set_doorbell(self.doorbell_eventfd, doorbell.address, pio=doorbell.bus == "pio")
            if doorbell.ioeventfd:
                self.set_ioeventfd(True)
        if interrupt:
            orders.signal = lib.BW_SIGNAL_ANSWER if interrupt.by == "guest" else lib.BW_SIGNAL_PACED
            orders.path = PATHS[interrupt.ioctl]
            if interrupt.irqfd:
                self.set_irqfd(True)

    # -- running -----------------------------------------------------------------------------------------------------

    @property
    def host_driven(self) -> bool:
        """Whether the I/O thread, not the guest, keeps the pace."""
        return self.scenario.doorbell is None

    def start(self) -> None:
        """Starts both threads; the pace is still held."""
        vcpu_cpu, io_cpu = self.cpus
        self.io_thread.start(io_cpu)
        self.vcpu.start(vcpu_cpu)

    def set_ioeventfd(self, on: bool) -> None:
        """Assigns or deassigns it, if it is not so already."""
        doorbell = self.scenario.doorbell
        if doorbell and on and self._ioeventfd is None:
            self._ioeventfd = Ioeventfd(
                self.vm, self.doorbell_eventfd, doorbell.address, doorbell.length, pio=doorbell.bus == "pio"
            )
        elif not on and self._ioeventfd is not None:
            self._ioeventfd.close()
            self._ioeventfd = None

    def set_irqfd(self, on: bool) -> None:
        """Assigns or deassigns it, if it is not so already; the I/O thread takes the other path meanwhile."""
        interrupt = self.scenario.interrupt
        if interrupt and on and self._irqfd is None:
            self._irqfd = Irqfd(self.vm, self.irq_eventfd, interrupt.gsi)
            self.io_thread.command(path=lib.BW_PATH_IRQFD)
        elif interrupt and not on and self._irqfd is not None:
            self.io_thread.command(path=PATHS[interrupt.ioctl])
            self._irqfd.close()
            self._irqfd = None

    def wait_until_ready(self) -> None:
        """Until the guest takes interrupts, has ended, or READY_SECONDS are over: the session sees which."""
        until = time.monotonic() + READY_SECONDS
        while not self.memory.get(lib.BW_STATUS + lib.BW_ST_READY, "I"):
            if self.vcpu.ended or time.monotonic() > until:
                return
            time.sleep(0.0005)

    def set_pace(self, pace: Pace, running: bool) -> None:
        """Takes effect at once, in the guest or in the I/O thread, whichever keeps the pace."""
        self._control(lib.BW_CTL_IDLE, "I", lib.BW_IDLE_SPIN if pace.idle == "spin" else lib.BW_IDLE_HLT)
        period = self._period(pace.per_second)
        if self.host_driven:
            self.io_thread.command(period=period, burst=pace.burst, running=int(running))
        else:
            self._set_guest_pace(period, pace.burst, running)
        self.nudge()

    def _period(self, per_second: float) -> int:
        if math.isinf(per_second):
            return int(lib.BW_PERIOD_FLAT_OUT)
        return self.clock.cycles(1 / per_second) if per_second > 0 else int(lib.BW_PERIOD_BY_HAND)

    def _set_guest_pace(self, period: int, burst: int, running: bool) -> None:
        """FAST, which makes the guest look at nothing else, is cleared first and set last."""
        self._control(lib.BW_CTL_FAST, "I", 0)
        self._control(lib.BW_CTL_BURST, "I", burst)
        self._control(lib.BW_CTL_PERIOD, "Q", period)
        self._control(lib.BW_CTL_RUNNING, "I", int(running))
        self._control(lib.BW_CTL_FAST, "I", int(running and period == lib.BW_PERIOD_FLAT_OUT))

    def ring_once(self) -> None:
        """Asks the guest for one doorbell."""
        self._singles += 1
        self._control(lib.BW_CTL_SINGLES, "I", self._singles & 0xFFFFFFFF)
        self.nudge()

    def interrupt_once(self) -> None:
        """Has the I/O thread signal one interrupt."""
        self.io_thread.command(singles=self.io_thread.orders.singles + 1)

    def nudge(self) -> None:
        """Wakes the guest from HLT, so that it looks at its control page. Counts as no interrupt of the scenario."""
        self.vm.signal_msi(NUDGE)

    # -- what has happened -------------------------------------------------------------------------------------------

    def drain(self) -> Events:
        """All new events of all sources, not sorted."""
        parts = [self._drain_ring(self.vcpu_ring), self._drain_ring(self.io_ring), self._drain_stamps()]
        return np.concatenate(parts)

    def _drain_ring(self, ring: Ring) -> Events:
        return self._scratch[: ring.drain(self._scratch_c, SCRATCH)].copy()

    def _drain_stamps(self) -> Events:
        count = lib.bw_stamps_drain(self._stamps, self.io_thread.announced, self._scratch_c, SCRATCH)
        return self._scratch[:count].copy()

    def last_irq_seen(self) -> int:
        """The newest interrupt that a drained handler has seen."""
        return int(lib.bw_stamps_last_irq(self._stamps))

    def lost(self) -> dict[Lane, int]:
        """Events lost so far, by the lane that lost them."""
        stamps = lib.bw_stamps_lost(self._stamps) + lib.bw_stamps_nonsense(self._stamps)
        return {Lane.GUEST: int(stamps), Lane.VCPU: self.vcpu_ring.dropped, Lane.IO_THREAD: self.io_ring.dropped}

    def rung(self) -> int:
        """Doorbells that the guest says it has rung."""
        return self.memory.get(lib.BW_STATUS + lib.BW_ST_RUNG, "Q")

    def fault(self) -> int | None:
        """The fault that the guest reports to have ended by, or None."""
        vector = self.memory.get(lib.BW_STATUS + lib.BW_ST_FAULT, "I")
        return vector - 1 if vector else None

    def truth(self) -> dict[str, Any]:
        """The counters behind the events: the guest's, the threads', the eventfds'."""
        return {
            "rung": self.rung(),
            "handled": int(lib.bw_stamps_handled(self._stamps)),
            "reads": self.io_thread.reads,
            "received": self.io_thread.received,
            "signalled": self.io_thread.signalled,
            "refused": self.io_thread.refused,
            "relayed": self.vcpu.relayed(),
            "exits": self.vcpu.exits(),
            "pending": self.doorbell_eventfd.count(),
            "irq_pending": self.irq_eventfd.count(),
            "nonsense": int(lib.bw_stamps_nonsense(self._stamps)),
            "lost": sum(self.lost().values()),
        }

    # -- ending ------------------------------------------------------------------------------------------------------

    def stop_threads(self) -> None:
        """Ends both threads; what they did can still be drained."""
        self.io_thread.stop()
        self.vcpu.stop()

    def close(self) -> None:
        """Ends the threads, deassigns, closes, unmaps."""
        for wire in (self._ioeventfd, self._irqfd):
            if wire is not None:
                wire.close()
        self._ioeventfd = self._irqfd = None
        self._stack.close()
