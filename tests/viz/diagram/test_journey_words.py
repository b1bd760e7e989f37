"""At a step and in slow motion the caption tells the stage that is looked at; another step says something else."""

from __future__ import annotations

from bellwire.viz.diagram.captions import caption
from bellwire.viz.model.moments.looking import standpoint
from tests.support.models import running


def test_from_event_to_event_the_caption_changes() -> None:
    _, model = running(0.2)
    assert model.step_event(-1)
    for _ in range(20):
        before, place = caption(model), model.steps.here
        assert model.step_event(-1)
        assert caption(model) != before, place


def test_it_tells_the_stage_that_the_standpoint_has() -> None:
    _, model = running(0.2)
    assert model.step(-1)
    point = standpoint(model)
    assert point is not None
    model.scrub(point.start)
    assert caption(model).startswith(f"The guest's OUT #{int(point.journey['seq'][0])} writes ")
    model.scrub(point.stamp("doorbell"))
    assert "read() returns 1" in caption(model) or "doorbells at once" in caption(model)
