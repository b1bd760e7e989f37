"""A quiz: a guest in trouble, drawn by a seed; what was asked, what was answered, and how many points are left."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from bellwire.engine.language import tr_n
from bellwire.viz.lessons.labs.causes import Ruling, ruling
from bellwire.viz.lessons.labs.clues import BY_CLUE, Clue
from bellwire.viz.lessons.labs.lab_run import LabRun
from bellwire.viz.lessons.labs.lab_texts import CauseText, Riddle, cause_texts, riddles

POINTS = 10  # that there are
PENALTY = 3  # for a cause that is none
CHOICES = 4
LARGEST_SEED = 2**32 - 1


@dataclass
class Quiz:
    """One guest, and what somebody has found out of it. The same seed draws the same guest and the same order.

    tried: the causes that were named and are none.
    """

    seed: int
    lab: Riddle
    asked: list[Clue] = field(default_factory=list)
    tried: list[CauseText] = field(default_factory=list)
    named: bool = False  # the cause was
    given_up: bool = False
    _choices: tuple[CauseText, ...] = ()

    @classmethod
    def drawn(cls, seed: int, lab: Riddle | None = None) -> Quiz:
        """By a seed; lab: this one, so that the seed draws the choices alone."""
        found = list(riddles().values())
        drawn = found[random.Random(seed).randrange(len(found))]
        return cls(seed, lab or drawn)

    @property
    def over(self) -> bool:
        """Whether the cause may be told."""
        return self.named or self.given_up

    @property
    def points(self) -> int:
        """What is left of them."""
        spent = sum(clue.cost for clue in self.asked) + PENALTY * len(self.tried)
        return 0 if self.given_up else max(POINTS - spent, 0)

    @property
    def score(self) -> str:
        """The points in words."""
        return tr_n("{n} point", "{n} points", self.points)

    def choices(self, run: LabRun) -> tuple[CauseText, ...]:
        """The cause, and others that the run shows to be none; the nearest first, then mixed. Once drawn they stay."""
        if not self._choices:
            dice = random.Random(self.seed)
            others = [one for one in cause_texts().values() if ruling(run, one.name).holds is False]
            others = [one for one in others if one.name != self.lab.cause.name]
            dice.shuffle(others)
            others.sort(key=lambda one: one.side != self.lab.cause.side)
            chosen = [self.lab.cause, *others[: CHOICES - 1]]
            dice.shuffle(chosen)
            self._choices = tuple(chosen)
        return self._choices

    def ask(self, name: str, run: LabRun) -> list[str]:
        """A piece of evidence, in sentences; it costs once."""
        clue = BY_CLUE[name]
        if clue not in self.asked and not self.over:
            self.asked.append(clue)
        return clue.tell(run)

    def name(self, cause: CauseText, run: LabRun) -> Ruling:
        """Somebody says that this is it; the run decides."""
        ruled = ruling(run, cause.name)
        if ruled.holds:
            self.named = True
        elif ruled.holds is False and cause not in self.tried and not self.over:
            self.tried.append(cause)
        return ruled
