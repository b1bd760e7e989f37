"""Where on a token's way each stage stands in a picture: the stretch of the leg whose parts are the stage's.

A part says which stage it is of (assets/diagrams: stage). A stage that has no part of its own on the leg shares that of
the stage within which it is (assets/anatomy.toml: within), or else stays where the one before it was. Of a wire that
leads into the kernel or out of it, a stage of the kernel has what lies within the kernel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import dist
from typing import NamedTuple

from bellwire.viz.diagram.blueprint import Blueprint, Counter, Leg, Point, Rect, RingBuffer
from bellwire.viz.model.ways import HEARD, LEGS
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.stages.way import StageWay

TOUCH = 4.0  # canvas pixels between the end of a wire and what it leads to


class Stretch(NamedTuple):
    """From a share of the leg's length to another, 0..1."""

    start: float
    end: float


class StageStretch(NamedTuple):
    """A part on a leg; stage: "" if it is of none. inner: what of it lies in the kernel, all of it if nothing does."""

    stage: str
    name: str
    where: Stretch
    inner: Stretch

    def held(self, kernel: bool) -> Stretch:
        """Where on it a signal is that the kernel holds, or another one does."""
        return self.inner if kernel else self.where


class StopPlace(NamedTuple):
    """Where a stop stands on a leg. parts: its own, none if it stays where the one before it was; reached: how many of
    the leg's parts, in order, a signal has come to by then."""

    where: Stretch
    parts: tuple[str, ...]
    reached: int


def stops_along(plan: Blueprint, leg: Leg, name: str, way: StageWay) -> dict[int, StopPlace]:
    """By the index of the stop: those that this way passes on a leg; name: the leg's without its lane."""
    along = list(parts_along(plan, leg))
    found: dict[int, StopPlace] = {}
    at, cursor, reached = Stretch(0.0, 0.0) if along else Stretch(0.0, 1.0), 0, 0
    for index in stops_on(name, way):
        position = next_part(along, cursor, standing_for(way, index))
        own: list[StageStretch] = []
        if position is not None:
            own = joined_parts(along, position)
            cursor, reached = position, position + len(own)
            kernel = way.stops[index].stage.place == "kernel"
            at = Stretch(own[0].held(kernel).start, own[-1].held(kernel).end)
        found[index] = StopPlace(at, tuple(part.name for part in own), reached)
    return handed_on(found, way)


def parts_ahead(plan: Blueprint, leg: Leg, name: str, way: StageWay, stop: int) -> frozenset[str]:
    """The parts of a leg to which a signal has not come by a stop."""
    parts, stops = [part.name for part in parts_along(plan, leg)], stops_along(plan, leg, name, way)
    reached = stops[min(max(stop, min(stops)), max(stops))].reached
    return frozenset(parts[reached:]) - frozenset(parts[:reached])


def handed_on(found: dict[int, StopPlace], way: StageWay) -> dict[int, StopPlace]:
    """A stop without parts, at which another one holds the signal already, is where that one's parts begin."""
    holder = ""
    for index, stop in found.items():
        here = way.stops[index].stage.place
        if stop.parts:
            holder = here
        elif here != holder and index + 1 in found and way.stops[index + 1].stage.place == here:
            after = next((found[later] for later in found if later > index and found[later].parts), stop)
            start = Stretch(after.where.start, after.where.start)
            found[index] = StopPlace(start, (), max(after.reached - len(after.parts) + 1, stop.reached))
    return found


def stops_on(leg: str, way: StageWay) -> range:
    """The indices of the stops from the stamp at which a leg begins to that at its end."""
    times = HEARD if leg == "resample" else LEGS[leg]
    began = [stop.began for stop in way.stops]
    first = began.index(times.start) if times.start in began else 0
    return range(first, began.index(times.end) + 1 if times.end in began else len(began))


def next_part(parts: Sequence[StageStretch], cursor: int, stages: Sequence[str]) -> int | None:
    """The first part from the cursor on that is of the first of the stages that has one; None if none has."""
    for name in stages:
        for position in range(cursor, len(parts)):
            if parts[position].stage == name:
                return position
    return None


