"""Reads assets/diagram.toml: what stands where in the diagram. No Qt, no events."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.scenario import Scenario
from viz.assets import asset

Point = tuple[float, float]
Rect = tuple[float, float, float, float]


@dataclass(frozen=True)
class Box:
    """Holds things: the guest, KVM."""

    rect: Rect
    title: str
    color: str
    edge: str
    fill: str
    help: str
    centered: bool = False


@dataclass(frozen=True)
class Node:
    """A place where a journey begins, ends or turns; `part` is the scenario's part that it belongs to, "" always."""

    rect: Rect
    title: str
    edge: str
    part: str
    help: str


@dataclass(frozen=True)
class Eventfd:
    """A counter."""

    center: Point
    radius: float
    name: str
    name_at: Point
    color: str
    part: str
    help: str


@dataclass(frozen=True)
class Wire:
    """A line that is drawn; `needs` is the switch that plugs it in, `heavy` the way by user space it belongs to."""

    points: tuple[Point, ...]
    color: str
    part: str
    needs: str = ""
    heavy: str = ""
    arrow: bool = False
    thin: bool = False


@dataclass(frozen=True)
class Pill:
    """Shows the latency `of`."""

    center: Point
    of: str
    color: str
    part: str
    help: str


@dataclass(frozen=True)
class Note:
    """A line of text; `at` is the left end of its baseline, `width` the room that it has."""

    at: Point
    width: float
    color: str
    part: str
    mono: bool = False


@dataclass(frozen=True)
class Leg:
    """Where a token travels; its label stands above, below or right of it."""

    points: tuple[Point, ...]
    label: str = "above"


@dataclass(frozen=True)
class Blueprint:
    """The whole diagram, everything by name."""

    size: Point
    boxes: dict[str, Box]
    nodes: dict[str, Node]
    eventfds: dict[str, Eventfd]
    wires: dict[str, Wire]
    legs: dict[str, Leg]
    pills: dict[str, Pill]
    notes: dict[str, Note]


def tuples(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(tuples(item) for item in value) if isinstance(value, list) else value


def entries(kind: Any, table: dict[str, Any]) -> dict[str, Any]:
    """{name: kind(...)} of a table of tables."""
    return {name: kind(**{key: tuples(value) for key, value in entry.items()}) for name, entry in table.items()}


@lru_cache(maxsize=1)
def load_blueprint() -> Blueprint:
    """The diagram that is shipped."""
    data = tomllib.loads(asset("diagram.toml").read_text(encoding="utf-8"))
    return Blueprint(
        size=tuples(data["canvas"]["size"]),
        boxes=entries(Box, data["box"]),
        nodes=entries(Node, data["node"]),
        eventfds=entries(Eventfd, data["eventfd"]),
        wires=entries(Wire, data["wire"]),
        legs=entries(Leg, data["leg"]),
        pills=entries(Pill, data["pill"]),
        notes=entries(Note, data["note"]),
    )


def present(part: str, scenario: Scenario) -> bool:
    """Whether the scenario has this part of the diagram: "doorbell", "interrupt", "both", or "" for always."""
    doorbell, interrupt = scenario.doorbell is not None, scenario.interrupt is not None
    return {"doorbell": doorbell, "interrupt": interrupt, "both": doorbell and interrupt}.get(part, True)
