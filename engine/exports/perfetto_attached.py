"""Perfetto: the trace of a VMM that was seen from outside.

Each event is one packet in the category "event" at its own time, on the track of the thread that it happened in; what
a look has counted is a value. A vCPU is in user space from the exit to the entry behind it: a slice. A flow is a hop,
from who makes a thread runnable to when that has a CPU. In the category "derived" is how often each doorbell is rung
and each message sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import numpy as np

from bellwire.engine.events import ROLE_BITS, STATS, EventKind, Events, Lane, exit_name
from bellwire.engine.exports.perfetto_kernel import KERNEL_NAMES
from bellwire.engine.exports.perfetto_packets import TraceWriter, Type
from bellwire.engine.exports.perfetto_tracks import RATE_NS, ROOT, Tracks, begin_trace, end_trace
from bellwire.engine.recordings.attached.seen_events import ACCESSED, addresses_of, lengths_of, threads_of
from bellwire.engine.recordings.attached.seen_moments import SeenMoments
from bellwire.engine.recordings.attached.seen_rows import SeenRows
from bellwire.engine.recordings.attached.uses import rung_at
from bellwire.engine.recordings.recording import Progress, Recording

KERNEL, LOOKS = ROOT + 1, ROOT + 2  # uuids: the kernel's own threads; what is counted
EVENT, DERIVED = "event", "derived"
NAMES = KERNEL_NAMES | {
    EventKind.WRITE: "system call entered",
    EventKind.WRITTEN: "system call returns",
    EventKind.LOST: "events lost",
    EventKind.SETTING: "watched from here on",
}
BY_VECTOR = (EventKind.MSI, EventKind.ACCEPTED, EventKind.INJECTED, EventKind.GUEST_EOI)
BY_GSI = (EventKind.SET_IRQ, EventKind.WORK_QUEUED, EventKind.WORK_STARTED)


def write_attached(recording: Recording, file: IO[bytes], progress: Progress) -> int:
    """How many events."""
    writer = TraceWriter(file)
    trace = AttachedTrace(recording, writer)
    for events in recording.sorted_batches(progress):
        trace.feed(events)
    end_trace(writer, recording)
    return trace.events


class AttachedTrace:
    """Turns events into packets, one after the other; memory goes with the threads and wires that there are."""

    def __init__(self, recording: Recording, writer: TraceWriter) -> None:
        header, self.events = recording.header, 0
        self._writer, self._clock, self._first = writer, header.clock, recording.first
        self._moments = SeenMoments(recording)
        self._wires = SeenRows(self._moments).doorbells
        self._tracks = Tracks(writer, LOOKS)
        self._outside: dict[int, bool] = {}  # vCPU's thread -> whether it is in user space
        self._hops: dict[int, int] = {}  # thread that was woken -> flow
        self._flow = 0
        self._rates: dict[str, int] = {}  # counted in the present bin
        self._bin_ends = RATE_NS
        begin_trace(writer, recording, header.attached.title if header.attached else "")
        writer.track(KERNEL, "Kernel threads", ROOT, 1 << 20)
        writer.track(LOOKS, "Counted", ROOT, 0)

    def feed(self, events: Events) -> None:
        """Writes the next events, in order."""
        at = np.rint(self._clock.ns_array(events["tsc"] - np.uint64(self._first))).astype(np.int64).tolist()
        names = self._named(events)
        threads, addresses, lengths = (what(events).tolist() for what in (threads_of, addresses_of, lengths_of))
        for row, event in enumerate(events):
            kind = EventKind(int(event["kind"]))
            self._close_bins(at[row])
            if kind in (EventKind.STAT, EventKind.COUNT):
                self._count(at[row], kind, event)
            elif kind in ACCESSED:
                self._access(at[row], kind, threads[row], names[row], addresses[row], lengths[row], int(event["arg"]))
            else:
                self._place(at[row], kind, threads[row], event)
        self.events += events.size

    def _named(self, events: Events) -> list[str]:
        """The doorbell of each event; "": none."""
        names = np.full(events.size, "", object)
        for vm, doorbell in self._wires:
            names[rung_at(events, vm, doorbell)] = f"doorbell {doorbell.match.bus} {doorbell.match.address:#x}"
        found: list[str] = names.tolist()
        return found

    # -- one event

    def _access(self, at: int, kind: EventKind, thread: int, name: str, address: int, length: int, value: int) -> None:
        details = {"address": address, "length": length, "value": value}
        named = name or f"{NAMES[kind]} {address:#x}"
        self._writer.event(at, Type.INSTANT, self._thread(thread), named, EVENT, details)
        if name:
            self._rates[name] = self._rates.get(name, 0) + 1

    def _place(self, at: int, kind: EventKind, thread: int, event: np.void) -> None:
        """A slice's begin or end, or an instant, on its thread's track."""
        track = ROOT if event["lane"] == Lane.ENGINE else self._thread(thread)
        details = {"id": int(event["id"]), "arg": int(event["arg"])}
        match kind:
            case EventKind.USER_EXIT:
                if self._outside.get(thread):
                    self._writer.end(at, track, {"end was lost": 1})
                self._outside[thread] = True
                name = f"user space: {exit_name(int(event['id']), int(event['arg']))}"
                self._writer.event(at, Type.BEGIN, track, name, EVENT, details)
            case EventKind.ENTRY if self._outside.pop(thread, False):
                self._writer.end(at, track, {"entry.id": int(event["id"])})
            case EventKind.WAKING | EventKind.RUNS:
                self._schedule(at, kind, track, int(event["id"]) >> ROLE_BITS, details)
            case _:
                self._writer.event(at, Type.INSTANT, track, event_name(kind, event), EVENT, details)
                if kind == EventKind.MSI:
                    name = f"message, vector {int(event['id']):#x} at APIC {int(event['arg'])}"
                    self._rates[name] = self._rates.get(name, 0) + 1

    def _schedule(self, at: int, kind: EventKind, track: int, whom: int, details: dict[str, int]) -> None:
        """A hop begins where a thread is made runnable, and ends where it runs."""
        if kind == EventKind.WAKING:
            self._flow += 1
            self._hops[whom] = self._flow
            name = f"sched_waking: {self._name(whom)}"
            self._writer.event(at, Type.INSTANT, track, name, EVENT, details, ([self._flow], []))
            return
        flow = self._hops.pop(whom, None)
        self._writer.event(at, Type.INSTANT, track, NAMES[kind], EVENT, details, ([], [] if flow is None else [flow]))

    def _count(self, at: int, kind: EventKind, event: np.void) -> None:
        """What a look has found."""
        number, which = int(event["seq"]), int(event["id"])
        if kind == EventKind.STAT:
            name = f"vCPU {number}: {STATS[which] if which < len(STATS) else which}"
        else:
            name = f"eventfd {number}: count"
        self._writer.count(at, self._counter(f"VM {int(event['vm'])}, {name}", "times"), clamped(event["arg"]), EVENT)

    # -- rates

    def _close_bins(self, at: int) -> None:
        """Writes the rates of the bin that is over, at its end; then 0, if nothing came in the bins after it."""
        while at >= self._bin_ends and self._rates:
            for name, count in self._rates.items():
                self._writer.count(self._bin_ends, self._counter(name, "1/s"), count * 1e9 / RATE_NS, DERIVED)
            self._rates = {name: 0 for name, count in self._rates.items() if count}
            self._bin_ends += RATE_NS
        if at >= self._bin_ends:
            self._bin_ends = (at // RATE_NS + 1) * RATE_NS

    # -- tracks, described when they are needed first

    def _name(self, tid: int) -> str:
        thread = self._moments.threads.get(tid)
        return thread.name if thread else f"thread {tid}"

    def _thread(self, tid: int) -> int:
        uuid, new = self._tracks.of(("thread", tid))
        if new:
            thread = self._moments.threads.get(tid)
            parent = self._process(thread.pid) if thread and thread.pid else KERNEL if thread else ROOT
            self._writer.track(uuid, self._name(tid), parent, tid)
        return uuid

    def _process(self, pid: int) -> int:
        uuid, new = self._tracks.of(("process", pid))
        if new:
            self._writer.track(uuid, next(self._named_process(pid), f"process {pid}"), ROOT, pid)
        return uuid

    def _named_process(self, pid: int) -> Iterator[str]:
        for topology in self._moments.topologies:
            some = ((topology.process.pid, topology.process.name), *topology.partners)
            yield from (name for number, name in some if number == pid)

    def _counter(self, name: str, unit: str) -> int:
        return self._tracks.counter(("counter", name), name, LOOKS, unit)


def clamped(value: np.uint64) -> int:
    """As Perfetto has it."""
    return min(int(value), 2**63 - 1)


def event_name(kind: EventKind, event: np.void) -> str:
    """What an instant is called."""
    if kind == EventKind.GUEST_EOI and not event["id"]:
        return NAMES[kind]  # KVM does not say of which interrupt it is
    if kind in BY_VECTOR:
        return f"{NAMES[kind]}, vector {int(event['id']):#x}"
    if kind in BY_GSI:
        level = f", level {int(event['arg'])}" if kind == EventKind.SET_IRQ else ""
        return f"{NAMES[kind]}, GSI {int(event['id'])}{level}"
    return NAMES.get(kind, kind.name.lower())
