"""Reads assets/diagrams/*.toml: what stands where in a diagram, and which diagram a scenario has. No Qt, no events.

A file is a picture. It may be `based_on` another one: it then says only what is different, and which entries it is
`without`. An entry may `need` traits of the scenario (viz/traits.py), and is left out where they are missing; or be
drawn for `each` of several queues, with "y" in its points for the height of that one.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from engine.scenario import Scenario
from viz.assets import asset
from viz.traits import Traits, fit, traits

Point = tuple[float, float]
Rect = tuple[float, float, float, float]
Table = dict[str, Any]

# The pictures, (file, traits that it needs): a scenario has the first one that fits.
SIMPLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("vm-to-vm", ("two-guests",)),
    ("self-doorbell", ("self-doorbell",)),
    ("vhost-user", ("vhost-user",)),
    ("io-uring", ("io-uring",)),
    ("virtqueue", ("virtqueue",)),
    ("window", ("window", "round-trip")),
    ("round-trip", ("round-trip",)),
    ("coalesced", ("coalesced",)),
    ("fan-out", ("queues", "!miss")),
    ("addresses", ("addresses", "!miss")),
    ("miss", ("miss",)),
    ("doorbell", ("doorbell",)),
    ("level-resample", ("resample",)),
    ("level-ioctl", ("acknowledged",)),
    ("masked", ("masked",)),
    ("irqfds", ("irqfds",)),
    ("interrupt", ("interrupt",)),
    ("round-trip", ()),
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """What every part of the picture has.

    says: which of viz/facts.py's words it shows, by default those of its own name. call: what the VMM does to have it,
    "ioeventfd", "irqfd", "signal-msi" ... stage: of the signal's way through the kernel, "io-bus", "eventfd" ...
    used: traits without which a part stays subdued; skipped: why, for the tooltip.
    """

    help: str = ""
    says: str = ""
    call: str = ""
    stage: str = ""
    used: tuple[str, ...] = ()
    skipped: str = ""
    lane: int = 0  # which of several, where it is drawn for each


@dataclass(frozen=True, kw_only=True)
class Box(Part):
    """Holds things: the guest, KVM. aside: the fact stands at the right edge; dashed: it is another process."""

    rect: Rect
    title: str
    color: str
    edge: str
    fill: str
    centered: bool = False
    aside: bool = False
    strong: bool = False
    dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Node(Part):
    """A place where a journey begins, ends, turns or is handed on."""

    rect: Rect
    title: str
    edge: str
    small: bool = False


@dataclass(frozen=True, kw_only=True)
class Counter(Part):
    """An eventfd: a counter. of: whose count it shows; switch: without which nobody listens to it.

    square: it is no eventfd, but something else that counts.
    """

    center: Point
    name: str
    name_at: Point
    color: str
    radius: float = 25
    of: str = ""
    switch: str = ""
    square: bool = False


@dataclass(frozen=True, kw_only=True)
class Ring(Part):
    """A ring buffer. of: whose fill it shows."""

    center: Point
    radius: float
    color: str
    of: str


@dataclass(frozen=True, kw_only=True)
class Wire(Part):
    """A line that is drawn. switch: plugs it in.

    heavy: the rate (viz/rates.py) of those that take this way by user space: dotted, and lit while there are some.
    blocked: it ends in a cross, where what comes does not go on; unused: nothing comes this way.
    """

    points: tuple[Point, ...]
    color: str
    switch: str = ""
    heavy: str = ""
    arrow: bool = False
    thin: bool = False
    dotted: bool = False
    blocked: bool = False
    unused: bool = False


@dataclass(frozen=True, kw_only=True)
class Pill(Part):
    """Shows the latency `of`."""

    center: Point
    of: str
    color: str


@dataclass(frozen=True, kw_only=True)
class Note(Part):
    """Words; `at` is the left end of the baseline, or the middle if centered, `width` the room, `lines` how many."""

    at: Point
    width: float
    color: str
    mono: bool = False
    centered: bool = False
    lines: int = 1
    size: float = 12.5


@dataclass(frozen=True, kw_only=True)
class Leg(Part):
    """Where a token travels: along these wires, one after the other. Its label stands above, below or right of it."""

    along: tuple[str, ...] = ()
    label: str = "above"
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Blueprint:
    """A whole diagram, everything by name; a name followed by ".2" is that of the third of several."""

    size: Point
    boxes: dict[str, Box] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    counters: dict[str, Counter] = field(default_factory=dict)
    rings: dict[str, Ring] = field(default_factory=dict)
    wires: dict[str, Wire] = field(default_factory=dict)
    legs: dict[str, Leg] = field(default_factory=dict)
    pills: dict[str, Pill] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)

    def part(self, name: str) -> Part | None:
        """The part of this name."""
        return next((table[name] for table in self.tables if name in table), None)

    @property
    def tables(self) -> tuple[dict[str, Any], ...]:
        """What can be chosen, by name: the smaller things first."""
        return self.counters, self.pills, self.rings, self.nodes, self.wires, self.boxes

    @property
    def switches(self) -> dict[str, str]:
        """By the name of a wire or a counter: what plugs it in."""
        wires = {name: wire.switch for name, wire in self.wires.items() if wire.switch}
        return wires | {name: counter.switch for name, counter in self.counters.items() if counter.switch}

    def leg(self, name: str, lane: int = 0) -> Leg:
        """The leg of this name; of several, that of the lane."""
        return self.legs[f"{name}.{lane}"] if f"{name}.{lane}" in self.legs else self.legs[name]


KINDS: dict[str, tuple[str, type[Part]]] = {
    "box": ("boxes", Box),
    "node": ("nodes", Node),
    "counter": ("counters", Counter),
    "ring": ("rings", Ring),
    "wire": ("wires", Wire),
    "leg": ("legs", Leg),
    "pill": ("pills", Pill),
    "note": ("notes", Note),
}


@lru_cache(maxsize=64)
def blueprint_of(scenario: Scenario, backend: str = "") -> Blueprint:
    """The picture of this scenario."""
    found = traits(scenario, backend)
    name = next(name for name, wanted in SIMPLE if fit(found, wanted))
    return build(tables_of(name), found, lanes_of(scenario))


def lanes_of(scenario: Scenario) -> dict[str, int]:
    """How many there are of what can be drawn for each."""
    doorbell, interrupt = scenario.doorbell, scenario.interrupt
    return {
        "queues": doorbell.queues if doorbell else 1,
        "addresses": doorbell.addresses if doorbell else 1,
        "irqfds": interrupt.irqfds if interrupt else 1,
    }


def tables_of(name: str) -> Table:
    """What a picture's file says, with what it is based on filled in."""
    data = tomllib.loads(asset(f"diagrams/{name}.toml").read_text(encoding="utf-8"))
    base = tables_of(data.pop("based_on")) if "based_on" in data else {}
    for dropped in data.pop("without", []):
        kind, entry = dropped.split(".")
        del base[kind][entry]
    return merged(base, data)


