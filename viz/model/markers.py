"""Two markers in time, A and B, and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bellwire.engine.events import Clock, EventKind
from bellwire.viz.model.history import History
from bellwire.viz.text.figures import count_of, duration, grouped

SIGNALS = (EventKind.IRQFD, EventKind.IRQ_IOCTL, EventKind.SUBMIT)


@dataclass(frozen=True)
class Between:
    """From the earlier marker to the later one; whole: whether all of it is still held, so that nothing is missed."""

    cycles: int
    doorbells: int
    interrupts: int
    handlers: int
    exits: int
    whole: bool

    def text(self, clock: Clock) -> str:
        """ "12.3 µs, 28 382 cycles · 3 doorbells, 3 interrupts, no exit"."""
        parts = [count_of(self.doorbells, "doorbell"), count_of(self.interrupts, "interrupt")]
        parts += [f"{count_of(self.handlers, 'handler')}"] * (self.handlers != self.interrupts)
        what = ", ".join([*parts, count_of(self.exits, "exit")])
        kept = "" if self.whole else " · the start is no longer held"
        return f"{duration(clock.ns(self.cycles))}, {grouped(self.cycles)} cycles · {what}{kept}"


class Markers:
    """Where the markers are, TSC by name; a marker that is not set is not in `places`."""

    NAMES: ClassVar[tuple[str, ...]] = ("A", "B")

    def __init__(self, events: History) -> None:
        self.places: dict[str, int] = {}
        self._events = events
        self._counted: tuple[tuple[int, ...], Between] | None = None

    def put(self, name: str, tsc: int) -> None:
        """Sets a marker, or moves it."""
        self.places[name] = tsc

    def clear(self) -> None:
        """No marker any more."""
        self.places.clear()

    def text(self, clock: Clock) -> str:
        """What lies between the two, from the earlier to the later; empty if one is not set."""
        between = self.between
        names = sorted(self.places, key=lambda name: self.places[name])
        return f"{' to '.join(names)} {between.text(clock)}" if between else ""

    @property
    def between(self) -> Between | None:
        """What lies between the two; None if one is not set. Counted anew only if it can have changed."""
        if len(self.places) < len(self.NAMES):
            return None
        first, last = sorted(self.places.values())
        held = self._events.first
        key = first, last, max(held, first), self._events.total if last >= self._events.last else 0
        if self._counted is None or self._counted[0] != key:
            self._counted = key, self._count(first, last)
        return self._counted[1]

    def _count(self, first: int, last: int) -> Between:
        kinds = self._events.count_by("kind", max(EventKind) + 1, first, last)
        signals = sum(int(kinds[kind]) for kind in SIGNALS)
        rings, handlers, exits = (int(kinds[kind]) for kind in (EventKind.RING, EventKind.HANDLER, EventKind.EXIT))
        return Between(last - first, rings, signals, handlers, exits, first >= self._events.first)
