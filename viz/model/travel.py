"""What travels through the picture of one scenario, in real time and in slow motion. No Qt.

Besides journeys there are echoes: signals that end at a masked pin, and a device's hearing that its line is low.
"""

from __future__ import annotations

import numpy as np

from engine.events import Clock, Events
from engine.journeys import Journeys
from engine.latency import begin
from engine.scenario import Scenario
from viz import moments, tokens
from viz.history import History
from viz.legs import Route, Ways
from viz.tokens import Launcher, Routes, Token

AROUND_SECONDS = 0.02  # before and after: longer than an echo takes
AHEAD_SECONDS = 0.5  # as far as one looks for the next echo


class Travel:
    """The tokens of one source. Both launchers keep: launched + aggregated + waiting = what they were fed."""

    def __init__(self, scenario: Scenario, clock: Clock, events: History) -> None:
        self.clock, self.events = clock, events
        self.ways = Ways(scenario)
        self.launcher = Launcher()  # of journeys, as they come
        self.passing = Launcher()  # of journeys that a slow playhead passes, while they are too short to be seen
        self.echoes = Launcher()
        self._waits = bool(self.ways.traits & {"coalesced", "window"})
        self._echo = next((name for name in ("masked", "level") if name in self.ways.traits), "")
        self._echo_legs = ("masked",) if self._echo == "masked" else ("resample",)

    @property
    def only_echoes(self) -> bool:
        """Whether no journey is to be waited for: at a masked pin nothing arrives."""
        return self._echo == "masked"

    def feed(self, fresh: Journeys, batch: Events) -> None:
        """Lets what a batch of events completed set out; the events are in the history already."""
        if fresh.size:
            self.launcher.feed(fresh, self.ways.routes(fresh, self._moments(fresh)))
        if self._echo and batch.size:
            heard = moments.echo_events(batch, self.ways.traits)
            self.echoes.feed(heard, self._echo_routes(heard))

    def advance(self, seconds: float) -> int:
        """Moves what is on its way on; how many journeys' tokens set out."""
        before = self.launcher.launched
        self.launcher.advance(seconds)
        self.echoes.advance(seconds)
        return self.launcher.launched - before

    def go_by(self, seconds: float, passed: Journeys) -> None:
        """In slow motion: moves on the tokens of journeys that the playhead passes, and lets the new ones go."""
        if passed.size:
            self.passing.feed(passed, self.ways.routes(passed, self._moments(passed)))
        self.passing.advance(seconds)

    def tokens(self) -> list[Token]:
        """What is on the wires, in real time."""
        return self.launcher.tokens() + self.echoes.tokens()

    def exact(self, journeys: Journeys, tsc: int) -> list[Token]:
        """What is on the wires at `tsc`: journeys are those under way then."""
        when = self._moments(journeys)
        found = tokens.exact(journeys, when, self.ways.routes(journeys, when), tsc)
        if self._echo:
            echoes = self._echoes(tsc, AROUND_SECONDS)
            found += tokens.exact(echoes, moments.none_of(echoes), self._echo_routes(echoes), tsc)
        return found

    def legs_of(self, journey: Journeys) -> tuple[str, ...]:
        """The legs of one journey; shape (1,)."""
        return self.ways.routes(journey, self._moments(journey))[0][0].legs

    def held(self, journeys: Journeys) -> float:
        """How long the guest kept their interrupts off, cycles, the median; 0 if it did not."""
        window = self._moments(journeys)["window"]
        there = window > 0
        return float(np.median((window - journeys["irq"])[there])) if there.any() else 0.0

    def next_echo(self, tsc: int) -> int | None:
        """When the next echo sets out."""
        starts = self._echoes(tsc, AHEAD_SECONDS)["irq"]
        return min((int(start) for start in starts if start > tsc), default=None)

    def _echoes(self, tsc: int, ahead: float) -> Journeys:
        around = self.events.window(tsc - self.clock.cycles(AROUND_SECONDS), tsc + self.clock.cycles(ahead))
        return moments.echoes(around, self.ways.traits)

    def _echo_routes(self, echoes: Journeys) -> Routes:
        return [(Route(self._echo_legs), np.arange(echoes.size))] if echoes.size else []

    def _moments(self, journeys: Journeys) -> moments.Moments:
        if not self._waits or not journeys.size:
            return moments.none_of(journeys)
        ends = np.maximum(journeys["doorbell"], journeys["handler"])
        events = self.events.window(int(begin(journeys).min()), int(ends.max()))
        return moments.moments(journeys, events, self.ways.traits)
