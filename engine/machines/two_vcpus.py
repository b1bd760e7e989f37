"""A guest with two vCPUs in one VM: both ring the same eventfd, or the host chooses which of them it interrupts.

Each vCPU has memory of its own, which its page tables show it at 0, so that both run the same program and none waits
for the other. Doorbells: both have the same ioeventfds, and without them the same relay. Interrupts: the two share a
control page, in which the host announces; a route names the local APIC, so it chooses the vCPU, and changing it moves
the interrupt while signals fly, as a guest does that balances its interrupts.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventKind, Events, Lane, Setting, end_to_end, event, vms_in
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.machines.guest import Guest
from bellwire.engine.machines.one_guest import OneGuest
from bellwire.engine.machines.stamping import NO_LIMIT, GuestProgram
from bellwire.engine.machines.two_guests import summed_tables
from bellwire.engine.scenarios.ringing import ringings
from bellwire.engine.scenarios.scenario import Pace

# -- One numbering for the doorbells of several vCPUs that ring the same eventfd.
#
# Each vCPU numbers its own doorbells; the eventfd adds them up, and a count has no name. So the doorbells are numbered
# anew in the order in which they were rung, and the read that brings the n-th count is taken to bring doorbell n. As
# counts are alike, that differs from the truth only for doorbells whose instructions overlap.

KEPT = 1 << 14  # newest doorbells of each vCPU whose number is remembered

Numbers = npt.NDArray[np.uint64]


class DoorbellNumbers:
    """Numbers doorbells from 1; batches come in the order of their time."""

    def __init__(self) -> None:
        self._given = 0
        self._own: dict[int, Numbers] = {}  # by vCPU: its own numbers, rising,
        self._new: dict[int, Numbers] = {}  # and what each has become

    def number(self, events: Events) -> None:
        """Gives each RING of the batch (sorted by tsc) the next number, and RUNG and EXIT that of their RING.

        An EXIT whose RING is not known yet says no number.
        """
        rings = np.flatnonzero(events["kind"] == EventKind.RING)
        new = np.arange(self._given + 1, self._given + 1 + rings.size, dtype=np.uint64)
        self._given += rings.size
        for vcpu in vms_in(events):
            own = events["vm"][rings] == vcpu
            self._remember(vcpu, events["seq"][rings[own]], new[own])
            self._rename(vcpu, events)
        events["seq"][rings] = new

    def _remember(self, vcpu: int, own: Numbers, new: Numbers) -> None:
        known, become = self._own.get(vcpu, own[:0]), self._new.get(vcpu, new[:0])
        self._own[vcpu] = np.concatenate([known, own])[-KEPT:]
        self._new[vcpu] = np.concatenate([become, new])[-KEPT:]

    def _rename(self, vcpu: int, events: Events) -> None:
        kind = events["kind"]
        named = (kind == EventKind.RUNG) | ((kind == EventKind.EXIT) & (events["seq"] > 0))
        which = np.flatnonzero(named & (events["vm"] == vcpu))
        known, wanted = self._own[vcpu], events["seq"][which]
        at = np.minimum(np.searchsorted(known, wanted), max(known.size - 1, 0))
        found = known[at] == wanted if known.size else np.zeros(which.size, bool)
        events["seq"][which] = np.where(found, self._new[vcpu][at] if known.size else 0, 0)


class TwoVcpus(OneGuest):
    """cpus: for the first vCPU and the I/O thread; the second runs where there is room."""

    def _build(self) -> None:
        super()._build()
        answered = self.scenario.doorbell is None
        self.second = self._stack.enter(Guest(self._program(1), 1, beside=self.guest, shares_control=answered))
        self.guests = (self.guest, self.second)
        self._numbers, self._turn = DoorbellNumbers(), 0
        for ringing in ringings(self.scenario.doorbell):
            eventfd = self.doorbells.eventfds[ringing.queue]
            self.second.vcpu.add_doorbell(eventfd, ringing.address, pio=self._pio, value=ringing.value)

    @property
    def _pio(self) -> bool:
        return self.scenario.doorbell is not None and self.scenario.doorbell.bus == "pio"

    def _program(self, vcpu: int = 0) -> GuestProgram:
        """Each vCPU rings half of what is asked for, of an odd number the first one rings one more."""
        program = super()._program()
        return program if program.limit == NO_LIMIT else replace(program, limit=(program.limit + 1 - vcpu) // 2)

    def signal_threads(self) -> SignalThreads:
        """Both vCPUs' and the I/O thread."""
        return replace(super().signal_threads(), vcpus={guest.vcpu.thread: guest.index for guest in self.guests})

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the three threads; the pace is still held."""
        super().start()
        self.second.start()

    def wait_until_ready(self) -> None:
        """Until both vCPUs take interrupts."""
        for guest in self.guests:
            guest.wait_until_ready()

    @property
    def ready(self) -> bool:
        """Whether both vCPUs take interrupts."""
        return all(guest.ready for guest in self.guests)

    def set_pace(self, pace: Pace, running: bool) -> None:
        """Each vCPU rings at half the pace, or the I/O thread signals at the whole."""
        self.second.set_idle(pace.idle)
        if not self.host_driven:
            pace = replace(pace, per_second=pace.per_second / 2)
            self.second.set_pace(pace, running)
        super().set_pace(pace, running)
        self.second.nudge()

    def ring_once(self) -> None:
        """Asks one vCPU for one doorbell, then the other."""
        self.guests[self._turn].ring_once()
        self._turn = 1 - self._turn

    @property
    def _second_handler(self) -> bool:
        """The route leads to the same handler of the other vCPU."""
        return self.scenario.interrupt is not None

    def change_route(self) -> Events:
        """Leads the GSI to the other vCPU's local APIC; irqfds follow at once."""
        assert self.route is not None
        vcpu = 1 - self.route.apic
        self.route = GsiRoute.msi(self.route.gsi, self.route.vector, vcpu)
        self.guest.vm.set_gsi_routing(self.route)
        return event(int(lib.bw_tsc()), EventKind.SETTING, Lane.ENGINE, Setting.VCPU, 0, vcpu)

    # -- what has happened -------------------------------------------------------------------------------------------

    def drain(self) -> Events:
        """All new events of both vCPUs, their threads and the I/O thread, not sorted."""
        return end_to_end(super().drain(), self.second.drain(self.io_thread.announced))

    def finish(self, events: Events) -> Events:
        """The doorbells of both vCPUs in one numbering."""
        self._numbers.number(events)
        return events

    def stats(self) -> dict[str, int]:
        """KVM's own counters of the vCPUs, summed up."""
        return summed_tables([guest.stats() for guest in self.guests])

    def lost(self) -> dict[Lane, int]:
        """Events lost so far, by the lane that lost them."""
        return summed_tables([super().lost(), self.second.lost()])

    def truth(self) -> dict[str, Any]:
        """The counters behind the events, those of both vCPUs added up."""
        second = self.second
        return super().truth() | {
            "rung": sum(guest.rung() for guest in self.guests),
            "handled": sum(guest.handled() for guest in self.guests),
            "relayed": sum(guest.vcpu.relayed() for guest in self.guests),
            "exits": summed_tables([guest.vcpu.exits() for guest in self.guests]),
            "nonsense": self.guest.nonsense() + second.nonsense(),
        }

    def trouble(self) -> EngineError | None:
        """A vCPU that ended, or an I/O thread that met an error."""
        return super().trouble() or self.second.trouble()

    def progress(self) -> tuple[int, ...]:
        """Those of both vCPUs."""
        return *super().progress(), self.second.rung(), self.second.last_irq_seen()

    def at_rest(self) -> bool:
        """Twice the same count, all received, all handled."""
        before = sum(guest.rung() for guest in self.guests)
        time.sleep(0.002)
        received = sum(guest.rung() for guest in self.guests) == before == self.io_thread.received
        newest = max(guest.last_irq_seen() for guest in self.guests)
        return received and (self._kept or newest == self.io_thread.signalled)

    # -- ending ------------------------------------------------------------------------------------------------------

    def stop_threads(self) -> None:
        """Ends all threads; what they did can still be drained."""
        try:
            super().stop_threads()
        finally:
            self.second.vcpu.stop()
