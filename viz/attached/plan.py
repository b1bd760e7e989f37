"""The picture of a VM that is seen from outside: a blueprint, made of what is there, and the words in it. No Qt.

As in the other pictures the guest is to the left, the kernel in the middle, and to the right who holds the other ends:
processes, with the wires in their order. A wire says what is registered, not that somebody waits there or signals:
that cannot be seen from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

from bellwire.engine.attached.hops.figures import HopFigures
from bellwire.engine.attached.processes import LARGEST_PID
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, SeenVcpu, SeenVm, Topology
from bellwire.engine.attached.watched import Rates
from bellwire.engine.counted import number_of
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.engine.language import tr, tr_n
from bellwire.viz.attached.hop_words import latency_words, thread_words
from bellwire.viz.diagram.blueprint import Blueprint, Box, Counter, Node, Note, Wire
from bellwire.viz.text.commands import commands_quoted
from bellwire.viz.text.figures import grouped, listed

MOST_WIRES = 10  # that have room; more are counted
MOST_VCPUS = 3  # that have a node each
NAMED_HOLDERS = 2  # beside the first one of an eventfd
MOST_COUNT = 999  # that has room in an eventfd; above it a bound is shown

WIDE = 1180.0  # canvas pixels, as all lengths here
TOP, HEAD, FOOT, GAP = 28.0, 46.0, 14.0, 18.0
STEP, HIGH = 78.0, 58.0  # from wire to wire; of a node
STEPS = {1: 78.0, 2: 120.0, 3: 96.0}  # of few, which have room
VMM_LEFT, VMM_WIDE = 28.0, 430.0
GUEST_LEFT, GUEST_WIDE, GUEST_TOP = 50.0, 386.0, 70.0
NODE_LEFT, NODE_WIDE = 68.0, 350.0
KVM_LEFT, KVM_WIDE = 488.0, 168.0
END_LEFT, END_WIDE = 716.0, 436.0
VCPU_HIGH = 62.0
RADIUS = 22.0
LEAST_HIGH = 430.0  # of the boxes


@dataclass(frozen=True)
class SeenWire:
    """One wire of the picture: from a place in the guest by an eventfd to whoever holds that.

    end: the box it ends in, "pid 7", "vm" for a VM of the same process, "own" for the VMM itself, "nobody".
    """

    doorbell: bool
    title: str
    fact: str
    eventfd: int
    end: str
    end_title: str
    end_fact: str


@dataclass
class SeenPlan:
    """blueprint: what stands where. facts: the words of boxes, nodes and notes by name. counts: of the counters."""

    blueprint: Blueprint
    facts: dict[str, str] = field(default_factory=dict)
    counts: dict[str, str] = field(default_factory=dict)


# -- what is there -----------------------------------------------------------------------------------------------------


def wires_of(vm: SeenVm, topology: Topology, rates: Rates | None = None, heard: Heard | None = None) -> list[SeenWire]:
    """A VM's doorbells and interrupts, by where they end: processes first, then other VMs, the VMM, nobody."""
    heard = heard or Heard()
    doorbells: list[tuple[SeenIoeventfd | SeenIrqfd, SeenWire]] = [
        (one, heard.doorbell(doorbell_wire(one, vm, topology), one, vm, topology)) for one in vm.ioeventfds
    ]
    interrupts: list[tuple[SeenIoeventfd | SeenIrqfd, SeenWire]] = [
        (one, heard.interrupt(interrupt_wire(one, vm, topology), one, vm, topology)) for one in vm.irqfds
    ]
    wires = [with_rate(wire, (rates or {}).get((vm.fd, one))) for one, wire in (*doorbells, *interrupts)]
    return sorted(wires, key=lambda wire: place_of_end(wire.end))


