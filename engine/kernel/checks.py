"""Whether the inside of the kernel can be seen, for `bellwire doctor`."""

from __future__ import annotations

from pathlib import Path

from bellwire.engine.host.host import Check
from bellwire.engine.kernel.program import (
    PROGRAM,
    TRACEFS_PROGRAM,
    KernelSightError,
    known_functions,
    known_tracepoints,
)

KPROBES_LINE = "only a kernel that was built with CONFIG_KPROBES, and lets BPF probe it, tells when these are entered"
BUILD_LINE = "sudo apt-get install clang libbpf-dev, then build bellwire again"


def kernel_checks(program: Path = PROGRAM, instead: Path = TRACEFS_PROGRAM) -> list[Check]:
    """The program, the privilege and the tracepoints, in this order; none of them is needed to run a guest.

    instead: the program that is looked into the kernel by where the first one cannot, if it can.
    """
    if not program.exists():
        lacking = Check("kernel", "bw-kernel", False, "was not built", BUILD_LINE, optional=True)
        return [lacking, *tracefs_checks(instead)]
    built = Check("kernel", "bw-kernel", True, str(program), optional=True)
    try:
        found = known_tracepoints(program)
    except KernelSightError as error:
        problem, _, remedy = str(error).partition(": ")
        lacking = Check("kernel", "privilege", False, problem, remedy or problem, optional=True)
        return [built, lacking, *tracefs_checks(instead)]
    allowed = Check("kernel", "privilege", True, "BPF may read in it", optional=True)
    return [built, allowed, tracepoint_check(found), function_check(program)]


def function_check(program: Path) -> Check:
    """Which functions of the kernel can be probed: without, what they would tell stays bounded by tracepoints."""
    try:
        found = known_functions(program)
    except KernelSightError as error:
        return Check("kernel", "functions", False, str(error), KPROBES_LINE, optional=True)
    missing = [name for name, there in found.items() if not there]
    told = f"{len(found) - len(missing)} of {len(found)}"
    told += f"; without {', '.join(missing)}, which the compiler has dissolved into others" if missing else ""
    return Check("kernel", "functions", True, told, optional=True)


def tracefs_checks(program: Path) -> list[Check]:
    """That tracefs tells the same of a run, and its tracepoints; nothing where it does not."""
    try:
        found = known_tracepoints(program)
    except KernelSightError:
        return []  # what was said before is to be mended
    instead = Check("kernel", "tracefs", True, "tells of runs in place of BPF; attach takes BPF", optional=True)
    return [instead, tracepoint_check(found)]


def tracepoint_check(found: dict[str, bool]) -> Check:
    """Which tracepoints this kernel lacks: what they would tell stays bounded by those beside them."""
    missing = [name for name, there in found.items() if not there]
    told = f"{len(found) - len(missing)} of {len(found)}"
    if not missing:
        return Check("kernel", "tracepoints", True, told, optional=True)
    return Check("kernel", "tracepoints", True, f"{told}; without {', '.join(missing)}", optional=True)
