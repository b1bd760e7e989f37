"""The moment that the diagram shows, as viz/wires/passable.py asks for it."""

from __future__ import annotations

from bellwire.engine.events import EventKind
from bellwire.engine.folds.journeys import select
from bellwire.viz.diagram.blueprint import Blueprint
from bellwire.viz.diagram.stretches import parts_ahead, parts_along
from bellwire.viz.model.live import LiveModel, in_last_second, journey_shown
from bellwire.viz.model.moments.looking import standpoint
from bellwire.viz.model.ways import LEGS
from bellwire.viz.stages.times import stamps
from bellwire.viz.wires.passable import Begun, Looked


def looked_at(model: LiveModel) -> Looked:
    """How things stood, what there was in the last second, what the journey shown has passed."""

    def count(name: str) -> float | None:
        return in_last_second(model, name)

    (first, end), cycles = model.second, model.rates.bin_cycles

    def sent() -> list[int]:
        events = model.past.events(first * cycles, end * cycles - 1)
        numbers: list[int] = select(events, EventKind.IRQFD, EventKind.IRQ_IOCTL)["seq"].tolist()
        return numbers

    begun = legs_begun(model) if model.transport.exact else None
    before = model.plugged.between(first * cycles, model.playhead)
    return Looked(model.scenario, model.traits, model.wires, model.guest_alive, count, begun, sent, before)


def not_reached(model: LiveModel, plan: Blueprint) -> frozenset[str]:
    """The parts ahead of the journey that is shown, on the leg on which it is; none in real time.

    It is on its leg as far as is certain; a story goes as far as the stage that it tells.
    """
    point = standpoint(model) if model.transport.exact or model.story is not None else None
    if point is None:
        return frozenset()
    name, lane = model.travel.leg_at(point)
    legs = model.travel.legs_of(point.journey)
    behind = legs[: legs.index(name)] if name in legs else legs
    if not any(known in plan.legs for known in (name, f"{name}.{lane}")):
        return frozenset()
    ahead = parts_ahead(plan, plan.leg(name, lane), name, point.times.way, point.first if point.beside else point.stop)
    for leg in behind:
        if leg in plan.legs or f"{leg}.{lane}" in plan.legs:
            ahead -= {part.name for part in parts_along(plan, plan.leg(leg, lane))}
    return ahead


def legs_begun(model: LiveModel) -> Begun:
    """The legs that the journey shown has set out on at the playhead, and those of echoes that are on their way."""
    found = {(token.leg, token.lane) for token in model.tokens() if token.leg in ("masked", "resample")}
    journey = journey_shown(model)[:1]
    if journey.size:
        when, _ = model.travel.staged(journey)
        for route, _ in model.travel.ways.routes(journey, when):
            starts = {leg: int(stamps(LEGS[leg].start, journey, when)[0]) for leg in route.legs}
            found |= {(leg, route.lane(leg)) for leg, tsc in starts.items() if 0 < tsc <= model.playhead}
    return frozenset(found)
