"""bw-kernel: what it answers, the sentence for each of its refusals, and that it shows nobody what is not theirs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bellwire.engine.kernel import program as told
from bellwire.engine.kernel.program import (
    PROGRAM,
    TRACEFS_PROGRAM,
    KernelSightError,
    ask,
    grant_line,
    known_tracepoints,
    no_answer,
    reason_of,
)
from tests.support.kernel_sight import GRANT, NOBODY, for_nobody, needs_sight

SOURCES = sorted(PROGRAM.parent.rglob("*.[ch]"))


def as_nobody(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs it without a privilege or a group of root's."""
    return subprocess.run(
        command, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True, text=True, check=False
    )


def test_where_the_kernel_can_be_looked_into_its_tracepoints_are_known() -> None:
    needs_sight()
    found = known_tracepoints()
    assert {"kvm_pio", "kvm_msi_set_irq", "sched_waking", "sched_switch"} <= {
        name for name, there in found.items() if there
    }


def test_every_code_that_the_program_can_write_has_its_sentence() -> None:
    text = "\n".join(path.read_text() for path in SOURCES)
    codes = {part.split('"')[1] for part in text.split("fail(why, ")[1:] if part.startswith('"')}
    assert {"no-btf", "permission", "refused"} <= codes
    assert codes - {"permission", "setuid", "refused"} <= set(told.REASONS)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("no-btf 2 ", "This kernel does not describe its own types"),
        ("permission 0 ", "bw-kernel may not look into the kernel: "),
        ("refused 1 load", "The kernel refused to be looked into (load: Operation not permitted)."),
        ("", "bw-kernel failed: it said nothing"),
        ("Segmentation \x1b[31mfault", "bw-kernel failed: Segmentation "),
    ],
)
def test_what_it_writes_becomes_a_sentence(line: str, sentence: str, tmp_path: Path) -> None:
    program = tmp_path / "bw-kernel"
    program.touch()
    said = str(reason_of(line, program))
    assert said.startswith(sentence)
    assert "\x1b" not in said


def test_one_that_was_not_built_is_said_with_what_builds_it(tmp_path: Path) -> None:
    with pytest.raises(KernelSightError, match="was not built: sudo apt-get install clang libbpf-dev"):
        ask("check", program=tmp_path / "none")


def test_what_is_no_program_is_one_sentence(tmp_path: Path) -> None:
    other = tmp_path / "bw-kernel"
    other.touch()
    with pytest.raises(KernelSightError, match=r"^bw-kernel cannot be run: Permission denied\.$"):
        ask("check", program=other)


def test_it_does_what_it_is_asked_and_nothing_else() -> None:
    needs_sight()
    for words in ((), ("look",), ("check", "more"), ("--help",)):
        with pytest.raises(KernelSightError, match="of another version"):
            ask(*words)


def test_a_path_with_a_space_can_be_pasted() -> None:
    assert grant_line(Path("/a b/bw-kernel")) == "sudo setcap cap_bpf,cap_perfmon=ep '/a b/bw-kernel'"


def test_a_file_system_without_capabilities_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert told.sight_remedy(tmp_path) == grant_line(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result((0,) * 8 + (os.ST_NOSUID, 255)))
    assert "mounted nosuid" in told.sight_remedy(tmp_path)


def test_who_has_no_privilege_is_told_the_line() -> None:
    with for_nobody() as copy:
        ran = as_nobody(copy, "check")
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", "permission 0 \n")


def test_two_capabilities_of_its_file_are_enough() -> None:
    with for_nobody() as copy:
        subprocess.run(["setcap", GRANT, copy], check=True)
        ran = as_nobody(copy, "check")
    assert ran.stderr == ""
    assert "tracepoint sched_waking yes" in ran.stdout


def test_it_refuses_to_be_setuid() -> None:
    with for_nobody() as copy:
        copy.chmod(0o4755)
        assert as_nobody(copy, "check").stderr == "setuid 0 \n"


def test_each_sentence_names_the_program_that_it_is_of() -> None:
    """bw-tracefs watches where bw-kernel cannot: what that says, or what becomes of it, is not bw-kernel's."""
    for line in ("permission 0 ", "usage 0 ", "", "who knows"):
        assert str(reason_of(line, PROGRAM)).startswith("bw-kernel ")
        assert str(reason_of(line, TRACEFS_PROGRAM)).startswith("bw-tracefs ")
    assert no_answer(TRACEFS_PROGRAM, 30) == "bw-tracefs did not answer within 30 s."
    assert no_answer(PROGRAM, 30) == "bw-kernel did not answer within 30 s."
