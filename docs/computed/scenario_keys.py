"""The keys of a scenario's file, from the rules that the file is held to and what the code says of each."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from bellwire.engine.scenarios.rules import REQUIRED, RULES, SETTINGS, STEPS, Rule
from bellwire.engine.scenarios.scenario import Doorbell, Interrupt, Lab, Pace, QemuStart, Scenario, Virtqueue

OF_TABLE = {
    "": Scenario,
    "doorbell": Doorbell,
    "interrupt": Interrupt,
    "virtqueue": Virtqueue,
    "qemu": QemuStart,
    "pace": Pace,
    "lab": Lab,
    "expect": Scenario,
}
TOLD = re.compile(r"^    (\w+): [^#\n]*#\s*(.+)$", re.MULTILINE)
WORDS = {  # of what the code says elsewhere, or to those who read code
    "title": "what it is called",
    "group": "where it is listed; a file of your own is listed nowhere",
    "rank": "where it stands in its group",
    "purpose": "one line",
    "shows": "what to look at",
    "guest": "the program that runs in the VM",
    "machine": "how many guests and vCPUs, and who is at the other end",
    "irqchip": "`split`: only the local APICs are in the kernel",
    "bus": "I/O ports, or memory",
    "datamatch": "the only value that signals it; without it any value does",
    "route": "as a message, or by a pin of the IOAPIC",
    "vector": "that the guest is interrupted with",
    "vcpu": "to which a message goes",
    "ioctl": "what is used while the irqfd is off",
    "trigger": "of a pin; `level` stays high until the guest has seen it",
    "by": "`guest`: each read of a doorbell is answered; `host`: at the pace; the others are those of certain machines",
    "per_second": "turns a second",
    "burst": "signals a turn",
    "idle": "whether the guest halts or spins in between",
    "steps": "what happens by itself, and when",
    "order": "the events that each signal passes for certain, in this order: a claim that tests hold it to",
}
MANY = 200  # letters of what is allowed: then a list of names, which `bellwire run` prints whole


def keys_of_scenarios() -> str:
    """Markdown: a table of keys for each table of the file, and the steps of a lab."""
    pages = [section(name, rules) for name, rules in RULES.items()]
    steps = ", ".join(f"`{name}`" for name in STEPS)
    return "\n".join([line for page in pages for line in page] + [f"A lab's step does one of: {steps}."])


def section(name: str, rules: dict[str, Rule]) -> Iterator[str]:
    """The keys of one table of the file; KeyError for one of which nobody says what it is."""
    told = dict(TOLD.findall(inspect.getsource(OF_TABLE[name])))
    settings = set(SETTINGS.values())
    yield from (f"### {f'`[{name}]`' if name else 'At the top'}", "", "| Key | Allowed | Unless given | What it is |")
    yield "|---|---|---|---|"
    for key, rule in rules.items():
        mark = "" if (name, key) in settings else " *"
        what = WORDS.get(key) or plain(told[key])
        yield f"| `{key}`{mark} | {allowed(rule)} | {unless_given(rule.default)} | {what} |"
    yield ""


def allowed(rule: Rule) -> str:
    """What a key may hold."""
    return plain(rule.allowed if len(rule.allowed) <= MANY else rule.allowed[:MANY].rpartition(", ")[0] + ", …")


def unless_given(default: Any) -> str:
    """What holds for a file without the key."""
    if default is REQUIRED:
        return "required"
    return "follows from others" if default is None else f"`{str(default).lower()}`"


def plain(text: str) -> str:
    """Words of the code in a table's cell."""
    return re.sub(r"([|<>*_{}])", r"\\\1", text)
