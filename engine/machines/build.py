"""Which machine a scenario needs."""

from __future__ import annotations

from collections.abc import Callable

from bellwire.engine.machines.machine import Machine
from bellwire.engine.machines.one_guest import OneGuest
from bellwire.engine.machines.two_guests import SelfDoorbell, TwoGuests
from bellwire.engine.machines.two_vcpus import TwoVcpus
from bellwire.engine.machines.uring_guest import UringGuest
from bellwire.engine.machines.vhost_guest import VhostUserGuest
from bellwire.engine.machines.virtqueue_machine import VirtqueueMachine
from bellwire.engine.scenarios.scenario import Scenario


def build_machine(scenario: Scenario, limit: int | None, cpus: tuple[int, int] | None) -> Machine:
    """The machine that a scenario names. Raises NoKvmError, KvmError or EngineError; then nothing is left behind."""
    machines: dict[str, Callable[..., Machine]] = {
        "one-guest": OneGuest,
        "two-guests": TwoGuests,
        "self-doorbell": SelfDoorbell,
        "two-vcpus": TwoVcpus,
        "io-uring": UringGuest,
        "virtqueue": VirtqueueMachine,
        "vhost-user": VhostUserGuest,
    }
    return machines[scenario.machine](scenario, limit, cpus)