def merged(base: Table, over: Table) -> Table:
    """Both tables, key by key; where both say something, what `over` says."""
    both = {
        key: merged(base[key], value) if isinstance(value, dict) and key in base else value
        for key, value in over.items()
    }
    return base | both


def build(tables: Table, found: Traits, lanes: dict[str, int]) -> Blueprint:
    """The picture as the scenario's traits and the numbers of its lanes make it."""
    entries = {
        plural: parts(kind, tables.get(name, {}), found, lanes, tables.get("spread", {}))
        for name, (plural, kind) in KINDS.items()
    }
    wires: dict[str, Wire] = entries["wires"]
    entries["legs"] = dict(joined(entries["legs"], wires))
    return Blueprint(size=tuples(tables["canvas"]["size"]), **entries)


def parts(kind: type[Part], table: Table, found: Traits, lanes: dict[str, int], spread: Table) -> dict[str, Any]:
    """{name: kind(...)} of a table of tables, without those that the scenario has not."""
    made: dict[str, Any] = {}
    for name, entry in table.items():
        values = {key: tuples(value) for key, value in entry.items()}
        each = values.pop("each", "")
        if not fit(found, values.pop("needs", ())):
            continue
        if each:
            heights = heights_of(lanes[each], spread[each])
            made |= {f"{name}.{n}": kind(**at_height(values, y), lane=n) for n, y in enumerate(heights)}
        else:
            made[name] = kind(**values)
    return made


def heights_of(count: int, spread: Table) -> list[float]:
    """Where each of several stands: around the middle, no further apart than the room allows."""
    gap = min(spread["gap"], spread["room"] / max(count - 1, 1))
    return [spread["middle"] + (n - (count - 1) / 2) * gap for n in range(count)]


def at_height(value: Any, y: float) -> Any:
    """The value with "y" replaced, and "y-12" by that much less."""
    if isinstance(value, dict):
        return {key: at_height(item, y) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(at_height(item, y) for item in value)
    if isinstance(value, str) and value.lstrip("y").lstrip("+-").isdigit() and value.startswith("y"):
        return y + float(value[1:])
    return y if value == "y" else value


def joined(legs: dict[str, Leg], wires: dict[str, Wire]) -> list[tuple[str, Leg]]:
    """The legs with the points of their wires; a leg along wires of several lanes is as many legs."""
    made = []
    for name, leg in legs.items():
        if not leg.along:
            made.append((name, leg))
            continue
        several = sorted({wire.lane for n, wire in wires.items() if n.rpartition(".")[0] in leg.along})
        for lane in several or [0]:
            names = [f"{wire}.{lane}" if f"{wire}.{lane}" in wires else wire for wire in leg.along]
            points = tuple(point for wire in names if wire in wires for point in wires[wire].points)
            made.append(
                (f"{name}.{lane}" if several else name, Leg(along=tuple(names), label=leg.label, points=points))
            )
    return made


def tuples(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(tuples(item) for item in value) if isinstance(value, list) else value


def call_of(part: Part, scenario: Scenario) -> str:
    """What the VMM does to have this part; of an interrupt's ioctl, which one."""
    return scenario.interrupt.ioctl if part.call == "ioctl" and scenario.interrupt else part.call
