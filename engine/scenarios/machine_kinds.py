"""What each machine is: its name in scenario files, what its scenarios need, and what is true of all of them.

This is the one description. The rules of scenario files follow from it; pictures, captions, ways and calls ask for its
traits (traits.py); engine/machines/build.py binds it to the class that runs it, which knows what the host must have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bellwire.engine.scenarios.traits import Trait, Traits

Tables = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Need:
    """A value that a machine cannot do without. why: ends the sentence that begins with the key."""

    table: str
    key: str
    value: Any
    why: str


@dataclass(frozen=True)
class MachineKind:
    """One machine.

    by: who interrupts, as [interrupt] says it, where nobody else does; "": the host or, by its doorbells, the guest.
    table: which its scenarios have and no others, as `by` is its own. needs: values of other tables. vcpus: of a guest.
    split: whether only the local APICs may be in the kernel. lab: whether its scenarios may break by themselves.
    """

    name: str
    traits: Traits = frozenset()
    by: str = ""
    table: str = ""
    needs: tuple[Need, ...] = ()
    vcpus: int = 1
    split: bool = False
    lab: bool = False


ONE_GUEST = MachineKind("one-guest", split=True, lab=True)
TWO_GUESTS = MachineKind("two-guests", frozenset({Trait.DIRECT, Trait.TWO_GUESTS}), by="doorbell")
SELF_DOORBELL = MachineKind("self-doorbell", frozenset({Trait.DIRECT}), by="doorbell")
TWO_VCPUS = MachineKind("two-vcpus", frozenset({Trait.TWO_VCPUS}), vcpus=2)
IO_URING = MachineKind(
    "io-uring",
    frozenset({Trait.IO_URING}),
    needs=(Need("interrupt", "irqfd", True, "on is needed for the machine io-uring: a completion signals an eventfd"),),
)
VIRTQUEUE = MachineKind("virtqueue", frozenset({Trait.VIRTQUEUE}), by="device", table="virtqueue")
VHOST_USER = MachineKind("vhost-user", frozenset({Trait.DIRECT, Trait.PARTNERED}), by="partner")
VHOST_NET = MachineKind("vhost-net", frozenset({Trait.DIRECT, Trait.PARTNERED, Trait.KERNEL_WORKER}), by="vhost")
VHOST_VSOCK = MachineKind("vhost-vsock", VHOST_NET.traits | {Trait.VSOCK}, by="vhost")
REAL_QEMU = MachineKind(
    "real-qemu", frozenset({Trait.DIRECT, Trait.PARTNERED, Trait.REAL_QEMU}), by="qemu", table="qemu"
)
TWO_QEMUS = MachineKind(
    "two-qemus", frozenset({Trait.DIRECT, Trait.TWO_GUESTS, Trait.REAL_QEMU, Trait.IVSHMEM}), by="doorbell"
)
QEMU_VHOST_NET = MachineKind("qemu-vhost-net", VHOST_NET.traits | {Trait.REAL_QEMU}, by="vhost")
QEMU_VHOST_VSOCK = MachineKind("qemu-vhost-vsock", VHOST_VSOCK.traits | {Trait.REAL_QEMU}, by="vhost")

MACHINES = {
    kind.name: kind
    for kind in (
        *(ONE_GUEST, TWO_GUESTS, SELF_DOORBELL, TWO_VCPUS, IO_URING, VIRTQUEUE, VHOST_USER, VHOST_NET, VHOST_VSOCK),
        *(REAL_QEMU, TWO_QEMUS, QEMU_VHOST_NET, QEMU_VHOST_VSOCK),
    )
}
SIGNALLERS = tuple(dict.fromkeys(kind.by for kind in MACHINES.values() if kind.by))  # of certain machines only
SPLIT = tuple(kind.name for kind in MACHINES.values() if kind.split)
LABS = tuple(kind.name for kind in MACHINES.values() if kind.lab)


def mismatches(values: Tables) -> Iterator[tuple[str, str, str]]:
    """(table, key, problem) wherever a scenario's tables are not those that its machine needs."""
    kind, interrupt = MACHINES[values[""]["machine"]], values.get("interrupt")
    for by in SIGNALLERS:
        group = [other for other in MACHINES.values() if other.by == by]
        table = group[0].table
        found = {interrupt is not None and interrupt["by"] == by, kind in group, *([table in values] if table else [])}
        if len(found) > 1:
            yield "", "machine", goes_with([other.name for other in group], by, table)
    for need in kind.needs:
        if need.table not in values or values[need.table][need.key] != need.value:
            yield need.table, need.key, need.why


def goes_with(names: list[str], by: str, table: str) -> str:
    """The sentence that says with which machines this `by` goes, and with which table."""
    if table:
        return f'"{names[0]}", the table [{table}] and by = "{by}" go together, and only so'
    one_of, these = ("one of ", "these") if len(names) > 1 else ("", "it")
    return f'by = "{by}" goes with {one_of}{", ".join(names)}, and only with {these}'


def with_vcpu(number: int) -> str:
    """The machines whose guest has this vCPU, by name."""
    return ", ".join(kind.name for kind in MACHINES.values() if kind.vcpus > number)