def standing_for(way: StageWay, index: int) -> list[str]:
    """A stop's stage and what it is within, but for what comes only later, when another one holds the signal."""
    here, later = way.stops[index].stage, {stop.name for stop in way.stops[index + 1 :]}
    stages = load_anatomy().stages
    return [name for name in stages_around(here.name) if name not in later or stages[name].place == here.place]


def stages_around(stage: str) -> Iterator[str]:
    """The stage, what it is within, what that is within, and so on."""
    stages = load_anatomy().stages
    while stage:
        yield stage
        stage = stages[stage].within if stage in stages else ""


def joined_parts(parts: Sequence[StageStretch], first: int) -> list[StageStretch]:
    """A part and those right behind it which are of the same stage."""
    last = first
    while last + 1 < len(parts) and parts[last + 1].stage == parts[first].stage:
        last += 1
    return list(parts[first : last + 1])


def parts_along(plan: Blueprint, leg: Leg) -> Iterator[StageStretch]:
    """The wires of a leg, and what they touch, in order."""
    shares, index = shares_of(leg.points), 0
    for name in leg.along:
        wire = plan.wires[name]
        last = index + len(wire.points) - 1
        yield from touched(plan, wire.points[0], shares[index])
        whole = Stretch(shares[index], shares[last])
        yield StageStretch(wire.stage, name, whole, in_the_kernel(plan, wire.points, shares[index : last + 1]) or whole)
        yield from touched(plan, wire.points[-1], shares[last])
        index = last + 1


def touched(plan: Blueprint, point: Point, share: float) -> Iterator[StageStretch]:
    """What stands where a wire begins or ends."""
    for name, node in plan.nodes.items():
        left, top, width, height = node.rect
        across, down = left - TOUCH <= point[0] <= left + width + TOUCH, top - TOUCH <= point[1] <= top + height + TOUCH
        if across and down:
            yield StageStretch(node.stage, name, Stretch(share, share), Stretch(share, share))
    rounds: dict[str, Counter | RingBuffer] = {**plan.counters, **plan.rings}
    for name, round_ in rounds.items():
        if dist(round_.center, point) <= round_.radius + TOUCH:
            yield StageStretch(round_.stage, name, Stretch(share, share), Stretch(share, share))


def is_kernels(stage: str) -> bool:
    """Whether the kernel holds the signal at that stage."""
    stages = load_anatomy().stages
    return stage in stages and stages[stage].place == "kernel"


def in_the_kernel(plan: Blueprint, points: Sequence[Point], shares: Sequence[float]) -> Stretch | None:
    """Of a line the stretch from where it enters the kernel to where it leaves it; None if it does not cross it."""
    inner: list[float] = []
    for box in (box for box in plan.boxes.values() if is_kernels(box.stage)):
        for (one, other), (start, end) in zip(pairwise(points), pairwise(shares), strict=True):
            inner += [start + part * (end - start) for part in crossing(one, other, box.rect)]
    return Stretch(min(inner), max(inner)) if inner and min(inner) < max(inner) else None


def crossing(one: Point, other: Point, rect: Rect) -> tuple[float, ...]:
    """The shares of a straight line, 0..1, between which it is within a rectangle; none if it never is."""
    first, last = 0.0, 1.0
    for axis in (0, 1):
        low, high, way = rect[axis], rect[axis] + rect[axis + 2], other[axis] - one[axis]
        if way == 0:
            if not low <= one[axis] <= high:
                return ()
            continue
        near, far = sorted(((low - one[axis]) / way, (high - one[axis]) / way))
        first, last = max(first, near), min(last, far)
    return (first, last) if first <= last else ()


def shares_of(points: Sequence[Point]) -> list[float]:
    """How far along the line each of its points is, 0..1."""
    lengths = [0.0]
    for one, other in pairwise(points):
        lengths.append(lengths[-1] + dist(one, other))
    return [length / (lengths[-1] or 1.0) for length in lengths]
