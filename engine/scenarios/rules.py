"""What a scenario file may hold: a rule for every key, and where in the text a mistake is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.errors import ScenarioError
from bellwire.engine.events import EventKind
from bellwire.engine.kvm.gsi import GSI_COUNT
from bellwire.engine.scenarios.machine_kinds import LABS, MACHINES, ONE_GUEST, SIGNALLERS, SPLIT, mismatches, with_vcpu

GUESTS = Path(__file__).resolve().parents[2] / "guests"
GROUPS = (  # in the order in which they are best met
    *("Round trip", "Doorbells", "Matching", "Interrupts", "Levels, masks, windows", "Coalescing"),
    *("Kernel only", "Virtio", "Labs"),
)
# What the first line of each guests/*.c says of it; a wheel has the images alone.
LISTENERS = ("listen", "roundtrip", "storm", "window", "neighbour", "selfring", "virtqueue", "virtio-blk")  # programs
RINGERS = ("doorbell", "queues", "coalesced", "crash", *LISTENERS[1:])
FLAT_OUT = "flat-out"
REQUIRED = object()

VCPU_MEMORY_END = 2 * lib.BW_VCPU_MEMORY  # of two vCPUs' memory
MEMORY = lib.BW_MEMORY_SIZE  # the guest's RAM, from 0
APICS = lib.BW_IOAPIC  # from here on the IOAPIC and the local APIC
PAGE, ADDRESS_STRIDE = lib.BW_PAGE_SIZE, lib.BW_ADDRESS_STRIDE
LEGACY_PORTS, EDGE_LEVEL_PORTS = 0x100, (0x4D0, 0x4D1)
KERNEL_PORTS = {*range(LEGACY_PORTS), *EDGE_LEVEL_PORTS}  # where PIC, PIT and speaker answer in the kernel
ADDRESSES = {"pio": 0x510, "mmio": 0xD0000000}  # where no device is
VECTORS: dict[str, int] = {  # for which the guests have a handler
    "msi": lib.BW_VECTOR_MSI,
    "ioapic": lib.BW_VECTOR_IOAPIC,
    "ack": lib.BW_VECTOR_ACK,
    "no-eoi": lib.BW_VECTOR_NO_EOI,
}
STEPS = {  # what a step of a lab can do, and the table that it needs; engine/machines/lab.py does it
    **dict.fromkeys(("ioeventfd-on", "ioeventfd-off", "datamatch", "length", "ring"), "doorbell"),
    **dict.fromkeys(("irqfd-on", "irqfd-off", "interrupt", "second-irqfd", "mask", "unmask"), "interrupt"),
    **dict.fromkeys(("storm", "crash"), ""),
}
STEP_PROGRAMS = {"storm": "storm", "crash": "crash"}  # the guest that such a step needs
PINS = lib.BW_IOAPIC_PINS
GSIS = {"msi": PINS, "ioapic": 5}  # MSI above the pins; a pin that no legacy device uses


@dataclass(frozen=True)
class Rule:
    """What a key may hold. `allowed` ends the sentence "... is allowed"; `parse` reads it from a command line."""

    allowed: str
    accepts: Callable[[Any], bool]
    parse: Callable[[str], Any] = str
    default: Any = REQUIRED


def text() -> Rule:
    """One or more words."""
    return Rule("a text that is not empty", lambda value: isinstance(value, str) and bool(value.strip()))


def choice(*values: Any) -> Rule:
    """One of a few."""
    known = {str(value): value for value in values}
    return Rule(
        "one of " + ", ".join(known),
        lambda value: any(value == known and type(value) is type(known) for known in values),
        lambda word: known.get(word, word),
    )


def whole_number(low: int, high: int, base: str = "d") -> Rule:
    """A whole number, shown in decimal or, with base "#x", in hexadecimal."""
    return Rule(
        f"a whole number from {low:{base}} to {high:{base}}",
        lambda value: type(value) is int and low <= value <= high,
        lambda word: int(word, 0),
    )


def flag() -> Rule:
    """True or false in a file; on or off on the command line."""
    words = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}
    return Rule("on (true) or off (false)", lambda value: isinstance(value, bool), lambda word: words.get(word, word))


def rate() -> Rule:
    """Signals a second. Below one a second is by hand: SETTING events carry whole numbers."""

    def accepts(value: Any) -> bool:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value == 0 or 1 <= value <= 1_000_000
        return bool(value == FLAT_OUT)

    allowed = f'0 (by hand only), a number from 1 to 1000000, or "{FLAT_OUT}"'
    return Rule(allowed, accepts, lambda word: word if word == FLAT_OUT else float(word))


def guest() -> Rule:
    """A guest program: one that is there as an image or as its source."""
    names = sorted({path.stem for pattern in ("*.bin", "*.c") for path in GUESTS.glob(pattern)})
    return choice(*names)


def kinds() -> Rule:
    """Names of event kinds."""
    names = [kind.name for kind in EventKind]
    return Rule(
        "a list of two or more of " + ", ".join(names),
        lambda value: isinstance(value, list) and len(value) > 1 and all(kind in names for kind in value),
    )


def steps() -> Rule:
    """Steps of a lab, in the order of their time."""

    def accepts(value: Any) -> bool:
        return isinstance(value, list | tuple) and 0 < len(value) <= 32 and all(map(is_step, value)) and in_time(value)

    does = ", ".join(STEPS)
    return Rule(f"a list of {{at_ms = 500, do = ..., value = ...}} with rising at_ms, do is one of {does}", accepts)


def is_step(value: Any) -> bool:
    """Whether this is one step of a lab."""
    if not isinstance(value, dict) or not {"at_ms", "do"} <= value.keys() <= {"at_ms", "do", "value"}:
        return False
    numbers = (value["at_ms"], value.get("value", 1))
    return value["do"] in STEPS and all(type(number) is int and 0 <= number < 1 << 32 for number in numbers)


def in_time(steps: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each step is later than the one before."""
    return all(step["at_ms"] < later["at_ms"] for step, later in pairwise(steps))


