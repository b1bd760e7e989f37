"""Which of a VMM's wires an event has used: a doorbell by where was written and what, an interrupt by its message.

It is told as `bellwire attach` tells it while it happens: of an irqfd that leads to pins nobody knows it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, SeenVm, Topology
from bellwire.engine.events import EventKind, Events, chosen
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.recordings.attached.seen_events import addresses_of, lengths_of

Mask = npt.NDArray[np.bool_]
BUS_KINDS = {"pio": EventKind.PIO, "mmio": EventKind.MMIO}


def rung_at(events: Events, vm: int, doorbell: SeenIoeventfd) -> Mask:
    """Which events ring a doorbell of the VM of this number; shape (n,)."""
    match, kinds = doorbell.match, events["kind"]
    kind = BUS_KINDS.get(match.bus)
    of_vm = events["vm"] == vm
    if kind is None:
        return np.zeros(events.size, bool)
    found: Mask = of_vm & (kinds == kind)
    if doorbell.fast:
        found |= of_vm & (kinds == EventKind.FAST_MMIO)
    found &= addresses_of(events) == np.uint64(match.address)
    exact = kinds == kind
    if match.length:
        found &= ~exact | (lengths_of(events) == np.uint64(match.length))
    if match.datamatch is not None:
        found &= ~exact | (events["arg"] == np.uint64(match.datamatch))
    return found


def message_of(vm: SeenVm, irqfd: SeenIrqfd) -> GsiRoute | None:
    """The message that an irqfd leads to; None if it leads to pins, or nowhere."""
    (route, *more) = vm.leads_to(irqfd.gsi) or (None,)
    return None if route is None or more or not route.address else route


def sends(events: Events, route: GsiRoute) -> Mask:
    """Which events send a message; shape (n,)."""
    found: Mask = (
        (events["kind"] == EventKind.MSI)
        & (events["id"] == np.uint32(route.vector))
        & (events["arg"] == np.uint64(route.apic))
    )
    return found


def wire_uses(events: Events, topology: Topology) -> Iterator[tuple[int | None, SeenIoeventfd | SeenIrqfd, int]]:
    """(VM's fd, wire, how often the events used it) of each wire of which that is known."""
    kinds = events["kind"]
    accesses = chosen(events, (kinds == EventKind.PIO) | (kinds == EventKind.MMIO) | (kinds == EventKind.FAST_MMIO))
    messages = chosen(events, kinds == EventKind.MSI)
    for number, vm in enumerate(topology.vms):
        for doorbell in vm.ioeventfds:
            yield vm.fd, doorbell, int(np.count_nonzero(rung_at(accesses, number, doorbell)))
        for irqfd in vm.irqfds:
            if route := message_of(vm, irqfd):
                yield vm.fd, irqfd, int(np.count_nonzero(sends(messages, route)))
