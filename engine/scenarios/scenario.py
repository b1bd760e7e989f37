"""A scenario: which guest runs, how it is wired, how often it signals, and what that shows. Read from guests/*.toml.

A file is checked strictly: what is unknown, missing, of a wrong type or out of range is a ScenarioError, one line that
names file, line, key and what is allowed. The rules themselves are in engine/scenarios/rules.py.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from bellwire.engine.errors import ScenarioError
from bellwire.engine.events import EventKind
from bellwire.engine.foreign import LONGEST_NAME, shown
from bellwire.engine.host.text_files import small_file, toml_tables
from bellwire.engine.scenarios.in_force import without_effect
from bellwire.engine.scenarios.machine_kinds import MACHINES, MachineKind
from bellwire.engine.scenarios.rules import DERIVED, FLAT_OUT, GROUPS, GUESTS, SETTINGS, TAKEN_ALONG, Origin
from bellwire.engine.scenarios.tables import checked, parsed_setting
from bellwire.engine.scenarios.traits import Trait

DEFAULT = "roundtrip"
OWN = ".toml"  # what ends so is not the name of a scenario, but a file that describes one
LONGEST_TEXTS = {"title": 120, "purpose": 400, "shows": 4000}  # characters
LARGEST_FILE = 1 << 14  # bytes


@dataclass(frozen=True)
class Doorbell:
    """How the guest signals the host."""

    bus: str  # "pio" or "mmio"
    address: int  # I/O port, or guest-physical address
    length: int  # bytes that the ioeventfd is registered with; 0: any
    width: int  # bytes that the guest writes
    value: int  # what the guest writes
    ioeventfd: bool  # whether the ioeventfd is on at the start
    ioeventfd_address: int  # where it is registered
    datamatch: int | None  # the only value that signals it; None: any
    queues: int  # eventfds: the guest writes the values 0 to this - 1 in turn, and each is another one's datamatch
    addresses: int  # that the guest writes in turn, ADDRESS_STRIDE apart, each with an ioeventfd of the one eventfd
    coalesced: bool  # whether KVM keeps what no ioeventfd takes in its ring of coalesced writes

    @property
    def hit(self) -> bool:
        """Whether the ioeventfd takes what the guest writes: a miss leaves to user space, as if there were none."""
        return not self.differs

    @property
    def differs(self) -> Literal["", "address", "length", "value"]:
        """What of the guest's write is not what the ioeventfd waits for; "" if it takes it."""
        if self.address != self.ioeventfd_address:
            return "address"
        if self.length not in (0, self.width):
            return "length"
        return "" if self.queues > 1 or self.datamatch in (None, self.value) else "value"

    @property
    def leaves(self) -> bool:
        """Whether a doorbell leaves to user space, with the wiring that the scenario starts with."""
        return not (self.ioeventfd and self.hit) and not self.coalesced


@dataclass(frozen=True)
class Interrupt:
    """How the host signals the guest."""

    route: str  # "msi" or "ioapic"
    gsi: int  # of an IOAPIC route also the pin
    vector: int
    vcpu: int  # that a message goes to
    # What is used while the irqfd is off: "irq-line" (KVM_IRQ_LINE) or "signal-msi" (KVM_SIGNAL_MSI).
    ioctl: str  # of no use if direct
    irqfd: bool  # whether the irqfd is on at the start
    waits: bool  # whether, while it is off, nothing is used instead: the host writes the eventfd, which keeps the count
    trigger: str  # of a pin: "edge" or "level", which stays high until the guest has seen it
    masked: bool  # whether the pin is masked at the start
    eoi: bool  # whether the guest's handler ends the interrupt
    irqfds: int  # eventfds, all of the one GSI, signalled in turn
    hold_us: int  # how long the guest keeps interrupts off once it is interrupted
    reroute_ms: int  # how often the engine changes the route, to another vector and back; 0: never
    # "guest": each read of a doorbell is answered; "host": the host signals at the pace; "doorbell": Scenario.direct;
    # "device": the device of a virtqueue tells of used buffers, which need not be those of a certain doorbell;
    # "partner", "qemu": another process reads each doorbell and answers it by one interrupt;
    # "vhost": a worker of the kernel is woken by each and does.
    by: str


@dataclass(frozen=True)
class Virtqueue:
    """How driver and device signal each other, and how busy the device is."""

    event_idx: bool  # VIRTIO_F_EVENT_IDX: whether each side says up to where it wants to hear nothing
    work_us: int  # how long the device works on each buffer


