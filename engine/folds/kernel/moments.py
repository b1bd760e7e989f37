"""When a journey was where in the kernel: of each doorbell and its interrupt, the moments that tracepoints tell.

A moment is found by the journey's numbers; only when a thread got its CPU is found by time, as a thread that was
preempted comes back without a wake-up of its own: it is the last time before the thread did what it then did.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import (
    ROLE_BITS,
    EventfdSignaller,
    EventKind,
    Events,
    Records,
    ThreadRole,
    by_kind,
    chosen,
)
from bellwire.engine.folds.journeys import STAGES, Journeys, tells_of_interrupt

KEPT = 1 << 17  # newest moments of each sort that are remembered

# The way of a doorbell and its interrupt, in its order: stages of a journey, and between them what the kernel tells.
COURSE = (
    *("ring", "pio", "ioeventfd", "signalled", "user_exit", "exit", "io_waking", "io_runs", "doorbell", "irq", "write"),
    *("completed", "irqfd", "msi", "work_queued", "work_started", "inject", "set_irq", "accepted"),
    *("vcpu_waking", "vcpu_runs", "injected", "handler"),
)
AFTERWARDS = ("acknowledged",)  # told once the journey is over
BY_DOORBELL: dict[str, tuple[EventKind, ...]] = {
    "pio": (EventKind.PIO, EventKind.MMIO, EventKind.FAST_MMIO),
    "user_exit": (EventKind.USER_EXIT,),
    "ioeventfd": (EventKind.IOEVENTFD_WRITE,),
}
BY_INTERRUPT: dict[str, tuple[EventKind, ...]] = {
    "write": (EventKind.WRITE,),
    "irqfd": (EventKind.IRQFD_WAKEUP,),
    "msi": (EventKind.MSI,),
    "work_queued": (EventKind.WORK_QUEUED,),
    "accepted": (EventKind.ACCEPTED,),
}
COVERING: dict[str, tuple[EventKind, ...]] = {  # of an interrupt that was merged with a newer one it is that one's
    "work_started": (EventKind.WORK_STARTED,),
    "inject": (EventKind.IRQFD_INJECT,),
    "injected": (EventKind.INJECTED,),
    "acknowledged": (EventKind.RESAMPLER_ACK,),
}
SIGNALLED = {  # by whom an eventfd is signalled inside of the kernel: a doorbell's, an interrupt's
    "signalled": EventfdSignaller.IOEVENTFD,
    "completed": EventfdSignaller.OTHER,
}
# All that is found by number. Of a line's changes only its rise counts, of the scheduler's events only a role's own.
BY_NUMBER = BY_DOORBELL | BY_INTERRUPT | COVERING | {"set_irq": (EventKind.SET_IRQ,)}
BY_NUMBER |= {"io_waking": (EventKind.WAKING,), "vcpu_waking": (EventKind.WAKING,)}
BY_NUMBER |= dict.fromkeys(SIGNALLED, (EventKind.EVENTFD_SIGNAL,))
TOLD = tuple(name for name in COURSE if name not in STAGES)
MOMENTS: np.dtype[np.void] = np.dtype(
    [
        *(("seq", "<u8"), ("interrupt", "<u8"), ("early", "?"), ("once", "?")),
        *((name, "<u8") for name in (*COURSE, *AFTERWARDS)),
    ]
)  # TSC; 0: not there, or not known. early: the handler had served it before its own interrupt came; once: no other
# journey tells of the same interrupt

Numbers = npt.NDArray[np.uint64]


class SignalTimes:
    """When something was, by the number of its signal; or another column of the events of which it is told."""

    def __init__(self) -> None:
        self.numbers = np.empty(0, np.uint64)
        self.times = np.empty(0, np.uint64)

    def add(self, events: Events, column: str = "tsc") -> None:
        """The next ones, by their time; those of no signal are left out."""
        own = events if events["seq"].all() else chosen(events, events["seq"] > 0)
        if not own.size:
            return
        numbers = np.concatenate([self.numbers, own["seq"]])[-KEPT:]
        times = np.concatenate([self.times, own[column].astype(np.uint64)])[-KEPT:]
        if (numbers[1:] < numbers[:-1]).any():
            order = np.argsort(numbers, kind="stable")
            numbers, times = numbers[order], times[order]
        self.numbers, self.times = numbers, times

    def of(self, wanted: Numbers, covering: bool = False) -> Numbers:
        """The first moment of each of these signals, 0 without one; covering: or of the next one. Shape (n,)."""
        at = np.searchsorted(self.numbers, wanted)
        numbers, times = np.append(self.numbers, np.uint64(0)), np.append(self.times, np.uint64(0))
        found = numbers[at] > 0 if covering else numbers[at] == wanted
        return np.where(found & (wanted > 0), times[at], 0).astype(np.uint64)


class KernelMoments:
    """Is fed all events, however they are cut into batches; asked for journeys once they are complete."""

    def __init__(self) -> None:
        self._known = {name: SignalTimes() for name in BY_NUMBER}
        self._io_runs = np.empty(0, np.uint64)
        self._vcpu_runs: dict[int, Numbers] = {}  # by guest, or by vCPU where two of them signal
        self._takers = SignalTimes()  # whose handler each interrupt ran in

    def feed(self, events: Events) -> None:
        """Takes note of the next batch (sorted by tsc)."""
        batch = by_kind(events)
        for name, kinds in {**BY_DOORBELL, **BY_INTERRUPT, **COVERING}.items():
            self._known[name].add(batch.of(*kinds))
        lines = batch.of(EventKind.SET_IRQ)
        self._known["set_irq"].add(lines[lines["arg"] == 1])
        signals = batch.of(EventKind.EVENTFD_SIGNAL)
        for name, signaller in SIGNALLED.items():
            self._known[name].add(signals[signals["id"] == signaller])
        wakings, runs = batch.of(EventKind.WAKING), batch.of(EventKind.RUNS)
        self._known["io_waking"].add(wakings[role_of(wakings) == ThreadRole.IO_THREAD])
        self._known["vcpu_waking"].add(wakings[role_of(wakings) == ThreadRole.VCPU])
        self._io_runs = kept_with(self._io_runs, runs["tsc"][role_of(runs) == ThreadRole.IO_THREAD])
        of_vcpus = runs[role_of(runs) == ThreadRole.VCPU]
        for vm in np.unique(of_vcpus["vm"]).tolist():
            known = self._vcpu_runs.get(vm, np.empty(0, np.uint64))
            self._vcpu_runs[vm] = kept_with(known, of_vcpus["tsc"][of_vcpus["vm"] == vm])
        self._takers.add(batch.of(EventKind.HANDLER), "vm")

    def of(self, journeys: Journeys) -> Records:
        """The moments of these journeys, shape (n,), dtype MOMENTS."""
        found = np.zeros(journeys.size, MOMENTS)
        for name in ("seq", "interrupt", *(stage for stage in COURSE if stage in STAGES)):
            found[name] = journeys[name]
        found["once"] = tells_of_interrupt(journeys)
        direct = (journeys["interrupt"] == 0) & (journeys["doorbell"] == 0) & (journeys["handler"] > 0)
        found["interrupt"] = np.where(direct, journeys["seq"], journeys["interrupt"])
        for name in ("io_waking", "signalled", *BY_DOORBELL):
            found[name] = np.where(journeys["ring"] > 0, self._known[name].of(journeys["seq"]), 0)
        for name in ("vcpu_waking", "set_irq", "completed", *BY_INTERRUPT):
            found[name] = self._known[name].of(found["interrupt"])
        for name in COVERING:
            found[name] = self._known[name].of(found["interrupt"], covering=True)
        forget_late(found)
        self._place_runs(found)
        return found

    def _place_runs(self, found: Records) -> None:
        """When threads got their CPUs: after what they were waiting for, and before what they then did."""
        since = np.maximum(np.maximum(found["pio"], found["ring"]), found["io_waking"])
        found["io_runs"] = last_between(self._io_runs, since, found["doorbell"])
        since = np.maximum.reduce([found[name] for name in ("msi", "set_irq", "accepted", "vcpu_waking")])
        until = np.where(found["injected"] > 0, found["injected"], found["handler"])
        takers = self._takers.of(found["interrupt"], covering=True)
        for vm, times in self._vcpu_runs.items():  # of two guests only the one that is interrupted waits for a CPU
            own = (since > 0) & (takers == vm)
            found["vcpu_runs"][own] = last_between(times, since[own], until[own])


def kept_with(times: Numbers, newer: Numbers) -> Numbers:
    """The newest of both."""
    return np.concatenate([times, newer])[-KEPT:]


def forget_late(found: Records) -> None:
    """A handler may know of an interrupt before its APIC does: then an earlier injection has served this one.

    Its number is announced before it is signalled, and a handler takes the newest number that there is.
    """
    newest = np.maximum.reduce([found[name] for name in ("msi", "set_irq", "accepted", "injected")])
    late = (newest > found["handler"]) & (found["handler"] > 0)
    found["early"] = late
    for name in ("vcpu_waking", "injected", "accepted", "set_irq", "inject", "work_started", "msi", "acknowledged"):
        found[name][late] = 0
    found["acknowledged"][found["acknowledged"] < found["handler"]] = 0  # by the host, as it injected
    for name in TOLD:
        found[name][late & (found[name] > found["handler"])] = 0


def role_of(events: Events) -> npt.NDArray[np.uint32]:
    """The ThreadRole of each event of the scheduler."""
    roles: npt.NDArray[np.uint32] = events["id"] & np.uint32((1 << ROLE_BITS) - 1)
    return roles


def last_between(times: Numbers, since: Numbers, until: Numbers) -> Numbers:
    """The last of these times (rising) from each `since` to each `until`; 0: there is none. Shape (n,)."""
    at = np.searchsorted(times, until, "right")
    last = np.append(np.uint64(0), times)[at]
    return np.where(last >= since, last, 0).astype(np.uint64)
