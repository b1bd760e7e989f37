"""The short form of tests/each_call.py: a few of the calls of one scenario, each of which fails once."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.each_call import ENDS, Ran, failures_of, load_first

# A thread without a name runs all the same; one that hears no signal is waited for too long to be among them.
FEW = r"openat (/dev/kvm|.*toml)|ioctl 0x(ae01|4040ae79|ae80) |eventfd2|ftruncate|clone|mmap mem|write .*/comm"

pytestmark = [
    pytest.mark.kvm,
    pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of its system calls"),
]


def test_a_call_that_fails_ends_a_run_in_a_sentence_and_leaves_nothing() -> None:
    load_first()
    ended: Counter[str] = Counter()
    for what, ran in failures_of("doorbell-pio", FEW):
        assert (what, ran.wrong(), ran.said * bool(ran.wrong())) == (what, "", "")
        if ran.failed:  # or the call was not made there again
            ended[ENDS[ran.code or 0]] += 1
    assert set(ended) == set(ENDS.values())
    assert ended.total() >= 10


@pytest.mark.parametrize(
    ("ran", "wrong"),
    [
        (Ran(None), "did not end"),
        (Ran(70, "bellwire: It has a fault."), "ended with 70"),
        (Ran(-11), "ended with -11"),
        (Ran(1, ""), "without a word"),
        (Ran(1, "Traceback (most recent call last):"), "no sentence"),
        (Ran(1, "bellwire: No.", "thread 7: vcpu"), "thread 7"),
    ],
)
def test_other_ends_are_found_wrong(ran: Ran, wrong: str) -> None:
    assert wrong in ran.wrong()
