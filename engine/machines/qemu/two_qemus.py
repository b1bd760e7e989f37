"""Two QEMUs, each with a guest: the doorbell of guest A is the interrupt of guest B, by ivshmem.

Each QEMU has a device ivshmem-doorbell, and this program is their ivshmem server: it makes one eventfd for each of the
two, and gives both to both. A's QEMU registers B's eventfd as an ioeventfd for what A writes to ring B; B's QEMU
registers the same eventfd as an irqfd, once B's driver has enabled the device's messages. So A's store is B's
interrupt, and neither QEMU nor this program has a part in it: what engine/machines/two_guests.py does in one process.

The number of a doorbell goes by the page that both guests share, their devices' BAR 2.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventfdRole, Events, Lane, end_to_end
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.kvm.owner import Belongings
from bellwire.engine.kvm.partners.ivshmem import IvshmemServer
from bellwire.engine.kvm.partners.qemu import ivshmem_devices, qemu_refusal
from bellwire.engine.language import tr
from bellwire.engine.machines.machine import Machine
from bellwire.engine.machines.qemu.guest_in_qemu import IOEVENTFD_STAYS, IRQFD_STAYS, GuestInQemu, QemuGuest
from bellwire.engine.machines.stamping import GuestProgram
from bellwire.engine.machines.two_guests import NO_HOST_THREAD, summed_tables
from bellwire.engine.scenarios.scenario import Doorbell, Pace, Scenario

HEARING_SECONDS = 5.0  # how long a QEMU may take to read what it is told


class TwoQemus(Machine):
    """Guest A rings, guest B is interrupted. cpus: for A's vCPU and B's; by default two of this process's."""

    def __init__(self, scenario: Scenario, limit: int | None = None, cpus: tuple[int, int] | None = None) -> None:
        super().__init__(scenario, limit, cpus)
        assert scenario.doorbell is not None
        assert scenario.interrupt is not None
        self.cannot |= {"ioeventfd": IOEVENTFD_STAYS, "irqfd": IRQFD_STAYS, "interrupt": NO_HOST_THREAD}
        self._stack = Belongings()
        try:
            self._build(scenario.doorbell, scenario.interrupt.vector)
        except BaseException:
            self.close()
            raise

    @classmethod
    def refusal(cls) -> str:
        """QEMU may not be installed."""
        return qemu_refusal()

    def _build(self, doorbell: Doorbell, vector: int) -> None:
        """B, which never rings, could ring A: each is the other's peer."""
        enter = self._stack.enter
        self.server = enter(IvshmemServer(lib.BW_PAGE_SIZE, 2))
        bells = [doorbell, replace(doorbell, value=0)]
        programs = [GuestProgram(self.scenario.guest, self.limit, bell, vector) for bell in bells]
        self.guests = [enter(QemuGuest(program, index)) for index, program in enumerate(programs)]
        self.ringer, self.listener = self.guests
        self.listener.follow(self.ringer)
        self.clock = self.ringer.clock
        connections = [self.server.connection(guest.index) for guest in self.guests]
        self.vmms = [
            enter(GuestInQemu(guest, ivshmem_devices(connection), (connection.fileno(),)))
            for guest, connection in zip(self.guests, connections, strict=True)
        ]
        for vmm in self.vmms:
            vmm.qemu.qmp.meanwhile = self._keep_stamps
        self.partner = ", ".join(str(vmm.qemu) for vmm in self.vmms)

    def _keep_stamps(self) -> None:
        """Of both, while either QEMU is waited for."""
        for guest in self.guests:
            guest.keep_stamps()

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Lets both run; the pace is still held. By then each QEMU has registered what it was told of."""
        for vmm, cpu in zip(self.vmms, self.cpus, strict=True):
            self._wait_until_heard(vmm)
            vmm.start(cpu)

    def _wait_until_heard(self, vmm: GuestInQemu) -> None:
        """Or until it has ended, which trouble() tells. Its next answer comes after all that it has read."""
        until = time.monotonic() + HEARING_SECONDS
        while not self.server.has_read(vmm.guest.index) and vmm.qemu.exit_code is None:
            if time.monotonic() > until:
                raise EngineError(tr("{program} does not read what its ivshmem server says.", program=vmm.qemu))
            time.sleep(0.0005)

    def wait_until_ready(self) -> None:
        """Until both drivers have set their devices up, and the clocks were compared."""
        for vmm in self.vmms:
            vmm.wait_until_ready()

    @property
    def ready(self) -> bool:
        """Whether both guests take interrupts."""
        return all(guest.ready for guest in self.guests)

    def set_pace(self, pace: Pace, running: bool) -> None:
        """A rings at this pace, as soon as it looks; both idle as it says."""
        for guest in self.guests:
            guest.set_idle(pace.idle)
        self.ringer.set_pace(pace, running)

    def ring_once(self) -> None:
        """Asks A for one doorbell."""
        self.ringer.ring_once()

    # -- what has happened -------------------------------------------------------------------------------------------

    def drain(self) -> Events:
        """All new events of the guests, who alone tell of any."""
        return end_to_end(*map(drained, self.guests))

    def counts(self) -> dict[EventfdRole, int | None]:
        """The count of the eventfd that interrupts B, which is A's doorbell's."""
        count = self.server.eventfds[self.listener.index].count()
        return {EventfdRole.DOORBELL: count, EventfdRole.IRQ: count}

    def stats(self) -> dict[str, int]:
        """KVM's own counters of both vCPUs, summed up, as the QEMUs tell them."""
        return summed_tables([vmm.stats() for vmm in self.vmms])

    def lost(self) -> dict[Lane, int]:
        """Events lost so far, by the lane that lost them."""
        return {Lane.GUEST: sum(guest.lost_stamps() for guest in self.guests)}

    def truth(self) -> dict[str, Any]:
        """The guests' own counters behind the events."""
        rung, seen = self.ringer.rung(), self.listener.last_irq_seen()
        return {
            "rung": rung,
            "handled": self.listener.handled(),
            "reads": 0,
            "received": seen,
            "signalled": rung,
            "refused": 0,
            "relayed": 0,
            "exits": {},
            "pending": rung - seen,
            "irq_pending": rung - seen,
            "nonsense": sum(guest.nonsense() for guest in self.guests),
            "lost": sum(self.lost().values()),
        }

    def trouble(self) -> EngineError | None:
        """A guest or a QEMU that has ended; whose."""
        told = (vmm.trouble(tr("Guest {letter}", letter="AB"[vmm.guest.index])) for vmm in self.vmms)
        return next(filter(None, told), None)

    def at_rest(self) -> bool:
        """Twice the same count, all handled."""
        before = self.ringer.rung()
        time.sleep(0.002)
        return self.ringer.rung() == before == self.listener.last_irq_seen()

    def signal_threads(self) -> SignalThreads:
        """All of both QEMUs'."""
        return SignalThreads(processes={vmm.qemu.pid: vmm.guest.index for vmm in self.vmms})

    # -- ending ------------------------------------------------------------------------------------------------------

    def stop_threads(self) -> None:
        """Ends both QEMUs, which are asked before what KVM counted; stamps can still be drained."""
        for vmm in self.vmms:
            vmm.ask_for_stats()
        for vmm in self.vmms:
            vmm.close()

    def close(self) -> None:
        """Ends both QEMUs, closes, unmaps."""
        self._stack.close()


def drained(guest: QemuGuest) -> Events:
    """Its new events, with its number."""
    events = guest.drain_stamps()
    events["vm"] = guest.index
    return events
