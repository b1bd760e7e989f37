"""What a recording holds, from the code that writes it: columns, kinds of events, numbers that have names."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from enum import IntEnum

from bellwire.engine.events import (
    FUNCTIONS,
    PROBES_BIT,
    PROBES_LACK_BIT,
    STATS,
    TRACEPOINTS,
    EventfdRole,
    EventfdSignaller,
    EventKind,
    IrqIoctl,
    Lane,
    Operation,
    ProbesLack,
    Setting,
    Switch,
    ThreadRole,
)
from bellwire.engine.folds.beginning import Before
from bellwire.engine.recordings.header import COLUMNS, ENUMS, FIELDS

MEMBER = re.compile(r"    (?P<name>[A-Z_]+) = \d+(?:\s+# (?P<remark>.*))?")
NAMED: dict[str, type[IntEnum]] = {  # by their name in the file
    "lanes": Lane,
    "switches": Switch,
    "settings": Setting,
    "eventfds": EventfdRole,
    "irq_ioctls": IrqIoctl,
    "thread_roles": ThreadRole,
    "operations": Operation,
    "befores": Before,
    "eventfd_signallers": EventfdSignaller,
    "probes_lacks": ProbesLack,
}
HOLDERS = {  # where their numbers stand
    "lanes": "`lane` of every event; `id` of LOST",
    "switches": "`id` of WIRE",
    "settings": "`id` of SETTING",
    "eventfds": "`id` of COUNT",
    "irq_ioctls": "`id` of IRQ_IOCTL",
    "thread_roles": "`id` of WAKING, RUNS, WRITE and WRITTEN, its lowest 4 bits",
    "operations": "`id` of REFUSED",
    "befores": "`id` of BEFORE",
    "eventfd_signallers": "`id` of EVENTFD_SIGNAL",
    "probes_lacks": f"`arg` of the SETTING KERNEL from bit {PROBES_LACK_BIT} on",
}


def column_table() -> str:
    """Name, type and meaning of each column."""
    rows = ((f"`{field.name}`", str(field.type), linked(COLUMNS[field.name])) for field in FIELDS)
    return table(("Column", "Type", "What it holds"), rows)


def kind_table() -> str:
    """Number, name and meaning of each kind of event."""
    told = remarks(EventKind)
    rows = ((f"{kind.value} `{kind.name}`", led_on(told[kind.name])) for kind in sorted(EventKind))
    return table(("Kind", "What happened"), rows)


def number_tables() -> str:
    """A table for each other number that has names in a recording."""
    parts = [part for name, numbers in NAMED.items() for part in numbers_of(name, numbers)]
    parts += ["### stats", "`id` of STAT: KVM's own counters, by the names that `KVM_GET_STATS_FD` gives."]
    parts += [listed({name: number for number, name in enumerate(STATS)})]
    parts += ["### tracepoints", "`arg` of the SETTING KERNEL: 2 to the power of each that is listened to, added up."]
    parts += [listed({name: number for number, name in enumerate(TRACEPOINTS)})]
    parts += ["### functions", "`arg` of the SETTING KERNEL as well: 2 to the power of each function that is probed."]
    parts += [listed({name: PROBES_BIT + number for number, name in enumerate(FUNCTIONS)})]
    parts += ["### exit_reasons", "`id` of EXIT and ENTRY: `KVM_EXIT_*` of `linux/kvm.h`."]
    return "\n\n".join([*parts, listed(ENUMS["exit_reasons"])])


def numbers_of(name: str, numbers: type[IntEnum]) -> Iterable[str]:
    """Its heading, where its numbers stand, and what each means."""
    told = remarks(numbers)
    head = ["Number", "Name", "What it means"] if any(told.values()) else ["Number", "Name"]
    rows = ([str(number.value), f"`{number.name}`", told[number.name]][: len(head)] for number in sorted(numbers))
    return f"### {name}", f"{HOLDERS[name]}.", table(head, rows)


def listed(numbers: dict[str, int]) -> str:
    """In a line."""
    return ", ".join(f"{number} `{name}`" for name, number in numbers.items()) + "."


def remarks(numbers: type[IntEnum]) -> dict[str, str]:
    """What the comment before a member says of it, or the one behind it; "" where there is none."""
    told, before = {}, list[str]()
    for line in inspect.getsource(numbers).splitlines():
        if member := MEMBER.fullmatch(line):
            told[member["name"]] = sentence(member["remark"] or " ".join(before))
        before = [*before, line.strip("# ")] if line.startswith("    # ") else []
    return told


def sentence(remark: str) -> str:
    """With a capital and a full stop, and the columns that it names as such."""
    text = re.sub(r" \(engine/[\w/.]+\)", "", remark.strip().rstrip("."))
    text = re.sub(r"^vCPU", "The vCPU", re.sub(r"^I/O", "The I/O", text))
    text = re.sub(r"(?<![\w`*])(id|seq|arg)(?= [a-zA-Z0-9])", r"`\1`", re.sub(r"([*|])", r"\\\1", text))
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def led_on(told: str) -> str:
    """Where `id` is a number that has a name, the word for it leads to the table of them."""
    names = {numbers.__name__: name for name, numbers in NAMED.items()} | {"STATS": "stats"}
    text = re.sub(r"KVM_EXIT_\S+ reason", "reason, of the [exit_reasons](#exit_reasons)", told)
    return re.sub(rf"\b(?:index into |the )?({'|'.join(names)})\b", lambda m: f"[{names[m[1]]}](#{names[m[1]]})", text)


def linked(told: str) -> str:
    """What stands for a table of the page leads there."""
    return re.sub(r"`(kinds|lanes)`", r"[`\1`](#\1)", told)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """In Markdown."""
    names = list(head)
    lines = [names, ["---"] * len(names), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
