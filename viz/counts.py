"""What the diagram's words are made of: the counts of the second before the playhead, the journey shown. No Qt."""

from __future__ import annotations

from engine.journeys import Journeys
from engine.latency import cycles_of, has
from viz.model import LiveModel


def counted(model: LiveModel, name: str) -> float:
    """How many of viz/rates.py's `name` in the last second."""
    return model.rates.last_second(name, model.playhead)


def whole(model: LiveModel, *names: str) -> list[int]:
    """The same as whole numbers."""
    return [round(counted(model, name)) for name in names]


def shown(model: LiveModel) -> Journeys:
    """The journey that the view is about: the chosen one, one under way in slow motion, else the newest."""
    if model.selection.journeys.size:
        return model.selection.journeys
    return model.under_way()[:1] if model.transport.exact else model.newest_shown()


def latency_of(model: LiveModel, journeys: Journeys, name: str) -> float | None:
    """The journey's latency in ns; None if it has none."""
    if not journeys.size or not has(journeys[:1], name)[0]:
        return None
    return model.clock.ns(int(cycles_of(journeys[:1], name)[0]))
