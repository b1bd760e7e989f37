"""The classic machine: one guest, and an I/O thread that it talks with.

The wiring can change while the guest runs, and nothing is lost at the switch:
- Every doorbell ends up in the one eventfd: KVM adds to it while the ioeventfd is assigned, the vCPU thread does after
  an exit while it is not. A doorbell is matched once by the kernel, so it takes one of the two ways and never both.
- An irqfd is assigned before the I/O thread is told to write it, and deassigned only after the I/O thread has
  acknowledged the other path. KVM_IRQFD's deassign waits for injections under way.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError, KvmError
from bellwire.engine.events import (
    OTHER_VECTOR,
    EventfdRole,
    EventKind,
    Events,
    Lane,
    Setting,
    end_to_end,
    event,
    no_events,
)
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.kvm.iothread import IoThread
from bellwire.engine.kvm.owner import Belongings
from bellwire.engine.kvm.ring import Ring
from bellwire.engine.kvm.vm import GsiRoute
from bellwire.engine.language import tr, tr_later
from bellwire.engine.machines import lab
from bellwire.engine.machines.guest import Guest
from bellwire.engine.machines.machine import Machine
from bellwire.engine.machines.stamping import GuestProgram
from bellwire.engine.machines.wires import DoorbellWires, InterruptWires, route_of
from bellwire.engine.scenarios.scenario import Interrupt, LabStep, Pace, Scenario

IO_RING = 1 << 19  # half a second of signals flat out: an engine thread may be kept from its CPU that long
PATHS = {"irq-line": lib.BW_PATH_IRQ_LINE, "signal-msi": lib.BW_PATH_SIGNAL_MSI}
NO_DOORBELL = tr_later("This guest rings no doorbell: the host signals it.")
LEVEL_STAYS = tr_later(
    "Who lowers the line is settled before the guest boots: KVM at its EOI, or the guest by a write."
)
NO_INTERRUPT = tr_later("This scenario has no interrupt.")
NO_ROUTE_ASKED = tr_later("KVM_SIGNAL_MSI brings its own vector and asks no route: switch the irqfd on first.")
ONE_HANDLER = tr_later("The handler of the guest's second vector ends its interrupts, and this one shall not.")


class OneGuest(Machine):
    """Builds what a scenario names. cpus: for the vCPU and the I/O thread; by default two of this process's."""

    def __init__(self, scenario: Scenario, limit: int | None = None, cpus: tuple[int, int] | None = None) -> None:
        super().__init__(scenario, limit, cpus)
        self._stack = Belongings()
        self._told, self._next_route = False, 0.0
        self.masked = scenario.interrupt is not None and scenario.interrupt.masked
        if scenario.doorbell is None:
            self.cannot |= {"ioeventfd": NO_DOORBELL, "doorbell": NO_DOORBELL}
        if scenario.interrupt is None:
            self.cannot |= {"irqfd": NO_INTERRUPT, "interrupt": NO_INTERRUPT}
        elif scenario.interrupt.trigger == "level":
            self.cannot |= {"irqfd": LEVEL_STAYS}
        self._tell_of_the_route()
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    # -- building ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        enter = self._stack.enter
        self.guest = enter(Guest(self._program(), split_irqchip=self.scenario.irqchip == "split"))
        self.clock = self.guest.clock
        self.io_ring = enter(Ring(IO_RING))
        self.doorbells = enter(DoorbellWires(self.guest.vm, self.guest.vcpu, self.scenario.doorbell))
        self.interrupts = enter(InterruptWires(self.guest.vm, self.guest.vcpu, self.scenario.interrupt))
        self.route = self._set_route()
        self.io_thread = enter(
            IoThread(
                self.guest.vm,
                self.guest.memory,
                self.io_ring,
                self.doorbells.eventfds[0],
                self.interrupts.eventfds[0],
                self.route,
                self.clock.hz,
            )
        )
        self._connect()

    def _program(self) -> GuestProgram:
        program, interrupt = (
            GuestProgram(self.scenario.guest, self.limit, self.scenario.doorbell),
            self.scenario.interrupt,
        )
        if interrupt is None:
            return program
        return replace(
            program,
            vector=interrupt.vector,
            ioapic_pin=interrupt.gsi if interrupt.route == "ioapic" else None,
            level=interrupt.trigger == "level",
            masked=interrupt.masked,
            hold_us=interrupt.hold_us,
        )

    def _set_route(self) -> GsiRoute | None:
        if self.scenario.interrupt is None:
            return None
        route = route_of(self.scenario.interrupt)
        self.guest.vm.set_gsi_routing(route)
        return route

    def _connect(self) -> None:
        """The wiring that the scenario starts with."""
        doorbell, interrupt = self.scenario.doorbell, self.scenario.interrupt
        orders = self.io_thread.orders
        orders.limit = self.limit
        self.io_thread.wait_for(self.doorbells.eventfds)
        self.io_thread.signal_in_turn(self.interrupts.eventfds)
        if doorbell:
            self.set_ioeventfd(doorbell.ioeventfd)
        if self.interrupts.resamplefd:
            self.io_thread.hold_line(self.interrupts.resamplefd)
        if interrupt:
            orders.signal = lib.BW_SIGNAL_ANSWER if interrupt.by == "guest" else lib.BW_SIGNAL_PACED
            orders.path = instead_of_irqfd(interrupt)
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
        self.guest.start(vcpu_cpu)

    def wait_until_ready(self) -> None:
        """Until the guest takes interrupts."""
        self.guest.wait_until_ready()

    @property
    def ready(self) -> bool:
        """Whether the guest takes interrupts."""
        return self.guest.ready

    def set_ioeventfd(self, on: bool) -> None:
        """Assigns or deassigns it, if it is not so already."""
        self.doorbells.set_ioeventfd(on)

    def set_irqfd(self, on: bool) -> None:
        """Assigns or deassigns it, if it is not so already; the I/O thread takes the other path meanwhile."""
        interrupt = self.scenario.interrupt
        if interrupt is None or on == self.interrupts.assigned:
            return
        if not on:
            self.io_thread.command(path=instead_of_irqfd(interrupt))
        self.interrupts.set_irqfd(on)
        if on:
            self.io_thread.command(path=lib.BW_PATH_IRQFD)
        self._tell_of_the_route()

    def _tell_of_the_route(self) -> None:
        """Whether it can be changed: not where no signal would take it."""
        interrupt = self.scenario.interrupt
        if interrupt is None or interrupt.route != "msi":
            return
        by_ioctl = not self._assigned and not interrupt.waits and interrupt.ioctl == "signal-msi"
        reason = NO_ROUTE_ASKED if by_ioctl else "" if self._second_handler else ONE_HANDLER
        others = {order: why for order, why in self.cannot.items() if order != "route"}
        self.cannot = {**others, "route": reason} if reason else others  # at once: another thread reads it

    @property
    def _assigned(self) -> bool:
        """Whether the irqfd is, or will be once this machine is built."""
        interrupt, wires = self.scenario.interrupt, getattr(self, "interrupts", None)
        return bool(wires.assigned if wires else interrupt and interrupt.irqfd)

    @property
    def _second_handler(self) -> bool:
        """Whether the interrupt means the same wherever the route leads."""
        return self.scenario.interrupt is not None and self.scenario.interrupt.eoi

    def tick(self) -> Events:
        """Tells what is masked, and changes the route when it is time, and while signals take it."""
        interrupt = self.scenario.interrupt
        parts = []
        if self.masked and not self._told:
            parts.append(event(int(lib.bw_tsc()), EventKind.SETTING, Lane.ENGINE, Setting.MASKED, 0, 1))
        self._told = True
        routed = "route" not in self.cannot
        if interrupt and interrupt.reroute_ms and routed and time.monotonic() >= self._next_route:
            self._next_route = time.monotonic() + interrupt.reroute_ms / 1000
            parts.append(self.change_route())
        return np.concatenate([no_events(), *parts])

    def change_route(self) -> Events:
        """Leads the GSI to the other vector, for which the guest has a handler as well; irqfds follow at once."""
        assert self.route is not None
        vector = lib.BW_VECTOR_MSI if self.route.vector == OTHER_VECTOR else OTHER_VECTOR
        self.route = GsiRoute.msi(self.route.gsi, vector)
        self.guest.vm.set_gsi_routing(self.route)
        return event(int(lib.bw_tsc()), EventKind.SETTING, Lane.ENGINE, Setting.ROUTE, 0, vector)

    def set_pace(self, pace: Pace, running: bool) -> None:
        """Takes effect at once, in the guest or in the I/O thread, whichever keeps the pace."""
        self.guest.set_idle(pace.idle)
        if self.host_driven:
            period = self.guest.period(pace.per_second)
            self.io_thread.command(period=period, burst=pace.burst, running=int(running))
        else:
            self.guest.set_pace(pace, running)
        self.guest.nudge()

    def ring_once(self) -> None:
        """Asks the guest for one doorbell."""
        self.guest.ring_once()

    def interrupt_once(self) -> None:
        """Has the I/O thread signal one interrupt."""
        self.io_thread.command(singles=self.io_thread.orders.singles + 1)

    def do_step(self, step: LabStep) -> Events:
        """Breaks or mends what the step says; the events that tell of it."""
        return lab.do_step(self, step)

    # -- what has happened -------------------------------------------------------------------------------------------

    def drain(self) -> Events:
        """All new events of the guest, the vCPU thread and the I/O thread, not sorted."""
        return end_to_end(self.guest.drain_ring(self.io_ring), self.guest.drain(self.io_thread.announced))

    def counts(self) -> dict[EventfdRole, int | None]:
        """The counts of both eventfds."""
        return {EventfdRole.DOORBELL: self.doorbells.count(), EventfdRole.IRQ: self.interrupts.count()}

    def stats(self) -> dict[str, int]:
        """KVM's own counters of the vCPU."""
        return self.guest.stats()

    def lost(self) -> dict[Lane, int]:
        """Events lost so far, by the lane that lost them."""
        return {**self.guest.lost(), Lane.IO_THREAD: self.io_ring.dropped}

    def truth(self) -> dict[str, Any]:
        """The counters behind the events: the guest's, the threads', the eventfds'."""
        return {
            "rung": self.guest.rung(),
            "handled": self.guest.handled(),
            "reads": self.io_thread.reads,
            "received": self.io_thread.received,
            "signalled": self.io_thread.signalled,
            "refused": self.io_thread.refused,
            "relayed": self.guest.vcpu.relayed(),
            "exits": self.guest.vcpu.exits(),
            "pending": self.doorbells.left(),
            "irq_pending": self.interrupts.left(),
            "nonsense": self.guest.nonsense(),
            "lost": sum(self.lost().values()),
        }

    def trouble(self) -> EngineError | None:
        """A guest that ended, or an I/O thread that met an error."""
        if self.io_thread.failure:
            return KvmError(tr("The I/O thread's signal"), self.io_thread.failure)
        return self.guest.trouble()

    def progress(self) -> tuple[int, ...]:
        """Rung, received, signalled, handled."""
        return self.guest.rung(), self.io_thread.received, self.io_thread.signalled, self.guest.last_irq_seen()

    def at_rest(self) -> bool:
        """Twice the same count, all received, all handled or where no handler comes. What KVM keeps is sent for."""
        if self.scenario.doorbell and self.scenario.doorbell.coalesced:
            self.guest.vcpu.kick()
        before = self.guest.rung()
        time.sleep(0.002)
        received = self.guest.rung() == before == self.io_thread.received
        return received and (self._kept or self.guest.last_irq_seen() == self.io_thread.signalled)

    @property
    def _kept(self) -> bool:
        """Whether signals end at a masked pin, or in the eventfd, as nothing is used instead of the irqfd."""
        interrupt = self.scenario.interrupt
        unheard = interrupt is not None and interrupt.waits and not self.interrupts.assigned
        return self.masked or unheard

    def signal_threads(self) -> SignalThreads:
        """The vCPU's and the I/O thread."""
        return SignalThreads({self.guest.vcpu.thread: 0}, frozenset([self.io_thread.thread]))

    # -- ending ------------------------------------------------------------------------------------------------------

    def stop_threads(self) -> None:
        """Ends both threads; what they did can still be drained."""
        try:
            self.io_thread.stop()
        finally:
            self.guest.vcpu.stop()

    def close(self) -> None:
        """Ends the threads, deassigns, closes, unmaps."""
        self._stack.close()


def instead_of_irqfd(interrupt: Interrupt) -> int:
    """The path of signals while there is no irqfd; an eventfd can be written whoever listens."""
    return int(lib.BW_PATH_IRQFD) if interrupt.waits else PATHS[interrupt.ioctl]
