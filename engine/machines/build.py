"""Which class runs which machine: the one place where the two are bound."""

from __future__ import annotations

from bellwire.engine.errors import LackingError
from bellwire.engine.machines.io_uring import UringGuest
from bellwire.engine.machines.machine import Machine
from bellwire.engine.machines.needs import what_is_lacking
from bellwire.engine.machines.one_guest import OneGuest
from bellwire.engine.machines.qemu.disk_in_qemu import DiskInQemu
from bellwire.engine.machines.qemu.two_qemus import TwoQemus
from bellwire.engine.machines.qemu.vhost_in_qemu import NetworkInQemu, SocketInQemu
from bellwire.engine.machines.two_guests import SelfDoorbell, TwoGuests
from bellwire.engine.machines.two_vcpus import TwoVcpus
from bellwire.engine.machines.vhost_kernel import VhostNetGuest, VhostVsockGuest
from bellwire.engine.machines.vhost_user import VhostUserGuest
from bellwire.engine.machines.virtqueue import VirtqueueMachine
from bellwire.engine.scenarios.machine_kinds import (
    IO_URING,
    ONE_GUEST,
    QEMU_VHOST_NET,
    QEMU_VHOST_VSOCK,
    REAL_QEMU,
    SELF_DOORBELL,
    TWO_GUESTS,
    TWO_QEMUS,
    TWO_VCPUS,
    VHOST_NET,
    VHOST_USER,
    VHOST_VSOCK,
    VIRTQUEUE,
    MachineKind,
)
from bellwire.engine.scenarios.scenario import Scenario

CLASSES: dict[MachineKind, type[Machine]] = {
    ONE_GUEST: OneGuest,
    TWO_GUESTS: TwoGuests,
    SELF_DOORBELL: SelfDoorbell,
    TWO_VCPUS: TwoVcpus,
    IO_URING: UringGuest,
    VIRTQUEUE: VirtqueueMachine,
    VHOST_USER: VhostUserGuest,
    VHOST_NET: VhostNetGuest,
    VHOST_VSOCK: VhostVsockGuest,
    REAL_QEMU: DiskInQemu,
    TWO_QEMUS: TwoQemus,
    QEMU_VHOST_NET: NetworkInQemu,
    QEMU_VHOST_VSOCK: SocketInQemu,
}


def refusal(scenario: Scenario) -> str:
    """Why this host cannot run the machine that a scenario names; "" if it can, given that it has KVM."""
    return CLASSES[scenario.machine_kind].refusal()


def build_machine(scenario: Scenario, limit: int | None, cpus: tuple[int, int] | None) -> Machine:
    """The machine that a scenario names. Raises EngineError; then nothing is left behind.

    That is a LackingError if this host cannot run it, a NoKvmError if it can run none at all.
    """
    if why := refusal(scenario) or what_is_lacking(scenario):
        raise LackingError(why)
    return CLASSES[scenario.machine_kind](scenario, limit, cpus)