@dataclass(frozen=True)
class QemuStart:
    """How QEMU is started."""

    device: str  # "virtio-blk", which QEMU serves, or "vhost-user-blk", which qemu-storage-daemon does
    io_thread: bool  # whether the device has a thread of its own; else QEMU's main loop serves it


@dataclass(frozen=True)
class LabStep:
    """What a lab does by itself: `do` is one of STEPS of engine/scenarios/rules.py."""

    at_ms: int  # after the start
    do: str
    value: int = 1


@dataclass(frozen=True)
class Lab:
    """How a scenario breaks, and is mended, by itself."""

    steps: tuple[LabStep, ...]
    repeat_ms: int  # when they begin again; 0: never


@dataclass(frozen=True)
class Pace:
    """How often, how many at once, and what the guest does in between."""

    per_second: float  # ticks a second; math.inf: flat out; 0: by hand only
    burst: int  # signals a tick
    idle: str  # "hlt" or "spin"


@dataclass(frozen=True)
class Scenario:
    """One scenario, complete and checked."""

    name: str
    title: str
    group: str
    rank: int  # where it stands in its group; equal ones go by name
    purpose: str  # one line
    shows: str  # what to look at
    guest: str  # the image is guests/<guest>.bin
    machine: str  # what runs it: one of MACHINES of engine/scenarios/machine_kinds.py
    irqchip: str  # "full", or "split": only the local APICs are in the kernel
    doorbell: Doorbell | None
    interrupt: Interrupt | None
    virtqueue: Virtqueue | None
    qemu: QemuStart | None
    lab: Lab | None
    pace: Pace
    order: tuple[EventKind, ...]  # in which a journey passes these kinds, for certain, with the wiring of the file
    ends: bool  # whether the guest is made to end by itself

    @property
    def machine_kind(self) -> MachineKind:
        """What its machine is."""
        return MACHINES[self.machine]

    @property
    def vcpus(self) -> int:
        """Of the guest; `vm` of an event says of which one it is."""
        return self.machine_kind.vcpus

    @property
    def direct(self) -> bool:
        """Whether each doorbell interrupts, and no thread of this process reads it.

        Either its eventfd is the irqfd's, or another process waits for it: Trait.PARTNERED.
        """
        return Trait.DIRECT in self.machine_kind.traits

    def with_settings(self, settings: Mapping[str, str]) -> Scenario:
        """This scenario with some settings changed, as in {"pace": "flat-out", "irqfd": "off"}.

        Raises ScenarioError, one line, for an unknown setting or a value that is not allowed.
        """
        tables, origin = self.tables(), Origin("")
        for name, text in settings.items():
            section, key = place_of(name)
            if section not in tables:
                raise ScenarioError(f"{name}: the scenario {self.name} has no {section}.")
            tables[section][key] = parsed_setting(section, key, text)
            for derived in (*DERIVED.get(key, ()), *TAKEN_ALONG.get((name, tables[section][key]), ())):
                if derived not in settings:
                    tables[section].pop(derived, None)
        return scenario_of(self.name, tables, origin)

    def settings(self) -> dict[str, Any]:
        """What `--set` can change here, by name, as it is at the start; what could do nothing is left out."""
        tables, idle = self.tables(), without_effect(checked(self.tables(), Origin("")))
        named = {name: place for name, place in SETTINGS.items() if place not in idle}
        return {name: tables[table][key] for name, (table, key) in named.items() if key in tables.get(table, {})}

    def tables(self) -> dict[str, Any]:
        """What a scenario file with this content holds, ready for TOML or JSON."""
        tables = without_none(asdict(self))
        del tables["name"]
        tables["expect"] = {"order": [kind.name for kind in tables.pop("order")], "ends": tables.pop("ends")}
        if math.isinf(self.pace.per_second):
            tables["pace"]["per_second"] = FLAT_OUT
        return tables


