"""Whether the inside of the kernel can be seen, for `bellwire doctor`."""

from __future__ import annotations

from pathlib import Path

from bellwire.engine.host.host import Check
from bellwire.engine.kernel.program import PROGRAM, KernelSightError, known_tracepoints

BUILD_LINE = "sudo apt-get install clang libbpf-dev, then build bellwire again"


def kernel_checks(program: Path = PROGRAM) -> list[Check]:
    """The program, the privilege and the tracepoints, in this order; none of them is needed to run a guest."""
    if not program.exists():
        return [Check("kernel", "bw-kernel", False, "was not built", BUILD_LINE, optional=True)]
    built = Check("kernel", "bw-kernel", True, str(program), optional=True)
    try:
        found = known_tracepoints(program)
    except KernelSightError as error:
        problem, _, remedy = str(error).partition(": ")
        return [built, Check("kernel", "privilege", False, problem, remedy or problem, optional=True)]
    return [built, Check("kernel", "privilege", True, "BPF may read in it", optional=True), tracepoint_check(found)]


def tracepoint_check(found: dict[str, bool]) -> Check:
    """Which tracepoints this kernel lacks: what they would tell stays bounded by those beside them."""
    missing = [name for name, there in found.items() if not there]
    told = f"{len(found) - len(missing)} of {len(found)}"
    if not missing:
        return Check("kernel", "tracepoints", True, told, optional=True)
    return Check("kernel", "tracepoints", True, f"{told}; without {', '.join(missing)}", optional=True)
