"""Every way in which a guest can end is of a kind, and one sentence."""

from __future__ import annotations

import errno

import pytest

from bellwire.engine._core import lib
from bellwire.engine.verdict import KINDS, SENTENCES, Ending, Verdict


@pytest.mark.parametrize(
    ("kind", "detail", "verdict", "sentence"),
    [
        (lib.BW_VERDICT_NONE, 0, Verdict.RUNNING, "is running"),
        (lib.BW_VERDICT_STOPPED, 0, Verdict.STOPPED, "was stopped"),
        (lib.BW_VERDICT_GUEST, 7, Verdict.ENDED, "ended by itself"),
        (lib.BW_VERDICT_SHUTDOWN, 0, Verdict.RESET, "met a triple fault, an exception"),
        (lib.BW_VERDICT_INTERNAL, 1, Verdict.EMULATION, "met an instruction that KVM cannot emulate"),
        (lib.BW_VERDICT_INTERNAL, 2, Verdict.INTERNAL, "two exceptions came at once"),
        (lib.BW_VERDICT_INTERNAL, 3, Verdict.INTERNAL, "while an interrupt or exception was being delivered"),
        (lib.BW_VERDICT_INTERNAL, 99, Verdict.INTERNAL, "suberror 99"),
        (lib.BW_VERDICT_ENTRY, 0x80000021, Verdict.ENTRY, "reason 0x80000021"),
        (lib.BW_VERDICT_RUN, errno.EFAULT, Verdict.REFUSED, "Bad address (EFAULT)"),
        (lib.BW_VERDICT_RUN, 2**40, Verdict.REFUSED, f"error {2**40}"),
        (lib.BW_VERDICT_UNKNOWN, 4, Verdict.UNKNOWN, "KVM_EXIT_DEBUG"),
        (lib.BW_VERDICT_UNKNOWN, 4711, Verdict.UNKNOWN, "KVM_EXIT_REASON_4711"),
    ],
)
def test_what_c_tells_is_a_kind_and_a_sentence(kind: int, detail: int, verdict: Verdict, sentence: str) -> None:
    ending = Ending.of(kind, detail)
    assert ending.verdict is verdict
    assert sentence in ending.told("Guest A")


def test_the_instruction_that_cannot_be_emulated_is_shown() -> None:
    ending = Ending.of(lib.BW_VERDICT_INTERNAL, 1, b"\x0f\x01\xf9" + bytes(12))
    told = "The guest met an instruction that KVM cannot emulate; it begins with 0f 01 f9 00 00 00."
    assert ending.told("The guest") == told


def test_every_verdict_of_the_core_has_a_kind_and_every_kind_of_a_vcpu_a_sentence() -> None:
    assert set(KINDS) == {getattr(lib, name) for name in dir(lib) if name.startswith("BW_VERDICT_")}
    assert {*KINDS.values(), Verdict.FAULT, Verdict.EMULATION} == set(SENTENCES)