def without_none(table: dict[str, Any]) -> dict[str, Any]:
    """A table and its subtables without the keys that have no value, which TOML cannot write."""
    return {
        key: without_none(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if value is not None
    }


def setting_words(value: object) -> str:
    """A setting as the command line has it: on, off, 20, flat-out."""
    if isinstance(value, float):
        return f"{value:g}"
    return ("off", "on")[value] if isinstance(value, bool) else str(value)


def place_of(setting: str) -> tuple[str, str]:
    """The table and key that a setting changes; ScenarioError if there is none of this name."""
    if setting not in SETTINGS:
        raise ScenarioError(f"{setting}: not a setting; {did_you_mean(setting, list(SETTINGS))}")
    return SETTINGS[setting]


def did_you_mean(word: str, words: list[str]) -> str:
    """The question "did you mean ...?" if one of `words` is close, else the whole list."""
    close = difflib.get_close_matches(word, words, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(words)}."


def scenario_of(name: str, tables: Mapping[str, Any], origin: Origin, *, recorded: bool = False) -> Scenario:
    """The scenario that `tables` (what a scenario file holds) describe; ScenarioError with a line of `origin`.

    recorded: the tables are those of a run that there was, so what does nothing is passed over and not refused.
    """
    values = checked(tables, origin, recorded=recorded)
    per_second = values["pace"].pop("per_second")
    for key, most in LONGEST_TEXTS.items():
        values[""][key] = shown(" ".join(values[""][key].split()), most)
    return Scenario(
        name=shown(name, LONGEST_NAME),
        doorbell=Doorbell(**values["doorbell"]) if "doorbell" in tables else None,
        interrupt=Interrupt(**values["interrupt"]) if "interrupt" in tables else None,
        virtqueue=Virtqueue(**values["virtqueue"]) if "virtqueue" in tables else None,
        qemu=QemuStart(**values["qemu"]) if "qemu" in tables else None,
        pace=Pace(math.inf if per_second == FLAT_OUT else float(per_second), **values["pace"]),
        lab=lab_of(**values["lab"]) if "lab" in tables else None,
        order=tuple(EventKind[kind] for kind in values["expect"]["order"]),
        ends=values["expect"]["ends"],
        **values[""],
    )


def lab_of(steps: Iterable[Mapping[str, Any]], repeat_ms: int) -> Lab:
    """A lab of checked values."""
    return Lab(tuple(LabStep(**step) for step in steps), repeat_ms)


def load_scenario_file(path: Path) -> Scenario:
    """The scenario in a TOML file, which gives it its name; ScenarioError if it is wrong, EngineError if unread."""
    text = small_file(path, LARGEST_FILE, "scenario", ScenarioError)
    origin = Origin(text, str(path))
    try:
        tables = toml_tables(text)
    except ValueError as error:
        raise ScenarioError(f"{path}: not TOML: {error}") from error
    return scenario_of(path.stem, tables, origin)


@cache
def shipped(path: Path, mtime_ns: int) -> Scenario:
    """The scenario in a file that is shipped, read once: both the menu and the bar list them all."""
    return load_scenario_file(path)


def list_scenarios() -> list[Scenario]:
    """Every scenario that is shipped, group by group, in the order of a course; ScenarioError if one is wrong."""
    scenarios = [shipped(path, path.stat().st_mtime_ns) for path in GUESTS.glob("*.toml")]
    return sorted(scenarios, key=lambda scenario: (GROUPS.index(scenario.group), scenario.rank, scenario.name))


def shipped_scenario(name: str) -> Scenario | None:
    """The one that is shipped under this name, which may be anybody's; None: there is none."""
    found = next((path for path in GUESTS.glob("*.toml") if path.stem == name), None)
    return shipped(found, found.stat().st_mtime_ns) if found else None


def load_scenario(name: str, also: Iterable[str] = ()) -> Scenario:
    """The shipped scenario of this name, or the one in a file *.toml of somebody's own.

    ScenarioError, with the name that was probably meant, if there is none. also: what else could have been meant,
    such as commands.
    """
    if name.endswith(OWN):
        return own_scenario(Path(name))
    names, others = sorted(path.stem for path in GUESTS.glob("*.toml")), list(also)
    if name not in names:
        if name and Path(name).is_dir():
            raise ScenarioError(
                f"{name} is a directory; `bellwire list` shows the scenarios, and a recording is a file."
            )
        close = difflib.get_close_matches(name, [*names, *others], n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        kind = "command or scenario" if others else "scenario"
        raise ScenarioError(f"There is no {kind} {name!r}; {hint}`bellwire list` shows the scenarios.")
    return load_scenario_file(GUESTS / f"{name}.toml")


def own_scenario(path: Path) -> Scenario:
    """The scenario in somebody's own file; ScenarioError if a shipped one has its name, whose recording is another."""
    shipped_file = GUESTS / path.name
    if shipped_file.exists() and not (path.exists() and path.samefile(shipped_file)):
        raise ScenarioError(f"{path}: a scenario that is shipped is called {path.stem}; give this file another name.")
    return load_scenario_file(path)
