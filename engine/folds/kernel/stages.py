"""Where the time went: how long each stage between two moments that are known lasted, in the kernel and beside it.

A stage leads from one moment of the way to the next one that is known of the same journey. So what a kernel does not
tell makes one stage of two, and never a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
    Records,
    Setting,
    by_kind,
)
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.folds.journeys import Journeys, no_journeys
from bellwire.engine.folds.kernel.moments import COURSE, KEPT, TOLD, KernelMoments

Stage = tuple[str, str]  # two of COURSE
Mask = npt.NDArray[np.bool_]
SIGNALLED = ("msi", "set_irq", "work_started", "accepted")  # an interrupt is on its way to a local APIC

HOST_ENDS = "kvm_pvm"  # where the host writes the EOI of what it injects, so that kvm_eoi tells of injections
SIGNALS_FROM = COURSE.index("irq")  # of COURSE: what is of the interrupt, which may answer several doorbells
REASON_BITS = 32  # of an exit's key: the reason for it; above, an errno
LATER = 0.1  # seconds after a handler in which its interrupt may still come


class Silent(NamedTuple):
    """A tracepoint, the kinds that come of it, and those without which it would have nothing to tell.

    Where the second come and the first do not, the kernel has the tracepoint and this KVM does not use it. neighbour:
    what bounds the stage in its place.
    """

    name: str
    told: tuple[EventKind, ...]
    partners: tuple[EventKind, ...]
    neighbour: str


SILENT = (
    Silent("kvm_apic_accept_irq", (EventKind.ACCEPTED,), (EventKind.MSI,), "kvm_msi_set_irq"),
    Silent("kvm_apic_accept_irq", (EventKind.ACCEPTED,), (EventKind.SET_IRQ,), "kvm_set_irq"),
    Silent("kvm_inj_virq", (EventKind.INJECTED,), (EventKind.HANDLER,), "the guest's handler"),
    Silent("kvm_eoi", (EventKind.GUEST_EOI,), (EventKind.HANDLER,), "the guest's handler"),
    Silent("kvm_pio", (EventKind.PIO, EventKind.MMIO, EventKind.FAST_MMIO), (EventKind.RUNG,), "the guest's store"),
    Silent("kvm_vcpu_wakeup", (EventKind.WOKEN,), (EventKind.WAKING,), "sched_switch"),
    Silent("irqfd_wakeup", (EventKind.IRQFD_WAKEUP,), (EventKind.WORK_QUEUED,), "workqueue_queue_work"),
    Silent("irqfd_inject", (EventKind.IRQFD_INJECT,), (EventKind.WORK_STARTED,), "workqueue_execute_start"),
)
BY_EOI = (  # the same where kvm_eoi tells of injections
    Silent("kvm_inj_virq", (), (EventKind.INJECTED,), "kvm_eoi"),
    Silent("kvm_eoi", (EventKind.GUEST_EOI, EventKind.INJECTED), (EventKind.HANDLER,), "the guest's handler"),
)
ANY_LENGTH = (  # of doorbells that match by their address alone
    Silent("kvm_fast_mmio", (EventKind.FAST_MMIO,), (EventKind.MMIO,), "kvm_mmio"),
    Silent("kvm_mmio", (EventKind.MMIO,), (EventKind.FAST_MMIO,), "kvm_fast_mmio"),
)


def silent_ones(backend: str, any_length: bool) -> tuple[Silent, ...]:
    """What may be silent on a back end. any_length: whether the doorbell's ioeventfd asks for no length."""
    other = BY_EOI if backend == HOST_ENDS else ()
    usual = tuple(one for one in SILENT if one.name not in [each.name for each in other])
    return (*usual, *other, *(ANY_LENGTH if any_length else ()))


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


class Told(NamedTuple):
    """Of each journey, whether the kernel has told anything, and both ends: up to the injection, or to the signal."""

    seen: Mask
    injected: Mask
    signalled: Mask
    injects: bool

    @property
    def whole(self) -> Mask:
        """Whether all has been told that this KVM tells."""
        return self.injected if self.injects else self.signalled