@dataclass(frozen=True)
class Heard:
    """What is known of wires beside what is registered. hops: None: nothing was heard yet. names: QEMU's, by place."""

    hops: HopFigures | None = None
    names: dict[IoMatch, str] = field(default_factory=dict)

    def doorbell(self, wire: SeenWire, one: SeenIoeventfd, vm: SeenVm, topology: Topology) -> SeenWire:
        """With its device's name, and whom it wakes."""
        if name := self.names.get(one.match):
            wire = replace(wire, fact=name if one.match.datamatch is None else f"{name}, {one.match.datamatch:#x}")
        own = topology.process.pid
        for hops in self.hops.doorbells if self.hops else ():
            if hops.key.vm == vm.fd and hops.key.doorbell == one and hops.woken:
                woken = hops.woken[0]
                wakes = tr("wakes {thread}", thread=thread_words(woken.thread, own))
                wire = replace(
                    wire, end_title=wakes, end_fact=beside_words(latency_words(woken.latency), wire.end_fact)
                )
        return wire

    def interrupt(self, wire: SeenWire, one: SeenIrqfd, vm: SeenVm, topology: Topology) -> SeenWire:
        """With who signals it; of a message, which its vector tells apart."""
        vectors = {route.vector for route in vm.leads_to(one.gsi) if route.address}
        for hops in self.hops.interrupts if self.hops else ():
            if hops.key.vm == vm.fd and hops.key.vector in vectors and hops.from_outside:
                who = next((sender.thread for sender in hops.senders if sender.thread), None)
                if who is not None:
                    title = tr("{thread} signals", thread=thread_words(who, topology.process.pid))
                    told = latency_words(hops.latency)
                    wire = replace(wire, end_title=title, end_fact=beside_words(told, wire.end_fact))
        return wire


def beside_words(*parts: str) -> str:
    """Facts in one line."""
    return " · ".join(part for part in parts if part)


def with_rate(wire: SeenWire, rate: float | None) -> SeenWire:
    """How often it was used a second, if that was counted, beside what it is."""
    return wire if rate is None else replace(wire, title=f"{wire.title}  {grouped(rate)}/s")


def place_of_end(end: str) -> tuple[int, int]:
    """Where in the column to the right a box stands."""
    if end.startswith("pid "):
        return 0, int(end.removeprefix("pid "))
    return ("vm", "own", "nobody").index(end) + 1, 0


def doorbell_wire(one: SeenIoeventfd, vm: SeenVm, topology: Topology) -> SeenWire:
    """An ioeventfd."""
    match = one.match
    length = number_of(match.length, "byte") if match.length else tr("any length")
    value = tr("any value") if match.datamatch is None else tr("value {value:#x}", value=match.datamatch)
    peers = [
        tr("GSI {gsi} of the VM with fd {fd}", gsi=irqfd.gsi, fd=other.fd)
        for other in topology.vms
        for irqfd in other.irqfds
        if irqfd.eventfd == one.eventfd
    ]
    end, title, fact = wire_end(one.eventfd, peers, topology, tr("has the doorbell"))
    place = f"{match.bus.upper()} {match.address:#x}"
    return SeenWire(True, place, f"{length}, {value}", one.eventfd, end, title, fact)


def interrupt_wire(one: SeenIrqfd, vm: SeenVm, topology: Topology) -> SeenWire:
    """An irqfd."""
    targets = [route.target for route in vm.leads_to(one.gsi)]
    leads = listed(targets) if targets else tr("leads nowhere")
    if "routes" in topology.untold:
        leads = "–"
    again = tr(", EOI to eventfd {eventfd}", eventfd=one.resample) if one.resample is not None else ""
    peers = [
        tr("doorbell of the VM with fd {fd}", fd=other.fd)
        for other in topology.vms
        for ioeventfd in other.ioeventfds
        if ioeventfd.eventfd == one.eventfd
    ]
    end, title, fact = wire_end(one.eventfd, peers, topology, tr("has the interrupt"))
    return SeenWire(False, f"GSI {one.gsi}", f"{leads}{again}", one.eventfd, end, title, fact)


