"""What machines have in common whose guests each are in an unmodified QEMU: what is known is what the guests stamp.

Both wires are QEMU's own, and it settles them as it starts: neither can be cut while the guest runs.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from typing import Any

from bellwire.engine.errors import EngineError
from bellwire.engine.events import Events, Lane, end_to_end
from bellwire.engine.kvm.owner import Belongings
from bellwire.engine.machines.machine import Machine, Partner
from bellwire.engine.machines.qemu.guest_in_qemu import IOEVENTFD_STAYS, IRQFD_STAYS, GuestInQemu, QemuGuest
from bellwire.engine.machines.stamping import name_among, stamped_truth
from bellwire.engine.machines.two_guests import summed_tables
from bellwire.engine.scenarios.scenario import Doorbell, Interrupt, Pace, Scenario


class MachineInQemu(Machine):
    """guests: the first rings, the last is interrupted; of one guest both are the same. vmms: a QEMU for each."""

    guests: list[QemuGuest]
    vmms: list[GuestInQemu]
    stats_are_new = False  # QEMU is asked now and then

    def __init__(self, scenario: Scenario, limit: int | None = None, cpus: tuple[int, int] | None = None) -> None:
        super().__init__(scenario, limit, cpus)
        assert scenario.doorbell is not None
        assert scenario.interrupt is not None
        self.cannot |= {"ioeventfd": IOEVENTFD_STAYS, "irqfd": IRQFD_STAYS}
        self._stack = Belongings()
        try:
            self._build(scenario.doorbell, scenario.interrupt)
            for vmm in self.vmms:
                vmm.qemu.qmp.meanwhile = self._keep_stamps
            self.ringer, self.listener = self.guests[0], self.guests[-1]
            self.listener.follow(self.ringer)
            self.clock = self.ringer.clock
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _build(self, doorbell: Doorbell, interrupt: Interrupt) -> None:
        """Makes the guests and their QEMUs, halted."""

    def _keep_stamps(self) -> None:
        """Of all guests, while a QEMU is waited for."""
        for guest in self.guests:
            guest.keep_stamps()
        self.waiting()

    # -- running -----------------------------------------------------------------------------------------------------

    def wait_until_ready(self) -> None:
        """Until each driver has set its device up, and the clocks were compared."""
        for vmm in self.vmms:
            vmm.wait_until_ready()

    @property
    def ready(self) -> bool:
        """Whether every guest takes interrupts."""
        return all(guest.ready for guest in self.guests)

    def set_pace(self, pace: Pace, running: bool) -> None:
        """The first rings at this pace, as soon as it looks; all idle as it says."""
        for guest in self.guests:
            guest.set_idle(pace.idle)
        self.ringer.set_pace(pace, running)

    def ring_once(self) -> None:
        """Asks the first for one doorbell."""
        self.ringer.ring_once()

    # -- what has happened -------------------------------------------------------------------------------------------

    def drain(self) -> Events:
        """All new events of the guests, who alone tell of any."""
        return end_to_end(*(guest.drain() for guest in self.guests))

    def stats(self) -> dict[str, int]:
        """KVM's own counters of the vCPUs, summed up, as QEMU tells them."""
        return summed_tables([vmm.stats() for vmm in self.vmms])

    def lost(self) -> dict[Lane, int]:
        """Events lost so far, by the lane that lost them."""
        return {Lane.GUEST: sum(guest.lost_stamps() for guest in self.guests)}

    def truth(self) -> dict[str, Any]:
        """The guests' own counters behind the events."""
        return {**stamped_truth(self.guests), "lost": sum(self.lost().values())}

    def trouble(self) -> EngineError | None:
        """A guest or a QEMU that has ended; whose, if there are several."""
        told = (vmm.trouble(name_among(vmm.guest, self.guests)) for vmm in self.vmms)
        return next(filter(None, told), None)

    def partners(self) -> tuple[Partner, ...]:
        """Each QEMU."""
        return tuple(vmm.qemu for vmm in self.vmms)

    def progress(self) -> tuple[int, ...]:
        """Rung, handled."""
        return self.ringer.rung(), self.listener.last_irq_seen()

    def at_rest(self) -> bool:
        """Twice the same count, all handled."""
        before = self.ringer.rung()
        time.sleep(0.002)
        return self.ringer.rung() == before == self.listener.last_irq_seen()

    # -- ending ------------------------------------------------------------------------------------------------------

    def stop_threads(self) -> None:
        """Ends each QEMU, which is asked before what KVM counted; stamps can still be drained."""
        for vmm in self.vmms:
            vmm.ask_for_stats()
        self._ask_last()
        for vmm in self.vmms:
            vmm.close()

    def _ask_last(self) -> None:
        """What else a QEMU is asked before it ends: here nothing."""

    def close(self) -> None:
        """Ends each QEMU, closes, unmaps."""
        self._stack.close()
