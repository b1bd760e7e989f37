"""Perfetto: a trace that ui.perfetto.dev and its trace_processor load.

Each event of the recording is one packet in the category "event", at its own time, on the track of its VM and lane:
begin or end of a slice where two events belong together, a value of a counter, or else an instant. The end of a slice
has neither name nor category, by which a reader would look for another one to end; its details carry the name of their
event. What is derived from several events (when the I/O thread was awake, the kernel's stages, rates) is in the
category "derived". Where events are missing slices say that the rates there are not known. A flow joins what one
journey did. What was under way when the recording ended has no end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

import numpy as np

from bellwire.engine.events import (
    SIGNALLING,
    STATS,
    EventfdRole,
    EventKind,
    Events,
    IrqIoctl,
    Lane,
    Setting,
    Switch,
    exit_name,
)
from bellwire.engine.exports.perfetto_attached import write_attached
from bellwire.engine.exports.perfetto_flows import Flows, Row
from bellwire.engine.exports.perfetto_gaps import MISSING, UnknownRates
from bellwire.engine.exports.perfetto_kernel import KERNEL_NAMES, KernelTracks
from bellwire.engine.exports.perfetto_packets import TraceWriter, Type
from bellwire.engine.exports.perfetto_tracks import RATE_NS, ROOT, Tracks, begin_trace, end_trace
from bellwire.engine.folds.journeys import in_turn_of
from bellwire.engine.recordings.annotations.annotation import Annotation
from bellwire.engine.recordings.recording import Progress, Recording
from bellwire.engine.scenarios.traits import Trait, Traits
from bellwire.engine.scenarios.traits_of import traits_of

EVENT, DERIVED, ANNOTATION = "event", "derived", "annotation"
LANES = {
    Lane.GUEST: "Guest",
    Lane.VCPU: "vCPU thread",
    Lane.KVM: "KVM",
    Lane.IO_THREAD: "I/O thread",
    Lane.ENGINE: "Operator",
}
RATES = {
    "doorbells": (EventKind.RING,),
    "interrupts": SIGNALLING,
    "exits to user space": (EventKind.EXIT,),
}
RATE_OF: dict[int, str] = {kind: name for name, kinds in RATES.items() for kind in kinds}
BEGINS = {EventKind.RING: EventKind.RUNG, EventKind.EXIT: EventKind.ENTRY}  # and what ends each
ENDS = {end: begin for begin, end in BEGINS.items()} | {EventKind.WAIT: EventKind.WAIT}  # of the I/O thread: "awake"
NAMES: dict[EventKind, str] = {
    EventKind.RING: "doorbell's instruction",
    EventKind.RUNG: "doorbell's instruction",
    EventKind.HANDLER: "interrupt handler",
    EventKind.DOORBELL: "doorbell received",
    EventKind.IRQFD: "irqfd written",
    EventKind.SUBMIT: "read submitted to io_uring",
    EventKind.RESAMPLE: "resampled",
    EventKind.BUFFERS: "buffers",
    EventKind.WINDOW: "interrupts on again",
    EventKind.FETCH: "coalesced writes fetched",
    EventKind.LOST: "events lost",
    **KERNEL_NAMES,
}
KINDS, LANE_OF = dict(EventKind._value2member_map_), list(Lane)  # quicker than to call the enum, event by event
KEYS = {kind: tuple(f"{kind.name.lower()}.{name}" for name in ("seq", "id", "arg")) for kind in ENDS}


def write(recording: Recording, file: IO[bytes], progress: Progress) -> int:
    """How many events."""
    if recording.header.attached:
        return write_attached(recording, file, progress)
    writer = TraceWriter(file)
    trace = Trace(recording, writer)
    for events in recording.sorted_batches(progress):
        trace.feed(events)
    trace.end()
    end_trace(writer, recording)
    return trace.events


class Trace:
    """Turns events into packets, one after the other; memory goes with the journeys under way."""

    def __init__(self, recording: Recording, writer: TraceWriter) -> None:
        header = recording.header
        self.events = 0
        self._writer, self._clock, self._first = writer, header.clock, recording.first
        queues = header.scenario.doorbell.queues if header.scenario.doorbell else 1
        traits = traits_of(header.scenario)
        in_turn = in_turn_of(header.scenario, header.backend)
        self._flows = Flows(header.scenario.direct, queues, Trait.MASKED in traits, in_turn)
        self._tracks = Tracks(writer, ROOT)
        self._open: dict[tuple[int, int], EventKind] = {}  # (VM, lane): the slice that is open there
        self._lanes: dict[tuple[int, Lane], int] = {}  # of a VM: uuid
        self._rates = dict.fromkeys(rates_of(traits_of(header.scenario)), 0)  # counted in the present bin
        self._bin, self._bin_ends = 0, RATE_NS
        self._unknown = UnknownRates(writer, self._tracks)
        self._newest = 0  # ns of the row before
        self._kernel = KernelTracks(writer, self._kernel_track, Trait.TWO_GUESTS in traits)
        begin_trace(writer, recording, header.scenario.title)
        self._write_annotations(recording.annotations)

    def _write_annotations(self, annotations: Sequence[Annotation]) -> None:
        """Each an instant on a track of their own; what belongs to all moments is at the first one."""
        if not annotations:
            return
        track, _ = self._tracks.of("annotations")
        self._writer.track(track, "Annotations", ROOT)
        for one in annotations:
            at = 0 if one.tsc is None else max(round(self._clock.ns(one.tsc - self._first)), 0)
            self._writer.event(at, Type.INSTANT, track, annotation_name(one), ANNOTATION)

    def feed(self, events: Events) -> None:
        """Writes the next events, in order."""
        at = np.rint(self._clock.ns_array(events["tsc"] - np.uint64(self._first))).astype(np.int64)
        kinds = map(KINDS.__getitem__, events["kind"].tolist())
        lanes = map(LANE_OF.__getitem__, events["lane"].tolist())
        numbers = (events[name].tolist() for name in ("vm", "id", "seq", "arg"))
        for row in map(Row, at.tolist(), kinds, lanes, *numbers):
            self._write(row)
            if row.kind in MISSING:
                self._unknown.add(row, self._missing_since(row))
            self._newest = row.at
            if row.lane == Lane.KVM:
                self._kernel.feed(row)
        self.events += events.size

    def end(self) -> None:
        """Behind the last event."""
        self._unknown.end()

    def _missing_since(self, row: Row) -> int:
        """From which ns on the events are missing that it tells of: from the row before, unless it says more."""
        if row.kind == EventKind.LOST and row.seq:
            return min(max(round(self._clock.ns(row.seq - self._first)), 0), row.at)
        return self._newest

    def _write(self, row: Row) -> None:
        self._count_rates(row)
        if row.kind == EventKind.STAT:
            name = STATS[row.id] if row.id < len(STATS) else f"stat {row.id}"
            self._count(row, f"KVM: {name}", "times")
        elif row.kind == EventKind.COUNT:
            self._count(row, f"eventfd count: {EventfdRole(row.id).name.lower()}", "signals")
        else:
            self._place(row)

    def _count(self, row: Row, name: str, unit: str) -> None:
        track = self._counter(name, row.vm, row.kind * 2**16 + row.id, unit)
        self._writer.count(row.at, track, min(row.arg, 2**63 - 1), EVENT)

    def _place(self, row: Row) -> None:
        """A slice's begin or end, or an instant."""
        place = row.vm, row.lane
        track, flows = self._lanes.get(place) or self._lane(place), self._flows.of(row)
        open_ = self._open.get(place)
        if open_ is not None and open_ == ENDS.get(row.kind):
            del self._open[place]
            self._writer.end(row.at, track, details_of_end(row), flows)
            return
        begins = row.kind in BEGINS
        if begins or (row.lane == Lane.IO_THREAD and row.kind != EventKind.WAIT and open_ is None):
            self._begin(row)
        type_ = Type.BEGIN if begins else Type.INSTANT
        self._writer.event(row.at, type_, track, slice_name(row), EVENT, details_of(row), flows)

    def _begin(self, row: Row) -> None:
        """Opens a slice, and ends the one before whose end was lost; the I/O thread's lasts until it waits."""
        place = row.vm, row.lane
        track = self._lane(place)
        if place in self._open:
            self._writer.end(row.at, track, {"end was lost": 1})
        self._open[place] = row.kind if row.kind in BEGINS else EventKind.WAIT
        if row.kind not in BEGINS:
            self._writer.event(row.at, Type.BEGIN, track, "awake", DERIVED)

    # -- rates

    def _count_rates(self, row: Row) -> None:
        while row.at >= self._bin_ends:
            self._close_bin(row.at // RATE_NS)
        kind, count = (row.kind, 1) if row.kind != EventKind.PASSED_OVER else (row.seq & 0xFFFF, row.arg)
        if (name := RATE_OF.get(kind)) in self._rates:
            self._rates[name] += count

    def _close_bin(self, newest: int) -> None:
        """Writes the rates of the bin that is over, at its end; then 0, if nothing came in the bins after it.

        The recording's last bin is not over, and has none.
        """
        end = self._bin_ends
        for at in (end, end + RATE_NS) if newest > self._bin + 1 else (end,):
            for number, (name, count) in enumerate(self._rates.items()):
                self._writer.count(at, self._counter(name, -1, number, "1/s"), count * 1e9 / RATE_NS, DERIVED)
                self._rates[name] = 0
        self._bin, self._bin_ends = newest, (newest + 1) * RATE_NS

    # -- tracks, described when they are needed first

    def _vm(self, vm: int) -> int:
        if vm < 0:
            return ROOT
        uuid, new = self._tracks.of(("vm", vm))
        if new:
            self._writer.track(uuid, f"VM {vm}", ROOT, vm)
        return uuid

    def _lane(self, place: tuple[int, Lane]) -> int:
        if place not in self._lanes:
            vm, lane = place
            parent = ROOT if lane == Lane.ENGINE else self._vm(vm)
            self._lanes[place], _ = self._tracks.of(("lane", vm, lane))
            self._writer.track(self._lanes[place], LANES[lane], parent, lane)
        return self._lanes[place]

    def _kernel_track(self, what: str, name: str, vm: int, number: int) -> int:
        parent = self._vm(vm)
        uuid, new = self._tracks.of((what, vm, number))
        if new:
            self._writer.track(uuid, name, parent, max(Lane) + 1)
        return uuid

    def _counter(self, name: str, vm: int, number: int, unit: str) -> int:
        return self._tracks.counter(("counter", vm, number), name, self._vm(vm), unit)


def rates_of(traits: Traits) -> list[str]:
    """Which of RATES are known: an interrupt that a doorbell is no thread signals, and of QEMU's exits nobody tells."""
    unknown = {"interrupts"} if Trait.DIRECT in traits else set()
    unknown |= {"exits to user space"} if Trait.REAL_QEMU in traits else set()
    return [name for name in RATES if name not in unknown]


def annotation_name(one: Annotation) -> str:
    """Its text, and where an arrow leads."""
    return " ".join(filter(None, (one.text, f"→ {one.to}" if one.to else "")))


def details_of(row: Row) -> dict[str, int]:
    """What else an event says."""
    return {"seq": row.seq, "id": row.id, "arg": row.arg}


def details_of_end(row: Row) -> dict[str, int]:
    """The same of one that ends a slice, in which the one that began it has said its own."""
    seq, id, arg = KEYS[row.kind]
    return {seq: row.seq, id: row.id, arg: row.arg}


def slice_name(row: Row) -> str:
    """What a slice or an instant is called."""
    if row.kind == EventKind.USER_EXIT:
        return f"{NAMES[row.kind]}: {exit_name(row.id, row.arg)}"
    if name := NAMES.get(row.kind):
        return name
    match row.kind:
        case EventKind.EXIT | EventKind.ENTRY:
            return f"user space: {exit_name(row.id)}"
        case EventKind.IRQ_IOCTL:
            return f"ioctl: {IrqIoctl(row.id).name}" if row.id < len(IrqIoctl) else "ioctl"
        case EventKind.WIRE:
            return f"{Switch(row.id).name.lower()} {'on' if row.arg else 'off'}"
        case EventKind.SETTING:
            return f"{Setting(row.id).name.lower()} set"
        case _:
            return row.kind.name.lower()
