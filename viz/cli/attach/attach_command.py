"""`bellwire attach`: running VMMs of anybody, seen from outside and left alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from bellwire.viz.cli.options import Force, Json, app, seconds_option
from bellwire.viz.cli.terminal import DONE, out, out_json


def process_number(text: str) -> int:
    """What is typed as a PID."""
    if text.isascii() and text.isdecimal() and int(text):
        return int(text)
    raise typer.BadParameter(
        f"{text!r} is no process number: `bellwire attach --list` shows the processes that have a VM"
    )


@app.command()
def attach(
    pid: Annotated[
        int | None, typer.Argument(metavar="[PID]", parser=process_number, help="The process, one of --list.")
    ] = None,
    as_list: Annotated[
        bool, typer.Option("--list", help="List the processes that have a VM, and what each lacks.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Look once, instead of watching until Ctrl-C.")] = False,
    seconds: Annotated[
        float | None,
        seconds_option(least=0.1, what="Watch for S seconds; with --json tell of them."),
    ] = None,
    qmp: Annotated[
        Path | None,
        typer.Option(metavar="SOCKET", help="Ask this QEMU, by its QMP socket, what its devices are called."),
    ] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what is seen to FILE (Arrow), for `bellwire replay`.")
    ] = None,
    force: Force = False,
    hide: Annotated[str, typer.Option(metavar="PART,...", help="With --record: leave out pid, host, cpu.")] = "",
    as_json: Json = False,
) -> int:
    """Shows what a running VMM, of whatever program, has registered with KVM; it is not stopped."""
    if as_list == (pid is not None):
        raise typer.BadParameter("name a PID, or --list, which shows them")
    if as_list:
        list_processes(as_json)
        return DONE
    assert pid is not None
    watched = math.inf if seconds is None else seconds
    if record is None:
        return show_process(pid, qmp, watched, once, as_json)
    if once or as_json:
        raise typer.BadParameter("--record goes on; it excludes --once and --json")
    from bellwire.viz.cli.attach.recorded_vmm import recorded_meanwhile

    with recorded_meanwhile(pid, record, force, hidden_parts(hide)) as is_recorded:
        show_process(pid, qmp, watched, once, as_json, is_recorded)
    return DONE


def hidden_parts(text: str) -> frozenset[str]:
    """What --hide names."""
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    if others := names - {"pid", "host", "cpu"}:
        raise typer.BadParameter(f"--hide takes pid, host, cpu, not {min(others)!r}")
    return names


def list_processes(as_json: bool) -> None:
    """Those that have a VM."""
    from bellwire.engine.attached.processes import kvm_processes
    from bellwire.viz.cli.attach.processes_told import process_report, process_table

    processes = kvm_processes()
    if as_json:
        out_json([process_report(process) for process in processes])
    else:
        out(process_table(processes))


def show_process(
    pid: int,
    qmp: Path | None,
    seconds: float,
    once: bool,
    as_json: bool,
    goes_on: Callable[[], bool] = lambda: True,
) -> int:
    """One of them. goes_on: until when it is watched at most."""
    from bellwire.engine.attached.attachment import Attachment
    from bellwire.engine.attached.device_names import DeviceNames
    from bellwire.engine.attached.stream import AttachedStream
    from bellwire.engine.attached.watched import WatchedVmm
    from bellwire.viz.cli.attach.topology_told import VmmTold, topology_report, topology_tables
    from bellwire.viz.cli.attach.watched import watch_quietly, watch_vmm

    with ExitStack() as stack:
        at_once = once or (as_json and math.isinf(seconds))
        attachment = stack.enter_context(Attachment(pid, counting=not at_once))
        names = stack.enter_context(DeviceNames(qmp)) if qmp else None
        stream = None if at_once else stack.enter_context(AttachedStream(attachment.process))
        if not (at_once or as_json):
            return watch_vmm(WatchedVmm(attachment, names, stream), seconds, goes_on)

        def tell(told: VmmTold) -> None:
            if as_json:
                out_json(topology_report(told))
            else:
                out(topology_tables(told))

        if at_once:
            tell(VmmTold(attachment.look(), names.name_of if names else None))
        else:
            watch_quietly(WatchedVmm(attachment, names, stream), seconds, tell)
    return DONE