def wire_end(eventfd: int, peers: list[str], topology: Topology, has: str) -> tuple[str, str, str]:
    """Where a wire ends: box, title and fact. peers: what else the eventfd is to VMs of the same process."""
    holders = topology.holders.get(eventfd, ())
    own = topology.eventfds.get(eventfd, ())
    if holders:
        first, *others = holders
        return f"pid {first.pid}", has, f"{fd_words(first.fds)}{beside_holders([one.pid for one in others])}"
    if peers:
        return "vm", listed(peers), fd_words(own)  # one of this VM itself is told by that VM's fd
    if own:
        return "own", has, fd_words(own)
    return "nobody", tr("nobody has it any more"), tr("KVM keeps it until the VM ends")


def beside_holders(pids: list[int]) -> str:
    """Who else has an eventfd, behind the first one's descriptors: as many as there is room for, if they are told."""
    if not pids:
        return ""
    told = [tr("pid {pid}", pid=pid) for pid in pids[:NAMED_HOLDERS] if pid <= LARGEST_PID]
    more = len(pids) - len(told)
    rest = [tr_n("{n} process more", "{n} processes more", more)] if more else []
    return tr("; also {processes}", processes=listed([*told, *rest]))


def fd_words(fds: Iterable[int]) -> str:
    """File descriptors, as /proc has them."""
    return tr("fd {numbers}", numbers=", ".join(map(str, fds))) if fds else "–"


def end_title(end: str, topology: Topology) -> tuple[str, str]:
    """What a box to the right is called, and its fact."""
    if end.startswith("pid "):
        pid = int(end.removeprefix("pid "))
        name = next((name for number, name in topology.partners if number == pid), "?")
        return name, tr("another process, pid {pid}", pid=pid) if pid <= LARGEST_PID else tr("another process")
    if end == "vm":
        return tr("Another VM"), tr("of the same process")
    if end == "own":
        return topology.process.name, tr("the VMM itself")
    return tr("Nobody"), ""


# -- where it stands ---------------------------------------------------------------------------------------------------


def seen_plan(vm: SeenVm, topology: Topology, rates: Rates, heard: Heard | None = None) -> SeenPlan:
    """The picture of one VM. rates: counts a second, {} if they are not known yet."""
    wires = wires_of(vm, topology, rates, heard)
    drawn, left_out = wires[:MOST_WIRES], len(wires) - MOST_WIRES
    heights, ends, high = places_of(drawn)
    plan = SeenPlan(Blueprint((WIDE, TOP + high + 70)))
    _add_frame(plan, vm, topology, high)
    for end, (top, bottom) in ends.items():
        _add_end(plan, end, topology, top, bottom)
    for number, (wire, y) in enumerate(zip(drawn, heights, strict=True)):
        _add_wire(plan, wire, number, y, topology)
    _add_vcpus(plan, vm, rates, TOP + high - VCPU_HIGH - FOOT)
    plan.blueprint.notes["caption"] = Note(
        at=(VMM_LEFT, TOP + high + 12), width=WIDE - 2 * VMM_LEFT, color="text", lines=2
    )
    plan.facts["note caption"] = seen_caption(vm, topology, max(left_out, 0))
    return plan


def places_of(wires: list[SeenWire]) -> tuple[list[float], dict[str, tuple[float, float]], float]:
    """The middle of each wire, top and bottom of the box of each end, and how high all of it is."""
    heights: list[float] = []
    ends: dict[str, tuple[float, float]] = {}
    y, step = TOP, STEPS.get(len(wires), STEP)
    for end, some in groupby(wires, key=lambda wire: wire.end):
        top, count = y, len(list(some))
        first = max(top, GUEST_TOP - 6) + HEAD + HIGH / 2
        heights += [first + step * number for number in range(count)]
        y = heights[-1] + HIGH / 2 + FOOT
        ends[end] = top, y
        y += GAP
    below = (heights[-1] + HIGH / 2 if heights else GUEST_TOP + HEAD) + FOOT
    high = max(below - TOP + FOOT + VCPU_HIGH + FOOT, LEAST_HIGH)
    if ends:
        last = list(ends)[-1]
        ends[last] = ends[last][0], TOP + high
    return heights, ends, high


