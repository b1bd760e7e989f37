"""What `bellwire attach --list` prints: the processes that have a VM, and what each lacks to be attached to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType

from bellwire.engine.attached.processes import KvmProcess
from bellwire.viz.cli.tables import Figures


def process_report(process: KvmProcess) -> dict[str, Any]:
    """One process as `bellwire attach --list --json` tells of it; null: not known."""
    return {**asdict(process), "user": process.user, "lacks": process.hidden}


def process_table(processes: Sequence[KvmProcess]) -> RenderableType:
    """One row a process, below it what it lacks."""
    if not processes:
        return "No process has a VM, of those that this user may see."
    table = Figures("Pid", "User", "Program", "Guest", "VMs", "vCPUs", "Lacks")
    for name in ("Pid", "VMs", "vCPUs"):
        column = next(column for column in table.columns if column.header == name)
        column.justify, column.no_wrap = "right", True
    for process in processes:
        counts = ("–" if count is None else str(count) for count in (process.vms, process.vcpus))
        table.add_row(str(process.pid), process.user, process.name, process.guest, *counts, process.hidden)
    return table
