"""Settings that do nothing in some scenarios: there they are refused by name, and no report repeats them.

Each limit is held against the machines by tests/engine/scenarios/test_in_force.py, which changes every setting of every
scenario and looks for what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bellwire.engine.scenarios.machine_kinds import MACHINES, with_vcpu
from bellwire.engine.scenarios.rules import (
    LISTENERS,
    PEER_DOORBELL,
    PEER_VALUE,
    QEMU_DOORBELL,
    QEMU_GSI,
    QEMU_SENDER_DOORBELL,
    RINGERS,
)
from bellwire.engine.scenarios.traits import Trait

Tables = Mapping[str, Mapping[str, Any]]

# What QEMU settles, and with which values: its devices', and the drivers' in guests/virtio-pci.h and guests/ivshmem.c.
MESSAGE = {"route": "msi", "gsi": QEMU_GSI, "eoi": True}
VIRTIO_DISK = {
    "doorbell": {"bus": "mmio", "address": QEMU_DOORBELL, "ioeventfd_address": QEMU_DOORBELL, "length": 0, "width": 2}
    | {"value": 0, "datamatch": None, "coalesced": False},
    "interrupt": MESSAGE,
}
VIRTIO_SENDER = VIRTIO_DISK | {
    "doorbell": VIRTIO_DISK["doorbell"]
    | dict.fromkeys(("address", "ioeventfd_address"), QEMU_SENDER_DOORBELL)
    | {"ioeventfd": True},
    "interrupt": MESSAGE | {"irqfd": True},
}
IVSHMEM = {
    "doorbell": {"bus": "mmio", "address": PEER_DOORBELL, "ioeventfd_address": PEER_DOORBELL, "length": 4, "width": 4}
    | {"value": PEER_VALUE, "datamatch": PEER_VALUE, "coalesced": False, "ioeventfd": True},
    "interrupt": MESSAGE | {"irqfd": True},
}
QUIET = tuple(program for program in RINGERS if program not in LISTENERS)  # guests that wait for no answer
IN_TURN = 'need the guest "queues", which takes them in turn'
ONE_EVENTFD = "needs a machine with an I/O thread: here doorbells are interrupts"
ONE_COMPLETION = "needs another machine than io-uring, whose completions signal one eventfd and nothing else"
ONE_VECTOR = "needs eoi = true: the guest's second vector, to which the route changes, ends its interrupts"


@dataclass(frozen=True)
class Limit:
    """Where a setting does nothing. default: the value that asks for nothing. why: what it needs instead."""

    table: str
    key: str
    default: Any
    holds: Callable[[Tables], bool]
    why: str

    def about(self, value: Any) -> str:
        """The refusal of a value, as the end of a sentence that begins with the key."""
        return self.why.format(value=value, machines=with_vcpu(value) if self.key == "vcpu" else "")


def machine_with(trait: Trait) -> Callable[[Tables], bool]:
    """Whether the machine has a trait."""
    return lambda tables: trait in MACHINES[tables[""]["machine"]].traits


def where_interrupt(holds: Callable[[Mapping[str, Any]], bool]) -> Callable[[Tables], bool]:
    """Whether something is true of the table [interrupt]."""
    return lambda tables: "interrupt" in tables and holds(tables["interrupt"])


def no_pin(interrupt: Mapping[str, Any]) -> bool:
    """Whether interrupts have no pin that the host alone raises."""
    return bool(interrupt["route"] != "ioapic" or interrupt["by"] != "host")


def past_the_routes(interrupt: Mapping[str, Any]) -> bool:
    """Whether interrupts begin by an ioctl that asks no route."""
    return not interrupt["irqfd"] and not interrupt["waits"] and interrupt["ioctl"] == "signal-msi"


def one_vector(tables: Tables) -> bool:
    """Whether the handler of the guest's vector is unlike that of its other one. Of two vCPUs the route chooses one."""
    return not tables["interrupt"]["eoi"] and not machine_with(Trait.TWO_VCPUS)(tables)


def raises_a_pin(tables: Tables) -> bool:
    """Whether an interrupt goes to a pin, and an ioctl is called where there is no irqfd: a message raises no pin."""
    interrupt, traits = tables["interrupt"], MACHINES[tables[""]["machine"]].traits
    calls = not interrupt["waits"] and not traits & {Trait.DIRECT, Trait.IO_URING}
    return bool(interrupt["route"] == "ioapic" and calls)


direct, uring = machine_with(Trait.DIRECT), machine_with(Trait.IO_URING)
waits_for_answers: Callable[[Tables], bool] = lambda tables: tables[""]["guest"] in LISTENERS  # noqa: E731
by_level = where_interrupt(lambda interrupt: interrupt["trigger"] == "level")

