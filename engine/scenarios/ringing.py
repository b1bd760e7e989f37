"""Every way in which a scenario's guest rings, and what KVM is told about each."""

from __future__ import annotations

from dataclasses import dataclass

from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.engine.scenarios.rules import ADDRESS_STRIDE
from bellwire.engine.scenarios.scenario import Doorbell


@dataclass(frozen=True)
class Ringing:
    """One way to ring. queue: which of the eventfds counts it. value: what is written; None: anything."""

    queue: int
    address: int
    value: int | None

    def match(self, doorbell: Doorbell) -> IoMatch:
        """What its ioeventfd takes, registered where the scenario says, which need not be where the guest rings."""
        address = self.address + doorbell.ioeventfd_address - doorbell.address
        datamatch = doorbell.datamatch if self.value is None else self.value
        return IoMatch(doorbell.bus, address, doorbell.length, datamatch)


def ringings(doorbell: Doorbell | None) -> list[Ringing]:
    """Every way in which the guest rings."""
    if doorbell is None:
        return []
    if doorbell.queues > 1:
        return [Ringing(queue, doorbell.address, queue) for queue in range(doorbell.queues)]
    return [Ringing(0, doorbell.address + place * ADDRESS_STRIDE, None) for place in range(doorbell.addresses)]
