"""Which lanes the timeline has, and what happened in each: stretches of time, out of journeys and events.

Honest to what is measured: between the guest's doorbell instruction and the host's awaking lie KVM *and the scheduler*,
and so they do between the irqfd's write and the handler; only the kernel's own tracepoints tell the two apart: where
they are listened to, a thread that is woken and has no CPU yet is in a run queue. What another process does is not
stamped at all. While the vCPU thread is in KVM_RUN, the guest runs or, after HLT, sleeps; only the doorbell's own
instruction is known to be KVM's work.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Events, ThreadRole, each_of, vms_in
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.folds.spans import Spans, Times, awake, flights, instruction, queued, user_space
from bellwire.engine.language import tr, tr_later
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait, Traits
from bellwire.engine.scenarios.traits_of import traits_of

Shares = npt.NDArray[np.float64]
States = tuple[tuple[str, str], ...]
QUEUED: States = ((tr_later("waits"), "text_muted"),)  # for a CPU, in a run queue


@dataclass(frozen=True)
class TimelineLane:
    """One horizontal lane: `kind` is guest, vcpu, kvm, io or partner; `vm` the VM that it belongs to."""

    kind: str
    vm: int
    name: str
    what: tuple[tuple[str, str], ...]  # what its blocks are, messages, and the theme's colour of them
    rows: tuple[tuple[str, str], ...] = ()  # what is drawn in it: which stretches, in which of the theme's colours

    @property
    def key(self) -> str:
        """Its name among the lanes."""
        return f"{self.kind}{self.vm}"


def lanes_of(scenario: Scenario, vms: int, watched: bool = False) -> tuple[TimelineLane, ...]:
    """The lanes, from above: a guest and its vCPU for each of `vms` machines, and what lies between them.

    watched: whether the kernel's tracepoints tell who waits for a CPU.
    """
    traits = traits_of(scenario)
    first, *others = [vm_lanes(vm, guest_suffix(traits, vm, vms), watched) for vm in range(vms)]
    kvm = TimelineLane("kvm", 0, "KVM", ((tr_later("and scheduler"), "kvm"),), (("flight", "kvm"),))
    io_states = ((tr_later("awake"), "io_thread"), *(QUEUED if watched else ()))
    io_rows = (("awake", "io_thread"), *((("queued", "text_muted"),) if watched else ()))
    io = TimelineLane("io", 0, tr("I/O thread"), io_states, io_rows)
    unseen = ((tr_later("not stamped"), "text_muted"),)
    other = "QEMU" if Trait.QEMU_SERVES in traits else tr("Other process")
    other = tr("vhost worker") if Trait.KERNEL_WORKER in traits else other
    partner = TimelineLane("partner", 0, other, unseen, (("unseen", "io_thread"),))
    host = (partner,) if Trait.PARTNERED in traits else () if Trait.DIRECT in traits else (io,)
    return (*first, kvm, *host, *(lane for lanes in others for lane in lanes))


def guest_suffix(traits: Traits, vm: int, vms: int) -> str:
    """What stands behind "Guest" and "vCPU": nothing if there is one, a number for each vCPU, a letter for each VM."""
    if vms == 1:
        return ""
    return f" {vm}" if Trait.TWO_VCPUS in traits else f" {chr(ord('A') + vm)}"


def vm_lanes(vm: int, letter: str, watched: bool = False) -> tuple[TimelineLane, TimelineLane]:
    """A guest, and the thread that runs it."""
    stamped = ((tr_later("doorbell"), "guest"), (tr_later("handler"), "interrupt"))
    states: States = ((tr_later("guest"), "guest"), (tr_later("kernel"), "kvm"), (tr_later("user"), "heavy"))
    guest = TimelineLane("guest", vm, tr("Guest") + letter, stamped, ((f"instruction{vm}", "guest"),))
    rows: States = ((f"kernel{vm}", "kvm"), (f"user{vm}", "heavy"))
    if watched:
        states, rows = (*states, *QUEUED), (*rows, (f"queued{vm}", "text_muted"))
    return guest, TimelineLane("vcpu", vm, f"vCPU{letter}", states, rows)


# -- stretches


def stretches(events: Events, journeys: Journeys) -> dict[str, Spans]:
    """Every stretch that can be drawn, by the name that lanes know it by."""
    found = {"flight": flights(journeys), "awake": awake(events), "queued": queued(events, ThreadRole.IO_THREAD)}
    for vm, of_vm in each_of(events, "vm", vms_in(events)):
        at_it, user = instruction(of_vm), user_space(of_vm)
        found |= {f"instruction{vm}": at_it, f"user{vm}": user, f"kernel{vm}": without(at_it, user)}
        found[f"queued{vm}"] = queued(of_vm, ThreadRole.VCPU)
    return found


def without(spans: Spans, holes: Spans) -> Spans:
    """What of the spans lies in none of the holes."""
    times = np.concatenate([spans.start, spans.end, holes.start, holes.end])
    step = np.repeat(np.array([1, -1, -(2**32), 2**32]), [spans.start.size] * 2 + [holes.start.size] * 2)
    order = np.argsort(times, kind="stable")
    times, depth = times[order], np.cumsum(step[order])
    inside = np.flatnonzero((depth[:-1] > 0) & (times[1:] > times[:-1]))
    return Spans(times[inside], times[inside + 1])


# -- how much of each


def cover(spans: Spans, edges: Times) -> Shares:
    """How many cycles of the spans lie between neighbours of `edges` (rising, shape (n,)); shape (n - 1,)."""
    return np.diff(since_start(spans.start, edges) - since_start(spans.end, edges))


def since_start(times: Times, edges: Times) -> Shares:
    """For each edge the sum of (edge - time) over the times before it."""
    if not times.size or not edges.size:
        return np.zeros(edges.size)
    origin = min(int(times.min()), int(edges[0]))
    sorted_ = np.sort(times - np.uint64(origin), kind="stable").astype(np.float64)  # one or two rising runs most often
    places = (edges - np.uint64(origin)).astype(np.float64)
    count = np.searchsorted(sorted_, places)
    total = np.concatenate([[0.0], np.cumsum(sorted_)])
    return np.asarray(places * count - total[count])
