"""What `bellwire info` says of a recording of a VMM that was seen from outside: hops are counted, nothing is paired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from bellwire.engine.attached.hops.figures import HopLatency
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, Topology
from bellwire.engine.counted import number_of
from bellwire.engine.events import EventKind, Events, exit_name
from bellwire.engine.foreign import shown
from bellwire.engine.recordings.attached.notes import AttachedTo
from bellwire.engine.recordings.attached.recorded_hops import RecordedHops
from bellwire.engine.recordings.attached.seen_events import threads_of, woken_by
from bellwire.engine.recordings.attached.seen_moments import SeenMoments
from bellwire.engine.recordings.attached.uses import wire_uses
from bellwire.engine.recordings.outline import Outline
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.attached.hop_words import recorded_thread
from bellwire.viz.cli.attach.hops_told import hop_latency_report, time_cells
from bellwire.viz.cli.recording_reports import MANY, file_report, file_table
from bellwire.viz.cli.tables import Figures, with_rows
from bellwire.viz.cli.terminal import share_bar
from bellwire.viz.text.figures import grouped
from bellwire.viz.text.trust import no_times, said_least

SHOWN_CHANGES = 12  # rows of a table
Wire = tuple[int | None, SeenIoeventfd | SeenIrqfd]


class AttachedReport:
    """Everything that can be said about it, read once. RecordingError if the file changes meanwhile."""

    def __init__(self, recording: Recording, since_s: float = 0.0) -> None:
        """since_s: how long after its first event it is counted from."""
        assert recording.header.attached is not None
        self.recording, self.attached = recording, recording.header.attached
        self.moments = SeenMoments(recording)
        self.outline = Outline()
        self.hops = RecordedHops(recording.header.clock, recording.header.backend, self.moments.threads)
        self.uses, self.woken, self.exits = Counter[Wire](), Counter[int](), Counter[tuple[int, str]]()
        self.untold = set[Wire]()  # of which it was not known, at least for some time
        self.since_s = min(since_s, recording.seconds)
        since = np.uint64(recording.first + recording.header.clock.cycles(self.since_s))
        with share_bar("reads", len(recording) >= MANY) as progress:
            for events in recording.sorted_batches(progress):
                self._fold(events[events["tsc"] >= since] if since_s else events)

    def _fold(self, events: Events) -> None:
        self.outline.feed(events)
        for topology, some in self.by_topology(events):
            self.hops.feed(some, topology)
            for fd, wire, count in wire_uses(some, topology):
                self.uses[fd, wire] += count or 0
                if count is None:
                    self.untold.add((fd, wire))
        wakings = events[events["kind"] == EventKind.WAKING]
        self.woken.update(woken_by(wakings).tolist())
        exits = events[events["kind"] == EventKind.USER_EXIT]
        self.exits.update(zip(threads_of(exits).tolist(), exit_names(exits), strict=True))

    def by_topology(self, events: Events) -> Iterator[tuple[Topology, Events]]:
        """The events of each time in which the same was registered."""
        left = events
        while left.size:
            topology, until = self.moments.topology_until(int(left["tsc"][0]))
            inside = left["tsc"] < until if until else left["tsc"] >= 0
            if topology is not None:
                yield topology, left[inside]
            left = left[~inside]

    # -- as JSON

    def report(self) -> dict[str, Any]:
        """The JSON object of `bellwire info --json`; times in TSC cycles. null: hidden, or not known."""
        recording = self.recording
        return {
            **file_report(recording),
            "host": recording.header.host,
            "attached": {"name": self.attached.process.name, "guest": self.attached.process.guest, "pid": self.pid},
            "seconds": recording.seconds,
            "events": len(recording),
            "kinds": self.outline.kinds,
            "lost": self.outline.dropped,
            "doorbells": list(self._wires(SeenIoeventfd)),
            "interrupts": list(self._wires(SeenIrqfd)),
            "woken": [{"thread": self.name_of(tid), "times": count} for tid, count in self.woken.most_common()],
            "exits": [
                {"thread": self.name_of(tid), "reason": reason, "times": count}
                for (tid, reason), count in self.exits.most_common()
            ],
            "changes": [{"tsc": tsc, "what": what} for tsc, what in self.moments.changes],
            "missing": recording.warning,
            "times": self.times,
        }

    @property
    def times(self) -> str:
        """Why times mean nothing, as a sentence; "" if they do."""
        return no_times() if self.recording.header.clock.emulated else ""

    @property
    def pid(self) -> int | None:
        """Of the VMM; None: hidden."""
        return self.attached.process.pid if not self.attached.process.pid_hidden else None

    def name_of(self, tid: int) -> str:
        """A thread's name; of which process, where that is not the VMM."""
        return recorded_thread(self.moments, tid) or "?"

    def _wires(self, kind: type[SeenIoeventfd] | type[SeenIrqfd]) -> Iterator[dict[str, Any]]:
        for (fd, wire), count in self.uses.items():
            if isinstance(wire, kind):
                latency = self._latency(fd, wire)
                yield {
                    "vm": fd, **wire_report(wire), "times": None if (fd, wire) in self.untold else count,
                    "latency_ns": hop_latency_report(latency) if latency else None,
                }  # fmt: skip

    def _latency(self, fd: int | None, wire: SeenIoeventfd | SeenIrqfd) -> HopLatency | None:
        """As RecordedHops has it, of what was registered last."""
        return self.hops.latency(fd, wire, self.moments.topologies[-1]) if self.moments.topologies else None

    # -- as tables

    def summary(self) -> RenderableType:
        """The tables of `bellwire info`."""
        missing = [Text(line, style="bold red") for line in filter(None, (self.recording.warning, self.times))]
        return Group(
            self._facts(), "", self._uses(), "", self._woken(), "", self._exits(), "", self._kinds(), "",
            self._changes(), Text(HOPS_SAID, style="dim"), *missing,
        )  # fmt: skip

    def _facts(self) -> RenderableType:
        recording, header = self.recording, self.recording.header
        table = file_table(recording)
        table.add_row("seen from outside", attached_words(self.attached))
        table.add_row("lasted", f"{recording.seconds:.3f} s")
        if self.since_s:
            table.add_row("counted", f"from {self.since_s:.3f} s after its first event on")
        table.add_row("host", ", ".join(filter(None, (header.host.get("cpu"), header.host.get("kernel")))) or "–")
        table.add_row("back end", header.backend or "–")
        table.add_row("events lost", grouped(self.outline.dropped))
        return table

    def _uses(self) -> RenderableType:
        table = numbered_table("Doorbell or interrupt", "times", "a second", "p50", "p99", "max")
        for (fd, wire), count in self.uses.items():
            times = time_cells(self._latency(fd, wire) or HopLatency())
            untold = (fd, wire) in self.untold
            counts = ("–", "–") if untold and not count else (self._times(count, untold), self._a_second(count, untold))
            table.add_row(wire_words(wire), *counts, *times)
        if not self.uses:
            return Text("Doorbells and interrupts: none was registered.")
        changes = [] if self.attached.told or not self.moments.changes else [LOOKS_SAID]
        said = [TIMES_SAID, *([UNTOLD_SAID] if self.untold else []), *changes]
        return Group(table, *(Text(line, style="dim") for line in said))

    def _times(self, count: int, untold: bool = False) -> str:
        """untold: there may be more, as for some time it was not known."""
        return said_least(grouped(count), self.outline.dropped or untold)

    def _a_second(self, count: int, untold: bool = False) -> str:
        seconds = self.recording.seconds - self.since_s
        return said_least(grouped(count / seconds, 1), self.outline.dropped or untold) if seconds else "–"

    def _woken(self) -> RenderableType:
        table = numbered_table("Thread", "woken", "a second")
        for tid, count in self.woken.most_common():
            table.add_row(self.name_of(tid), self._times(count), self._a_second(count))
        return with_rows(table, "Threads: none was woken.")

    def _exits(self) -> RenderableType:
        table = numbered_table("Exit to user space", "times", "a second")
        for (tid, reason), count in self.exits.most_common():
            table.add_row(f"{self.name_of(tid)}: {reason}", self._times(count), self._a_second(count))
        return with_rows(table, "Exits to user space: none was seen.")

    def _kinds(self) -> RenderableType:
        table = numbered_table("Kind", "events")
        for name, count in self.outline.kinds.items():
            table.add_row(name, grouped(count))
        return with_rows(table, "Events: there is none.")

    def _changes(self) -> RenderableType:
        """What was registered or taken away, and when."""
        first, clock = self.recording.first, self.recording.header.clock
        if not self.moments.changes:
            return Text("What is registered did not change.")
        table = Figures("After", "What changed", header_style="dim")
        for tsc, sentence in self.moments.changes[:SHOWN_CHANGES]:
            table.add_row(f"{clock.ns(tsc - first) / 1e9:.3f} s", shown(sentence))
        more = len(self.moments.changes) - SHOWN_CHANGES
        return Group(table, f"and {number_of(more, 'more change')}") if more > 0 else table


