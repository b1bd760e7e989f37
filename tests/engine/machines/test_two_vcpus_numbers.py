"""Doorbells of several vCPUs in one numbering: in the order in which they were rung, whatever the batches."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bellwire.engine.events import EVENT, EventKind, Events, Lane
from bellwire.engine.machines.two_vcpus import DoorbellNumbers

PORT = 0x510


def doorbells(seed: int, count: int) -> Events:
    """Two vCPUs that ring at random: RING, EXIT now and then, RUNG; sorted."""
    chance, rows = random.Random(seed), []
    for vcpu in (0, 1):
        now = chance.randint(0, 50)
        for own in range(1, count + 1):
            rows.append((now, EventKind.RING, Lane.GUEST, vcpu, PORT, own, 0))
            if chance.random() < 0.3:
                rows.append((now + 1, EventKind.EXIT, Lane.VCPU, vcpu, 2, own, PORT))
            rows.append((now + 2, EventKind.RUNG, Lane.GUEST, vcpu, PORT, own, 0))
            now += chance.randint(3, 60)
    return np.array(sorted(rows), EVENT)


@given(st.integers(0, 2**32 - 1), st.lists(st.floats(0, 1), max_size=5))
def test_numbers_rise_with_the_rings_and_belong_together(seed: int, shares: list[float]) -> None:
    whole = doorbells(seed, 40)
    own = whole["seq"].copy()
    numbers = DoorbellNumbers()
    for batch in np.split(whole, sorted(round(share * whole.size) for share in shares)):
        numbers.number(batch)
    rings = whole["kind"] == EventKind.RING
    assert whole["seq"][rings].tolist() == list(range(1, 81))
    named = {(vm, n): new for vm, n, new in zip(whole["vm"][rings], own[rings], whole["seq"][rings], strict=True)}
    for vm, n, new in zip(whole["vm"][~rings], own[~rings], whole["seq"][~rings], strict=True):
        assert new == named[vm, n]


def test_an_exit_that_is_ahead_of_its_ring_has_no_number() -> None:
    exit_first = np.array([(5, EventKind.EXIT, Lane.VCPU, 1, 2, 1, PORT)], EVENT)
    numbers = DoorbellNumbers()
    numbers.number(doorbells(1, 3))
    exit_first["seq"] = 99
    numbers.number(exit_first)
    assert exit_first["seq"].tolist() == [0]


def test_an_exit_that_is_no_doorbell_stays_one() -> None:
    other = np.array([(5, EventKind.EXIT, Lane.VCPU, 0, 10, 0, 0)], EVENT)
    numbers = DoorbellNumbers()
    numbers.number(doorbells(2, 3))
    numbers.number(other)
    assert other["seq"].tolist() == [0]
