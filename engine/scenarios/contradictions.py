"""Values of a scenario file that are allowed alone and do not go together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.scenarios.in_force import settled_by_qemu, useless
from bellwire.engine.scenarios.machine_kinds import LABS, MACHINES, SPLIT, mismatches
from bellwire.engine.scenarios.rules import (
    ADDRESS_STRIDE,
    APICS,
    EDGE_LEVEL_PORTS,
    KERNEL_PORTS,
    LEGACY_PORTS,
    LISTENERS,
    MEMORY,
    PAGE,
    PINS,
    RINGERS,
    STEP_PROGRAMS,
    STEPS,
    VCPU_MEMORY_END,
    by_message,
    handler_vector,
)


def contradictions(values: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """(table, key, problem) wherever values that are allowed alone do not go together."""
    doorbell, interrupt, program = values.get("doorbell"), values.get("interrupt"), values[""]["guest"]
    machine = MACHINES[values[""]["machine"]]
    if doorbell is None and program in RINGERS:
        yield "", "guest", f'"{program}" rings doorbells, so the table [doorbell] is needed'
    if interrupt is None and program in LISTENERS:
        yield "", "guest", f'"{program}" waits for interrupts, so the table [interrupt] is needed'
    yield from mismatches(values)
    if values[""]["irqchip"] == "split":
        yield from split_contradictions(machine.split, interrupt)
    if machine.vcpus > 1:
        yield from vcpu_contradictions(machine.name, doorbell, interrupt)
    yield from settled_by_qemu(values)
    if "qemu" in values and doorbell is not None and interrupt is not None:
        yield from qemu_contradictions(doorbell["ioeventfd"], interrupt["irqfd"], values["qemu"])
    if "lab" in values:
        yield from lab_contradictions(values)
    yield from useless(values)
    if doorbell is not None:
        yield from doorbell_contradictions(doorbell)
    if interrupt is not None:
        yield from interrupt_contradictions(interrupt, doorbell is not None)


def split_contradictions(may: bool, interrupt: Mapping[str, Any] | None) -> Iterator[tuple[str, str, str]]:
    """Only the local APICs are in the kernel: messages are all that there is. may: whether the machine may be so."""
    if not may or (interrupt is not None and interrupt["route"] != "msi"):
        with_it = f"it goes with the machine {', '.join(SPLIT)} and the route msi"
        yield "", "irqchip", f'"split" has no IOAPIC in the kernel: {with_it}'
    elif not by_message(interrupt):
        why = 'irq-line raises a pin, and irqchip = "split" has none in the kernel: use signal-msi'
        yield "interrupt", "ioctl", why


def vcpu_contradictions(
    machine: str, doorbell: Mapping[str, Any] | None, interrupt: Mapping[str, Any] | None
) -> Iterator[tuple[str, str, str]]:
    """Two vCPUs ring or are interrupted: an answer would have to know whom it is for."""
    if doorbell is not None and interrupt is not None:
        yield "", "machine", f'"{machine}" goes with [doorbell] or [interrupt], not with both'
    if doorbell is not None and (doorbell["queues"] > 1 or doorbell["addresses"] > 1 or doorbell["coalesced"]):
        yield "", "machine", f'"{machine}" goes without queues, addresses and coalesced: both ring one eventfd'
    if doorbell is not None and doorbell["bus"] == "mmio" and doorbell["address"] < VCPU_MEMORY_END:
        yield (
            "doorbell",
            "address",
            f"{doorbell['address']:#x} is not allowed; vCPUs have memory up to {VCPU_MEMORY_END:#x}",
        )
    if interrupt is not None and not by_message(interrupt):
        yield "interrupt", "route", "msi and the ioctl signal-msi are needed: a message names the vCPU that it goes to"


def qemu_contradictions(ioeventfd: bool, irqfd: bool, qemu: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Of a device without ioeventfd QEMU registers no irqfd, and gives it neither a thread nor a process."""
    if ioeventfd is not irqfd:
        yield "interrupt", "irqfd", "and ioeventfd are on or off together: QEMU registers both, or none"
    if qemu["io_thread"] and not ioeventfd:
        yield "qemu", "io_thread", "must be off where ioeventfd is: nothing would wake the thread"
    if qemu["device"] != "virtio-blk":
        if not ioeventfd:
            yield "qemu", "device", "must be virtio-blk where ioeventfd is off: nothing would wake another process"
        if qemu["io_thread"]:
            yield "qemu", "io_thread", "must be off with device = vhost-user-blk, which another process serves"