LIMITS = (
    *(
        Limit("doorbell", key, 1, lambda tables: tables[""]["guest"] != "queues", IN_TURN)
        for key in ("queues", "addresses")
    ),
    *(Limit("doorbell", key, 1, direct, ONE_EVENTFD) for key in ("queues", "addresses")),
    Limit(
        *("doorbell", "value", 0, lambda tables: tables["doorbell"]["queues"] > 1),
        "must be 0 with several queues: the guest writes the number of each; with queues = 1 it writes the value",
    ),
    Limit(
        *("doorbell", "coalesced", False, waits_for_answers),
        f"needs a guest that waits for no answer, one of {', '.join(QUIET)}: the ring wakes nobody",
    ),
    Limit(
        *("interrupt", "vcpu", 0, lambda tables: MACHINES[tables[""]["machine"]].vcpus == 1),
        "{value} needs the machine {machines}",
    ),
    *(
        Limit("interrupt", "ioctl", "signal-msi", holds, why)
        for holds, why in (
            (direct, "is not used here: whoever adds to the eventfd interrupts, and nobody calls an ioctl instead"),
            (uring, "is not used here: the irqfd cannot be off, so no ioctl is called instead"),
            (where_interrupt(lambda interrupt: bool(interrupt["waits"])), "is not used with waits, which calls none"),
        )
    ),
    *(
        Limit("interrupt", "waits", False, holds, why)
        for holds, why in (
            (direct, "is how it is here in any case: while the irqfd is off the eventfd keeps the count"),
            (uring, "needs another machine than io-uring, whose irqfd cannot be off"),
            (by_level, 'needs trigger = "edge": whether a level has an irqfd is settled before the guest boots'),
        )
    ),
    Limit("interrupt", "trigger", "edge", where_interrupt(no_pin), '"level" needs the route ioapic and by = "host"'),
    Limit(
        *("interrupt", "masked", False, where_interrupt(no_pin)),
        'needs the route ioapic, whose pins can be masked, and by = "host": no answer comes',
    ),
    Limit(
        *("interrupt", "masked", False, by_level),
        'needs trigger = "edge": a masked level is not lost, it comes once the pin is unmasked',
    ),
    Limit(
        *("interrupt", "eoi", True, lambda tables: by_level(tables) and not tables["interrupt"]["irqfd"]),
        "must be true for a level without its irqfd, whose handler acknowledges to the VMM and ends the interrupt",
    ),
    Limit("interrupt", "irqfds", 1, direct, ONE_EVENTFD),
    Limit("interrupt", "irqfds", 1, uring, ONE_COMPLETION),
    Limit(
        *("interrupt", "hold_us", 0, lambda tables: tables[""]["guest"] != "window"),
        'needs the guest "window", which keeps interrupts off, as in the scenario irq-window',
    ),
    Limit("interrupt", "reroute_ms", 0, direct, ONE_EVENTFD),
    Limit(
        *("interrupt", "reroute_ms", 0, where_interrupt(lambda interrupt: interrupt["route"] != "msi")),
        "needs the route msi: the other route is one with another vector",
    ),
    Limit(  # a level names it in any case, so that it can be had without its irqfd
        *("interrupt", "ioctl", "irq-line", lambda tables: by_level(tables) and tables["interrupt"]["irqfd"]),
        "must be irq-line for a level, and is not used while its irqfd is on",
    ),
    Limit(
        *("interrupt", "ioctl", "irq-line", lambda tables: raises_a_pin(tables) and not by_level(tables)),
        "must be irq-line with the route ioapic: KVM_SIGNAL_MSI sends a message, which raises no pin",
    ),
    Limit("interrupt", "reroute_ms", 0, one_vector, ONE_VECTOR),
    Limit(
        *("interrupt", "reroute_ms", 0, where_interrupt(past_the_routes)),
        "needs irqfd = true or the ioctl irq-line: KVM_SIGNAL_MSI brings its own vector and asks no route",
    ),
)


def limits_of(tables: Tables) -> Iterator[Limit]:
    """The settings of a scenario, of checked tables, that do nothing in it."""
    return (limit for limit in LIMITS if limit.table in tables and limit.holds(tables))


def settled(tables: Tables) -> Mapping[str, Mapping[str, Any]]:
    """What QEMU settles, if the machine is one; else nothing."""
    traits = MACHINES[tables[""]["machine"]].traits
    if Trait.REAL_QEMU not in traits:
        return {}
    if Trait.KERNEL_WORKER in traits:
        return VIRTIO_SENDER
    return IVSHMEM if Trait.IVSHMEM in traits else VIRTIO_DISK


def settled_by_qemu(tables: Tables) -> Iterator[tuple[str, str, str]]:
    """(table, key, problem) of every value that a device of QEMU's does not have."""
    for table, keys in settled(tables).items():
        for key, only in keys.items():
            if table in tables and tables[table][key] != only:
                shown = f"{only:#x}" if "address" in key else f"{only}".lower()
                machine = tables[""]["machine"]
                yield table, key, f"is QEMU's to settle: with {machine} it can only be {shown}"


def effective(tables: Tables) -> dict[str, dict[str, Any]]:
    """The same tables with what does nothing as if it had not been asked for: a recording may be older than a limit."""
    made = {name: dict(table) for name, table in tables.items()}
    for limit in LIMITS:
        if limit.table in made and limit.holds(made):
            made[limit.table][limit.key] = limit.default
    return made


def useless(tables: Tables) -> Iterator[tuple[str, str, str]]:
    """(table, key, problem) of every setting that asks for something and does nothing."""
    for limit in limits_of(tables):
        value = tables[limit.table][limit.key]
        if value != limit.default:
            yield limit.table, limit.key, limit.about(value)


def without_effect(tables: Tables) -> set[tuple[str, str]]:
    """(table, key) of every setting that could do nothing, whatever it was."""
    by_qemu = {(table, key) for table, keys in settled(tables).items() for key in keys}
    return by_qemu | {(limit.table, limit.key) for limit in limits_of(tables)}
