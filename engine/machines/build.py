"""Which class runs which machine: the one place where the two are bound."""

from __future__ import annotations

from bellwire.engine.errors import EngineError
from bellwire.engine.machines.machine import Machine
from bellwire.engine.machines.one_guest import OneGuest
from bellwire.engine.machines.two_guests import SelfDoorbell, TwoGuests
from bellwire.engine.machines.two_vcpus import TwoVcpus
from bellwire.engine.machines.uring_guest import UringGuest
from bellwire.engine.machines.vhost_guest import VhostUserGuest
from bellwire.engine.machines.virtqueue_machine import VirtqueueMachine
from bellwire.engine.scenarios import machines
from bellwire.engine.scenarios.scenario import Scenario

CLASSES: dict[machines.MachineKind, type[Machine]] = {
    machines.ONE_GUEST: OneGuest,
    machines.TWO_GUESTS: TwoGuests,
    machines.SELF_DOORBELL: SelfDoorbell,
    machines.TWO_VCPUS: TwoVcpus,
    machines.IO_URING: UringGuest,
    machines.VIRTQUEUE: VirtqueueMachine,
    machines.VHOST_USER: VhostUserGuest,
}


def refusal(scenario: Scenario) -> str:
    """Why this host cannot run the machine that a scenario names; "" if it can, given that it has KVM."""
    return CLASSES[scenario.machine_kind].refusal()


def build_machine(scenario: Scenario, limit: int | None, cpus: tuple[int, int] | None) -> Machine:
    """The machine that a scenario names. Raises NoKvmError, KvmError or EngineError; then nothing is left behind."""
    if why := refusal(scenario):
        raise EngineError(why)
    return CLASSES[scenario.machine_kind](scenario, limit, cpus)
