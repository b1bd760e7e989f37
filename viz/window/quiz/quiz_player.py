"""Plays a quiz: runs the guest that is drawn, waits until the symptom is there, and hides the views until it is named.

What labs are made of is imported once there is one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from bellwire.engine.language import tr
from bellwire.viz.model.live import LiveModel
from bellwire.viz.window.shown import Shown

if TYPE_CHECKING:
    from bellwire.viz.lessons.labs.causes import Ruling
    from bellwire.viz.lessons.labs.clues import Clue
    from bellwire.viz.lessons.labs.lab_run import LabRun
    from bellwire.viz.lessons.labs.lab_texts import CauseText, Riddle
    from bellwire.viz.lessons.labs.quiz import Quiz

MOST_SEEDS = 9999  # of those that are drawn, so that one can be told to somebody


class QuizPlayer:
    """The quiz of one window, if there is one. changed: called when it begins, has the symptom, is over, or ends."""

    def __init__(self, shown: Shown, before: Callable[[], None] = lambda: None) -> None:
        """before: called before a quiz begins; ends a lesson."""
        self._shown, self._before = shown, before
        self.changed: list[Callable[[], None]] = []
        self.quiz: Quiz | None = None
        self.run: LabRun | None = None  # fed until the symptom is there, then it stays
        self.ready = False  # the symptom is there
        self.told: dict[str, list[str]] = {}  # what was answered to a piece of evidence
        self.ruled: dict[str, Ruling] = {}  # what the run said of a cause
        self.replayed = False
        self._model: LiveModel | None = None  # that is listened to
        shown.changed.connect(self._follow_source)

    @property
    def on(self) -> bool:
        """Whether there is one."""
        return self.quiz is not None

    @property
    def hides(self) -> bool:
        """Whether nothing may be shown of the guest: its cause is still to be named."""
        return self.quiz is not None and not self.quiz.over

    @property
    def title(self) -> str:
        """What the window is called meanwhile; "" if it may say the scenario's title."""
        return tr("Quiz {seed}", seed=self.quiz.seed) if self.quiz and self.hides else ""

    def begin(self, seed: int | None = None, lab: Riddle | None = None) -> None:
        """Another guest, by a seed or any."""
        from bellwire.viz.lessons.labs.quiz import Quiz

        self._before()
        self._stop_listening()
        self.quiz = Quiz.drawn(random.SystemRandom().randint(1, MOST_SEEDS) if seed is None else seed, lab)
        self.run, self.ready, self.told, self.ruled = None, False, {}, {}
        self._tell()
        self._shown.run_scenario(self.quiz.lab.scenario)

    def end(self) -> None:
        """No quiz any more; what runs, runs on, and is shown."""
        if self.quiz is not None:
            self._stop_listening()
            self.quiz = self.run = None
            self._tell()

    def ask(self, clue: Clue) -> None:
        """A piece of evidence."""
        if self.quiz and self.run and self.ready:
            self.told.setdefault(clue.name, self.quiz.ask(clue.name, self.run))
            self._tell()

    def name(self, cause: CauseText) -> None:
        """Somebody says that this is it."""
        if self.quiz and self.run and self.ready and self.hides:
            self.ruled[cause.name] = self.quiz.name(cause, self.run)
            self._tell()

    def give_up(self) -> None:
        """The cause is told."""
        from bellwire.viz.lessons.labs.causes import ruling

        if self.quiz and self.run and self.ready and self.hides:
            self.quiz.given_up = True
            self.ruled[self.quiz.lab.cause.name] = ruling(self.run, self.quiz.lab.cause.name)
            self._tell()
        elif self.hides:
            self.end()

    def follow(self) -> None:
        """Once a frame: the symptom is there once the guest has run for long enough, or has ended."""
        if self.quiz is None or self.run is None or self.ready:
            return
        model = self._shown.model
        ended = not model.source.alive and model.present.tally.recorded > 0
        if ended or self.run.seconds(self.run.last) >= self.quiz.lab.seconds:
            self._stop_listening()
            self.ready = True
            self.quiz.choices(self.run)
            self._tell()

    def _follow_source(self) -> None:
        """Its guest is listened to from its first event; whatever else is shown ends the quiz."""
        if self.quiz is None:
            return
        from bellwire.viz.lessons.labs.lab_run import LabRun

        model = self._shown.model
        if self.run is not None or model.scenario.name != self.quiz.lab.name:
            self.end()
            return
        self.run = LabRun(model.scenario, model.source.backend, model.clock)
        self.replayed = model.replaying
        self._model = model
        model.taps.append(self.run.feed)
        self._tell()

    def _stop_listening(self) -> None:
        if self._model and self.run and self.run.feed in self._model.taps:
            self._model.taps.remove(self.run.feed)
        self._model = None

    def _tell(self) -> None:
        for listener in self.changed:
            listener()
