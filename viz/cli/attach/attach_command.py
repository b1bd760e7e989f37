"""`bellwire attach`: running VMMs of anybody, seen from outside and left alone."""

from __future__ import annotations

from typing import Annotated

import typer

from bellwire.viz.cli.options import Json, app
from bellwire.viz.cli.terminal import out, out_json


@app.command()
def attach(
    as_list: Annotated[bool, typer.Option("--list", help="List the processes that have a VM, and what each lacks.")],
    as_json: Json = False,
) -> None:
    """Shows what a running VMM, of whatever program, has registered with KVM; it is not stopped."""
    from bellwire.engine.attached.processes import kvm_processes
    from bellwire.viz.cli.attach.processes_told import process_report, process_table

    processes = kvm_processes()
    if as_json:
        out_json([process_report(process) for process in processes])
    else:
        out(process_table(processes))
