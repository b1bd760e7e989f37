"""The short form of tests/left_behind.py: a run of a kind each, killed once."""

from __future__ import annotations

import random

import pytest

from bellwire.engine.kvm.partners.qemu import qemu_refusal
from tests.left_behind import kill_one

pytestmark = pytest.mark.kvm


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_that_is_killed_leaves_nothing(seed: int) -> None:
    left = kill_one("roundtrip", random.Random(seed))
    assert "python" in " ".join(left.began)
    assert left.clean, left


@pytest.mark.skipif(bool(qemu_refusal()), reason=qemu_refusal())
@pytest.mark.parametrize("scenario", ["qemu-vhost-user-blk", "qemu-ivshmem"])
def test_nor_do_its_machines_whoever_of_them_is_killed(scenario: str) -> None:
    left = kill_one(scenario, random.Random(scenario))
    assert len(left.began) > 1
    assert left.clean, left
