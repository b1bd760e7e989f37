"""Machines without a host thread: one eventfd is both a guest's doorbell and a guest's interrupt.

KVM signals the eventfd inside the ringing guest's instruction, the irqfd that sleeps on it takes the count at once and
injects. What stands between ring and handler is the kernel; nobody reads the eventfd, and here nobody could: there is
no I/O thread. The guest that rings stores the doorbell's number where the other's handler reads it.

The wiring can change while the guests run, and nothing is lost at the switch:
- While the ioeventfd is off, the ringing guest's vCPU thread writes the same eventfd.
- While the irqfd is off, the eventfd keeps the count; an irqfd that is assigned to a count injects one interrupt, whose
  handler sees the newest number. The eventfd stays open all the while: closing it would end the irqfd.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, TypeVar

from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventfdRole, Events, Lane, end_to_end
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.kvm.ioeventfd import Ioeventfd
from bellwire.engine.kvm.irqfd import Irqfd
from bellwire.engine.kvm.owner import Belongings
from bellwire.engine.kvm.owner import Eventfd as EventfdFile
from bellwire.engine.language import tr_later
from bellwire.engine.machines.guest import Guest
from bellwire.engine.machines.machine import Machine
from bellwire.engine.machines.stamping import GuestProgram, name_among, stamped_truth
from bellwire.engine.machines.wires import route_of
from bellwire.engine.scenarios.ringing import ringings
from bellwire.engine.scenarios.scenario import Doorbell, Interrupt, Pace, Scenario

LISTENER = "listen"  # the program of the guest that is rung
Key = TypeVar("Key")

NO_HOST_THREAD = tr_later("No thread of the host signals here: ring the doorbell.")


class TwoGuests(Machine):
    """Guest A rings, guest B is interrupted. cpus: for A and B; by default two of this process's."""

    def __init__(self, scenario: Scenario, limit: int | None = None, cpus: tuple[int, int] | None = None) -> None:
        super().__init__(scenario, limit, cpus)
        assert scenario.doorbell is not None
        assert scenario.interrupt is not None
        self.doorbell: Doorbell = scenario.doorbell
        self.interrupt: Interrupt = scenario.interrupt
        self.cannot |= {"interrupt": NO_HOST_THREAD}
        self._stack = Belongings()
        self._ioeventfd: Ioeventfd | None = None
        self._irqfd: Irqfd | None = None
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    # -- building ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.eventfd = self._stack.enter(EventfdFile())
        self.guests = self._build_guests()
        self.ringer, self.listener = self.guests[0], self.guests[-1]
        self.clock = self.ringer.clock
        self.listener.follow(self.ringer)
        self.listener.vm.set_gsi_routing(route_of(self.interrupt))
        self.ringer.vcpu.add_doorbell(self.eventfd, self.doorbell.address, pio=self.doorbell.bus == "pio")
        self._prepare_interrupt()
        self.set_irqfd(self.interrupt.irqfd)
        self.set_ioeventfd(self.doorbell.ioeventfd)

    def _prepare_interrupt(self) -> None:
        """What there is to do when the guests are built, before the irqfd is assigned: here nothing."""

    def _build_guests(self) -> list[Guest]:
        """A and B, and B's control page in A's memory. A is closed first: it uses B's memory."""
        listener = Guest(GuestProgram(LISTENER, vector=self.interrupt.vector, ioapic_pin=self._pin()), index=1)
        self._stack.enter(listener)
        ringer = Guest(GuestProgram(self.scenario.guest, self.limit, self.doorbell), index=0)
        self._stack.enter(ringer)
        ringer.vm.map_control_page(listener.memory)
        return [ringer, listener]

    def _pin(self) -> int | None:
        return self.interrupt.gsi if self.interrupt.route == "ioapic" else None

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the vCPUs' threads; the pace is still held."""
        for guest, cpu in zip(self.guests, self.cpus, strict=False):
            guest.start(cpu)

    def wait_until_ready(self) -> None:
        """Until every guest takes interrupts."""
        for guest in self.guests:
            guest.wait_until_ready()

    @property
    def ready(self) -> bool:
        """Whether every guest takes interrupts."""
        return all(guest.ready for guest in self.guests)

    def set_ioeventfd(self, on: bool) -> None:
        """Assigns or deassigns it, if it is not so already."""
        if on and self._ioeventfd is None:
            (ringing,) = ringings(self.doorbell)
            self._ioeventfd = Ioeventfd.of(self.ringer.vm, self.eventfd, ringing.match(self.doorbell))
        elif not on and self._ioeventfd is not None:
            self._ioeventfd.close()
            self._ioeventfd = None

    def set_irqfd(self, on: bool) -> None:
        """Assigns or deassigns it, if it is not so already; meanwhile the eventfd keeps the count."""
        if on and self._irqfd is None:
            self._irqfd = Irqfd(self.listener.vm, self.eventfd, self.interrupt.gsi)
        elif not on and self._irqfd is not None:
            self._irqfd.close()
            self._irqfd = None

    def set_pace(self, pace: Pace, running: bool) -> None:
        """A rings at this pace; both idle as it says."""
        for guest in self.guests:
            guest.set_idle(pace.idle)
        self.ringer.set_pace(pace, running)
        for guest in self.guests:
            guest.nudge()

    def ring_once(self) -> None:
        """Asks A for one doorbell."""
        self.ringer.ring_once()

    # -- what has happened -------------------------------------------------------------------------------------------

    def drain(self) -> Events:
        """All new events of the guests and their vCPUs' threads, not sorted."""
        return end_to_end(*(guest.drain() for guest in self.guests))

    def counts(self) -> dict[EventfdRole, int | None]:
        """The count of the eventfd, which is the doorbell's and the irqfd's."""
        count = self.eventfd.count()
        return {EventfdRole.DOORBELL: count, EventfdRole.IRQ: count}

    def stats(self) -> dict[str, int]:
        """KVM's own counters of the vCPUs, summed up."""
        return summed_tables([guest.stats() for guest in self.guests])

    def lost(self) -> dict[Lane, int]:
        """Events lost so far, by the lane that lost them."""
        return summed_tables([guest.lost() for guest in self.guests])

    def truth(self) -> dict[str, Any]:
        """The counters behind the events. reads: of the eventfd by user space, which has no thread to do it."""
        return {
            **stamped_truth(self.guests),
            "relayed": self.ringer.vcpu.relayed(),
            "exits": summed_tables([guest.vcpu.exits() for guest in self.guests]),
            "lost": sum(self.lost().values()),
        }

    def trouble(self) -> EngineError | None:
        """A guest that ended; which one, if there are two."""
        told = (guest.trouble(name_among(guest, self.guests)) for guest in self.guests)
        return next(filter(None, told), None)

    def progress(self) -> tuple[int, ...]:
        """Rung, handled."""
        return self.ringer.rung(), self.listener.last_irq_seen()

    def at_rest(self) -> bool:
        """Twice the same count, all handled or, while the irqfd is off, kept in the eventfd."""
        before = self.ringer.rung()
        time.sleep(0.002)
        handled = self._irqfd is None or self.listener.last_irq_seen() == before
        return handled and self.ringer.rung() == before

    def signal_threads(self) -> SignalThreads:
        """The vCPUs'; of another process that answers, all."""
        vcpus = {guest.vcpu.thread: guest.index for guest in self.guests}
        return replace(super().signal_threads(), vcpus=vcpus)

    # -- ending ------------------------------------------------------------------------------------------------------

    def stop_threads(self) -> None:
        """Ends the threads, A's first; what they did can still be drained."""
        with ExitStack() as all_of_them:
            for guest in reversed(self.guests):
                all_of_them.callback(guest.vcpu.stop)

    def close(self) -> None:
        """Ends the threads, deassigns, closes, unmaps."""
        wires, self._ioeventfd, self._irqfd = (self._ioeventfd, self._irqfd), None, None
        try:
            with ExitStack() as all_of_them:
                for wire in filter(None, reversed(wires)):
                    all_of_them.callback(wire.close)
        finally:
            self._stack.close()


class SelfDoorbell(TwoGuests):
    """One guest that rings itself."""

    def _build_guests(self) -> list[Guest]:
        program = GuestProgram(self.scenario.guest, self.limit, self.doorbell, self.interrupt.vector, self._pin())
        return [self._stack.enter(Guest(program))]


def summed_tables(tables: list[dict[Key, int]]) -> dict[Key, int]:
    """The tables added up, key by key."""
    total: dict[Key, int] = {}
    for table in tables:
        for key, count in table.items():
            total[key] = total.get(key, 0) + count
    return total
