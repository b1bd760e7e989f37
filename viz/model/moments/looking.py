"""Which stage of which journey the view looks at: every view that says where a signal is reads this alone."""

from __future__ import annotations

from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.folds.latency import begin
from bellwire.viz.model.live import LiveModel, journey_shown
from bellwire.viz.stages.mark import StageMark
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


def stage_mark(model: LiveModel) -> StageMark | None:
    """What every view marks in exact slow motion, at a step and in a story; None otherwise, or if it is of nothing."""
    if not (model.transport.exact or model.story is not None):
        return None
    point = standpoint(model)
    return None if point is None else StageMark(point, model.story is not None)


def stages_possible(model: LiveModel) -> frozenset[str]:
    """The names of the stages at which the signal looked at may be; of a story the one that it tells."""
    mark = stage_mark(model)
    return frozenset() if mark is None else mark.names
