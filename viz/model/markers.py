"""Two markers in time, A and B, and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bellwire.engine.events import SIGNALLING, Clock, EventKind
from bellwire.engine.language import tr
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.model.past import Past, Unknown
from bellwire.viz.text.figures import count_of, duration, grouped


@dataclass(frozen=True)
class Between:
    """From the earlier marker to the later one; unknown: why nothing else is known of it, "" if it is.

    interrupts: those that a thread of this process has signalled; None where none of its does. exits: None where they
    are another process's, and not seen.
    """

    cycles: int
    doorbells: int = 0
    interrupts: int | None = 0
    handlers: int = 0
    exits: int | None = 0
    unknown: str = ""

    @property
    def whole(self) -> bool:
        """Whether all of it is held, so that the counts mean something."""
        return not self.unknown

    def text(self, clock: Clock) -> str:
        """ "12.3 µs, 28 382 cycles · 3 doorbells, 3 interrupts, no exit"."""
        return tr(
            "{time}, {cycles} cycles · {what}",
            time=duration(clock.ns(self.cycles)),
            cycles=grouped(self.cycles),
            what=self._what(),
        )

    def _what(self) -> str:
        if self.unknown:
            return tr("what happened is not known: {why}", why=self.unknown)
        parts = [count_of(self.doorbells, "doorbell")]
        parts += [] if self.interrupts is None else [count_of(self.interrupts, "interrupt")]
        parts += [count_of(self.handlers, "handler")] * (self.handlers != self.interrupts)
        return ", ".join(parts + ([] if self.exits is None else [count_of(self.exits, "exit")]))


class Markers:
    """Where the markers are, TSC by name; a marker that is not set is not in `places`."""

    NAMES: ClassVar[tuple[str, ...]] = ("A", "B")

    def __init__(self, past: Past, traits: frozenset[Trait] = frozenset()) -> None:
        """traits: of the scenario; who signals, and whose exits are seen."""
        self._traits = traits
        self.places: dict[str, int] = {}
        self._past = past
        self._counted: tuple[tuple[int, int, str], Between] | None = None

    def put(self, name: str, tsc: int) -> None:
        """Sets a marker, or moves it."""
        self.places[name] = tsc

    def clear(self) -> None:
        """No marker any more."""
        self.places.clear()

    def text(self, clock: Clock) -> str:
        """What lies between the two, from the earlier to the later; empty if one is not set."""
        between = self.between
        if between is None:
            return ""
        first, second = sorted(self.places, key=lambda name: self.places[name])
        return tr("{first} to {second} {between}", first=first, second=second, between=between.text(clock))

    @property
    def between(self) -> Between | None:
        """What lies between the two; None if one is not set. Counted anew only if it can have changed."""
        if len(self.places) < len(self.NAMES):
            return None
        first, last = sorted(self.places.values())
        key = first, last, self._past.missing(first, last)
        if self._counted is None or self._counted[0] != key:
            self._counted = key, self._count(first, last)
        return self._counted[1]

    def _count(self, first: int, last: int) -> Between:
        kinds = self._past.kinds(first, last)
        if isinstance(kinds, Unknown):
            return Between(last - first, unknown=kinds.why)
        signals = None if Trait.DIRECT in self._traits else sum(int(kinds[kind]) for kind in SIGNALLING)
        rings, handlers, exits = (int(kinds[kind]) for kind in (EventKind.RING, EventKind.HANDLER, EventKind.EXIT))
        return Between(last - first, rings, signals, handlers, None if Trait.REAL_QEMU in self._traits else exits)
