"""What is compared with is measured as it is: nothing watches it meanwhile."""

from __future__ import annotations

import resource

import pytest

from bellwire.engine.live.bench import bare_period_ns


def sleeps_meanwhile(rounds: int) -> int:
    """How often this thread has gone to sleep while the bare round trip was measured."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    assert bare_period_ns(rounds) > 0
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - before


@pytest.mark.kvm
def test_whoever_measures_the_bare_round_trip_sleeps_until_it_is_over() -> None:
    """Timers of its own would keep the processor from its rest, and so make what they wait for quicker."""
    few, many = sleeps_meanwhile(300), sleeps_meanwhile(6000)
    assert many < few + 100