def lab_contradictions(values: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """A lab breaks what is there."""
    lab, doorbell, interrupt = values["lab"], values.get("doorbell"), values.get("interrupt")
    if values[""]["machine"] not in LABS:
        yield "lab", "", f"goes with the machine {', '.join(LABS)} only"
    if 0 < lab["repeat_ms"] < lab["steps"][-1]["at_ms"]:
        yield "lab", "repeat_ms", "must not be earlier than the last step"
    for do, value in ((step["do"], step.get("value", 1)) for step in lab["steps"]):
        if STEPS[do] not in values:
            yield "lab", "steps", f"{do} needs the table [{STEPS[do]}]"
        if do in ("mask", "unmask") and interrupt is not None and interrupt["route"] != "ioapic":
            yield "lab", "steps", f"{do} needs the route ioapic, whose pins can be masked"
        if (
            do in ("mask", "unmask", "irqfd-on", "irqfd-off")
            and interrupt is not None
            and interrupt["trigger"] == "level"
        ):
            yield "lab", "steps", f'{do} needs trigger = "edge": a level stays as it was when the guest booted'
        if do in ("datamatch", "length") and doorbell is not None:
            yield from registration_contradictions(do, value, doorbell, lab["steps"])
        if values[""]["guest"] != STEP_PROGRAMS.get(do, values[""]["guest"]):
            yield "lab", "steps", f'{do} needs the guest "{STEP_PROGRAMS[do]}"'


def registration_contradictions(
    do: str, value: int, doorbell: Mapping[str, Any], steps: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[str, str, str]]:
    """What a lab registers anew must be what KVM takes: it would end the run."""
    if doorbell["queues"] > 1:
        yield "lab", "steps", f"{do} needs one queue"
    lengths = (0, 1, 2, 4) if doorbell["bus"] == "pio" else (0, 1, 2, 4, 8)
    if do == "length" and value not in lengths:
        yield "lab", "steps", f"length {value} is not allowed; allowed here is one of {', '.join(map(str, lengths))}"
    to_any = any(step["do"] == "length" and step.get("value", 1) == 0 for step in steps)
    any_length = doorbell["length"] == 0 or to_any
    if any_length and (do == "datamatch" or doorbell["datamatch"] is not None):
        yield "lab", "steps", f"{do} meets length 0, any, with which KVM compares no value: let one of the two out"


def doorbell_contradictions(doorbell: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The address must be one that nothing else answers, and the write one instruction that stays whole."""
    address, width = doorbell["address"], doorbell["width"]
    if doorbell["queues"] > 1 and (doorbell["addresses"] > 1 or doorbell["datamatch"] is not None):
        yield "doorbell", "queues", "go without datamatch and addresses: the queues are told apart by the value"
    if doorbell["queues"] > 1 and not doorbell["length"]:
        yield "doorbell", "queues", "need a length: with length 0, any, KVM compares no value"
    if doorbell["bus"] == "pio":
        if address > 0xFFFF or address in KERNEL_PORTS or address == lib.BW_PORT_EXIT:
            taken = ", ".join(f"{port:#x}" for port in (*EDGE_LEVEL_PORTS, lib.BW_PORT_EXIT))
            allowed = f"on the bus pio is a port from {LEGACY_PORTS:#x} to 0xffff but {taken}"
            yield "doorbell", "address", f"{address:#x} is not allowed; allowed {allowed}"
        if 8 in (width, doorbell["length"]):
            key = "length" if doorbell["length"] == 8 else "width"
            yield "doorbell", key, "8 is not allowed; allowed on the bus pio is 1, 2 or 4 (length also 0)"
    elif not MEMORY <= address <= APICS - 8:
        allowed = f"on the bus mmio is a whole number from {MEMORY:#x} to {APICS - 8:#x}"
        yield "doorbell", "address", f"{address:#x} is not allowed; allowed {allowed}"
    elif address % PAGE + width + (doorbell["addresses"] - 1) * ADDRESS_STRIDE > PAGE:
        yield "doorbell", "address", f"{address:#x} is not allowed; {width} bytes from there cross into the next page"
    if doorbell["datamatch"] is not None and not doorbell["length"]:
        yield "doorbell", "datamatch", "is not allowed; with length 0, any, KVM compares no value"
    if doorbell["value"] >= 1 << 8 * width:
        yield "doorbell", "value", f"{doorbell['value']} is not allowed; it does not fit into {width} bytes"


def interrupt_contradictions(interrupt: Mapping[str, Any], has_doorbell: bool) -> Iterator[tuple[str, str, str]]:
    """The route must be one that KVM takes and for which the guest has a handler."""
    route, vector, gsi = interrupt["route"], interrupt["vector"], interrupt["gsi"]
    if vector != handler_vector(interrupt):
        allowed = f"for the route {route} is {handler_vector(interrupt):#x}"
        yield "interrupt", "vector", f"{vector:#x} is not allowed; allowed {allowed}"
    if route == "ioapic" and gsi >= PINS:
        yield "interrupt", "gsi", f"{gsi} is not allowed; allowed for the route ioapic is a pin from 0 to {PINS - 1}"
    if interrupt["trigger"] == "level" and interrupt["ioctl"] != "irq-line":
        yield "interrupt", "ioctl", 'irq-line is needed with trigger = "level": a message has none'
    if interrupt["by"] != "host" and not has_doorbell:
        yield "interrupt", "by", f'"{interrupt["by"]}" is not allowed; without a [doorbell] only "host" is'
