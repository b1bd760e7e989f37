"""What is chosen, and the steps to it: a journey, an event, the slowest of all; forward, and back the same way.

Guarantees: a step never touches the capture. A step back after a step forward (or forward after back) returns to the
very place that one came from, wherever that was, as long as it is still held and nobody has moved the view meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from bellwire.engine.events import Events, no_events
from bellwire.engine.folds.journeys import Journeys, no_journeys
from bellwire.viz.model.history import History
from bellwire.viz.model.journey_of import around, members
from bellwire.viz.model.past import Past
from bellwire.viz.model.transport import Transport

LONGEST_TRAIL = 4096


@dataclass
class Selection:
    """What is chosen in all views at once; `changed` is called when it is."""

    journeys: Journeys = field(default_factory=no_journeys)  # shape (0,) or (1,)
    events: Events = field(default_factory=no_events)  # shape (0,) or (1,)
    part: str = ""  # of the diagram: the name of a wire, a node ...
    changed: list[Callable[[], None]] = field(default_factory=list)

    def choose(self, journeys: Journeys | None = None, events: Events | None = None, part: str | None = None) -> None:
        """Chooses one journey, one event, or nothing; or a part of the diagram, which leaves those as they are."""
        if part is not None:
            self.part = part
        else:
            self._choose_in_time(journeys, events)
        for call in self.changed:
            call()

    def _choose_in_time(self, journeys: Journeys | None, events: Events | None) -> None:
        self.journeys = no_journeys() if journeys is None else journeys[:1]
        self.events = no_events() if events is None else events[:1]


class Place(NamedTuple):
    """Where the view stands: the playhead, and what is chosen."""

    playhead: int
    journeys: Journeys
    events: Events

    def same(self, other: Place) -> bool:
        """Whether this is the other place. Bytes would not tell: between the fields of a journey lies anything."""
        chosen = (self.journeys, other.journeys), (self.events, other.events)
        return self.playhead == other.playhead and all(np.array_equal(one, another) for one, another in chosen)


class Step(NamedTuple):
    """A step that was taken: of what kind, which way, from where to where."""

    kind: Callable[[Steps, int], Place | None]
    direction: int
    before: Place
    after: Place


class Steps:
    """Moves the playhead and the choice."""

    def __init__(
        self,
        transport: Transport,
        selection: Selection,
        events: History,
        journeys: History,
        past: Past,
        now: Callable[[], int],
    ) -> None:
        """now: the present, TSC; a recording's journeys go on beyond it."""
        self.transport, self.selection, self.events, self.journeys = transport, selection, events, journeys
        self.past = past
        self._now = now
        self._trail: list[Step] = []

    @property
    def here(self) -> Place:
        """Where the view stands."""
        return Place(self.transport.playhead, self.selection.journeys, self.selection.events)

    def take(self, kind: Callable[[Steps, int], Place | None], direction: int) -> bool:
        """Pauses and takes a step of a kind; False if there is nowhere to go."""
        if not self.transport.away:
            self._trail.clear()
            return self._go(kind(self, 0))
        here = self.here
        if self._trail and not self._trail[-1].after.same(here):
            self._trail.clear()
        undone = self._undone(kind, direction)
        if undone:
            return self._go(undone)
        there = kind(self, direction)
        if there:
            self._trail = [*self._trail[-LONGEST_TRAIL:], Step(kind, direction, here, there)]
        return self._go(there)

    def _undone(self, kind: Callable[[Steps, int], Place | None], direction: int) -> Place | None:
        """The place that the step before came from, if this one undoes it and the place is still held."""
        if not self._trail or (self._trail[-1].kind, self._trail[-1].direction) != (kind, -direction):
            return None
        before = self._trail.pop().before
        return before if before.playhead >= self.past.first else None

    def _go(self, place: Place | None) -> bool:
        self.transport.pause()
        if place is None:
            return False
        self.transport.seek(place.playhead)
        self.selection.choose(journeys=place.journeys, events=place.events)
        return True

    def to_start(self) -> bool:
        """To the oldest journey that is held; False if there is none."""
        self._trail.clear()
        return self._go(self._journey_at(self.journeys.start_after(0)))

    def to_slowest(self, journey: Journeys) -> bool:
        """To the slowest journey, shape (1,); False if there is none, shape (0,)."""
        self._trail.clear()
        return self._go(Place(middle_of(journey), journey, no_events()) if journey.size else None)

    def to_event(self, event: Events) -> bool:
        """To an event (shape (1,)), which is chosen with its journey."""
        self._trail.clear()
        return self._go(self._event(event))

    def to_journey(self, journey: Journeys, tsc: int | None = None) -> bool:
        """To a journey (shape (1,)), which is chosen; to a moment of it, or into the midst of its first leg."""
        self._trail.clear()
        return self._go(Place(middle_of(journey) if tsc is None else tsc, journey, no_events()))

    # -- journeys

    def journey(self, direction: int) -> Place | None:
        """The next or previous journey on its way; with direction 0 the newest."""
        journeys = self.journeys
        if direction == 0:
            return self._journey_at(journeys.start_before(self._now() + 1))
        anchor = self._anchor()
        return self._journey_at(journeys.start_after(anchor) if direction > 0 else journeys.start_before(anchor))

    def _anchor(self) -> int:
        """From where a step looks: the chosen journey if the playhead is in it, else the playhead."""
        chosen = self.selection.journeys
        if not chosen.size:
            return self.transport.playhead
        start, end = begin_and_end(chosen)
        return start if start <= self.transport.playhead <= end else self.transport.playhead

    def _journey_at(self, start: int | None) -> Place | None:
        if start is None:
            return None
        journey = self.journeys.starting_at(start)[:1]
        return Place(middle_of(journey), journey, no_events())

    # -- events

    def event(self, direction: int) -> Place | None:
        """The next or previous event; with direction 0 the newest. Those of one time are visited one by one."""
        events, here = self.events, self.transport.playhead
        if direction:
            at = distinct(events.starting_at(here))
            chosen = np.flatnonzero(np.isin(at, self.selection.events))
            beside = int(chosen[0]) + direction if chosen.size else -1
            if 0 <= beside < at.size:
                return self._event(at[beside : beside + 1])
        there = self._event_time(direction, events, here)
        if there is None:
            return None
        at = distinct(events.starting_at(there))
        return self._event(at[:1] if direction > 0 else at[-1:])

    def _event_time(self, direction: int, events: History, here: int) -> int | None:
        if direction > 0:
            return events.start_after(here)
        return events.start_before(here if direction else self._now() + 1)

    def _event(self, event: Events) -> Place:
        return Place(int(event["tsc"][0]), self.journey_of(event), event)

    def journey_of(self, event: Events) -> Journeys:
        """The journey that an event (shape (1,)) is a stage of, the longest of several; shape (1,), or (0,)."""
        near = around(self.journeys, event, self.transport.clock)
        index = int(members(event, near)[0])
        return near[index : index + 1] if index >= 0 else no_journeys()


JOURNEYS, EVENTS = Steps.journey, Steps.event


def distinct(events: Events) -> Events:
    """The events without repetitions, in the order that they came."""
    once: Events = events[np.sort(np.unique(events, return_index=True)[1])]
    return once


def begin_and_end(journey: Journeys) -> tuple[int, int]:
    """TSC of a journey's first stage and of its last on the other side; shape (1,)."""
    start = int(journey["ring"][0]) or int(journey["irq"][0])
    return start, max(int(journey["doorbell"][0]), int(journey["handler"][0]))


def middle_of(journey: Journeys) -> int:
    """A moment in the midst of the journey's first leg, so that it can be seen on its way; shape (1,)."""
    start = begin_and_end(journey)[0]
    reached = [int(journey[stage][0]) for stage in ("exit", "doorbell", "handler")]
    return (start + min((tsc for tsc in reached if tsc > start), default=start)) // 2