def _add_frame(plan: SeenPlan, vm: SeenVm, topology: Topology, high: float) -> None:
    """The VMM, the guest in it, and the kernel."""
    boxes, process = plan.blueprint.boxes, topology.process
    guest_high = high - (GUEST_TOP - TOP) - VCPU_HIGH - 2 * FOOT
    boxes["vmm"] = Box(
        rect=(VMM_LEFT, TOP, VMM_WIDE, high), title=process.name, color="text", edge="vmm", fill="vmm_fill"
    )
    boxes["guest"] = Box(
        rect=(GUEST_LEFT, GUEST_TOP, GUEST_WIDE, guest_high),
        title=tr("Guest"), color="guest", edge="guest", fill="guest_fill", aside=True, strong=True,
    )  # fmt: skip
    boxes["kvm"] = Box(
        rect=(KVM_LEFT, TOP, KVM_WIDE, high), title="KVM", color="kvm", edge="kvm", fill="kvm_fill", centered=True
    )
    plan.facts["vmm"] = "" if process.pid_hidden else tr("pid {pid}", pid=process.pid)
    plan.facts["guest"] = process.guest
    irqchips = {"none": tr("no irqchip"), "full": tr("full irqchip"), "split": tr("split irqchip")}
    plan.facts["kvm"] = irqchips.get(vm.irqchip, "")


def _add_end(plan: SeenPlan, end: str, topology: Topology, top: float, bottom: float) -> None:
    """A box to the right: whoever holds the other ends."""
    title, fact = end_title(end, topology)
    own = end in ("own", "vm")
    plan.blueprint.boxes[end] = Box(
        rect=(END_LEFT, top, END_WIDE, bottom - top),
        title=title, color="text", edge="vmm" if own else "io_thread", fill="vmm_fill" if own else "io_fill",
        dashed=not own,
    )  # fmt: skip
    plan.facts[end] = fact


def _add_wire(plan: SeenPlan, wire: SeenWire, number: int, y: float, topology: Topology) -> None:
    """One wire: its place in the guest, its eventfd, its end."""
    name, color, parts = f"{number}", "doorbell" if wire.doorbell else "interrupt", plan.blueprint
    middle, right = KVM_LEFT + KVM_WIDE / 2, NODE_LEFT + NODE_WIDE
    end_left = END_LEFT + 22
    parts.nodes[f"guest {name}"] = Node(rect=(NODE_LEFT, y - HIGH / 2, NODE_WIDE, HIGH), title=wire.title, edge=color)
    parts.nodes[f"end {name}"] = Node(
        rect=(end_left, y - HIGH / 2, END_WIDE - 44, HIGH),
        title=wire.end_title,
        edge=color,
        unused=wire.end == "nobody",
    )
    parts.counters[name] = Counter(
        center=(middle, y), name=tr("eventfd {number}", number=wire.eventfd), name_at=(middle, y - RADIUS - 10),
        color=color, radius=RADIUS,
    )  # fmt: skip
    near, far = ((right, y), (middle - RADIUS, y)), ((middle + RADIUS, y), (end_left, y))
    if not wire.doorbell:
        near, far = (near[1], near[0]), (far[1], far[0])
    parts.wires[f"near {name}"] = Wire(points=near, color=color, arrow=not wire.doorbell)
    parts.wires[f"far {name}"] = Wire(points=far, color=color, arrow=wire.doorbell)
    plan.facts[f"guest {name}"], plan.facts[f"end {name}"] = wire.fact, wire.end_fact
    count = topology.counts.get(wire.eventfd)
    plan.counts[name] = "–" if count is None else str(count) if count <= MOST_COUNT else f"{MOST_COUNT}+"


