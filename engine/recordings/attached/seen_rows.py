"""What a timeline of a VMM has rows for: each doorbell, each thread that was woken, each interrupt, each vCPU.

An event is in one row, or in none. Which rows there are is found out by going through the recording once, in a thread;
how much happened when is kept in bins, so that looking at all of it costs no more than at a part.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from bellwire.engine.attached.topology import SeenIoeventfd
from bellwire.engine.errors import EngineError
from bellwire.engine.events import ROLE_BITS, EventKind, Events, Records, ThreadRole, chosen
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.recordings.attached.seen_events import threads_of, woken_by
from bellwire.engine.recordings.attached.seen_moments import SeenMoments
from bellwire.engine.recordings.attached.uses import PlacedAccesses

BINS = 1 << 13  # over the whole recording
MOST_SEEN_ROWS = 256  # that are kept; events of more are counted as of none
EXACT = 200_000  # events in view; with more of them the bins are asked

Counts = npt.NDArray[np.int64]


class SeenRowKind(IntEnum):
    """In the order of their rows."""

    DOORBELL = 0
    THREAD = 1
    MESSAGE = 2
    LINE = 3
    VCPU = 4


@dataclass(frozen=True, order=True)
class SeenRow:
    """number: of a doorbell, in SeenRows.doorbells; a thread; vector and, from bit 8 on, APIC; a GSI; a vCPU's thread.

    vm: which VM it is of.
    """

    kind: SeenRowKind
    vm: int
    number: int

    def happened(self, events: Events) -> int:
        """How often what the row is of happened, in its events: what only ends something is not counted."""
        ends = ENDS.get(self.kind)
        return events.size if ends is None else int(np.count_nonzero(events["kind"] != ends))


ENDS = {SeenRowKind.THREAD: EventKind.RUNS, SeenRowKind.VCPU: EventKind.ENTRY}


class SeenRows:
    """Tells of which row an event is."""

    def __init__(self, moments: SeenMoments) -> None:
        found: dict[tuple[int, SeenIoeventfd], None] = {}
        for topology in moments.topologies:
            for vm, seen in enumerate(topology.vms):
                for one in seen.ioeventfds:
                    found.setdefault((vm, SeenIoeventfd(one.match, 0, one.fast)))
        self.doorbells = list(found)[:MOST_SEEN_ROWS]  # VM and doorbell, whichever eventfd that signalled

    def of(self, events: Events) -> list[tuple[SeenRow, Events]]:
        """The events of each row that has any, in order."""
        kinds, accesses = events["kind"], PlacedAccesses(events)
        rows = [
            (SeenRow(SeenRowKind.DOORBELL, vm, number), accesses.that_ring(vm, doorbell))
            for number, (vm, doorbell) in enumerate(self.doorbells)
        ]
        rows = [(row, some) for row, some in rows if some.size]
        scheduled = chosen(events, np.isin(kinds, (EventKind.WAKING, EventKind.RUNS)))
        of_vcpu = (scheduled["id"] & np.uint32((1 << ROLE_BITS) - 1)) == ThreadRole.VCPU
        others = chosen(scheduled, ~of_vcpu)
        rows += grouped_rows(SeenRowKind.THREAD, others, woken_by(others))
        messages = chosen(events, kinds == EventKind.MSI)
        rows += grouped_rows(
            SeenRowKind.MESSAGE, messages, messages["id"].astype(np.uint64) | messages["arg"] << np.uint64(8)
        )
        lines = chosen(events, (kinds == EventKind.SET_IRQ) & (events["arg"] == 1))
        rows += grouped_rows(SeenRowKind.LINE, lines, lines["id"].astype(np.uint64))
        served = chosen(events, np.isin(kinds, (EventKind.USER_EXIT, EventKind.ENTRY, EventKind.INJECTED)))
        return rows + grouped_rows(SeenRowKind.VCPU, served, threads_of(served))


def grouped_rows(kind: SeenRowKind, events: Events, keys: npt.NDArray[np.uint64]) -> list[tuple[SeenRow, Events]]:
    """One row for each key. Shapes (n,)."""
    if not events.size:
        return []
    order = np.argsort(keys, kind="stable")
    ordered, sorted_keys = chosen(events, order), keys[order]
    starts = np.flatnonzero(np.append(True, sorted_keys[1:] != sorted_keys[:-1]))
    return [
        (SeenRow(kind, int(some["vm"][0]) if kind == SeenRowKind.VCPU else 0, int(key)), some)
        for key, some in zip(sorted_keys[starts].tolist(), np.split(ordered, starts[1:]), strict=True)
    ]


class SeenDensity(Owner):
    """Goes through a recording in a thread. `rows`: those found so far; `share`: how much of it was read."""

    def __init__(self, moments: SeenMoments) -> None:
        self.recording, self.of = moments.recording, SeenRows(moments)
        self.rows: dict[SeenRow, Counts] = {}  # events by bin
        self.share, self.error = 0.0, ""
        self.left_out = 0  # rows beyond the limit
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="density", daemon=True)
        begin_thread(self._thread)

    @property
    def _edges(self) -> npt.NDArray[np.float64]:
        return np.linspace(self.recording.first, max(self.recording.last, self.recording.first + 1), BINS + 1)

    def _read(self) -> None:
        try:
            for number in range(self.recording.entries.size):
                if self._stop.is_set():
                    return
                self._take(self.recording.read_once(number))
                self.share = (number + 1) / self.recording.entries.size
        except EngineError as error:
            self.error = str(error)
        self.share = 1.0

    def _take(self, events: Events) -> None:
        edges, found = self._edges, dict(self.rows)
        for row, some in self.of.of(events):
            if row not in found and len(found) >= MOST_SEEN_ROWS:
                self.left_out += 1
                continue
            counted, _ = np.histogram(some["tsc"].astype(np.float64), edges)
            found[row] = found[row] + counted if row in found else counted.astype(np.int64)
        self.rows = found  # whole, for who looks on

    def wait(self) -> None:
        """Until all is read."""
        self._thread.join()

    def close(self) -> None:
        """Reads no more. May be called again."""
        self._stop.set()
        self._thread.join()

    def exact(self, start: int, end: int) -> dict[SeenRow, Records] | None:
        """The events of each row between two times (TSC); None if they are too many to be drawn one by one."""
        entries = self.recording.entries
        touched = (entries["first"] <= np.uint64(max(end, 0))) & (entries["last"] >= np.uint64(max(start, 0)))
        if int(entries["events"][touched].sum()) > EXACT:
            return None
        return dict(self.of.of(self.recording.window(start, end + 1)))

    def columns(self, row: SeenRow, start: int, end: int, pixels: int) -> npt.NDArray[np.float64]:
        """About how many events of a row there are in each of `pixels` parts of start..end (TSC); shape (pixels,)."""
        counts = self.rows.get(row)
        if counts is None:
            return np.zeros(pixels)
        total = np.concatenate([[0.0], np.cumsum(counts)])
        wanted = np.linspace(start, end, pixels + 1)
        return np.diff(np.interp(wanted, self._edges, total))
