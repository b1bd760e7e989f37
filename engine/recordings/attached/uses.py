"""Which of a VMM's wires an event has used: a doorbell by where was written and what, an interrupt by its message.

It is told as `bellwire attach` tells it while it happens: of an irqfd that leads to pins nobody knows it, nor of one of
several whose message is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, Topology
from bellwire.engine.events import EventKind, Events, chosen
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


class PlacedAccesses:
    """Accesses, to be asked for by where they are: of thousands of doorbells most are rung by none of them."""

    def __init__(self, events: Events) -> None:
        kinds = events["kind"]
        some = chosen(events, (kinds == EventKind.PIO) | (kinds == EventKind.MMIO) | (kinds == EventKind.FAST_MMIO))
        addresses = addresses_of(some)
        order = np.argsort(addresses, kind="stable")
        self._events, self._addresses = chosen(some, order), addresses[order]
        self._there = set(np.unique(self._addresses).tolist())

    def that_ring(self, vm: int, doorbell: SeenIoeventfd) -> Events:
        """Those that ring a doorbell of the VM of this number, in order."""
        address = doorbell.match.address
        if address not in self._there:
            return self._events[:0]
        first, last = (np.searchsorted(self._addresses, np.uint64(address), side) for side in ("left", "right"))
        near = self._events[first:last]
        return chosen(near, rung_at(near, vm, doorbell))


def messages_sent(events: Events) -> dict[tuple[int, int], int]:
    """Vector and APIC of each message -> how often the events send it."""
    messages = chosen(events, events["kind"] == EventKind.MSI)
    keys, counts = np.unique(messages["id"].astype(np.uint64) | messages["arg"] << np.uint64(8), return_counts=True)
    return {(key & 0xFF, key >> 8): count for key, count in zip(keys.tolist(), counts.tolist(), strict=True)}


def wire_uses(events: Events, topology: Topology) -> Iterator[tuple[int | None, SeenIoeventfd | SeenIrqfd, int | None]]:
    """(VM's fd, wire, how often the events used it; None: not known) of each wire."""
    accesses, messages, alike = PlacedAccesses(events), messages_sent(events), messages_led_to(topology)
    for number, vm in enumerate(topology.vms):
        for doorbell in vm.ioeventfds:
            yield vm.fd, doorbell, accesses.that_ring(number, doorbell).size
        for irqfd in vm.irqfds:
            route = vm.message_of(irqfd)
            alone = route is not None and alike[route.vector, route.apic] == 1
            yield vm.fd, irqfd, messages.get((route.vector, route.apic), 0) if route and alone else None


def messages_led_to(topology: Topology) -> Counter[tuple[int, int]]:
    """Vector and APIC of each message -> how many irqfds of all VMs lead to it: an event says not whose it is."""
    routes = [vm.message_of(irqfd) for vm in topology.vms for irqfd in vm.irqfds]
    return Counter((route.vector, route.apic) for route in routes if route)
