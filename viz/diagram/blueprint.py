"""Reads assets/diagrams/*.toml: what stands where in a diagram, and which diagram a scenario has. No events.

A file is a picture. It may be `based_on` another one: it then says only what is different, and which entries it is
`without`. An entry may `need` traits of the scenario (engine/scenarios/traits.py), and is left out where they are
missing; or be drawn for `each` of several queues, with "y" in its points for the height of that one. What a part
`depends` on and `carries`, viz/wires/passable.py knows.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from bellwire.engine.language import kept_while_spoken, tr_table
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.scenarios.traits import Trait, Traits
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.text.assets import DIAGRAM_TEXTS, asset
from bellwire.viz.wires.passable import is_trait

Point = tuple[float, float]
Rect = tuple[float, float, float, float]
Table = dict[str, Any]

# The pictures, (file, traits that it needs): a scenario has the first one that fits.
SIMPLE: tuple[tuple[str, set[Trait]], ...] = (
    ("qemu-ivshmem", {Trait.IVSHMEM}),
    ("vm-to-vm", {Trait.TWO_GUESTS}),
    ("real-qemu", {Trait.QEMU_SERVES}),
    ("qemu-vhost", {Trait.REAL_QEMU, Trait.KERNEL_WORKER}),
    ("qemu-vhost-user", {Trait.REAL_QEMU}),
    ("vhost-kernel", {Trait.KERNEL_WORKER}),
    ("vhost-user", {Trait.PARTNERED}),
    ("self-doorbell", {Trait.DIRECT}),
    ("io-uring", {Trait.IO_URING}),
    ("virtqueue", {Trait.VIRTQUEUE}),
    ("window", {Trait.WINDOW, Trait.ROUND_TRIP}),
    ("round-trip", {Trait.ROUND_TRIP}),
    ("coalesced", {Trait.COALESCED}),
    ("fan-out", {Trait.QUEUES}),
    ("addresses", {Trait.ADDRESSES}),
    ("vcpus-ring", {Trait.TWO_VCPUS, Trait.DOORBELL}),
    ("doorbell", {Trait.DOORBELL}),
    ("level-resample", {Trait.RESAMPLE}),
    ("level-ioctl", {Trait.ACKNOWLEDGED}),
    ("masked", {Trait.MASKED}),
    ("irqfds", {Trait.IRQFDS}),
    ("vcpus-listen", {Trait.TWO_VCPUS, Trait.INTERRUPT}),
    ("vectors", {Trait.REROUTE}),
    ("interrupt", {Trait.INTERRUPT}),
    ("round-trip", set()),
)
EXTENDED: tuple[tuple[str, set[Trait]], ...] = (
    ("extended-ivshmem", {Trait.IVSHMEM}),
    ("extended-qemu", {Trait.QEMU_SERVES}),
    ("extended-qemu-vhost", {Trait.REAL_QEMU, Trait.KERNEL_WORKER}),
    ("extended-qemu-partner", {Trait.REAL_QEMU}),
    ("extended-vhost", {Trait.KERNEL_WORKER}),
    ("extended-partner", {Trait.PARTNERED}),
    ("extended-direct", {Trait.DIRECT}),
    ("extended-uring", {Trait.IO_URING}),
    ("extended-vcpus", {Trait.TWO_VCPUS}),
    ("extended-queues", {Trait.QUEUES}),
    ("extended-addresses", {Trait.ADDRESSES}),
    ("extended-irqfds", {Trait.IRQFDS}),
    ("extended-vectors", {Trait.REROUTE}),
    ("extended", set()),
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """What every part of the picture has.

    says: which of part_words.py's words it shows, by default those of its own name. call: what the VMM does to have it,
    "ioeventfd", "irqfd", "signal-msi" ... stage: of the signal's way through the kernel, "io-bus", "eventfd" ...
    depends: on what it is whether a signal can come by; carries: what comes by, if something does; skipped: why a
    scenario without the traits that it depends on does not use it, for the tooltip.
    """

    help: str = ""
    says: str = ""
    call: str = ""
    stage: str = ""
    depends: tuple[str, ...] = ()
    carries: str = ""
    skipped: str = ""
    unused: bool = False  # nothing ever comes this way in this scenario
    lane: int = 0  # which of several, where it is drawn for each
    several: str = ""  # of what

    def tip(self, why: str = "") -> str:
        """What it is, and why it is not on the way, if it is not; why: as of now."""
        return f"{self.help} {self.skipped if self.unused and self.skipped else why}".strip()


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
    """An eventfd: a counter. of: whose count it shows; roles: what it is registered as, by the condition of that.

    name_at: the middle of its name, which has `room`. square: it is no eventfd, but something else that counts.
    """

    center: Point
    name: str
    name_at: Point
    room: float = 140
    color: str
    radius: float = 25
    of: str = ""
    roles: tuple[str, ...] = ()
    square: bool = False


@dataclass(frozen=True, kw_only=True)
class RingBuffer(Part):
    """A ring buffer. of: whose fill it shows."""

    center: Point
    radius: float
    color: str
    of: str
    name: str
    name_at: Point


@dataclass(frozen=True, kw_only=True)
class Wire(Part):
    """A line that is drawn. heavy: it goes by user space: dotted.

    cross: where the mark stands if it is blocked; by default before its end. differs_at: the middle of what differs
    there; by default above the wire, to the left of the mark.
    """

    points: tuple[Point, ...]
    color: str
    heavy: bool = False
    arrow: bool = False
    thin: bool = False
    dotted: bool = False
    cross: Point | None = None
    differs_at: Point | None = None


@dataclass(frozen=True, kw_only=True)
class LatencyPill(Part):
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
    """Where a token travels: along these wires, one after the other, without those that are not used.

    label: on which side of the token its number stands; turns: the wire from which on a doorbell is an interrupt.
    """

    along: tuple[str, ...] = ()
    label: str = "above"
    turns: str = ""
    before: tuple[Point, ...] = ()  # the points up to there
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Blueprint:
    """A whole diagram, everything by name; a name followed by ".2" is that of the third of several."""

    size: Point
    lights: bool = False  # parts shine while something passes them
    boxes: dict[str, Box] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    counters: dict[str, Counter] = field(default_factory=dict)
    rings: dict[str, RingBuffer] = field(default_factory=dict)
    wires: dict[str, Wire] = field(default_factory=dict)
    legs: dict[str, Leg] = field(default_factory=dict)
    pills: dict[str, LatencyPill] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)

    def part(self, name: str) -> Part | None:
        """The part of this name."""
        return next((table[name] for table in self.tables if name in table), None)

    @property
    def tables(self) -> tuple[dict[str, Any], ...]:
        """What can be chosen, by name: the smaller things first."""
        return self.counters, self.pills, self.rings, self.nodes, self.wires, self.boxes

    @property
    def ways(self) -> dict[str, Part]:
        """What can be passed or not, by name."""
        notes = {f"note {name}": note for name, note in self.notes.items()}
        return {**self.wires, **self.nodes, **self.counters, **self.rings, **notes}

    def headroom(self, box: Box) -> float:
        """How far below the box's top the first thing within it stands: what its title may fill, canvas pixels."""
        left, top, width, height = box.rect
        solid: tuple[Box | Node, ...] = (*self.boxes.values(), *self.nodes.values())
        inner = [(part.rect[0] + part.rect[2] / 2, part.rect[1]) for part in solid]
        inner += [(counter.name_at[0], counter.name_at[1] - 10) for counter in self.counters.values()]
        inner += [(note.at[0], note.at[1] - note.size) for note in self.notes.values()]
        return min((y - top for x, y in inner if left <= x <= left + width and top < y < top + height), default=height)

    def leg(self, name: str, lane: int = 0) -> Leg:
        """The leg of this name; of several, that of the lane."""
        return self.legs[f"{name}.{lane}"] if f"{name}.{lane}" in self.legs else self.legs[name]


