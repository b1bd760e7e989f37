"""Which journey a story is told of, and what its title and its stopwatch say; LiveModel tells it on."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Setting
from bellwire.engine.folds.journeys import Journeys, no_journeys
from bellwire.engine.language import tr, tr_later
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.model.journey_of import whole_length
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.looking import standpoint_of
from bellwire.viz.stages.story import LEAST_STAGE_SECONDS, MOST_STAGE_SECONDS, STAGE_SECONDS, Story
from bellwire.viz.text.figures import duration, grouped, spent
from bellwire.viz.text.host_words import back_end_words

AWAITED_AMONG = 1 << 10  # of the newest journeys, those of a frame
PACES_OF_STAGES = (LEAST_STAGE_SECONDS, 1.0, STAGE_SECONDS, 3.0, 5.0, MOST_STAGE_SECONDS)  # seconds


class Teller(StrEnum):
    """Which journey is told, as the title says it."""

    CHOSEN = tr_later("the chosen one")  # else one under way at the moment that is looked at, else the newest
    NEWEST = tr_later("the newest")
    AWAITED = tr_later("just signalled")  # the first that came after it was asked for
    MEDIAN = tr_later("the median")
    SLOWEST = tr_later("the slowest")


def journey_told(model: LiveModel, which: Teller) -> Journeys:
    """The journey that such a story is of; shape (1,), or (0,) if there is none."""
    if which is Teller.SLOWEST:
        return model.slowest(model.whole_latency)[0]
    if which is Teller.MEDIAN:
        return median_journey(model)
    if which is Teller.CHOSEN and model.selection.journeys.size:
        return model.selection.journeys
    under_way = model.under_way()[:1] if which is Teller.CHOSEN and model.transport.exact else no_journeys()
    return under_way if under_way.size else model.journeys.newest(1)


def median_journey(model: LiveModel) -> Journeys:
    """Of those held, one whose whole latency is the nearest to the median of all; shape (1,) or (0,)."""
    held = [some[~np.isnan(whole_length(some))] for some in model.journeys]
    lengths = [whole_length(some) for some in held]
    if not sum(map(len, held)):
        return no_journeys()
    median = median_of_all(model, np.concatenate(lengths))
    nearest = [
        (float(np.abs(length - median).min()), n, int(np.abs(length - median).argmin()))
        for n, length in enumerate(lengths)
        if length.size
    ]
    _, n, at = min(nearest)
    return held[n][at : at + 1]


def median_of_all(model: LiveModel, held: npt.NDArray[np.float64]) -> float:
    """Of the whole latency, in cycles. held: of the journeys held, if others have made room for them not all."""
    counted = model.present.latencies.histograms[model.whole_latency]
    ns = counted.percentile(50) if counted.count > held.size else None
    return float(np.median(held)) if ns is None else ns * model.clock.hz / 1e9


def begin_story(model: LiveModel, which: Teller, seconds: float = STAGE_SECONDS) -> bool:
    """Tells a journey from its first stage, seconds a stage, and chooses it in every view; False if there is none."""
    return tell_journey(model, journey_told(model, which), which, seconds)


def tell_journey(model: LiveModel, journey: Journeys, which: Teller, seconds: float) -> bool:
    """The same of this one, shape (1,) or (0,)."""
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


def stand_at_stage(model: LiveModel, stage: str) -> None:
    """The story stands still at the stage of that name, if its way has it; "": it goes on."""
    story = model.story
    if story is None or not stage:
        return
    at = next((n for n in range(len(story.steps)) if story.stop_of(n).stage.name == stage), None)
    if at is not None:
        story.go(at - story.step)
        model.tell(story)
        story.paused = True


class Signalled(NamedTuple):
    """The newest doorbell and the newest interrupt that were known at a moment."""

    doorbell: int
    interrupt: int

    def first_after(self, model: LiveModel) -> Journeys:
        """The first journey of a later one, if it has completed; shape (1,) or (0,)."""
        newest = model.journeys.newest(AWAITED_AMONG)
        rings = newest["ring"] > 0
        later = np.where(rings, newest["seq"] > self.doorbell, newest["interrupt"] > self.interrupt)
        found: Journeys = newest[later][:1]
        return found


class Storyteller:
    """Tells stories of whichever model is shown, all at one pace; one that is awaited begins with the next journey."""

    def __init__(self, model: Callable[[], LiveModel]) -> None:
        """model: the one that is shown now."""
        self._model = model
        self.seconds = STAGE_SECONDS  # a stage
        self._awaits: tuple[LiveModel, Signalled] | None = None  # a journey of that model, of a later signal

    @property
    def awaits(self) -> bool:
        """Whether the next journey is told."""
        return self._awaits is not None and self._awaits[0] is self._model()

    @property
    def on(self) -> bool:
        """Whether a story is told or awaited."""
        return self.awaits or self._model().story is not None

    @property
    def plays(self) -> bool:
        """Whether a story goes on by itself: it is neither paused nor at its end."""
        story = self._model().story
        return story is not None and not story.paused and not story.over

    def begin(self, which: Teller) -> bool:
        """Tells it now; False if there is no such journey, and the next is awaited, if one can come."""
        self._awaits = None
        if begin_story(self._model(), which, self.seconds):
            return True
        if not why_no_story(self._model()):
            self._await(Signalled(0, 0))
        return False

    def _await(self, since: Signalled) -> None:
        model = self._model()
        model.story = None
        model.to_newest()
        self._awaits = model, since

    def await_next(self) -> None:
        """A signal is given by hand: while stories are on it is the next to be told, as no pace drives others.

        The pace and the numbers are the present's: the story that is told may be of a moment before.
        """
        model, tally = self._model(), self._model().present.tally
        if self.on and not tally.settings.get(Setting.PACE, model.scenario.pace.per_second):
            self._await(Signalled(tally.doorbells_rung, tally.irqs_signalled))

    def follow(self) -> None:
        """Once a frame: begins what is awaited once it is there."""
        if not self.awaits or self._awaits is None:
            return
        model, since = self._awaits
        journey = since.first_after(model)
        if journey.size and tell_journey(model, journey, Teller.AWAITED, self.seconds):
            self._awaits = None

    def end(self) -> bool:
        """Back to the present; False if none was told or awaited."""
        was, self._awaits = self.on, None
        if was:
            end_story(self._model())
        return was

    def play_or_pause(self) -> None:
        """One that has come to its end is told again."""
        story = self._model().story
        if story is not None and story.over:
            self.again()
        elif story is not None:
            story.paused = not story.paused

    def go(self, stages: int) -> bool:
        """So many stages on, negative: back; False if no story is told."""
        story = self._model().story
        if story is not None:
            story.go(stages)
            self._model().tell(story)
        return story is not None

    def again(self) -> bool:
        """From the first stage; False if no story is told."""
        story = self._model().story
        if story is not None:
            story.again()
            self._model().tell(story)
        return story is not None

    def set_pace(self, notches: int) -> bool:
        """More seconds a stage, or fewer (negative); False if no story is told."""
        story = self._model().story
        if story is not None:
            at = PACES_OF_STAGES.index(self.seconds) + notches
            self.seconds = PACES_OF_STAGES[min(max(at, 0), len(PACES_OF_STAGES) - 1)]
            story.told *= self.seconds / story.seconds
            story.seconds = self.seconds
        return story is not None


# -- what is said of it


def why_no_story(model: LiveModel) -> str:
    """Why no journey will come, as a sentence; "" if one may."""
    if Trait.MASKED in model.traits:
        return tr("At a masked pin no signal arrives: there is no journey whose story could be told.")
    if not model.source.alive:
        return tr("No journey is held whose story could be told, and none will come.")
    return ""


def number_of_journey(journey: Journeys) -> int:
    """By which it is called: that of its doorbell or, where the host began it, of its interrupt; shape (1,)."""
    return int(journey["seq"][0] if journey["ring"][0] else journey["interrupt"][0])


def signal_told(story: Story) -> tuple[bool, str]:
    """Whether a story is that of a doorbell, not of an interrupt alone, and its number."""
    journey = story.whole.journey
    return bool(journey["ring"][0]), grouped(number_of_journey(journey))


def story_title(story: Story) -> str:
    """ "Story of doorbell #48 213, the slowest"."""
    rings, number = signal_told(story)
    title = tr("Story of interrupt #{number}", number=number)
    if rings:
        title = tr("Story of doorbell #{number}", number=number)
    return f"{title}, {tr(story.which)}" if story.which else title


def stopwatch_words(model: LiveModel, story: Story) -> str:
    """The true time since the journey's start: measured, or the bound that there is; a dash where an emulated CPU or
    clocks that are apart have stamped it."""
    step = story.current
    if model.present.latencies.clock_error.apart:
        return duration(None)
    earliest = spent(model.clock, step.earliest)
    if step.latest == step.earliest or model.clock.emulated:
        return earliest
    return f"≥ {earliest}" if step.latest is None else f"≤ {spent(model.clock, step.latest)}"


def stopwatch_reason(model: LiveModel, story: Story) -> str:
    """What kind of time the stopwatch shows, or why none."""
    step = story.current
    if model.clock.emulated:
        return back_end_words(model.source.backend, model.source.host)
    if model.present.latencies.clock_error.apart:
        return tr("the clocks are apart")
    if step.latest is None:
        return tr("no stamp says when at the latest")
    return tr("measured") if step.latest == step.earliest else tr("between two stamps")
