"""What a run's watched kernel comes to: counts by vector and port, and where the time went, stage by stage."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from bellwire.engine.counted import number_of
from bellwire.engine.events import FUNCTIONS, ROLE_BITS, EventKind, exit_name
from bellwire.engine.folds.kernel.stages import REASON_BITS, KernelStages
from bellwire.engine.kernel.program import no_probes
from bellwire.viz.cli.tables import Figures
from bellwire.viz.text.figures import Unit, count_of, duration, grouped

BY_ADDRESS = (*(EventKind.PIO, EventKind.MMIO, EventKind.FAST_MMIO, EventKind.DEVICE_READ, EventKind.IOEVENTFD_WRITE),)
BY_VECTOR = (EventKind.MSI, EventKind.ACCEPTED, EventKind.INJECTED, EventKind.GUEST_EOI)
OF_THREADS = (EventKind.WAKING, EventKind.RUNS, EventKind.WRITE, EventKind.WRITTEN)
MOMENTS = {
    "ring": "guest's store",
    "pio": "KVM has it",
    "ioeventfd": "the ioeventfd is asked",
    "signalled": "the eventfd is signalled",
    "user_exit": "KVM_RUN about to return",
    "exit": "vCPU thread in user space",
    "io_waking": "I/O thread is woken",
    "io_runs": "I/O thread has a CPU",
    "doorbell": "read() has returned",
    "irq": "about to signal",
    "write": "the call is in the kernel",
    "completed": "the eventfd is signalled",
    "irqfd": "the irqfd is called",
    "msi": "message",
    "work_queued": "work is queued",
    "work_started": "a worker has begun",
    "inject": "it injects",
    "set_irq": "line goes high",
    "accepted": "APIC has it",
    "vcpu_waking": "vCPU is woken",
    "vcpu_runs": "vCPU has a CPU",
    "injected": "injected",
    "handler": "guest's handler",
}


def kernel_counts(kernel: KernelStages) -> dict[str, dict[str, int]]:
    """Events of each kind, by address, vector, GSI or reason; of threads altogether."""
    return {kind.name.lower(): by_name(kind, counts) for kind, counts in sorted(kernel.counts.items())}


def by_name(kind: EventKind, counts: dict[int, int]) -> dict[str, int]:
    """The counts of one kind, by what its id is."""
    if kind in OF_THREADS:
        roles: dict[str, int] = {}
        for id, count in counts.items():
            role = str(id & (1 << ROLE_BITS) - 1)
            roles[role] = roles.get(role, 0) + count
        return dict(sorted(roles.items()))
    return {id_words(kind, id): count for id, count in sorted(counts.items())}


def id_words(kind: EventKind, id: int) -> str:
    """An address or a vector in hexadecimal, a number of something else; an errno by its name."""
    if kind == EventKind.GUEST_EOI and not id:
        return "not told"  # KVM does not say of which interrupt it is
    if kind == EventKind.USER_EXIT and (error := id >> REASON_BITS):
        return exit_name(id, error)
    return hex(id) if kind in (*BY_ADDRESS, *BY_VECTOR) else str(id)


def kernel_report(kernel: KernelStages | None) -> dict[str, Any]:
    """The member "kernel" of the JSON object of `bellwire run --kernel --json`; nothing where it was not watched."""
    if kernel is None:
        return {}
    told = {
        "source": kernel.source,
        "tracepoints": kernel.tracepoints,
        "functions": kernel.functions,
        "silent": kernel.silent,
        "clock_error_ns": round(kernel.clock.ns(kernel.error_cycles)),
        "lost": kernel.lost,
        "counts": kernel_counts(kernel),
        "merged": {"in_work": kernel.merged_in_work, "in_apic": kernel.merged_in_apic},
        "journeys": {"told": kernel.told, "whole": kernel.whole, "early": kernel.early},
        "stages_ns": [asdict(stage) for stage in kernel.stages],
    }
    return {"kernel": told}


def kernel_tables(kernel: KernelStages | None, unit: Unit) -> RenderableType:
    """The table of stages, and what is to be known of it; nothing where the kernel was not watched."""
    if kernel is None:
        return Text("")
    table = Figures()
    for column in ("Inside the kernel", "", "signals", "p50", "p99"):
        table.add_column(column, justify="right" if column[:1] in ("s", "p") else "left")
    for stage in kernel.stages:
        times = (duration(stage.p50, unit), duration(stage.p99, unit))
        table.add_row(MOMENTS[stage.start], f"→ {MOMENTS[stage.end]}", grouped(stage.count), *times)
    return Group(table, "", *(Text(line) for line in kernel_remarks(kernel)))


def kernel_remarks(kernel: KernelStages) -> list[str]:
    """By what it was seen and how far its times may be off, losses, and tracepoints that never fired."""
    error = kernel.clock.ns(kernel.error_cycles)
    lines = [f"Told by {kernel.source}; times in the kernel may be off by {error:.0f} ns."]
    if kernel.functions:
        entered = ", ".join(f"{name} {grouped(kernel.entered(name))}" for name in kernel.functions)
        missing = [name for name in FUNCTIONS if name not in kernel.functions]
        without = f"; not there by their names: {', '.join(missing)}" if missing else ""
        lines.append(f"Functions of the kernel, and how often each was entered: {entered}{without}.")
    if lack := no_probes(kernel.probes_lack):
        lines.append(f"{lack[:1].upper()}{lack[1:]}.")
    if kernel.lost:
        lines.append(
            f"{number_of(kernel.lost, 'record')} of the kernel found no room: all this is of the others, and "
            "how many merged is not known."
        )
    back_end = kernel.backend or "this KVM"
    lines += [f"{name} never fires on {back_end}; {instead} bounds instead." for name, instead in kernel.silent.items()]
    if kernel.merged_in_work:
        lines.append(f"{count_of(kernel.merged_in_work, 'signal')} merged in an irqfd's work that still waited.")
    if kernel.merged_in_apic:
        lines.append(
            f"{count_of(kernel.merged_in_apic, 'interrupt')} merged in the local APIC: the bit was set already."
        )
    if kernel.early:
        served = count_of(kernel.early, "signal")
        lines.append(f"{served} served by an earlier interrupt's handler, before their own came: nothing to measure.")
    return lines
