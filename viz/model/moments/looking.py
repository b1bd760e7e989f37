"""Which stage of which journey the view looks at: every view that says where a signal is reads this alone."""

from __future__ import annotations

from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.folds.latency import begin
from bellwire.viz.model.live import LiveModel, journey_shown
from bellwire.viz.stages.standpoint import Standpoint


def standpoint(model: LiveModel) -> Standpoint | None:
    """Of the journey that the view is about, at the moment that it shows; None if it is about none.

    In real time the newest journey is over: it stands at its last stop.
    """
    if model.story is not None:
        return model.story.standpoint
    return standpoint_of(model, journey_shown(model)[:1], model.playhead)


def standpoint_of(model: LiveModel, journey: Journeys, tsc: int) -> Standpoint | None:
    """Of that journey, shape (1,) or (0,), at `tsc`."""
    if not journey.size:
        return None
    moments, times = model.travel.staged(journey)
    if not times.way.stops:  # a damaged recording may tell of a journey that passes no stage
        return None
    first, last = times.standing(max(tsc, int(begin(journey)[0])))
    return Standpoint(journey, moments, times, int(first[0]), int(last[0]), int(first[0]), tsc)


def stages_possible(model: LiveModel) -> frozenset[str]:
    """The names of the stages at which the signal looked at may be; of a story the one that it tells."""
    point = standpoint(model)
    if point is None or not (model.transport.exact or model.story is not None):
        return frozenset()
    return frozenset({point.here.name} if model.story is not None else (stop.name for stop in point.possible))
