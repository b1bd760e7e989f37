"""A recording of a VMM at any of its moments: what was registered, what it did a second, what had changed by then."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

import numpy as np

from bellwire.engine.attached.changes import topology_changes
from bellwire.engine.attached.topology import Topology
from bellwire.engine.attached.watched import RATE_SECONDS, Rates
from bellwire.engine.events import STATS, EventKind, Events
from bellwire.engine.recordings.attached.notes import SeenThread, threads_by_number
from bellwire.engine.recordings.attached.uses import wire_uses
from bellwire.engine.recordings.recording import Recording

LEAST_SECONDS = 0.1  # over which anything is said a second


class SeenMoments:
    """recording: of a VMM that was seen from outside; it stays open until somebody else lets it go."""

    def __init__(self, recording: Recording) -> None:
        self.recording, self.clock = recording, recording.header.clock
        told = sorted((note for note in recording.notes if note.topology), key=lambda note: note.tsc)
        self._times = [note.tsc for note in told]
        self.topologies: list[Topology] = [note.topology for note in told if note.topology]
        self.threads: dict[int, SeenThread] = threads_by_number(recording.notes)
        self.programs = dict(partner for topology in self.topologies for partner in topology.partners)  # by pid
        self.changes = self._changes()  # TSC and sentence of each, in their order

    def _changes(self) -> list[tuple[int, str]]:
        pairs = zip(self._times[1:], self.topologies, self.topologies[1:], strict=False)
        return [(tsc, str(change)) for tsc, before, after in pairs for change in topology_changes(before, after)]

    def topology_at(self, tsc: int, events: Events | None = None) -> Topology | None:
        """What was registered; None if nothing was ever seen. events: those just before, for the eventfds' counts."""
        if not self.topologies:
            return None
        topology = self.topologies[max(bisect_right(self._times, tsc) - 1, 0)]
        return topology if events is None else replace(topology, counts=counts_in(events))

    def topology_until(self, tsc: int) -> tuple[Topology | None, int]:
        """What was registered, and until when (TSC); 0: to the end."""
        next_one = bisect_right(self._times, tsc)
        return self.topology_at(tsc), self._times[next_one] if next_one < len(self._times) else 0

    def before(self, tsc: int) -> tuple[Events, float]:
        """The events of the second before a moment, and how long that is; at the beginning it is shorter.

        0 seconds: the file no longer has all of it.
        """
        start = max(tsc - self.clock.cycles(RATE_SECONDS), self.recording.first)
        events = self.recording.window(start, tsc + 1)
        seconds = self.clock.ns(max(tsc - start, 0)) / 1e9
        return events, 0.0 if self.recording.unread(start, tsc) else seconds

    def rates_of(self, events: Events, seconds: float, topology: Topology) -> Rates:
        """Counts a second, of events of so many seconds; {} where these are too few to say so."""
        if seconds < LEAST_SECONDS:
            return {}
        uses = wire_uses(events, topology)
        rates: Rates = {(fd, wire): count / seconds for fd, wire, count in uses if count is not None}
        return rates | self._counters(events, topology)

    def _counters(self, events: Events, topology: Topology) -> Rates:
        """KVM's own counters, between the first look and the last one among the events."""
        rates: Rates = {}
        stats = events[events["kind"] == EventKind.STAT]
        for number, vm in enumerate(topology.vms):
            of_vm = stats[stats["vm"] == number]
            for vcpu in vm.vcpus:
                own = of_vm[of_vm["seq"] == vcpu.number]
                for index in np.unique(own["id"]).tolist():
                    some = own[own["id"] == index]
                    seconds = self.clock.ns(int(some["tsc"][-1] - some["tsc"][0])) / 1e9
                    grown = int(some["arg"][-1]) - int(some["arg"][0])
                    if seconds >= LEAST_SECONDS and grown >= 0 and index < len(STATS):
                        rates[vm.fd, vcpu.number, STATS[index]] = grown / seconds
        return rates

    def changes_until(self, tsc: int, most: int) -> list[tuple[int, str]]:
        """The newest changes of what is registered, up to a moment."""
        end = bisect_right(self.changes, tsc, key=lambda change: change[0])
        return self.changes[max(end - most, 0) : end]


def counts_in(events: Events) -> dict[int, int]:
    """eventfd -> its count, as the newest look among the events has found it; what no look has found is not known."""
    counts = events[events["kind"] == EventKind.COUNT]
    newest = counts[counts["tsc"] == counts["tsc"][-1]] if counts.size else counts
    return dict(zip(newest["seq"].tolist(), newest["arg"].tolist(), strict=True))
