"""What is seen of a running VMM, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from bellwire.engine.attached.eventfds import EventfdHolder
from bellwire.engine.attached.hops.figures import HopFigures
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, SeenVcpu, SeenVm, Topology
from bellwire.engine.attached.watched import Rates
from bellwire.engine.counted import number_of
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.viz.cli.attach.hops_told import hop_tables, hops_report
from bellwire.viz.cli.attach.processes_told import process_report
from bellwire.viz.cli.tables import Figures
from bellwire.viz.text.figures import grouped

SHOWN_COUNTERS = {
    "exits": "exits",
    "fpu_reload": "to user space",  # the guest's FPU state is put away as KVM_RUN returns, and never else
    "halt_exits": "halts",
    "irq_injections": "injected",
}
IRQCHIPS_TOLD = {
    "none": "no interrupt controller in the kernel",
    "full": "PIC, IOAPIC and local APICs in the kernel",
    "split": "local APICs in the kernel, the IOAPIC outside",
    "": "its interrupt controller is not told",
}
UNTOLD_LISTS = {
    "vcpus": "vCPUs",
    "ioeventfds": "ioeventfds",
    "irqfds": "irqfds",
    "routes": "routes",
}

Named = Callable[[IoMatch], str]


@dataclass(frozen=True)
class VmmTold:
    """What is to be told: a look, how QEMU calls the devices (--qmp), and counts a second since the look before.

    rates: (VM's fd, vCPU, counter) -> a second; {} if there was no look before. hops: what the kernel has told since
    it is listened to; None: nobody listens, or nothing has come yet. unheard: why nothing comes.
    """

    topology: Topology
    named: Named | None = None
    rates: Rates = field(default_factory=dict)
    hops: HopFigures | None = None
    unheard: str = ""

    def ends(self, eventfd: int, but: SeenIoeventfd | SeenIrqfd) -> str:
        """What else an eventfd is to this process, and who else holds it."""
        told = []
        for vm in self.topology.vms:
            where = f" of VM fd {vm.fd}" if len(self.topology.vms) > 1 else ""
            doorbells = [one for one in vm.ioeventfds if one.eventfd == eventfd and one is not but]
            irqfds = [one for one in vm.irqfds if one.eventfd == eventfd and one is not but]
            told += [f"doorbell {one.match.bus} {one.match.address:#x}{where}" for one in doorbells]
            told += [f"irqfd, GSI {one.gsi}{where}" for one in irqfds]
        return ", ".join([*told, *map(holder_words, self.topology.holders.get(eventfd, ()))])

    def rate_cells(self, vm: SeenVm, part: SeenIoeventfd | SeenIrqfd) -> list[str]:
        """How often it was used a second, if there are counts of a second; a dash: not counted."""
        rate = self.rates.get((vm.fd, part))
        return ["–" if rate is None else grouped(rate)] if self.rates else []

    def fds(self, eventfd: int) -> str:
        """The VMM's own numbers of an eventfd; a dash: it has closed it, and the kernel still has it."""
        return ", ".join(map(str, self.topology.eventfds.get(eventfd, ()))) or "–"


def holder_words(holder: EventfdHolder) -> str:
    """A process and its numbers of an eventfd."""
    return f"{holder.name}, pid {holder.pid} (fd {', '.join(map(str, holder.fds))})"


# -- tables ------------------------------------------------------------------------------------------------------------


def topology_tables(told: VmmTold) -> RenderableType:
    """All of it: a VM after the other."""
    topology = told.topology
    process = topology.process
    guest = f", guest {process.guest}" if process.guest else ""
    parts: list[RenderableType] = [Text(f"{process}{guest}", style="bold")]
    parts += [part for vm in topology.vms for part in vm_tables(vm, told)]
    if told.hops:
        parts += hop_tables(told.hops, process.pid)
    rates = "Counts /s are of the last second." if told.rates else ""
    below = [Text(line, style="dim") for line in (*remarks(topology), *filter(None, [rates, told.unheard]))]
    return Group(*parts, *([Text(""), *below] if below else []))


def vm_tables(vm: SeenVm, told: VmmTold) -> Iterator[RenderableType]:
    """One VM."""
    fd = "closed" if vm.fd is None else f"fd {vm.fd}"
    yield Text(f"\nVM, {fd}: {IRQCHIPS_TOLD[vm.irqchip]}; {routes_line(vm, told)}")
    for table, none in (
        (vcpu_table(vm, told), "No vCPU."),
        (doorbell_table(vm, told), "No ioeventfd: each doorbell leaves to user space."),
        (interrupt_table(vm, told), "No irqfd: an interrupt from user space takes a call."),
    ):
        yield Text("")
        yield table if table.row_count else Text(none)


def routes_line(vm: SeenVm, told: VmmTold) -> str:
    """How many routes, to what."""
    if "routes" in told.topology.untold:
        return "routes –"
    messages = sum(is_message(route) for route in vm.routes)
    return f"routes: {grouped(messages)} to messages (MSI), {grouped(len(vm.routes) - messages)} to pins"


def is_message(route: GsiRoute) -> bool:
    """Whether it leads to a local APIC by a message."""
    return bool(route.address)


def vcpu_table(vm: SeenVm, told: VmmTold) -> Figures:
    """One row a vCPU; counters a second, or, where only one look was taken, since the VM began."""
    since = "/s" if told.rates else ""
    table = Figures("vCPU", "Thread", *(f"{name}{since}" for name in SHOWN_COUNTERS.values()))
    for column in table.columns[2:]:
        column.justify, column.no_wrap = "right", True
    for vcpu in vm.vcpus:
        thread = "has not run" if vcpu.tid is None else f"{vcpu.thread or '?'}, tid {vcpu.tid}"
        table.add_row(str(vcpu.number), thread, *counter_cells(vm, vcpu, told))
    return table


def counter_cells(vm: SeenVm, vcpu: SeenVcpu, told: VmmTold) -> Iterator[str]:
    """A dash: this kernel has no such counter."""
    for name in SHOWN_COUNTERS:
        value = told.rates.get((vm.fd, vcpu.number, name)) if told.rates else vcpu.counters.get(name)
        yield "–" if value is None else grouped(value)


def doorbell_table(vm: SeenVm, told: VmmTold) -> Figures:
    """One row an ioeventfd."""
    heads = [*(["Rung/s"] if told.rates else []), *(["Device"] if told.named else [])]
    table = Figures("Doorbell (ioeventfd)", "Length", "Value", "eventfd", "fd", *heads, "Other ends")
    for one in vm.ioeventfds:
        match = one.match
        length = "any" if not match.length else str(match.length)
        value = "any" if match.datamatch is None else f"{match.datamatch:#x}"
        name = [*told.rate_cells(vm, one), *([told.named(match) or "–"] if told.named else [])]
        fds = told.fds(one.eventfd)
        place = f"{match.bus} {match.address:#x}"
        table.add_row(place, length, value, str(one.eventfd), fds, *name, told.ends(one.eventfd, one))
    if "ioeventfds" in told.topology.untold:
        table.add_row(*["–"] * (6 + len(heads)))
    return table


def interrupt_table(vm: SeenVm, told: VmmTold) -> Figures:
    """One row an irqfd."""
    sent = ["Sent/s"] if told.rates else []
    table = Figures("Interrupt (irqfd)", "Leads to", "eventfd", "fd", *sent, "EOI signals", "Other ends")
    for one in vm.irqfds:
        targets = ", ".join(route.target for route in vm.leads_to(one.gsi)) or "nowhere"
        if "routes" in told.topology.untold:
            targets = "–"
        resample = "" if one.resample is None else f"eventfd {one.resample}"
        fds = told.fds(one.eventfd)
        cells = (targets, str(one.eventfd), fds, *told.rate_cells(vm, one), resample)
        table.add_row(f"GSI {one.gsi}", *cells, told.ends(one.eventfd, one))
    if "irqfds" in told.topology.untold:
        table.add_row(*["–"] * (6 + len(sent)))
    return table


def remarks(topology: Topology) -> Iterator[str]:
    """What is not known, and why."""
    if not topology.vms:
        yield "It has no VM any more."
    if topology.untold:
        names = ", ".join(UNTOLD_LISTS[name] for name in topology.untold)
        yield f"–: this kernel keeps its lists of {names} in a way that is not known."
    if topology.hidden:
        some = "1 process does not let its" if topology.hidden == 1 else f"{topology.hidden} processes do not let their"
        yield f"{some} files be looked at: whether these eventfds are held there as well is not known."
    if not topology.settled:
        yield "It was being changed all the time: what is shown may never have been there at one moment."
    if topology.dropped:
        yield f"{number_of(topology.dropped, 'entry')} could no longer be read."


# -- JSON --------------------------------------------------------------------------------------------------------------


def topology_report(told: VmmTold) -> dict[str, Any]:
    """The JSON object of `bellwire attach PID --json`; null: not known, or none."""
    topology = told.topology
    return {
        "process": process_report(topology.process),
        "vms": [vm_report(vm, told) for vm in topology.vms],
        "partners": [{"pid": pid, "name": name} for pid, name in topology.partners],
        "hidden_processes": topology.hidden,
        "settled": topology.settled,
        "dropped": topology.dropped,
        "untold": list(topology.untold),
        "hops": hops_report(told.hops) if told.hops else None,
        "unheard": told.unheard or None,
    }


def vm_report(vm: SeenVm, told: VmmTold) -> dict[str, Any]:
    """One VM; a list that this kernel does not tell is null."""
    lists: dict[str, Any] = {
        "vcpus": [asdict(vcpu) for vcpu in vm.vcpus],
        "ioeventfds": [ioeventfd_report(one, told) for one in vm.ioeventfds],
        "irqfds": [irqfd_report(one, vm, told) for one in vm.irqfds],
        "routes": [route_report(route) for route in vm.routes],
    }
    told_lists = {name: None if name in told.topology.untold else items for name, items in lists.items()}
    return {"fd": vm.fd, "irqchip": vm.irqchip or None, **told_lists}


def ioeventfd_report(one: SeenIoeventfd, told: VmmTold) -> dict[str, Any]:
    """length 0: any. datamatch null: any value."""
    device = {"device": told.named(one.match) or None} if told.named else {}
    return {**asdict(one.match), "fast": one.fast, **eventfd_report(one.eventfd, told), **device}


def irqfd_report(one: SeenIrqfd, vm: SeenVm, told: VmmTold) -> dict[str, Any]:
    """targets: where its GSI leads."""
    targets = [route_report(route) for route in vm.leads_to(one.gsi)]
    return {"gsi": one.gsi, "targets": targets, "resample": one.resample, **eventfd_report(one.eventfd, told)}


def eventfd_report(number: int, told: VmmTold) -> dict[str, Any]:
    """fds: the VMM's own numbers of it. count: what nobody has taken yet. holders: the other processes that have it."""
    holders = [asdict(holder) for holder in told.topology.holders.get(number, ())]
    fds, count = list(told.topology.eventfds.get(number, ())), told.topology.counts.get(number)
    return {"eventfd": number, "fds": fds, "count": count, "holders": holders}


def route_report(route: GsiRoute) -> dict[str, Any]:
    """A message, or a pin."""
    if is_message(route):
        message = {"address": route.address, "data": route.data, "vector": route.vector, "apic": route.apic}
        return {"gsi": route.gsi, "target": route.target, **message}
    return {"gsi": route.gsi, "target": route.target, "pin": route.pin}