def exit_names(exits: Events) -> list[str]:
    """Of each USER_EXIT why KVM_RUN has returned."""
    pairs, which = np.unique(exits[["id", "arg"]], return_inverse=True)
    names = [exit_name(*pair) for pair in pairs.tolist()]
    return [names[number] for number in which.tolist()]


TIMES_SAID = "Times: of a doorbell to whom it wakes having a CPU, of an interrupt from its message to its being taken."
UNTOLD_SAID = "–: of an irqfd at a pin, and of several with one message, nobody knows how often it was signalled."
LOOKS_SAID = "What is registered was looked at five times a second: of what changed, counts are off by as much."
HOPS_SAID = "Hops, not journeys: from outside nobody can tell which interrupt answers which doorbell."


def numbered_table(*heads: str) -> Figures:
    """A table whose columns but the first are numbers."""
    table = Figures(*heads, header_style="dim")
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    return table


def attached_words(attached: AttachedTo) -> str:
    """Whom it is of, and who that was."""
    return f"{attached.process}, guest {attached.process.guest}" if attached.process.guest else str(attached.process)


def wire_words(wire: SeenIoeventfd | SeenIrqfd) -> str:
    """A wire, by what it is in the guest."""
    return str(wire.match) if isinstance(wire, SeenIoeventfd) else f"GSI {wire.gsi}"


def wire_report(wire: SeenIoeventfd | SeenIrqfd) -> dict[str, Any]:
    """The same for programs."""
    if isinstance(wire, SeenIrqfd):
        return {"gsi": wire.gsi, "eventfd": wire.eventfd}
    match = wire.match
    return {
        "bus": match.bus, "address": match.address, "length": match.length, "datamatch": match.datamatch,
        "eventfd": wire.eventfd,
    }  # fmt: skip