KINDS: dict[str, tuple[str, type[Part]]] = {
    "box": ("boxes", Box),
    "node": ("nodes", Node),
    "counter": ("counters", Counter),
    "ring": ("rings", RingBuffer),
    "wire": ("wires", Wire),
    "leg": ("legs", Leg),
    "pill": ("pills", LatencyPill),
    "note": ("notes", Note),
}


@kept_while_spoken(64)
def blueprint_of(scenario: Scenario, backend: str = "", extended: bool = False) -> Blueprint:
    """The picture of this scenario; extended: with the parts of the kernel that a signal passes."""
    found = traits_of(scenario, backend)
    name = next(name for name, wanted in (EXTENDED if extended else SIMPLE) if wanted <= found)
    return built(tables_of(name), found, counts_of(scenario))


def counts_of(scenario: Scenario) -> dict[str, int]:
    """How many there are of what can be drawn for each."""
    doorbell, interrupt = scenario.doorbell, scenario.interrupt
    return {
        "queues": doorbell.queues if doorbell else 1,
        "addresses": doorbell.addresses if doorbell else 1,
        "irqfds": interrupt.irqfds if interrupt else 1,
        "vcpus": scenario.vcpus,
        "vectors": 2,
    }


def tables_of(name: str) -> Table:
    """What a picture's file says, with what it is based on filled in."""
    data = tr_table(picture_file(name), DIAGRAM_TEXTS)
    base = tables_of(data.pop("based_on")) if "based_on" in data else {}
    for dropped in data.pop("without", []):
        kind, entry = dropped.split(".")
        del base[kind][entry]
    return overlaid(base, data)


