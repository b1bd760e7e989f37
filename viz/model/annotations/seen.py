"""Which annotations belong to the moment that the view shows."""

from __future__ import annotations

from bellwire.engine.folds.journeys import no_journeys
from bellwire.engine.recordings.annotations.annotation import Annotation, StagePin
from bellwire.viz.model.live import LiveModel, journey_shown
from bellwire.viz.model.moments.looking import stage_mark
from bellwire.viz.model.steps import begin_and_end
from bellwire.viz.stages.mark import StageMark

SEEN_AT_ONCE = 12  # more would leave nothing of the picture; the list has all


def annotations_seen(model: LiveModel) -> tuple[int, ...]:
    """Their indices: those of all moments, those that are still read, those of the stage or the moment looked at."""
    annotations = model.annotations
    if not annotations.all:
        return ()
    staged = any(isinstance(one.pin, StagePin) for one in annotations.all)
    mark = stage_mark(model) if staged else None  # which costs as much as all else
    since = _come_by_since(model) if model.transport.paused else None
    found = [index for index in annotations.in_time if _belongs(model, index, mark, since)]
    return tuple(found[-SEEN_AT_ONCE:])


def _belongs(model: LiveModel, index: int, mark: StageMark | None, since: int | None) -> bool:
    one = model.annotations.all[index]
    if one.tsc is None or model.annotations.is_read(index, model.playhead):
        return True
    return stands_at(one, mark) or (since is not None and since <= one.tsc <= model.playhead)


def stands_at(one: Annotation, mark: StageMark | None) -> bool:
    """Whether the signal is at the stage that an annotation is pinned to, of the very journey."""
    if mark is None or not isinstance(one.pin, StagePin):
        return False
    same = one.pin.start == mark.point.start and one.pin.journey == int(mark.point.journey["seq"][0])
    return same and one.pin.stage in mark.names


def _come_by_since(model: LiveModel) -> int:
    """TSC. What a view that stands still shows as passed: from the start of its journey on; else this moment alone."""
    journey = journey_shown(model)[:1] if model.story is None and model.transport.exact else no_journeys()
    if not journey.size:
        return model.playhead
    start, end = begin_and_end(journey)
    return min(start, model.playhead) if model.playhead <= end else model.playhead
