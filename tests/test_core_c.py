"""The core in C under gcc's sanitizers: each program of tests/c is run once under each, and must have nothing to say.

A program whose name begins with kvm_ runs a real guest. ThreadSanitizer has only the others: it cannot see what a guest
does to memory.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from engine.build import C_TESTS, build_c_tests

PROGRAMS = sorted(path.stem for path in C_TESTS.glob("*.c"))
CASES = [
    pytest.param(sanitizer, name, marks=[pytest.mark.kvm] if name.startswith("kvm_") else [])
    for name in PROGRAMS
    for sanitizer in ("address,undefined", "thread")
    if not (sanitizer == "thread" and name.startswith("kvm_"))
]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the programs are, by sanitizer."""
    folders = {name: tmp_path_factory.mktemp(name.partition(",")[0]) for name in ("address,undefined", "thread")}
    for sanitizer, folder in folders.items():
        assert [path.stem for path in build_c_tests(sanitizer, folder)] == PROGRAMS
    return folders


@pytest.mark.parametrize(("sanitizer", "name"), CASES)
def test_the_core_under(sanitizer: str, name: str, programs: dict[str, Path]) -> None:
    # setarch -R: ThreadSanitizer knows only some of the address layouts that a kernel may choose.
    command = ["setarch", "-R", str(programs[sanitizer] / name)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
