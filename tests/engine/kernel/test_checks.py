"""What the doctor says of the inside of the kernel: what is off, and the line that switches it on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.engine.kernel import checks
from bellwire.engine.kernel.checks import kernel_checks, tracepoint_check
from bellwire.engine.kernel.program import PROGRAM, KernelSightError
from tests.support.kernel_sight import needs_sight


def test_nothing_of_it_is_needed() -> None:
    needs_sight()
    found = kernel_checks()
    assert [(check.name, check.ok) for check in found] == [
        ("bw-kernel", True),
        ("privilege", True),
        ("tracepoints", True),
    ]
    assert all(check.optional and not check.needed for check in found)


def test_one_that_was_not_built_is_off(tmp_path: Path) -> None:
    (check,) = kernel_checks(tmp_path / "bw-kernel")
    assert (check.ok, check.optional) == (False, True)
    assert "apt-get install clang libbpf-dev" in check.remedy


@pytest.mark.parametrize(
    ("said", "found", "remedy"),
    [
        ("It may not: sudo setcap it", "It may not", "sudo setcap it"),
        ("This kernel tells nothing.", "This kernel tells nothing.", "This kernel tells nothing."),
    ],
)
def test_what_keeps_it_from_looking_has_its_remedy(
    said: str, found: str, remedy: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(program: Path) -> dict[str, bool]:
        raise KernelSightError(said)

    monkeypatch.setattr(checks, "known_tracepoints", refuse)
    program = tmp_path / PROGRAM.name
    program.touch()
    built, privilege = kernel_checks(program)
    assert built.ok
    assert (privilege.ok, privilege.found, privilege.remedy) == (False, found, remedy)


def test_a_tracepoint_that_is_not_there_is_named() -> None:
    assert tracepoint_check({"kvm_pio": True, "kvm_exit": False}).found == "1 of 2; without kvm_exit"
