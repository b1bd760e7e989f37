"""From what is chosen to what an annotation is pinned to, and back to it."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import EventKind, Events
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.recordings.annotations.annotation import EventPin, PartPin, StagePin
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.looking import stage_mark, standpoint_of


def stage_pin_at(model: LiveModel, journey: Journeys, tsc: int) -> StagePin | None:
    """Of a journey, shape (1,) or (0,), the stage at a moment; None if there is none. Of a story the one it tells."""
    mark = stage_mark(model)
    told = mark is not None and mark.told and tsc == model.playhead and np.array_equal(mark.point.journey, journey)
    point = mark.point if mark and told else standpoint_of(model, journey, tsc)
    if point is None:
        return None
    began = point.tsc if point.beside else int(point.times.earliest[0, point.stop])
    return StagePin(int(point.journey["seq"][0]), point.start, point.here.name, began)


def stage_pin_now(model: LiveModel) -> StagePin | None:
    """The stage that the view looks at; None if it looks at none."""
    mark = stage_mark(model)
    if mark is None:
        return None
    return stage_pin_at(model, mark.point.journey, model.playhead)


def event_pin_of(event: Events) -> EventPin:
    """Of an event; shape (1,)."""
    row = event[0]
    return EventPin(int(row["tsc"]), EventKind(int(row["kind"])), int(row["seq"]), int(row["vm"]))


def go_to_annotation(model: LiveModel, index: int) -> None:
    """Shows its moment, and chooses what it is pinned to, as far as that is held."""
    one = model.annotations.all[index]
    match one.pin:
        case EventPin(tsc, kind, number, vm):
            at = model.rows.starting(np.array([tsc], np.uint64))
            events = model.rows.pick(at)
            same = events[(events["kind"] == kind) & (events["seq"] == number) & (events["vm"] == vm)]
            if same.size:
                model.steps.to_event(same[:1])
            else:
                show_moment(model, tsc)
        case StagePin(number, start, _, tsc):
            journeys = model.journeys.starting_at(start)
            same = journeys[journeys["seq"] == number]
            if same.size:
                model.steps.to_journey(same[:1], tsc)
            else:
                show_moment(model, tsc)
        case PartPin(part, moment):
            if moment is not None:
                show_moment(model, moment)
            model.selection.choose(part=part)
    model.annotations.choose(index)


def show_moment(model: LiveModel, tsc: int) -> None:
    """Stands still there, or as near as something is held."""
    model.selection.choose()
    model.transport.seek(min(max(tsc, model.past.first), max(model.past.last, model.now)))
