"""Journeys, where they can be told from outside: where exactly one request was under way.

Nobody outside sees which doorbell an interrupt answers. But once a VM has been quiet for long, nothing is under way;
and as long as doorbell and interrupt then take turns, each interrupt answers the doorbell before it. Two doorbells in
a row, or two interrupts, end that: until it is quiet again only hops are told.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from enum import Enum
from typing import NamedTuple

from bellwire.engine.events import Clock
from bellwire.engine.folds.histogram import Histogram

QUIET_SECONDS = 0.002  # at least, and
QUIET_ANSWERS = 4  # times what the slowest answer in a hundred took


class Turn(Enum):
    """What has happened."""

    RUNG = "rung"
    SENT = "sent"  # an interrupt's message, or its line
    TAKEN = "taken"


class Letter(NamedTuple):
    """One thing that has happened. key: which doorbell, or which interrupt."""

    turn: Turn
    tsc: int
    key: Hashable


class OneAtATime:
    """Is fed what has happened, in its order. rung: doorbells. journeys: ns from a doorbell to the vCPU that takes the
    interrupt which answers it."""

    def __init__(self, clock: Clock) -> None:
        self.rung = 0
        self.journeys = Histogram()
        self._clock, self._answers = clock, Histogram()
        self._idle = False  # whether nothing but `_open` can be under way
        self._open: int | None = None  # TSC of the doorbell that waits for its interrupt
        self._answered: dict[Hashable, int] = {}  # interrupts that wait for a vCPU: TSC of their doorbells
        self._newest: Letter | None = None  # of what was rung or sent
        self._journeys, self._waits = list[float](), list[float]()  # of this batch

    def feed(self, letters: Iterable[Letter]) -> None:
        """The next ones."""
        quiet = self._quiet()
        for letter in letters:
            if letter.turn == Turn.TAKEN:
                self._take(letter)
            elif letter.turn == Turn.RUNG:
                self._ring(letter, quiet)
            else:
                self._send(letter)
        self.journeys.record(self._journeys)
        self._answers.record(self._waits)
        self._journeys.clear()
        self._waits.clear()

    def forget(self) -> None:
        """Something was lost: what is under way is not known."""
        self._idle, self._open, self._newest = False, None, None
        self._answered.clear()

    def _quiet(self) -> int:
        """Cycles for which it has been quiet if nothing is under way."""
        slow = self._answers.percentile(99) * QUIET_ANSWERS / 1e9
        return self._clock.cycles(max(QUIET_SECONDS, slow))

    def _ring(self, letter: Letter, quiet: int) -> None:
        self.rung += 1
        before, self._newest = self._newest, letter
        if before and before.turn == Turn.SENT and letter.tsc - before.tsc > quiet:
            self._idle = True
        elif self._open is not None or (before and before.turn == Turn.RUNG):
            self._idle = False
        self._open = letter.tsc if self._idle else None

    def _send(self, letter: Letter) -> None:
        before, self._newest = self._newest, letter
        if before and before.turn == Turn.RUNG:
            self._waits.append(self._clock.ns(letter.tsc - before.tsc))
        if self._open is None:
            self._idle = False
            return
        self._answered[letter.key], self._open = self._open, None

    def _take(self, letter: Letter) -> None:
        rung = self._answered.pop(letter.key, None)
        if rung is not None:
            self._journeys.append(self._clock.ns(letter.tsc - rung))
