"""A recording played without a clock, as far as a moment of it: a model that is the same wherever it is made.

What is on its way at a moment, as it was seen live, depends on the frames before: those are played one by one, always
from the same place, and what lies before them comes at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from bellwire.engine.events import Events, chosen, end_to_end, no_events
from bellwire.engine.folds.journeys import Journeys, finish, no_journeys
from bellwire.engine.recordings.index import Indexer
from bellwire.engine.recordings.recorder import by_time
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.moment import Moment, last_needed, look_at

FRAME_SECONDS = 0.1  # half of the least time between two tokens that set out
FRAMES = 40  # that are played one by one: longer than any token is on its way
WHOLE_EVENTS = 1 << 20  # events before a moment that are all folded; of more the index knows what they come to


class Brought:
    """What has come of a recording, in the order of time: journeys by when they ended, and events."""

    def __init__(self) -> None:
        self._journeys, self._events = no_journeys(), no_events()
        self._ended = finish(self._journeys)

    def add(self, journeys: Journeys, events: Events) -> None:
        """What the next batch completed, and the batch."""
        journeys = end_to_end(self._journeys, journeys)
        self._journeys = chosen(journeys, np.argsort(finish(journeys), kind="stable"))
        self._ended = finish(self._journeys)
        self._events = by_time(end_to_end(self._events, events))

    def between(self, after: int, until: int) -> tuple[Journeys, Events]:
        """What came after the one moment (TSC), up to the other one."""
        edges = np.array([after, until], np.uint64)
        journeys, events = (np.searchsorted(times, edges, "right") for times in (self._ended, self._events["tsc"]))
        return self._journeys[slice(*journeys)], self._events[slice(*events)]


class PlayedRecording(Replay):
    """A recording whose present is where somebody puts it, until it is let go."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(recording)
        self.indexer = Indexer(recording, when_asked=True)  # what is shown must not depend on how far it has come
        self.brought = Brought()
        self._present: int | None = recording.first  # TSC; None: it goes on by the clock

    def start(self) -> None:
        """Begins with the present where it was told to begin."""
        if self._present is not None:
            self._present = self.recording.first + self._begins_at
        super().start()

    def now(self) -> int:
        """The present that it was put to."""
        return super().now() if self._present is None else min(self._present, self.recording.last)

    def take(self, most: int | None = None) -> Events:
        """Everything that is due: there is time for all of it."""
        return super().take(most if self._present is None else None)

    def play_to(self, tsc: int) -> None:
        """Makes this moment the present, unless it is past."""
        self._present = max(self.now(), tsc)

    def let_go(self) -> None:
        """From the present on it plays as any recording does."""
        self._origin, self._started_ns = self.now(), self._monotonic_ns()
        self._present = None
        self.indexer.when_asked = False
        self.indexer.start()


@contextmanager
def source_played(recording: Recording) -> Iterator[PlayedRecording]:
    """A recording as a source, while it is needed."""
    source = PlayedRecording(recording)
    try:
        yield source
    finally:
        source.stop()


def played_model(source: PlayedRecording, moment: Moment) -> LiveModel:
    """A model that looks at this moment, of a source that is started here; whoever made that stops it."""
    until = begin_before(source, moment)
    source.start()
    model = LiveModel(source)
    play_as_far_as(model, source, moment, until)
    return model


def begin_before(source: PlayedRecording, moment: Moment) -> int:
    """Lets it begin at its first event or, in a large recording, where enough is folded before the moment.

    Returns the TSC as far as which it has to be played.
    """
    until = last_needed(moment, source.recording)
    if too_many_before(source.recording, until):
        source.begin_at(max(until - source.recording.first - source.clock.cycles(FRAMES * FRAME_SECONDS), 0))
    return until


def too_many_before(recording: Recording, tsc: int) -> bool:
    """Whether there are more events than are all folded."""
    entries = recording.entries
    return int(entries["events"][entries["first"] <= tsc].sum()) > WHOLE_EVENTS


def play_on(model: LiveModel, source: PlayedRecording, moment: Moment) -> bool:
    """Brings a model that has looked at one moment to a later one, so that it is the same as one made for that alone.

    False if it cannot be: back to an earlier moment, in a large recording, or where it did not begin at the beginning.
    """
    until = last_needed(moment, source.recording)
    if source.resumed is not None or until < source.now() or too_many_before(source.recording, until):
        return False
    model.look_anew()
    play_as_far_as(model, source, moment, until)
    return True


def play_model(model: LiveModel, source: PlayedRecording, moment: Moment) -> None:
    """Brings a model of a source that has been started to the moment, as if it had been looked at all the time."""
    play_as_far_as(model, source, moment, last_needed(moment, source.recording))


def play_as_far_as(model: LiveModel, source: PlayedRecording, moment: Moment, until: int) -> None:
    """The same, where last_needed() is known: to find a journey may take all of the recording."""
    source.play_to(until)
    for journeys, events in drain_all(model, source, sets_out=False):
        source.brought.add(journeys, events)
    if moment.live:
        see_frames(model, source, until)
    else:  # each signal is where it was, whatever was seen before
        model.travel.feed(*source.brought.between(0, until))
        model.move(FRAME_SECONDS)
    look_at(model, moment)


def see_frames(model: LiveModel, source: PlayedRecording, until: int) -> None:
    """Lets what was brought until a moment be seen as it was live: the last FRAMES frames one by one.

    It has been folded: folds do not care how events are cut into batches, and take long where each frame is one.
    """
    step = source.clock.cycles(FRAME_SECONDS)
    seen = max(until - FRAMES * step, source.recording.first)
    model.travel.feed(*source.brought.between(0, seen))
    model.move(FRAME_SECONDS, seen)
    for launcher in (model.travel.launcher, model.travel.echoes):
        launcher.carriers.clear()  # what came at once would go as one token with the count of all
    for left in range(FRAMES - 1, -1, -1):
        now = max(until - left * step, source.recording.first)
        model.travel.feed(*source.brought.between(seen, now))
        model.move(FRAME_SECONDS, now)
        seen = now


def drain_all(model: LiveModel, source: PlayedRecording, sets_out: bool = True) -> list[tuple[Journeys, Events]]:
    """Until nothing is due any more. What came: the journeys that were completed, and the events, of each drain."""
    came = []
    while True:
        before = source.position
        model.drain(sets_out)
        came.append((model.fresh, model.batch))
        if source.complete >= source.now() or (len(came) > 1 and source.position == before):
            return came
