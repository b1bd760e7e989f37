"""Halts of a vCPU, and how long after its waking it has a CPU."""

from __future__ import annotations

from bellwire.engine.attached.hops.halts import HaltFold, VcpuKey
from tests.support.kernel_records import CLOCK, READER, VCPU, K, looked_at, records, row

KEY = VcpuKey(11, 0)


def test_a_halt_that_slept_was_waited_for_and_one_that_was_polled_was_not() -> None:
    fold = HaltFold(CLOCK)
    rows, places, _ = looked_at(
        records(
            row(100, K.WAKING, READER, VCPU),
            row(400, K.RUNS, VCPU),
            row(500, K.WOKEN, VCPU, 9000, 1),
            row(600, K.WOKEN, VCPU, 50, 0),
            row(700, K.WOKEN, READER, 50, 1),  # not its vCPU's
        )
    )
    fold.feed(rows, places)
    assert (fold.slept, fold.polled) == ({KEY: 1}, {KEY: 1})
    assert (fold.latencies[KEY].count, fold.latencies[KEY].max) == (1, 300)


def test_a_vcpu_that_lost_its_cpu_again_is_not_measured() -> None:
    fold = HaltFold(CLOCK)
    rows, places, _ = looked_at(
        records(
            row(100, K.WAKING, READER, VCPU),
            row(400, K.RUNS, VCPU),
            row(450, K.RUNS, VCPU),
            row(500, K.WOKEN, VCPU, 9000, 1),
        )
    )
    fold.feed(rows, places)
    assert (fold.slept[KEY], fold.latencies[KEY].count) == (1, 0)
