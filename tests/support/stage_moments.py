"""Moments at which to look at a recording, and the stages that the stamps leave open there, by a plain loop."""

from __future__ import annotations

import random

from bellwire.engine.folds.journeys import Journeys
from bellwire.viz.model.live import LiveModel, journey_span
from bellwire.viz.model.moments.looking import standpoint_of


def possible_stages(model: LiveModel, journey: Journeys, tsc: int) -> tuple[str, ...]:
    """The stages that its stamps leave open at `tsc`, stop by stop."""
    point = standpoint_of(model, journey, tsc)
    assert point is not None
    stamps = [(point.stamp(stop.began), [point.stamp(name) for name in stop.by]) for stop in point.stops]
    after = [point.stamp(stop.after) for stop in point.stops]
    first, last = 0, 0
    for at in range(len(stamps)):
        measured = stamps[at][0]
        begun = [own or next((tsc for tsc in by if tsc), 0) for own, by in stamps[at:]]
        latest = min((tsc for tsc in begun if tsc), default=2**64)
        earliest = measured or max(*after[: at + 1], *(own for own, _ in stamps[:at] if own), 0)
        first = at if latest <= tsc else first
        last = at if min(earliest, latest) <= tsc else last
    return tuple(stop.name for stop in point.stops[first : last + 1])


def moments_within(model: LiveModel, chance: random.Random, most: int) -> list[int]:
    """Within journeys, one each, and now and then just at a stamp."""
    held = model.journeys.newest(1 << 16)
    starts, ends = journey_span(held)
    found = []
    for row in chance.sample(range(held.size), min(most, held.size)):
        start, end = int(starts[row]), int(ends[row])
        inner = [int(held[stage][row]) for stage in ("ring", "rung", "exit", "doorbell", "irq") if held[stage][row]]
        found.append(chance.choice([chance.randrange(start, end), chance.choice([t for t in inner if t < end])]))
    return found


def look_within(model: LiveModel, journey: Journeys, tenths: int) -> None:
    """In slow motion, at so many tenths of a journey, of shape (1,)."""
    (start,), (end,) = (map(int, side) for side in journey_span(journey))
    model.transport.seek(start + (end - start) * tenths // 10)
