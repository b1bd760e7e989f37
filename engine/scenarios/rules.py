"""What a scenario file may hold: a rule for every key, and where in the text a mistake is.

contradictions.py says which values do not go together, in_force.py which ones do nothing; tables.py applies them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.errors import ScenarioError
from bellwire.engine.events import EventKind
from bellwire.engine.kvm.gsi import GSI_COUNT
from bellwire.engine.scenarios.machine_kinds import MACHINES, ONE_GUEST, SIGNALLERS

GUESTS = Path(__file__).resolve().parents[2] / "guests"
GROUPS = (  # in the order in which they are best met
    *("Round trip", "Doorbells", "Matching", "Interrupts", "Levels, masks, windows", "Coalescing"),
    *("Kernel only", "Virtio", "Real QEMU", "Labs"),
)
# What the first line of each guests/*.c says of it; a wheel has the images alone.
DEVICES = tuple(f"virtio-{kind}{bus}" for kind in ("blk", "net", "vsock") for bus in ("", "-pci"))
PEERS = ("neighbour", "ivshmem")
LISTENERS = ("listen", "roundtrip", "storm", "window", "selfring", "virtqueue", *PEERS, *DEVICES)  # programs
RINGERS = ("doorbell", "queues", "coalesced", "crash", *LISTENERS[1:])
WAITERS = ("roundtrip", "storm", "window", "selfring", *DEVICES)  # that ring no further before they are answered
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
QEMU_DOORBELL = lib.BW_PCI_REGISTERS + 0x3000  # where in its registers QEMU's virtio devices have it
QEMU_SENDER_DOORBELL = QEMU_DOORBELL + 4  # and that of queue 1, by which network card and socket are sent to
PEER_DOORBELL = lib.BW_PCI_REGISTERS + lib.BW_IVSHMEM_DOORBELL  # of ivshmem, and what rings vector 0 of peer 1 there
PEER_VALUE = 1 << lib.BW_IVSHMEM_PEER_SHIFT
QEMU_GSI = 2  # the first that QEMU finds free for a message
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
    return (
        isinstance(value["do"], str)
        and value["do"] in STEPS
        and all(type(number) is int and 0 <= number < 1 << 32 for number in numbers)
    )


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
    "qemu": {
        "device": optional(choice("virtio-blk", "vhost-user-blk"), "virtio-blk"),
        "io_thread": optional(flag(), False),
    },
    "pace": {
        "per_second": rate(),
        "burst": optional(whole_number(1, 1000), 1),
        "idle": optional(choice("hlt", "spin"), "hlt"),
    },
    "lab": {"steps": steps(), "repeat_ms": optional(whole_number(0, 600_000), 0)},
    "expect": {"order": kinds(), "ends": optional(flag(), False)},
}
OPTIONAL_TABLES = ("doorbell", "interrupt", "virtqueue", "qemu", "lab")

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
# The same, of one value of it.
TAKEN_ALONG = {
    ("route", "ioapic"): ("ioctl",),  # a message raises no pin
    ("waits", True): ("ioctl",),  # there none is called
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


def handler_vector(interrupt: Mapping[str, Any]) -> int:
    """The vector whose handler does what this interrupt needs."""
    if not interrupt["eoi"]:
        return VECTORS["no-eoi"]
    needs_ack = interrupt["trigger"] == "level" and not interrupt["irqfd"]
    return VECTORS["ack"] if needs_ack else VECTORS[interrupt["route"]]


def by_message(interrupt: Mapping[str, Any] | None) -> bool:
    """Whether every interrupt that there is goes as a message."""
    return interrupt is None or (interrupt["route"] == "msi" and interrupt["ioctl"] == "signal-msi")
