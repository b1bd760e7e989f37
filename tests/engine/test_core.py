"""The core in C under gcc's sanitizers: each program of tests/c is run once under each, and must have nothing to say.

A program whose name begins with kvm_ runs a real guest.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bellwire.engine.build import C_TESTS, GUESTS, build, build_c_tests

SANITIZERS = ("address,undefined", "thread")
PROGRAMS = sorted(path.stem for path in C_TESTS.glob("*.c"))


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the programs are, by sanitizer."""
    build()  # the images of the guests that they run
    folders = {sanitizer: tmp_path_factory.mktemp(sanitizer.partition(",")[0]) for sanitizer in SANITIZERS}
    for sanitizer, folder in folders.items():
        assert [path.stem for path in build_c_tests(sanitizer, folder)] == PROGRAMS
    return folders


@pytest.mark.parametrize("sanitizer", SANITIZERS)
@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.kvm] if "kvm_" in n else []) for n in PROGRAMS])
def test_the_core_under(sanitizer: str, name: str, programs: dict[str, Path]) -> None:
    # setarch -R: ThreadSanitizer knows only some of the address layouts that a kernel may choose.
    command = ["setarch", "-R", str(programs[sanitizer] / name), str(GUESTS)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
