"""Where the time went: how long each stage between two moments that are known lasted, in the kernel and beside it.

A stage leads from one moment of the way to the next one that is known of the same journey. So what a kernel does not
tell makes one stage of two, and never a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bellwire.engine.events import (
    FUNCTIONS,
    PROBES_BIT,
    PROBES_LACK_BIT,
    TRACEFS_BIT,
    TRACEPOINTS,
    Clock,
    EventKind,
    Events,
    Lane,
    ProbesLack,
    Setting,
    by_kind,
    ids_in,
)
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.folds.kernel.moments import COURSE, TOLD, KernelMoments

Stage = tuple[str, str]  # two of COURSE

# Tracepoints, the kinds that come of them, and those without which they would have nothing to tell. Where the second
# come and the first do not, the kernel has the tracepoint and this KVM does not use it.
SILENT: tuple[tuple[str, tuple[EventKind, ...], tuple[EventKind, ...]], ...] = (
    ("kvm_apic_accept_irq", (EventKind.ACCEPTED,), (EventKind.MSI, EventKind.SET_IRQ)),
    ("kvm_inj_virq", (EventKind.INJECTED,), (EventKind.HANDLER,)),
    ("kvm_pio", (EventKind.PIO, EventKind.MMIO, EventKind.FAST_MMIO), (EventKind.RUNG,)),
    ("kvm_vcpu_wakeup", (EventKind.WOKEN,), (EventKind.WAKING,)),
    ("irqfd_wakeup", (EventKind.IRQFD_WAKEUP,), (EventKind.WORK_QUEUED,)),
    ("irqfd_inject", (EventKind.IRQFD_INJECT,), (EventKind.WORK_STARTED,)),
)


ENTERED = {  # by function
    "ioeventfd_write": EventKind.IOEVENTFD_WRITE,
    "eventfd_signal_mask": EventKind.EVENTFD_SIGNAL,
    "irqfd_wakeup": EventKind.IRQFD_WAKEUP,
    "irqfd_inject": EventKind.IRQFD_INJECT,
    "irqfd_resampler_ack": EventKind.RESAMPLER_ACK,
}


@dataclass(frozen=True)
class StageTime:
    """A stage, how often it was measured, and how long it took, in ns.

    p50, p99: None: too few for that percentile, or an emulated CPU, whose times mean nothing.

    negative: how often it ended before it began.
    """

    start: str
    end: str
    count: int
    p50: int | None
    p99: int | None
    negative: int


class KernelStages:
    """Is fed all events and the journeys that each batch has completed."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.moments = KernelMoments()
        self.counts: dict[EventKind, dict[int, int]] = {}  # of each kind the kernel tells, by id
        self.listened = 0  # tracepoints and functions, a bit each, since the last word on them
        self.error_cycles = 0  # by which times may err, as of that word
        self.lost = 0
        self.told = 0  # journeys of which the kernel has told anything
        self.whole = 0  # of these, those of which it has told both ends that there are
        self._caused = dict.fromkeys((EventKind.RUNG, EventKind.HANDLER), 0)  # what the guest itself has told
        self._merged = dict.fromkeys((EventKind.WORK_STARTED, EventKind.INJECTED), 0)
        self._times: dict[Stage, Histogram] = {}
        self._negative: dict[Stage, int] = {}

    def feed(self, events: Events, journeys: Journeys) -> None:
        """The next batch, and what it has completed."""
        self.moments.feed(events)
        self._note(events)
        if self.counts and journeys.size:
            self._measure(journeys)

    def _note(self, events: Events) -> None:
        batch = by_kind(events)
        for kind in (EventKind.RUNG, EventKind.HANDLER):
            self._caused[kind] += batch.counts[kind]
        for kind in self._merged:
            self._merged[kind] += int((np.maximum(batch.of(kind)["arg"], 1) - np.uint64(1)).sum())
        for kind in batch.kinds:
            if kind >= EventKind.PIO:
                known, ids = self.counts.setdefault(kind, {}), batch.of(kind)["id"]
                for id in ids_in(batch.of(kind)):
                    known[id] = known.get(id, 0) + int(np.count_nonzero(ids == id))
        settings, losses = batch.of(EventKind.SETTING), batch.of(EventKind.LOST)
        for one in settings[settings["id"] == Setting.KERNEL]:
            if one["arg"]:
                self.listened, self.error_cycles = int(one["arg"]), int(one["seq"])
        self.lost += int(losses["arg"][losses["id"] == Lane.KVM].sum())

    def _measure(self, journeys: Journeys) -> None:
        """Each moment from the last one before it that is known."""
        found = self.moments.of(journeys)
        table = np.stack([found[name] for name in COURSE], axis=1).astype(np.int64)
        columns = [COURSE.index(name) for name in TOLD]
        seen = (table[:, columns] > 0).any(axis=1)
        self.told += int(np.count_nonzero(seen))
        rung, arrives = found["ring"] > 0, found["handler"] > 0
        whole = (~rung | (found["pio"] > 0)) & (~arrives | (found["injected"] > 0)) & seen
        self.whole += int(np.count_nonzero(whole))
        table = table[seen]
        place = np.where(table > 0, np.arange(len(COURSE)), -1)
        before = np.maximum.accumulate(place, axis=1)[:, :-1]
        for end in range(1, len(COURSE)):
            start = before[:, end - 1]
            for one in np.unique(start[(table[:, end] > 0) & (start >= 0)]).tolist():
                rows = (table[:, end] > 0) & (start == one)
                self._record((COURSE[one], COURSE[end]), table[rows, end] - table[rows, one])

    def _record(self, stage: Stage, cycles: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        early = int(np.count_nonzero(cycles < 0))
        self._negative[stage] = self._negative.get(stage, 0) + early
        self._times.setdefault(stage, Histogram()).record(self.clock.ns_array(np.maximum(cycles, 0)))

    @property
    def stages(self) -> list[StageTime]:
        """Every stage that was measured, in the order of the way."""
        ways = sorted(self._times, key=lambda stage: (COURSE.index(stage[0]), COURSE.index(stage[1])))
        return [self._time_of(stage) for stage in ways]

    def _time_of(self, stage: Stage) -> StageTime:
        times = self._times[stage]
        figures = times.known_percentile(50), times.known_percentile(99)
        if self.clock.emulated:
            figures = None, None
        return StageTime(*stage, times.count, *figures, self._negative[stage])

    @property
    def merged_in_work(self) -> int:
        """Signals whose irqfd's work was waiting for a worker already, so that one piece of work did for both."""
        return self._merged[EventKind.WORK_STARTED]

    @property
    def merged_in_apic(self) -> int:
        """Interrupts that the local APIC held already when another one of the same vector came."""
        return self._merged[EventKind.INJECTED]

    @property
    def tracepoints(self) -> list[str]:
        """Those that are listened to."""
        return [name for bit, name in enumerate(TRACEPOINTS) if self.listened >> bit & 1]

    @property
    def functions(self) -> list[str]:
        """Those of the kernel that are probed."""
        return [name for bit, name in enumerate(FUNCTIONS, PROBES_BIT) if self.listened >> bit & 1]

    def entered(self, function: str) -> int:
        """How often one of them was entered, for this machine and its guests."""
        return self.count(ENTERED[function])

    @property
    def probes_lack(self) -> ProbesLack:
        """Why none is."""
        lack = self.listened >> PROBES_LACK_BIT
        return ProbesLack(lack) if lack in ProbesLack._value2member_map_ else ProbesLack.NOTHING

    @property
    def source(self) -> str:
        """By what the kernel is looked into: "BPF" or "tracefs"."""
        return "tracefs" if self.listened >> TRACEFS_BIT & 1 else "BPF"

    @property
    def seen(self) -> bool:
        """Whether the kernel has told anything."""
        return bool(self.counts)

    def count(self, *kinds: EventKind) -> int:
        """How many events of these kinds there were."""
        return sum(sum(self.counts.get(kind, {}).values()) + self._caused.get(kind, 0) for kind in kinds)

    @property
    def silent(self) -> list[str]:
        """Tracepoints that were listened to and never fired, although what they tell of has happened."""
        listened = [*self.tracepoints, *self.functions]
        return [
            name
            for name, told, partners in SILENT
            if name in listened and not self.count(*told) and self.count(*partners)
        ]
