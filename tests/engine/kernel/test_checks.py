"""What the doctor says of the inside of the kernel: what is off, and the line that switches it on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.engine.kernel import checks
from bellwire.engine.kernel.checks import function_check, kernel_checks, tracepoint_check
from bellwire.engine.kernel.program import PROGRAM, KernelSightError
from tests.support.kernel_sight import needs_sight


def test_nothing_of_it_is_needed() -> None:
    needs_sight()
    found = kernel_checks()
    names = ["bw-kernel", "privilege", "tracepoints", "functions"]
    assert [check.name for check in found] == names
    assert all(check.ok for check in found[:-1])
    assert all(check.optional and not check.needed for check in found)


@pytest.mark.parametrize(
    ("answers", "ok", "found"),
    [
        ("function irqfd_wakeup yes\nfunction irqfd_inject yes", True, "2 of 2"),
        (
            "function irqfd_wakeup yes\nfunction irqfd_inject no",
            True,
            "1 of 2; without irqfd_inject, which the compiler has dissolved into others",
        ),
        ("function irqfd_wakeup no\nfunction irqfd_inject otherwise", False, "no kprobes: this kernel has none of"),
        ("function irqfd_wakeup yes\nfunctions refused", False, "no kprobes: the kernel refuses them"),
        ("tracepoint kvm_pio yes\nfunctions none", False, "no kprobes: this kernel was built without CONFIG_KPROBES"),
    ],
)
def test_which_functions_can_be_probed_is_told_and_why_none_can(
    answers: str, ok: bool, found: str, tmp_path: Path
) -> None:
    program = tmp_path / PROGRAM.name
    program.write_text(f"#!/bin/sh\necho '{answers}'\n")
    program.chmod(0o755)
    check = function_check(program)
    assert (check.ok, check.optional, check.needed) == (ok, True, False)
    assert check.found.startswith(found)
    assert check.remedy or ok


def test_one_that_was_not_built_is_off(tmp_path: Path) -> None:
    (check,) = kernel_checks(tmp_path / "bw-kernel", tmp_path / "bw-tracefs")
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
    built, privilege = kernel_checks(program, tmp_path / "none")
    assert built.ok
    assert (privilege.ok, privilege.found, privilege.remedy) == (False, found, remedy)


def test_where_bpf_cannot_tracefs_does_and_it_is_said(tmp_path: Path) -> None:
    needs_sight("tracefs")
    built, instead, tracepoints = kernel_checks(tmp_path / "none")
    assert (built.ok, instead.name, instead.ok, tracepoints.ok) == (False, "tracefs", True, True)
    assert " of " in tracepoints.found


def test_a_tracepoint_that_is_not_there_is_named() -> None:
    assert tracepoint_check({"kvm_pio": True, "kvm_exit": False}).found == "1 of 2; without kvm_exit"