class KernelStages:
    """Is fed all events and the journeys that each batch has completed."""

    def __init__(self, clock: Clock, backend: str = "", any_length: bool = False) -> None:
        """backend, any_length: which tracepoints may be silent depends on them: silent_ones()."""
        self.clock, self.backend = clock, backend
        self.moments = KernelMoments()
        # of each kind the kernel tells, by id; of an exit whose KVM_RUN has failed, by its errno above the id
        self.counts: dict[EventKind, dict[int, int]] = {}
        self.listened = 0  # tracepoints and functions, a bit each, since the last word on them
        self.error_cycles = 0  # by which times may err, as of that word
        self.lost = 0
        self.told = 0  # journeys of which the kernel has told anything
        self.early = 0  # of these, those that a handler had served before their own interrupt came
        self._whole = {"injected": 0, "signalled": 0}  # those of which it has told both ends that there are
        self._silent = silent_ones(backend, any_length)
        self._waiting = no_journeys()  # of which something may still come
        self._newest = 0  # TSC up to which events have come
        self._caused = dict.fromkeys((EventKind.RUNG, EventKind.HANDLER), 0)  # what the guest itself has told
        self._merged = dict.fromkeys((EventKind.WORK_STARTED, EventKind.INJECTED), 0)
        self._times: dict[Stage, Histogram] = {}
        self._negative: dict[Stage, int] = {}

    def feed(self, events: Events, journeys: Journeys) -> None:
        """The next batch, and what it has completed."""
        self.moments.feed(events)
        self._note(events)
        self._newest = max(self._newest, int(events["tsc"][-1]) if events.size else 0)
        if self.counts and (journeys.size or self._waiting.size):
            self._settle(np.concatenate([self._waiting, journeys]))

    def finish(self) -> None:
        """No more will come."""
        if self._waiting.size:
            self._measure(self.moments.of(self._waiting))
        self._waiting = no_journeys()

    def _settle(self, journeys: Journeys) -> None:
        """Measures those of which all has been told, or nothing more is to be waited for: a handler may come first."""
        found = self.moments.of(journeys)
        told = self._told_of(found)
        soon = journeys["handler"] + np.uint64(LATER * self.clock.hz) > self._newest
        waits = told.seen & ~told.whole & ~found["early"] & (journeys["handler"] > 0) & soon
        self._waiting = journeys[waits][-KEPT:]
        self._measure(found[~waits])

    def _note(self, events: Events) -> None:
        batch = by_kind(events)
        for kind in (EventKind.RUNG, EventKind.HANDLER):
            self._caused[kind] += batch.counts[kind]
        works, injections = batch.of(EventKind.WORK_STARTED)["arg"], batch.of(EventKind.INJECTED)
        injected = injections["arg"][(injections["seq"] > 0) | (injections["arg"] > 0)]  # not those of other vectors
        self._merged[EventKind.WORK_STARTED] += int((np.maximum(works, 1) - np.uint64(1)).sum())
        # One that its APIC takes between an injection and the word on it is counted there: all together are exact.
        self._merged[EventKind.INJECTED] += int(injected.sum()) - injected.size
        for kind in batch.kinds:
            if kind >= EventKind.PIO:
                known, ids = self.counts.setdefault(kind, {}), batch.of(kind)["id"].astype(np.uint64)
                if kind == EventKind.USER_EXIT:
                    ids |= batch.of(kind)["arg"] << np.uint64(REASON_BITS)
                for id, count in zip(*(some.tolist() for some in np.unique(ids, return_counts=True)), strict=True):
                    known[id] = known.get(id, 0) + count
        settings, losses = batch.of(EventKind.SETTING), batch.of(EventKind.LOST)
        for one in settings[settings["id"] == Setting.KERNEL]:
            if one["arg"]:
                self.listened, self.error_cycles = int(one["arg"]), int(one["seq"])
        self.lost += int(losses["arg"][np.isin(losses["id"], (Lane.KVM, Lane.ENGINE))].sum())

    def _told_of(self, found: Records) -> Told:
        seen = np.logical_or.reduce([found["early"], *(found[name] > 0 for name in TOLD)])
        sent = seen & ((found["ring"] == 0) | (found["pio"] > 0))
        nobody = found["handler"] == 0
        signalled = sent & (nobody | np.logical_or.reduce([found[name] > 0 for name in SIGNALLED]))
        return Told(seen, sent & (nobody | (found["injected"] > 0)), signalled, EventKind.INJECTED in self.counts)

    def _measure(self, found: Records) -> None:
        """Each moment from the last one before it that is known."""
        told = self._told_of(found)
        self.told += int(np.count_nonzero(told.seen))
        self.early += int(np.count_nonzero(told.seen & found["early"]))
        self._whole["injected"] += int(np.count_nonzero(told.injected))
        self._whole["signalled"] += int(np.count_nonzero(told.signalled & ~found["early"]))
        table = np.stack([found[name] for name in COURSE], axis=1).astype(np.int64)[told.seen]
        once = found["once"][told.seen]
        place = np.where(table > 0, np.arange(len(COURSE)), -1)
        before = np.maximum.accumulate(place, axis=1)[:, :-1]
        for end in range(1, len(COURSE)):
            start = before[:, end - 1]
            for one in np.unique(start[(table[:, end] > 0) & (start >= 0)]).tolist():
                rows = (table[:, end] > 0) & (start == one) & (once if one >= SIGNALS_FROM else True)
                self._record((COURSE[one], COURSE[end]), table[rows, end] - table[rows, one])

    def _record(self, stage: Stage, cycles: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        early = int(np.count_nonzero(cycles < 0))
        self._negative[stage] = self._negative.get(stage, 0) + early
        self._times.setdefault(stage, Histogram()).record(self.clock.ns_array(np.maximum(cycles, 0)))

    @property
    def whole(self) -> int:
        """Journeys both of whose ends were told; an interrupt's is its message where none is injected."""
        return self._whole["injected" if EventKind.INJECTED in self.counts else "signalled"]

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
    def merged_in_work(self) -> int | None:
        """Signals whose irqfd's work was waiting for a worker already, so that one piece of work did for both.

        None where records are lost: one whose own is among them would seem to be merged in the next one's.
        """
        return None if self.lost else self._merged[EventKind.WORK_STARTED]

    @property
    def merged_in_apic(self) -> int | None:
        """Interrupts that the local APIC held already when another one of the same vector came; None as above."""
        return None if self.lost else max(0, self._merged[EventKind.INJECTED])

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
    def silent(self) -> dict[str, str]:
        """Tracepoints that were listened to and never fired, although what they tell of has happened.

        With each what bounds its stage in its place.
        """
        listened = [*self.tracepoints, *self.functions]
        return {
            one.name: one.neighbour
            for one in self._silent
            if one.name in listened and not self.count(*one.told) and self.count(*one.partners)
        }
