"""Figures in a lesson's texts: those of the run since the step began, and of earlier steps."""

from __future__ import annotations

import pytest

from bellwire.engine.errors import AssertionTextError
from bellwire.engine.events import EventKind, Lane, event
from bellwire.engine.folds.prologue import prologue
from bellwire.engine.folds.tally import Tally
from bellwire.viz.lessons.condition import parse_condition
from bellwire.viz.lessons.step_figures import StepFigures, figures_told, parse_placeholder
from bellwire.viz.text.figures import grouped
from tests.support.fake_source import FakeSource


def run_of(seconds: float) -> tuple[FakeSource, StepFigures, int]:
    """A source that has run for as long before the step began as since; its figures; and doorbells since."""
    source = FakeSource()
    source.start()
    source.run(seconds)
    before = source.take()
    tally = Tally()
    tally.feed(before)
    figures = StepFigures(source.scenario, source.clock, prologue(tally, int(before["tsc"][-1])))
    source.run(seconds)
    since = source.take()
    figures.feed(since)
    return source, figures, int((since["kind"] == EventKind.RING).sum())


def test_only_what_came_since_counts() -> None:
    _, figures, rung = run_of(0.5)
    assert rung
    assert figures.seconds == pytest.approx(0.5, abs=0.01)
    assert figures_told("{rung} of {rung@early}", {"": figures}) == f"{grouped(rung)} of –"
    assert parse_condition(f"rung == {rung}", []).judge({"": figures}).holds


def test_a_ratio_compares_steps_and_what_is_not_known_is_a_dash() -> None:
    _, early, _ = run_of(0.5)
    _, late, _ = run_of(0.5)
    figures = {"": late, "early": early}
    assert figures_told("{rung@early / rung}", figures) == "1.00"
    assert (
        figures_told(
            "{doorbell.p50 / doorbell.p50@missing}",
            {"": late, "missing": StepFigures(FakeSource().scenario, FakeSource().clock, prologue(Tally(), 0))},
        )
        == "–"
    )


@pytest.mark.parametrize("text", ["", "rang", "rung / rung / rung", "rung / doorbell.p50", "rung@nowhere", "doorbell"])
def test_what_is_no_figure_is_refused(text: str) -> None:
    with pytest.raises(AssertionTextError):
        parse_placeholder(text, ["early"])


def test_a_figure_that_events_are_missing_from_is_told_as_the_bound_that_it_is() -> None:
    _, figures, _ = run_of(0.5)
    exits, rung = sum(figures.tally.exits_of_guest.values()), grouped(figures.tally.doorbells_rung)
    assert figures_told("{exits} {rung}", {"": figures}) == f"{exits} {rung}"
    figures.feed(event(2**62, EventKind.LOST, Lane.ENGINE, Lane.VCPU, 0, 3))
    assert figures_told("{exits} {rung} {exits / rung}", {"": figures}) == f"≥ {exits} {rung} –"
