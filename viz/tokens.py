"""What travels on the wires: the journeys, as tokens.

Two ways to show a journey, both of them counted:

- In slow motion (and at a step) a token is where its journey was at the playhead: its place on a leg is exactly the
  share of the leg's measured time that has passed. Tokens that would cover each other share one with their count.
- In real time a journey of 10 µs cannot be seen. So a token sets out at most every LAUNCH_SECONDS on each route and
  carries every journey completed meanwhile, at a pace for the eye. launched + aggregated + waiting = journeys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.journeys import Journeys
from viz.legs import HEAVY_LEGS, LEGS, Route
from viz.moments import Moments
from viz.text import grouped

LAUNCH_SECONDS = 0.2
PLACES = 40  # tokens nearer than 1/40 of a leg share one

Routes = Iterable[tuple[Route, npt.NDArray[np.intp]]]


@dataclass(frozen=True, slots=True)
class Token:
    """One thing to draw: on which leg, where (0..1), its newest journey's number, how many journeys it stands for.

    lane: which of several lines the leg is.
    """

    leg: str
    at: float
    seq: int
    count: int = 1
    lane: int = 0

    @property
    def heavy(self) -> bool:
        """Whether it takes the way by user space."""
        return self.leg in HEAVY_LEGS

    @property
    def label(self) -> str:
        """#48 213, or ×37 for several."""
        return f"#{grouped(self.seq)}" if self.count == 1 else f"×{grouped(self.count)}"


def exact(journeys: Journeys, moments: Moments, routes: Routes, tsc: int) -> list[Token]:
    """Tokens of the journeys under way at `tsc`; their counts add up to the number of those journeys."""
    found = []
    for route, index in routes:
        some, when = journeys[index], {name: stage[index] for name, stage in moments.items()}
        for leg in route.legs:
            found += on_leg(leg, route.lane(leg), some, when, tsc)
    return found


def on_leg(leg: str, lane: int, journeys: Journeys, moments: Moments, tsc: int) -> list[Token]:
    """Tokens of those journeys that are on this leg at `tsc`; a leg holds its beginning, not its end."""
    t0, t1 = (stage_of(journeys, moments, stage) for stage in LEGS[leg][:2])
    there = (t0 <= np.uint64(tsc)) & (np.uint64(tsc) < t1)
    if not there.any():
        return []
    at = (tsc - t0[there].astype(np.float64)) / (t1[there] - t0[there])
    return shared(leg, lane, at, journeys["seq"][there])


def stage_of(journeys: Journeys, moments: Moments, stage: str) -> npt.NDArray[np.uint64]:
    """TSC of a stage of the journey's record, or of a moment; shape (n,)."""
    tsc: npt.NDArray[np.uint64] = moments[stage] if stage in moments else journeys[stage]
    return tsc


def shared(leg: str, lane: int, at: npt.NDArray[np.float64], seqs: npt.NDArray[np.uint64]) -> list[Token]:
    """One token for all that stand at nearly the same place; it stands where its newest does."""
    order = np.argsort(seqs, kind="stable")
    at, seqs = at[order], seqs[order]
    place, counts = np.unique((at * PLACES).astype(np.int64), return_counts=True)
    newest = [int(np.flatnonzero((at * PLACES).astype(np.int64) == p)[-1]) for p in place]
    return [Token(leg, float(at[i]), int(seqs[i]), int(n), lane) for i, n in zip(newest, counts, strict=True)]


@dataclass(slots=True)
class Carrier:
    """A token in real time: on its way for `age` seconds, standing for `count` journeys up to `seq`."""

    route: Route
    seq: int
    count: int
    age: float = 0.0

    def token(self) -> Token | None:
        """Where it is now; None once it has arrived."""
        rest = self.age
        for leg in self.route.legs:
            seconds = LEGS[leg].seconds
            if rest < seconds:
                return Token(leg, rest / seconds, self.seq, self.count, self.route.lane(leg))
            rest -= seconds
        return None


class Launcher:
    """Sends tokens off in real time. Bounded: a handful of carriers on each route, whatever the rate."""

    def __init__(self) -> None:
        self.launched = 0  # tokens that set out
        self.aggregated = 0  # journeys that share a token with another
        self.carriers: list[Carrier] = []
        self._waiting: dict[Route, Carrier] = {}  # to set out at the next chance
        self._since: dict[Route, float] = {}  # seconds since the last one set out

    @property
    def waiting(self) -> int:
        """Journeys that no token carries yet."""
        return sum(carrier.count for carrier in self._waiting.values())

    def feed(self, journeys: Journeys, routes: Routes) -> None:
        """Adds completed journeys to those that wait."""
        for route, index in routes:
            carrier = self._waiting.setdefault(route, Carrier(route, 0, 0))
            carrier.seq = int(journeys["seq"][index].max())
            carrier.count += index.size

    def advance(self, seconds: float) -> None:
        """Moves everything on by `seconds`, then lets the next ones set out."""
        for carrier in self.carriers:
            carrier.age += seconds
        self.carriers = [carrier for carrier in self.carriers if carrier.age < carrier.route.seconds]
        for route in self._since:
            self._since[route] += seconds
        for route in list(self._waiting):
            if self._since.get(route, LAUNCH_SECONDS) >= LAUNCH_SECONDS:
                self._launch(route)

    def _launch(self, route: Route) -> None:
        carrier = self._waiting.pop(route)
        self._since[route] = 0.0
        self.carriers.append(carrier)
        self.launched += 1
        self.aggregated += carrier.count - 1

    def tokens(self) -> list[Token]:
        """What is on the wires now."""
        return [token for token in (carrier.token() for carrier in self.carriers) if token]