def optional(rule: Rule, default: Any) -> Rule:
    """The same, but a file need not have it."""
    return replace(rule, default=default)


RULES: dict[str, dict[str, Rule]] = {
    "": {
        "title": text(),
        "group": choice(*GROUPS),
        "rank": optional(whole_number(1, 999), 500),
        "purpose": text(),
        "shows": text(),
        "guest": guest(),
        "machine": optional(choice(*MACHINES), ONE_GUEST.name),
        "irqchip": optional(choice("full", "split"), "full"),
    },
    "doorbell": {
        "bus": choice("pio", "mmio"),
        "address": optional(whole_number(0, 2**32 - 1, "#x"), None),
        "length": choice(0, 1, 2, 4, 8),
        "width": optional(choice(1, 2, 4, 8), None),
        "value": optional(whole_number(0, 2**64 - 1), 0),
        "ioeventfd": optional(flag(), True),
        "ioeventfd_address": optional(whole_number(0, 2**32 - 1, "#x"), None),
        "datamatch": optional(whole_number(0, 2**64 - 1), None),
        "queues": optional(whole_number(1, lib.BW_QUEUES_MAX), 1),
        "addresses": optional(whole_number(1, lib.BW_QUEUES_MAX), 1),
        "coalesced": optional(flag(), False),
    },
    "interrupt": {
        "route": choice("msi", "ioapic"),
        "gsi": optional(whole_number(0, GSI_COUNT - 1), None),
        "vector": optional(whole_number(0x10, 0xFF, "#x"), None),
        "vcpu": optional(whole_number(0, 1), 0),
        "ioctl": optional(choice("irq-line", "signal-msi"), "signal-msi"),
        "irqfd": optional(flag(), True),
        "waits": optional(flag(), False),
        "trigger": optional(choice("edge", "level"), "edge"),
        "masked": optional(flag(), False),
        "eoi": optional(flag(), True),
        "irqfds": optional(whole_number(1, lib.BW_QUEUES_MAX), 1),
        "hold_us": optional(whole_number(0, 100_000), 0),
        "reroute_ms": optional(whole_number(0, 10_000), 0),
        "by": choice("guest", "host", *SIGNALLERS),
    },
    "virtqueue": {
        "event_idx": optional(flag(), False),
        "work_us": optional(whole_number(0, 10_000), 0),
    },
    "pace": {
        "per_second": rate(),
        "burst": optional(whole_number(1, 1000), 1),
        "idle": optional(choice("hlt", "spin"), "hlt"),
    },
    "lab": {"steps": steps(), "repeat_ms": optional(whole_number(0, 600_000), 0)},
    "expect": {"order": kinds(), "ends": optional(flag(), False)},
}
OPTIONAL_TABLES = ("doorbell", "interrupt", "virtqueue", "lab")