@lru_cache
def picture_file(name: str) -> Table:
    """A picture's file as it is written, in English; to be copied, not changed: many scenarios have the same."""
    return tomllib.loads(asset(f"diagrams/{name}.toml").read_text(encoding="utf-8"))


def overlaid(base: Table, over: Table) -> Table:
    """Both tables, key by key; where both say something, what `over` says."""
    both = {
        key: overlaid(base[key], value) if isinstance(value, dict) and key in base else value
        for key, value in over.items()
    }
    return base | both


def built(tables: Table, found: Traits, lanes: dict[str, int]) -> Blueprint:
    """The picture as the scenario's traits and the numbers of its lanes make it."""
    entries: dict[str, Any] = {
        plural: parts(kind, tables.get(name, {}), found, lanes, tables.get("spread", {}))
        for name, (plural, kind) in KINDS.items()
    }
    wires: dict[str, Wire] = entries["wires"]
    entries["legs"] = {name: leg for name, leg in joined(entries["legs"], wires) if leg.points}
    return Blueprint(**tuples_in(tables["canvas"]) | entries)


def parts(kind: type[Part], table: Table, found: Traits, lanes: dict[str, int], spread: Table) -> dict[str, Any]:
    """{name: kind(...)} of a table of tables, without those that the scenario has not."""
    made: dict[str, Any] = {}
    for name, entry in table.items():
        values = tuples_in(entry)
        each = values.pop("each", "")
        if not fit(found, values.pop("needs", ())):
            continue
        name = values.pop("called", name)
        values["unused"] = not fit(found, tuple(filter(is_trait, values.get("depends", ()))))
        if each:
            heights = heights_of(lanes[each], spread[each])
            for n, y in enumerate(heights):
                made[f"{name}.{n}"] = kind(**with_number(at_height(values, y), n), lane=n, several=each)
        else:
            made[name] = kind(**values)
    return made


def fit(found: Traits, wanted: tuple[str, ...]) -> bool:
    """Whether all that is wanted is there; "!name" wants it not to be."""
    return all((name.removeprefix("!") in found) is not name.startswith("!") for name in wanted)


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


def with_number(values: Table, lane: int) -> Table:
    """The values with "{lane}" replaced."""
    return {
        key: value.replace("{lane}", f"{lane}") if isinstance(value, str) else value for key, value in values.items()
    }


def joined(legs: dict[str, Leg], wires: dict[str, Wire]) -> list[tuple[str, Leg]]:
    """The legs with the points of their wires; a leg along wires of several lanes is as many legs."""
    made = []
    for name, leg in legs.items():
        if not leg.along:
            made.append((name, leg))
            continue
        several = sorted({wire.lane for n, wire in wires.items() if n.rpartition(".")[0] in leg.along})
        made += [(f"{name}.{lane}" if several else name, along(leg, lane, wires)) for lane in several or [0]]
    return made


def along(leg: Leg, lane: int, wires: dict[str, Wire]) -> Leg:
    """The leg with its points, on the wires of that lane."""
    names = [f"{wire}.{lane}" if f"{wire}.{lane}" in wires else wire for wire in leg.along]
    names = [name for name in names if name in wires and not wires[name].unused]
    before = names[: names.index(leg.turns)] if leg.turns in names else ()
    return replace(leg, along=tuple(names), points=points_of(names, wires), before=points_of(before, wires))


def points_of(names: Iterable[str], wires: dict[str, Wire]) -> tuple[Point, ...]:
    """The points of wires, one after the other."""
    return tuple(point for name in names for point in wires[name].points)


def tuples(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(tuples(item) for item in value) if isinstance(value, list) else value


def tuples_in(table: Table) -> Table:
    """The same for each value of a table."""
    return {key: tuples(value) for key, value in table.items()}


def call_of(part: Part, scenario: Scenario) -> str:
    """What the VMM does to have this part; of an interrupt's ioctl, which one."""
    return scenario.interrupt.ioctl if part.call == "ioctl" and scenario.interrupt else part.call