def _add_vcpus(plan: SeenPlan, vm: SeenVm, rates: Rates, top: float) -> None:
    """The threads that run the guest, below it."""
    shown = list(vm.vcpus[:MOST_VCPUS])
    wide = (GUEST_WIDE - GAP * (len(shown) - 1) / 2) / max(len(shown), 1)
    for number, vcpu in enumerate(shown):
        left = GUEST_LEFT + number * (wide + GAP / 2)
        plan.blueprint.nodes[f"vcpu {number}"] = Node(
            rect=(left, top, wide, VCPU_HIGH), title=vcpu_title(vcpu), edge="border_strong", small=len(shown) > 1
        )
        plan.facts[f"vcpu {number}"] = vcpu_fact(vm, vcpu, rates, short=len(shown) > 1)


def vcpu_title(vcpu: SeenVcpu) -> str:
    """A vCPU, and the thread that runs it."""
    if vcpu.tid is None:
        return tr("vCPU {number}", number=vcpu.number)
    return tr("vCPU {number}: {thread}", number=vcpu.number, thread=vcpu.thread or vcpu.tid)


def vcpu_fact(vm: SeenVm, vcpu: SeenVcpu, rates: Rates, short: bool) -> str:
    """What it does a second, by KVM's own counters."""
    if vcpu.tid is None:
        return tr("has not run yet")
    exits, injected = (rates.get((vm.fd, vcpu.number, name)) for name in ("exits", "irq_injections"))
    if exits is None:
        return "–"
    if short or injected is None:
        return f"{number_of(round(exits), 'exit')}/s"
    return f"{number_of(round(exits), 'exit')}/s, {number_of(round(injected), 'interrupt')}/s"


def seen_caption(vm: SeenVm, topology: Topology, left_out: int) -> str:
    """What is seen, in sentences; and what is not."""
    return commands_quoted(" ".join(sentences_of(vm, topology, left_out)))


def sentences_of(vm: SeenVm, topology: Topology, left_out: int) -> Iterator[str]:
    """One by one."""
    doorbells, irqfds = len(vm.ioeventfds), len(vm.irqfds)
    if doorbells:
        yield tr_n(
            "KVM takes {n} doorbell itself (ioeventfd), without a return to the VMM.",
            "KVM takes {n} doorbells itself (ioeventfd), without a return to the VMM.",
            doorbells,
        )
    elif "ioeventfds" not in topology.untold:
        yield tr("There is no ioeventfd: each doorbell leaves to user space.")
    if irqfds:
        yield tr_n(
            "{n} interrupt is raised by a write to its eventfd (irqfd).",
            "{n} interrupts are raised by a write to their eventfds (irqfd).",
            irqfds,
        )
    elif "irqfds" not in topology.untold:
        yield tr("There is no irqfd: each interrupt from user space takes an ioctl.")
    if topology.untold:
        yield tr("This kernel keeps some of its lists in a way that is not known.")
    if more := len(vm.vcpus[MOST_VCPUS:]):
        yield tr_n("{n} vCPU more is not drawn.", "{n} vCPUs more are not drawn.", more)
    if left_out and topology.process.recorded:
        yield tr_n("{n} wire more has no room.", "{n} wires more have no room.", left_out)
    elif left_out:
        command = f"bellwire attach {topology.process.pid}"
        yield tr_n(
            "{n} wire more has no room: `{command}` lists it.",
            "{n} wires more have no room: `{command}` lists them.",
            left_out,
            command=command,
        )
    if topology.partners:
        names = listed([name for _, name in topology.partners])
        yield tr("The other ends are those of {names}: the same eventfds are open there.", names=names)
    if topology.hidden:
        yield tr_n(
            "{n} process hides its files: whether it has an end as well is not known.",
            "{n} processes hide their files: whether they have an end as well is not known.",
            topology.hidden,
        )
    if not topology.settled:
        yield tr("It was being changed while it was looked at: this may never have been there at one moment.")
