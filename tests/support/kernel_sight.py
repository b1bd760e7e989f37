"""For tests that look into the kernel: whether they can, and what they are skipped for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bellwire.engine.kernel import watch
from bellwire.engine.kernel.program import (
    PROGRAM,
    TRACEFS_PROGRAM,
    KernelSightError,
    known_functions,
    known_tracepoints,
)

NOBODY = 65534
GRANT = "cap_bpf,cap_perfmon=ep"
SOURCES = {"BPF": PROGRAM, "tracefs": TRACEFS_PROGRAM}


@cache
def sight_trouble(source: str = "BPF") -> str:
    """Why nothing in the kernel can be looked at here by this source; "" if it can."""
    try:
        known_tracepoints(SOURCES[source])
    except KernelSightError as error:
        return str(error)
    return ""


def needs_sight(source: str = "BPF") -> None:
    """Skips the test where the kernel cannot be looked into."""
    if trouble := sight_trouble(source):
        pytest.skip(f"nothing in the kernel can be looked at by {source}: {trouble}")


def watch_by(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on who watches the kernel does so by this source; skips the test where it cannot."""
    needs_sight(source)
    monkeypatch.setattr(watch, "PROGRAMS", (SOURCES[source],))


@cache
def probes_trouble() -> str:
    """Why no function of the kernel can be probed here; "" if some can."""
    try:
        known_functions()
    except KernelSightError as error:
        return str(error)
    return ""


def needs_probes() -> None:
    """Skips the test where functions of the kernel cannot be probed; in the lab of `make svm` they can."""
    needs_sight()
    if trouble := probes_trouble():
        pytest.skip(f"{trouble}; `make svm` runs this test where there are kprobes")


def needs_root_and_setcap() -> None:
    """Skips the test where nobody else can be had, or a file cannot be given capabilities."""
    needs_sight()
    if os.geteuid() or not shutil.which("setcap"):
        pytest.skip("only root with setcap (Debian's package libcap2-bin) can try what other users may do")


@contextmanager
def for_nobody() -> Iterator[Path]:
    """A copy of bw-kernel that any user can run, without capabilities yet.

    In a folder of its own: pytest's are shut for others again by whoever starts pytest beside this one.
    """
    needs_root_and_setcap()
    with TemporaryDirectory(prefix="bellwire-test-of-nobody-") as folder:
        copy = Path(folder) / PROGRAM.name
        shutil.copy(PROGRAM, copy)
        for path in copy.parents:
            if path.stat().st_mode & 0o001 == 0:
                path.chmod(path.stat().st_mode | 0o011)
        yield copy
