"""Where on a token's way each stage stands in a picture: the stretch of the leg whose parts are the stage's.

A part says which stage it is of (assets/diagrams: stage). A stage that has no part of its own on the leg shares that of
the stage within which it is (assets/anatomy.toml: within), or else stays where the one before it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import dist
from typing import NamedTuple

from bellwire.viz.diagram.blueprint import Blueprint, Counter, Leg, Point, RingBuffer
from bellwire.viz.model.ways import LEGS
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.stages.way import StageWay

TOUCH = 4.0  # canvas pixels between the end of a wire and what it leads to


class Stretch(NamedTuple):
    """From a share of the leg's length to another, 0..1."""

    start: float
    end: float


class StageStretch(NamedTuple):
    """A part on a leg."""

    stage: str
    where: Stretch


def stretches_of_stops(plan: Blueprint, leg: Leg, name: str, way: StageWay) -> dict[int, Stretch]:
    """By the index of the stop: those that this way passes on a leg; name: the leg's without its lane."""
    parts = list(parts_along(plan, leg))
    found: dict[int, Stretch] = {}
    at, cursor = Stretch(0.0, 0.0) if parts else Stretch(0.0, 1.0), 0
    for index in stops_on(name, way):
        position = next_part(parts, cursor, way.stops[index].name)
        if position is not None:
            cursor, at = position, joined_stretch(parts, position)
        found[index] = at
    return found


def stops_on(leg: str, way: StageWay) -> range:
    """The indices of the stops between the stamps of a leg's ends."""
    times = LEGS[leg]
    began = [stop.began for stop in way.stops]
    first = began.index(times.start) if times.start in began else 0
    return range(first, began.index(times.end) if times.end in began else len(began))


def next_part(parts: Sequence[StageStretch], cursor: int, stage: str) -> int | None:
    """The first part from the cursor on that is of the stage, or of what it is within; None if there is none."""
    for name in stages_around(stage):
        for position in range(cursor, len(parts)):
            if parts[position].stage == name:
                return position
    return None


def stages_around(stage: str) -> Iterator[str]:
    """The stage, what it is within, what that is within, and so on."""
    stages = load_anatomy().stages
    while stage:
        yield stage
        stage = stages[stage].within if stage in stages else ""


def joined_stretch(parts: Sequence[StageStretch], first: int) -> Stretch:
    """That of a part and of those right behind it which are of the same stage."""
    last = first
    while last + 1 < len(parts) and parts[last + 1].stage == parts[first].stage:
        last += 1
    return Stretch(parts[first].where.start, parts[last].where.end)


def parts_along(plan: Blueprint, leg: Leg) -> Iterator[StageStretch]:
    """The wires of a leg, and what they touch, in order; without a stage of its own a part is not told."""
    shares, index = shares_of(leg.points), 0
    for name in leg.along:
        wire = plan.wires[name]
        last = index + len(wire.points) - 1
        yield from touched(plan, wire.points[0], shares[index])
        if wire.stage:
            yield StageStretch(wire.stage, Stretch(shares[index], shares[last]))
        yield from touched(plan, wire.points[-1], shares[last])
        index = last + 1


def touched(plan: Blueprint, point: Point, share: float) -> Iterator[StageStretch]:
    """What stands where a wire begins or ends."""
    for node in plan.nodes.values():
        left, top, width, height = node.rect
        across, down = left - TOUCH <= point[0] <= left + width + TOUCH, top - TOUCH <= point[1] <= top + height + TOUCH
        if node.stage and across and down:
            yield StageStretch(node.stage, Stretch(share, share))
    rounds: tuple[Counter | RingBuffer, ...] = (*plan.counters.values(), *plan.rings.values())
    for round_ in rounds:
        if round_.stage and dist(round_.center, point) <= round_.radius + TOUCH:
            yield StageStretch(round_.stage, Stretch(share, share))


def shares_of(points: Sequence[Point]) -> list[float]:
    """How far along the line each of its points is, 0..1."""
    lengths = [0.0]
    for one, other in pairwise(points):
        lengths.append(lengths[-1] + dist(one, other))
    return [length / (lengths[-1] or 1.0) for length in lengths]
