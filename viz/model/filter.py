"""Questions to events, asked for many at once. What costs most, words, is looked at only where the rest holds.

How they are written: filter_language.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Clock, Events
from bellwire.viz.model.history import History
from bellwire.viz.model.journey_of import WHOLE, Cycles, Known, around, latency_of
from bellwire.viz.text.event_words import Wording, like

Flags = npt.NDArray[np.bool_]

OPERATORS: dict[str, Callable[..., Flags]] = {
    "=": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


class Sight:
    """A batch of events, and what else can be known of them: their latencies, times and words, once they are asked."""

    def __init__(
        self, events: Events, journeys: History, clock: Clock, origin: int, wording: Wording, known: Known
    ) -> None:
        """known: which latencies can be told."""
        self.events, self.journeys, self.clock, self.origin, self.wording = events, journeys, clock, origin, wording
        self.known = known

    def only(self, rows: npt.NDArray[np.intp]) -> Sight:
        """Some of its events."""
        return Sight(self.events[rows], self.journeys, self.clock, self.origin, self.wording, self.known)

    def latency(self, name: str) -> Cycles:
        """Of each event's journey, ns; NaN if there is none, or none that can be told; shape (n,)."""
        cycles = latency_of(self.events, around(self.journeys, self.events, self.clock), name, self.known)
        return cycles * (1e9 / self.clock.hz)

    @cached_property
    def time(self) -> Cycles:
        """Since the start, ns; shape (n,)."""
        return self.clock.ns_array(self.events["tsc"].astype(np.int64) - self.origin)


class Filter(ABC):
    """A question to events."""

    slow = False  # whether it looks at words
    joins = False  # whether it looks at journeys, which are known only when they are complete

    @abstractmethod
    def matches(self, sight: Sight) -> Flags:
        """For each event of the sight (n of them) whether it fits; shape (n,)."""

    def never(self, known: Known) -> bool:
        """Whether nothing can fit, as it asks for latencies that cannot be told."""
        return False


@dataclass(frozen=True)
class Everything(Filter):
    """No filter."""

    def matches(self, sight: Sight) -> Flags:
        return np.ones(sight.events.size, bool)


@dataclass(frozen=True)
class OneOf(Filter):
    """A field of the event has one of some values."""

    field: str
    values: tuple[int, ...]

    def matches(self, sight: Sight) -> Flags:
        column = sight.events[self.field]
        return reduce(np.logical_or, (column == value for value in self.values))


@dataclass(frozen=True)
class NumberTest(Filter):
    """A number of the event is above, below ... a value."""

    field: str
    operator: str
    value: int

    def matches(self, sight: Sight) -> Flags:
        return OPERATORS[self.operator](sight.events[self.field].astype(np.uint64), np.uint64(self.value))


@dataclass(frozen=True)
class Took(Filter):
    """A latency of the event's journey is above, below ... ; an event without one never fits."""

    name: str
    operator: str
    ns: float
    joins = True

    def matches(self, sight: Sight) -> Flags:
        latency = sight.latency(self.name)
        return OPERATORS[self.operator](latency, self.ns) & ~np.isnan(latency)

    def never(self, known: Known) -> bool:
        return not any(map(known, [self.name] if self.name else WHOLE))


@dataclass(frozen=True)
class When(Filter):
    """The time since the start."""

    operator: str
    ns: float

    def matches(self, sight: Sight) -> Flags:
        return OPERATORS[self.operator](sight.time, self.ns)


@dataclass(frozen=True)
class Says(Filter):
    """What happened, in words, holds a pattern."""

    pattern: str
    slow = True

    def matches(self, sight: Sight) -> Flags:
        return like(sight.wording.plain(sight.events), self.pattern)


@dataclass(frozen=True)
class Not(Filter):
    """The opposite."""

    part: Filter

    @property
    def slow(self) -> bool:  # type: ignore[override]
        return self.part.slow

    @property
    def joins(self) -> bool:  # type: ignore[override]
        return self.part.joins

    def matches(self, sight: Sight) -> Flags:
        return ~self.part.matches(sight)


@dataclass(frozen=True)
class Several(Filter):
    """All of some filters, or any of them. The cheap ones are asked first, the others only where it still matters."""

    every: bool
    parts: tuple[Filter, ...]

    @property
    def slow(self) -> bool:  # type: ignore[override]
        return any(part.slow for part in self.parts)

    @property
    def joins(self) -> bool:  # type: ignore[override]
        return any(part.joins for part in self.parts)

    def never(self, known: Known) -> bool:
        return (any if self.every else all)(part.never(known) for part in self.parts)

    def matches(self, sight: Sight) -> Flags:
        found = np.full(sight.events.size, self.every)
        for part in sorted(self.parts, key=lambda part: (part.slow, part.joins)):
            open_ = np.flatnonzero(found == self.every)
            if open_.size:
                found[open_] = part.matches(sight if open_.size == found.size else sight.only(open_))
        return found
