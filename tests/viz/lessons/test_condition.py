"""Conditions: figures of the step at hand and of earlier ones, compared."""

from __future__ import annotations

import pytest

from bellwire.engine.errors import AssertionTextError
from bellwire.engine.events import EventKind, Lane, event
from bellwire.engine.folds.prologue import prologue
from bellwire.engine.folds.tally import Tally
from bellwire.viz.lessons.condition import parse_condition
from bellwire.viz.lessons.step_figures import StepFigures
from tests.support.fake_source import FakeSource


def figures_after(seconds: float) -> StepFigures:
    """Of a source that has run for so long."""
    source = FakeSource()
    figures = StepFigures(source.scenario, source.clock, prologue(Tally(), 0))
    source.start()
    source.run(seconds)
    figures.feed(source.take())
    return figures


def test_each_side_is_of_its_step() -> None:
    figures = {"": figures_after(0.1), "long": figures_after(0.5)}
    for text, holds in {
        "rung < rung@long": True,
        "rung @ long < rung": False,
        "rung@long>rung@long": False,
        "rung@long == rung@long": True,
        "doorbell.p50@long < 1s": True,
        "rung@missing >= 0": False,
    }.items():
        assert parse_condition(text, ["long", "missing"]).judge(figures).holds is holds, text


def test_of_figures_that_events_are_missing_from_only_what_these_can_tell_holds_or_fails() -> None:
    exact, lossy = figures_after(0.5), figures_after(0.5)
    exits = sum(exact.tally.exits_of_guest.values())
    lossy.feed(event(2**62, EventKind.LOST, Lane.ENGINE, Lane.VCPU, 0, 3))
    for text, holds in {
        f"exits == {exits}": None,
        f"exits < {exits}": False,
        f"exits <= {exits + 3}": True,
        "exits@exact >= exits": None,
        "exits >= exits@exact": True,
        "rung == rung@exact": True,
    }.items():
        assert parse_condition(text, ["exact"]).judge({"": lossy, "exact": exact}).holds is holds, text


def test_it_has_one_spelling_however_it_is_written() -> None:
    condition = parse_condition("rung@ long<=received", ["long"])
    assert condition.text == "rung@long <= received"
    assert condition.judge({"": figures_after(0.1), "long": figures_after(0.1)}).text == condition.text


@pytest.mark.parametrize("text", ["rung@long > 3us", "rung@shrot > 3", "rung > 3@long@long", "@long > 3"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(AssertionTextError):
        parse_condition(text, ["long"])