# What `--set` can change, and the table and key that it is.
SETTINGS = {
    **{"pace" if key == "per_second" else key: ("pace", key) for key in RULES["pace"]},
    **{key: (table, key) for table in OPTIONAL_TABLES[:-1] for key in RULES[table] if key != "by"},
}
# Keys that follow from another one unless they are given themselves.
DERIVED = {
    "length": ("width",),
    "bus": ("address", "ioeventfd_address", "width"),
    "address": ("ioeventfd_address",),
    "route": ("gsi", "vector"),
    "trigger": ("vector",),
    "irqfd": ("vector",),
    "eoi": ("vector",),
}


class Origin:
    """Where the tables come from, so that a mistake can be pointed at."""

    def __init__(self, text: str, file: str = "") -> None:
        self.lines, self.file = text.splitlines(), file

    def error(self, table: str, key: str, problem: str) -> ScenarioError:
        """One line: file and line if there is a file, the key, the problem."""
        place = f"{self.file}:{self.line_of(table, key)}: " if self.file else ""
        return ScenarioError(f"{place}{'.'.join(filter(None, (table, key)))}: {problem}")

    def line_of(self, table: str, key: str) -> int:
        """The line (from 1) of a key; of its table if the key is missing; 1 if that is missing too."""
        found, current = 1, ""
        for number, line in enumerate(self.lines, 1):
            if header := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
                current = header[1]
                found = number if current in (table, key) else found
            name = re.match(r"""\s*["']?([\w-]+)["']?\s*[.=]""", line)
            if name and (current, name[1]) in ((table, key), ("", table)):
                return number
        return found


def parsed_setting(table: str, key: str, word: str) -> Any:
    """A setting's value from the command line. What cannot be parsed stays a text, which its rule then refuses."""
    try:
        return RULES[table][key].parse(word)
    except ValueError:
        return word


def checked(tables: Mapping[str, Any], origin: Origin) -> dict[str, dict[str, Any]]:
    """The values of all tables, defaults filled in; the table "" has the keys above the first header."""
    top = {key: value for key, value in tables.items() if key not in RULES}
    values = {"": checked_table("", top, origin)}
    for name in filter(None, RULES):
        if name in tables:
            values[name] = checked_table(name, tables[name], origin)
        elif name not in OPTIONAL_TABLES:
            raise origin.error(name, "", f"the table [{name}] is missing")
    for table, key, problem in contradictions(values):
        raise origin.error(table, key, problem)
    return values


def checked_table(name: str, table: Any, origin: Origin) -> dict[str, Any]:
    """One table's values, each held against its rule."""
    rules = RULES[name]
    if not isinstance(table, dict):
        raise origin.error(name, "", "must be a table")
    for key in table:
        if key not in rules:
            tables = [] if name else [f"[{table}]" for table in RULES if table]
            raise origin.error(name, key, f"unknown; allowed are {', '.join([*rules, *tables])}")
    values = {key: table.get(key, rule.default) for key, rule in rules.items()}
    for key, value in values.items():
        if value is REQUIRED:
            raise origin.error(name, key, f"missing; {rules[key].allowed} is needed")
        if key in table and not rules[key].accepts(value):
            raise origin.error(name, key, f"{as_toml(value)} is not allowed; allowed is {rules[key].allowed}")
    return with_derived(name, values)


