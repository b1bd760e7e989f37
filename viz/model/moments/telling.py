"""Which journey a story is told of, and what its title, its stopwatch and its waits say; LiveModel tells it on."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from bellwire.engine.folds.journeys import Journeys, no_journeys
from bellwire.viz.model.journey_of import whole_length
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.looking import standpoint_of
from bellwire.viz.stages.story import LEAST_STAGE_SECONDS, LONG, MOST_STAGE_SECONDS, STAGE_SECONDS, Story
from bellwire.viz.text.figures import duration, grouped

PACES_OF_STAGES = (LEAST_STAGE_SECONDS, 1.0, STAGE_SECONDS, 3.0, 5.0, MOST_STAGE_SECONDS)  # seconds


class Teller(StrEnum):
    """Which journey is told, as the title says it."""

    CHOSEN = "the chosen one"  # else one under way at the moment that is looked at, else the newest
    NEWEST = "the newest"
    MEDIAN = "the median"
    SLOWEST = "the slowest"


def journey_told(model: LiveModel, which: Teller) -> Journeys:
    """The journey that such a story is of; shape (1,), or (0,) if there is none."""
    if which is Teller.SLOWEST:
        return model.past.slowest(model.whole_latency, model.present.latencies.warmup)[0]
    if which is Teller.MEDIAN:
        return median_journey(model)
    if which is Teller.CHOSEN and model.selection.journeys.size:
        return model.selection.journeys
    under_way = model.under_way()[:1] if which is Teller.CHOSEN and model.transport.exact else no_journeys()
    return under_way if under_way.size else model.journeys.newest(1)


def median_journey(model: LiveModel) -> Journeys:
    """Of those held, one whose whole latency is the nearest to their median; shape (1,) or (0,)."""
    held = [some[~np.isnan(whole_length(some))] for some in model.journeys]
    lengths = [whole_length(some) for some in held]
    if not sum(map(len, held)):
        return no_journeys()
    median = float(np.median(np.concatenate(lengths)))
    nearest = [
        (float(np.abs(length - median).min()), n, int(np.abs(length - median).argmin()))
        for n, length in enumerate(lengths)
        if length.size
    ]
    _, n, at = min(nearest)
    return held[n][at : at + 1]


def begin_story(model: LiveModel, which: Teller, seconds: float = STAGE_SECONDS) -> bool:
    """Tells a journey from its first stage, seconds a stage, and chooses it in every view; False if there is none."""
    journey = journey_told(model, which)
    whole = standpoint_of(model, journey, 0)
    if whole is None or not whole.stops:
        return False
    newest = which is Teller.CHOSEN and not model.selection.journeys.size and model.transport.following
    model.selection.choose(journeys=journey)
    model.tell(Story(whole, seconds, Teller.NEWEST if newest else which))
    return True


def end_story(model: LiveModel) -> None:
    """Back to the present."""
    model.story = None
    model.to_newest()


# -- what is said of it


def story_title(story: Story) -> str:
    """ "Story of doorbell #48 213, the slowest"."""
    journey = story.whole.journey
    rings = bool(journey["ring"][0])
    number = grouped(int(journey["seq"][0] if rings else journey["interrupt"][0]))
    return f"Story of {'doorbell' if rings else 'interrupt'} #{number}{f', {story.which}' if story.which else ''}"


def stopwatch_words(model: LiveModel, story: Story) -> str:
    """The true time since the journey's start: measured, or the bound that there is."""
    step = story.current
    earliest = duration(model.clock.ns(step.earliest))
    if step.latest is None:
        return f"≥ {earliest}"
    return earliest if step.latest == step.earliest else f"≤ {duration(model.clock.ns(step.latest))}"


def stopwatch_reason(story: Story) -> str:
    """What kind of time the stopwatch shows."""
    step = story.current
    if step.latest is None:
        return "no stamp says when at the latest"
    return "measured" if step.latest == step.earliest else "between two stamps"


def waits(story: Story) -> list[int]:
    """By step the cycles that passed before it, where they are so many that the story shortens them; else 0.

    What passed is the time since what was certain to be over at the step before.
    """
    passed = [0, *(after.earliest - step.earliest for step, after in zip(story.steps, story.steps[1:], strict=False))]
    usual = story.steps[-1].earliest / len(story.steps)
    return [cycles if cycles > LONG * usual else 0 for cycles in passed]
