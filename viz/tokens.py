"""What travels on the wires: the journeys, as tokens.

Two ways to show a journey, both of them counted:

- In slow motion (and at a step) a token is where its journey was at the playhead: its place on a leg is exactly the
  share of the leg's measured time that has passed. Tokens that would cover each other share one with their count.
- In real time a journey of 10 µs cannot be seen. So a token sets out at most every LAUNCH_SECONDS on each route and
  carries every journey completed meanwhile, at a pace for the eye. launched + aggregated + waiting = journeys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT, Journeys
from viz.text import grouped

LAUNCH_SECONDS = 0.2
PLACES = 40  # tokens nearer than 1/40 of a leg share one

# A leg: the stages at its ends, and how long it takes the eye in real time (seconds).
LEGS: dict[str, tuple[str, str, float]] = {
    "ioeventfd": ("ring", "doorbell", 0.70),
    "exit": ("ring", "exit", 0.70),
    "relay": ("exit", "doorbell", 0.70),
    "answer": ("doorbell", "irq", 0.20),
    "irqfd": ("irq", "handler", 0.70),
    "ioctl": ("irq", "handler", 0.90),
}
HEAVY_LEGS = ("exit", "relay", "ioctl")


class Route(NamedTuple):
    """Which legs a journey takes: does it ring, does it interrupt, and what was heavy (HEAVY_* bits)."""

    rings: bool
    interrupts: bool
    heavy: int

    @property
    def legs(self) -> tuple[str, ...]:
        """The legs in the order of the journey."""
        out = ("exit", "relay") if self.heavy & HEAVY_DOORBELL else ("ioeventfd",)
        back = ("ioctl",) if self.heavy & HEAVY_INTERRUPT else ("irqfd",)
        both = ("answer",) if self.rings and self.interrupts else ()
        return (out if self.rings else ()) + both + (back if self.interrupts else ())

    @property
    def seconds(self) -> float:
        """How long the eye needs."""
        return sum(LEGS[leg][2] for leg in self.legs)


@dataclass(frozen=True, slots=True)
class Token:
    """One thing to draw: on which leg, where (0..1), its newest journey's number, how many journeys it stands for."""

    leg: str
    at: float
    seq: int
    count: int = 1

    @property
    def heavy(self) -> bool:
        """Whether it takes the way by user space."""
        return self.leg in HEAVY_LEGS

    @property
    def label(self) -> str:
        """#48 213, or ×37 for several."""
        return f"#{grouped(self.seq)}" if self.count == 1 else f"×{grouped(self.count)}"


def routes(journeys: Journeys) -> list[tuple[Route, Journeys]]:
    """The journeys by the route they took."""
    keys = (journeys["ring"] > 0) * 16 + (journeys["handler"] > 0) * 8 + journeys["heavy"]
    found = []
    for key in np.unique(keys):
        route = Route(bool(key & 16), bool(key & 8), int(key & 7))
        found.append((route, journeys[keys == key]))
    return found


def exact(journeys: Journeys, tsc: int) -> list[Token]:
    """Tokens of the journeys under way at `tsc`; their counts add up to the number of those journeys."""
    return [token for route, some in routes(journeys) for leg in route.legs for token in on_leg(leg, some, tsc)]


def on_leg(leg: str, journeys: Journeys, tsc: int) -> list[Token]:
    """Tokens of those journeys that are on this leg at `tsc`; a leg holds its beginning, not its end."""
    begin, end, _ = LEGS[leg]
    t0, t1 = journeys[begin], journeys[end]
    there = (t0 <= np.uint64(tsc)) & (np.uint64(tsc) < t1)
    if not there.any():
        return []
    at = (tsc - t0[there].astype(np.float64)) / (t1[there] - t0[there])
    return shared(leg, at, journeys["seq"][there])


def shared(leg: str, at: npt.NDArray[np.float64], seqs: npt.NDArray[np.uint64]) -> list[Token]:
    """One token for all that stand at nearly the same place; it stands where its newest does."""
    order = np.argsort(seqs, kind="stable")
    at, seqs = at[order], seqs[order]
    place, counts = np.unique((at * PLACES).astype(np.int64), return_counts=True)
    newest = [int(np.flatnonzero((at * PLACES).astype(np.int64) == p)[-1]) for p in place]
    return [Token(leg, float(at[i]), int(seqs[i]), int(n)) for i, n in zip(newest, counts, strict=True)]


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
            seconds = LEGS[leg][2]
            if rest < seconds:
                return Token(leg, rest / seconds, self.seq, self.count)
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

    def feed(self, journeys: Journeys) -> None:
        """Adds completed journeys to those that wait."""
        for route, some in routes(journeys) if journeys.size else ():
            carrier = self._waiting.setdefault(route, Carrier(route, 0, 0))
            carrier.seq = int(some["seq"].max())
            carrier.count += some.size

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