def as_toml(value: Any) -> str:
    """A value as a TOML file would write it."""
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def with_derived(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """The values with what follows from others filled in."""
    follows: dict[str, Any] = {}
    if name == "doorbell":
        follows = {"address": ADDRESSES[values["bus"]], "width": values["length"] or 4}
    if name == "interrupt":
        follows = {"gsi": GSIS[values["route"]], "vector": handler_vector(values)}
    values = values | {key: value for key, value in follows.items() if values[key] is None}
    if name == "doorbell" and values["ioeventfd_address"] is None:
        values["ioeventfd_address"] = values["address"]
    return values


def handler_vector(interrupt: Mapping[str, Any]) -> int:
    """The vector whose handler does what this interrupt needs."""
    if not interrupt["eoi"]:
        return VECTORS["no-eoi"]
    needs_ack = interrupt["trigger"] == "level" and not interrupt["irqfd"]
    return VECTORS["ack"] if needs_ack else VECTORS[interrupt["route"]]


def contradictions(values: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """(table, key, problem) wherever values that are allowed alone do not go together."""
    doorbell, interrupt, program = values.get("doorbell"), values.get("interrupt"), values[""]["guest"]
    machine = MACHINES[values[""]["machine"]]
    if doorbell is None and program in RINGERS:
        yield "", "guest", f'"{program}" rings doorbells, so the table [doorbell] is needed'
    if interrupt is None and program in LISTENERS:
        yield "", "guest", f'"{program}" waits for interrupts, so the table [interrupt] is needed'
    yield from mismatches(values)
    if values[""]["irqchip"] == "split" and not (machine.split and by_message(interrupt)):
        with_it = f"it goes with the machine {', '.join(SPLIT)} and the route msi"
        yield "", "irqchip", f'"split" has no IOAPIC in the kernel: {with_it}'
    if machine.vcpus > 1:
        yield from vcpu_contradictions(machine.name, doorbell, interrupt)
    if interrupt is not None and interrupt["vcpu"] >= machine.vcpus:
        yield "interrupt", "vcpu", f"{interrupt['vcpu']} needs the machine {with_vcpu(interrupt['vcpu'])}"
    if "lab" in values:
        yield from lab_contradictions(values)
    if doorbell is not None:
        yield from doorbell_contradictions(doorbell, program)
    if interrupt is not None:
        yield from interrupt_contradictions(interrupt, doorbell is not None)


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


def lab_contradictions(values: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """A lab breaks what is there."""
    lab, doorbell, interrupt = values["lab"], values.get("doorbell"), values.get("interrupt")
    if values[""]["machine"] not in LABS:
        yield "lab", "", f"goes with the machine {', '.join(LABS)} only"
    if 0 < lab["repeat_ms"] < lab["steps"][-1]["at_ms"]:
        yield "lab", "repeat_ms", "must not be earlier than the last step"
    for do in (step["do"] for step in lab["steps"]):
        if STEPS[do] not in values:
            yield "lab", "steps", f"{do} needs the table [{STEPS[do]}]"
        if do in ("mask", "unmask") and interrupt is not None and interrupt["route"] != "ioapic":
            yield "lab", "steps", f"{do} needs the route ioapic, whose pins can be masked"
        if do in ("datamatch", "length") and doorbell is not None and doorbell["queues"] > 1:
            yield "lab", "steps", f"{do} needs one queue"
        if values[""]["guest"] != STEP_PROGRAMS.get(do, values[""]["guest"]):
            yield "lab", "steps", f'{do} needs the guest "{STEP_PROGRAMS[do]}"'


def by_message(interrupt: Mapping[str, Any] | None) -> bool:
    """Whether every interrupt that there is goes as a message."""
    return interrupt is None or (interrupt["route"] == "msi" and interrupt["ioctl"] == "signal-msi")


def doorbell_contradictions(doorbell: Mapping[str, Any], program: str) -> Iterator[tuple[str, str, str]]:
    """The address must be one that nothing else answers, and the write one instruction that stays whole."""
    address, width = doorbell["address"], doorbell["width"]
    if doorbell["queues"] > 1 and (doorbell["addresses"] > 1 or doorbell["datamatch"] is not None):
        yield "doorbell", "queues", "go without datamatch and addresses: the queues are told apart by the value"
    if max(doorbell["queues"], doorbell["addresses"]) > 1 and program != "queues":
        yield "doorbell", "queues", 'and addresses need the guest "queues", which takes them in turn'
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
    if interrupt["trigger"] == "level" and not (route == "ioapic" and interrupt["by"] == "host"):
        yield "interrupt", "trigger", '"level" needs the route ioapic and by = "host"'
    if interrupt["trigger"] == "level" and interrupt["ioctl"] != "irq-line":
        yield "interrupt", "ioctl", "irq-line is needed with a level: a message has none"
    if interrupt["masked"] and (route != "ioapic" or interrupt["by"] != "host"):
        yield (
            "interrupt",
            "masked",
            'needs the route ioapic, whose pins can be masked, and by = "host": no answer comes',
        )
    if interrupt["reroute_ms"] and route != "msi":
        yield "interrupt", "reroute_ms", "needs the route msi: the other route is one with another vector"
    if interrupt["by"] != "host" and not has_doorbell:
        yield "interrupt", "by", f'"{interrupt["by"]}" is not allowed; without a [doorbell] only "host" is'
