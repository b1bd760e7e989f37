"""What every view marks of a signal: the stages at which it may be, between which times, and the stamps so far.

Diagram, caption, Anatomy, Calls, sequence chart, event table and timeline mark this and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bellwire.engine.events import Clock
from bellwire.engine.language import tr
from bellwire.viz.stages.moments import FOREVER
from bellwire.viz.stages.shares import in_sentence
from bellwire.viz.stages.standpoint import Standpoint
from bellwire.viz.stages.way import Stop
from bellwire.viz.text.figures import spent


@dataclass(frozen=True)
class StageMark:
    """Of one journey at one moment. told: a story tells this one stage; else the stamps leave open several."""

    point: Standpoint
    told: bool = False

    @property
    def stops(self) -> tuple[Stop, ...]:
        """At which the signal may be, in the order of its way; of a story the one that it tells."""
        return (self.point.here,) if self.told else self.point.possible

    @property
    def names(self) -> frozenset[str]:
        """Of these stages."""
        return frozenset(stop.name for stop in self.stops)

    @property
    def key(self) -> tuple[int, int, tuple[Stop, ...], bool]:
        """Another one where a view has to follow: another journey, or another stage."""
        return self.point.start, int(self.point.journey["seq"][0]), self.stops, self.told

    @property
    def color(self) -> str:
        """The theme's colour of the way on which the first of them is."""
        return "doorbell" if self.stops[0].out else "interrupt"

    # -- in time

    @cached_property
    def stretch(self) -> tuple[int, int | None]:
        """TSC. Of one stage, from when to when it can have begun: two equal times where that is measured.

        Of several, in which stretch all of them lie, and the moment with them. None: nothing says when at the latest.
        """
        earliest, latest, point = self.point.times.earliest[0], self.point.times.latest[0], self.point
        if point.beside is not None:
            return point.tsc, point.tsc
        if self.told:
            first, last = int(earliest[point.stop]), int(latest[point.stop])
        elif point.first == point.last:
            first, last = int(earliest[point.first]), int(latest[point.first])
        else:
            first, last = int(latest[point.first]), int(latest[point.last])
        return first, None if last == FOREVER else last

    @property
    def measured(self) -> bool:
        """Whether it is one stage, whose beginning an event stamped."""
        return self.stretch[0] == self.stretch[1]

    @cached_property
    def passed(self) -> dict[str, int]:
        """The journey's stamps up to the moment, TSC by name, in the order of time."""
        way = self.point.times.way
        names = {name for stop in (*way.stops, *way.beside) for name in (stop.began, *stop.by, stop.after)}
        stamped = {name: self.point.stamp(name) for name in sorted(names) if name}
        return dict(sorted(((name, tsc) for name, tsc in stamped.items() if 0 < tsc <= self.point.tsc), key=tsc_of))

    @property
    def newest(self) -> str:
        """The last of these: the event that began the stage, or by which it had begun; "" before the journey."""
        return next(reversed(self.passed), "")

    # -- in words

    @property
    def title(self) -> str:
        """The stage's, or the first's and the last's."""
        first, last = self.stops[0].stage.title, self.stops[-1].stage.title
        return first if len(self.stops) == 1 else f"{first} … {in_sentence(last)}"

    def bound(self, clock: Clock) -> str:
        """ "≤ 4.9 µs", within which several stages lie; when one begins, as far as that is not measured.

        "" if it is measured, or if the times of an emulated CPU are all that there is, which say nothing.
        """
        start, end = self.stretch
        if end is None:
            return tr("no stamp says when at the latest")
        if end == start or clock.emulated:
            return ""
        room = spent(clock, end - start)
        return f"≤ {room}" if len(self.stops) > 1 else tr("begins within {room}", room=room)

    def words(self, clock: Clock) -> str:
        """ "The OUT is decoded … the wait queue is called, ≤ 4.9 µs"."""
        return ", ".join(filter(None, (self.title, self.bound(clock))))


def tsc_of(stamp: tuple[str, int]) -> int:
    """When a stamp was made."""
    return stamp[1]
