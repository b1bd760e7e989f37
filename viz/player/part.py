"""The part of a recording that a page carries: some journeys in a row, and all events from the first to their last."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from bellwire.engine.events import Events
from bellwire.engine.folds.journeys import Journeys, finish
from bellwire.engine.folds.latency import begin
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.telling import Teller, journey_told
from bellwire.viz.model.steps import distinct
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.pictures.played import PlayedRecording, drain_all, played_model
from bellwire.viz.player.asked import MOST_EVENTS, MOST_JOURNEYS, PageAsked

AFTER_SECONDS = 0.2  # that are played beyond the part: what the last of it led to


@dataclass(frozen=True)
class CarriedPart:
    """start, end: TSC. journeys, events: of it, in the order of their time; shapes (n,), (m,)."""

    start: int
    end: int
    journeys: Journeys
    events: Events

    def without(self, journeys: int) -> CarriedPart:
        """The same up to the last of so many of its journeys."""
        return cut_to(self.start, self.journeys[:journeys], self.events)


def model_of_part(source: PlayedRecording, asked: PageAsked) -> tuple[LiveModel, CarriedPart]:
    """A model that has come as far as the part reaches, and the part. MomentError: there is no such moment."""
    recording = source.recording
    model = played_model(source, asked.at or Moment())
    journey = journey_told(model, Teller.MEDIAN) if asked.at is None else model.selection.journeys[:1]
    start = recording.first if asked.at is None else model.playhead
    if journey.size:
        start = int(begin(journey)[0])
    until = recording.last
    if asked.seconds is not None:
        until = min(start + source.clock.cycles(asked.seconds), until)
    source.play_to(min(until + source.clock.cycles(AFTER_SECONDS), recording.last))
    drain_all(model, source)
    return model, part_between(model, start, until, asked.seconds is None)


def part_between(model: LiveModel, start: int, until: int, few: bool) -> CarriedPart:
    """What began between two TSC; few: not more than MOST_JOURNEYS."""
    found = model.journeys.first_of(MOST_JOURNEYS if few else sys.maxsize, start, until)
    return cut_to(start, found, each_once(model.events.first_of(MOST_EVENTS, start, until)))


def each_once(events: Events) -> Events:
    """Events without repetitions, in the order of time."""
    once = distinct(events)
    found: Events = once[np.argsort(once["tsc"], kind="stable")]
    return found


def cut_to(start: int, journeys: Journeys, events: Events) -> CarriedPart:
    """The journeys, and the events until their end; without journeys MOST_EVENTS."""
    if journeys.size:
        events = events[events["tsc"] <= finish(journeys).max()]
    events = events[:MOST_EVENTS]
    end = int(events["tsc"][-1]) if events.size else start
    return CarriedPart(start, end, journeys, events)


def events_in(recording: Recording) -> int:
    """All of them."""
    return int(recording.entries["events"].sum())
