"""Story pace: one journey, told stage by stage, each for about two seconds on the screen, whatever it took.

A step of the story is a stage that the signal passes, or what another one does beside (the vCPU goes on while the I/O
thread is woken). Steps are in the order in which they began, as far as that is known; the stopwatch shows the true
time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from bellwire.viz.stages.standpoint import Standpoint
from bellwire.viz.stages.way import Stop

STAGE_SECONDS = 2.0  # on the screen
LEAST_STAGE_SECONDS, MOST_STAGE_SECONDS = 0.5, 10.0
LONG = 4.0  # times as long as a story's usual step: a wait that is shortened, and told with its true length


@dataclass(frozen=True)
class StoryStep:
    """One stage of the story. earliest, latest: cycles after the journey's start; latest None: not known.

    stop: the index of the way's stop; of what happens beside, that of the stop before it.
    """

    stop: int
    beside: Stop | None
    earliest: int
    latest: int | None


class Story:
    """Which step of which journey is told, and for how long it has been."""

    def __init__(self, whole: Standpoint, seconds: float = STAGE_SECONDS, which: str = "") -> None:
        """whole: the journey, from wherever it is looked at. which: of the journeys, in words: "the slowest"."""
        self.whole, self.which = whole, which
        self.seconds = seconds  # a step lasts, on the screen
        self.paused = False
        self.steps = steps_of(whole)
        self.waits = waits_before(self.steps)
        self.step = 0
        self.told = 0.0  # seconds for which the step has been told

    @property
    def current(self) -> StoryStep:
        """The step that is told."""
        return self.steps[self.step]

    def stop_of(self, step: int) -> Stop:
        """Whose stage a step tells."""
        return self.steps[step].beside or self.whole.stops[self.steps[step].stop]

    @property
    def standpoint(self) -> Standpoint:
        """Where the signal is in it."""
        step = self.current
        if step.beside is None:
            return self.whole.at(step.stop)
        return self.whole.meanwhile(step.beside, self.whole.start + step.earliest)

    @property
    def over(self) -> bool:
        """Whether all has been told."""
        return self.step == len(self.steps) - 1 and self.told >= self.seconds

    def advance(self, seconds: float) -> None:
        """Goes on by seconds of the viewer's time."""
        if self.paused:
            return
        self.told += seconds
        while self.told >= self.seconds and self.step < len(self.steps) - 1:
            self.told -= self.seconds
            self.step += 1
        self.told = min(self.told, self.seconds)

    def go(self, steps: int) -> None:
        """To a stage further on, or back (negative)."""
        self.step = min(max(self.step + steps, 0), len(self.steps) - 1)
        self.told = 0.0

    def again(self) -> None:
        """From the beginning."""
        self.step, self.told, self.paused = 0, 0.0, False


def steps_of(whole: Standpoint) -> list[StoryStep]:
    """All steps, in the order in which they began; what can be told apart by no stamp in the order of the way."""
    steps = [StoryStep(stop, None, *whole.began(stop)) for stop in range(len(whole.stops))]
    for stop in whole.times.way.beside:
        stamp = whole.stamp(stop.began)
        if stamp:
            cycles = stamp - whole.start
            behind = (i for i, step in enumerate(steps) if step.earliest > cycles or follows(whole, step, stop))
            at = next(behind, len(steps))
            steps.insert(at, StoryStep(steps[at - 1].stop, stop, cycles, cycles))
    return steps


def follows(whole: Standpoint, step: StoryStep, beside: Stop) -> bool:
    """Whether a step comes after what begins on another branch, as no stamp but that one's bounds it."""
    return step.beside is None and whole.stops[step.stop].after == beside.began


def waits_before(steps: list[StoryStep]) -> list[int]:
    """By step the cycles that passed before it, where they are so many that the story shortens them; else 0.

    They are those since the last moment that is known; steps of which no stamp tells when they were have their share.
    """
    usual = steps[-1].earliest / len(steps)
    found, told = [0], 1
    for step, after in pairwise(steps):
        passed = after.earliest - step.earliest
        found.append(passed if passed > LONG * usual * told else 0)
        told = 1 if passed else told + 1
    return found
