"""Hops of a recording of a VMM that was seen from outside: the folds that count them live are fed its events.

Events are made records of the kernel again, as far as a hop asks for it: what a device was read, how a message was to
be delivered and where work ended is in no event, and in no hop.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bellwire.engine.attached.hops.doorbells import DoorbellFold
from bellwire.engine.attached.hops.figures import HopLatency
from bellwire.engine.attached.hops.hops import HOST_ENDS, REMEMBERED_SECONDS
from bellwire.engine.attached.hops.interrupts import NOT_TOLD, InterruptFold
from bellwire.engine.attached.hops.places import WRITES_MMIO, WRITES_PIO, HopThread, HopThreads, SeenPlaces
from bellwire.engine.attached.hops.rows import HopRowsMaker
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, Topology
from bellwire.engine.events import ROLE_BITS, Clock, EventKind, Events, Records
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.kernel.records import RECORD, RecordKind
from bellwire.engine.recordings.attached.notes import SeenThread
from bellwire.engine.recordings.attached.seen_events import ACCESSED, MADE, addresses_of, lengths_of, threads_of
from bellwire.engine.recordings.attached.uses import messages_led_to

K = RecordKind
MESSAGES_AT, APIC_BIT = 0xFEE00000, 12  # Intel SDM vol. 3, 11.11.1: the address of a message, and where its APIC stands
TOLD_AS = {kind: record for record, kind in MADE.items()} | {
    EventKind.PIO: K.PIO,
    EventKind.MMIO: K.MMIO,
    EventKind.DEVICE_READ: K.MMIO,
}
DIRECTIONS = {EventKind.PIO: WRITES_PIO, EventKind.MMIO: WRITES_MMIO}
SENT_BY_VECTOR = (EventKind.MSI, EventKind.ACCEPTED, EventKind.INJECTED, EventKind.GUEST_EOI)


class RecordedHops:
    """The times that a recording holds. threads: those that it names, by number; backend: the KVM module."""

    def __init__(self, clock: Clock, backend: str, threads: dict[int, SeenThread]) -> None:
        self._clock, self._host_ends = clock, backend == HOST_ENDS
        self._rows = HopRowsMaker(clock.cycles(REMEMBERED_SECONDS))
        self._doorbells = DoorbellFold(clock)
        self._interrupts = InterruptFold(clock, NotedThreads(threads), self._host_ends)
        self._newest = 0

    def feed(self, events: Events, topology: Topology) -> None:
        """The next events, and what was registered then. Those that come late are in no hop."""
        records = records_of(events[events["tsc"] >= np.uint64(self._newest)], topology, self._host_ends)
        if records.size:
            self._newest = int(records["tsc"][-1])
            rows, places = self._rows.rows(records), SeenPlaces(topology)
            doorbell = places.doorbell_of(rows)
            self._doorbells.feed(rows, places, doorbell)
            self._interrupts.feed(rows, places, doorbell)

    def latency(self, vm: int | None, wire: SeenIoeventfd | SeenIrqfd, topology: Topology) -> HopLatency | None:
        """Of a doorbell: from its store to a CPU of who is woken. Of an interrupt: from its message to its being taken.

        None: not known, as an emulated CPU tells no times, or no message tells the irqfd apart.
        """
        if self._clock.emulated:
            return None
        if isinstance(wire, SeenIoeventfd):
            some = [one for (key, _), one in self._doorbells.latencies.items() if (key.vm, key.doorbell) == (vm, wire)]
            return HopLatency.of(*some)
        return self._taking(vm, wire, topology)

    def _taking(self, fd: int | None, irqfd: SeenIrqfd, topology: Topology) -> HopLatency | None:
        vm = next((one for one in topology.vms if one.fd == fd), None)
        route = vm.message_of(irqfd) if vm else None
        if vm is None or route is None or messages_led_to(topology)[route.vector, route.apic] > 1:
            return None
        some: list[Histogram] = [
            one
            for key, one in self._interrupts.latencies.items()
            if (key.vm, key.vector, key.apic) == (fd, route.vector, route.apic)
        ]
        return HopLatency.of(*some)


class NotedThreads(HopThreads):
    """Threads as a recording names them: /proc knows others by now."""

    def __init__(self, noted: dict[int, SeenThread]) -> None:
        super().__init__(Path("/nowhere"))
        self._noted = noted

    def named(self, tid: int, topology: Topology) -> HopThread:
        """As it was noted; one that was not is nobody's."""
        one = self._noted.get(tid)
        return HopThread(tid, one.name, one.pid) if one else HopThread(tid)


def records_of(events: Events, topology: Topology, host_ends: bool) -> Records:
    """The records of the kernel among events (shape (n,)), in their order; shape (m,), dtype RECORD."""
    events = events[np.isin(events["kind"], list(TOLD_AS))]
    events = events[np.argsort(events["tsc"], kind="stable")]
    records, kinds = np.zeros(events.size, RECORD), events["kind"]
    records["tsc"], records["thread"] = events["tsc"], threads_of(events)
    for kind, record in TOLD_AS.items():
        records["kind"][kinds == kind] = record
    tell_access_records(records, events)
    tell_thread_records(records, events)
    tell_interrupt_records(records, events, topology, host_ends)
    return records


def tell_access_records(records: Records, events: Events) -> None:
    """Where, what, how many bytes; which way."""
    some = np.isin(events["kind"], ACCESSED)
    records["a"][some], records["b"][some] = addresses_of(events)[some], events["arg"][some]
    records["c"][some] = lengths_of(events)[some]
    for kind, direction in DIRECTIONS.items():
        records["d"][events["kind"] == kind] = direction


def tell_thread_records(records: Records, events: Events) -> None:
    """Who is woken, and by which call one signals."""
    wakes = events["kind"] == EventKind.WAKING
    calls = np.isin(events["kind"], (EventKind.WRITE, EventKind.WRITTEN))
    records["a"][wakes] = (events["id"].astype(np.uint64) >> np.uint64(ROLE_BITS))[wakes]
    records["a"][calls] = events["arg"][calls]


def tell_interrupt_records(records: Records, events: Events, topology: Topology, host_ends: bool) -> None:
    """Messages as the routes have them, what a local APIC takes, work by its GSI."""
    kinds, vectors = events["kind"], events["id"].astype(np.uint64)
    told = np.isin(kinds, SENT_BY_VECTOR)
    records["a"][told], records["b"][told] = vectors[told], events["arg"][told]
    records["a"][kinds == EventKind.GUEST_EOI] = NOT_TOLD
    if host_ends:
        records["kind"][kinds == EventKind.INJECTED] = K.EOI
    messages = np.flatnonzero(kinds == EventKind.MSI)
    routes = {(route.vector, route.apic): route for vm in topology.vms for route in vm.routes if route.address}
    for at in messages.tolist():
        key = int(events["id"][at]), int(events["arg"][at])
        route = routes.get(key)
        address, data = (route.address, route.data) if route else (MESSAGES_AT | key[1] << APIC_BIT, key[0])
        records["a"][at], records["b"][at] = address, data
    by_gsi = np.isin(kinds, (EventKind.SET_IRQ, EventKind.WORK_QUEUED, EventKind.WORK_STARTED))
    records["a"][by_gsi] = vectors[by_gsi]
    records["b"][by_gsi] = np.where(kinds == EventKind.SET_IRQ, events["arg"], vectors)[by_gsi]
