"""A moment of a recording, as somebody names it, and a model that looks at it.

2.5s, 300ms         that long after the first event, as it was seen live
@2.5s               the same, with each signal where it was at that very moment
#48213              that journey, in the midst of its first leg; #median, #slowest, #newest, too
#48213/runnable     at one of its stages; wait-queue:2 is the second one of that name
exit, irqfd:3       the first event of a kind, the third one
(nothing)           the recording's end, as it was seen live
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventKind, Events
from bellwire.engine.folds.journeys import Journeys, JourneyTracker
from bellwire.engine.foreign import shown
from bellwire.engine.language import tr
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.model.live import LiveModel, journey_span
from bellwire.viz.model.moments.telling import Teller, journey_told, number_of_journey, tell_journey
from bellwire.viz.model.steps import middle_of
from bellwire.viz.stages.story import STAGE_SECONDS, Story

UNITS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
BEGINNING_OF_NUMBER = re.compile(r"[+-]?[0-9.]")
PLACES = 10  # of seconds behind the point: a cycle is less than a nanosecond
TIME = re.compile(r"(@?)([0-9]+\.?[0-9]*|\.[0-9]+)\s*(s|ms|us|µs|ns|)")
EVENT = re.compile(r"([a-zA-Z_-]+)(?::([0-9]+))?")
KINDS = {kind.name.lower().replace("_", "-"): kind for kind in EventKind}
NAMES_OF_KINDS = {kind: name for name, kind in KINDS.items()}
LONGEST_MOMENT = 80  # characters; with more digits no recording is long enough, nor any number
AFTER_SECONDS = 0.1  # of what belongs to a journey, or to that of an event: longer than any of them takes
NAMED_JOURNEYS = {"median": Teller.MEDIAN, "slowest": Teller.SLOWEST, "newest": Teller.NEWEST}


class MomentError(EngineError):
    """There is no such moment; the text says what is allowed, or what there is."""


@dataclass(frozen=True)
class Moment:
    """One of: seconds; a journey, perhaps at a stage; a kind of event and which of them; none of these: the end."""

    seconds: float | None = None
    exact: bool = False  # that very moment, rather than as it was seen live
    journey: str = ""  # its number, or one of NAMED_JOURNEYS
    stage: str = ""
    kind: str = ""  # one of KINDS
    number: int = 1

    @classmethod
    def read(cls, text: str) -> Moment:
        """From words; MomentError if they are none."""
        text = text.strip()
        if not text:
            return cls()
        if len(text) > LONGEST_MOMENT:
            raise MomentError(not_understood(shown(text, LONGEST_MOMENT)))
        if text.startswith("#"):
            return journey_moment(text)
        if found := TIME.fullmatch(text):
            return cls(seconds=round(float(found[2]) * UNITS[found[3]], PLACES), exact=bool(found[1]))
        found = EVENT.fullmatch(text)
        kind = found[1].lower().replace("_", "-") if found else ""
        if found is None or kind not in KINDS or found[2] == "0":
            raise MomentError(not_understood(text))
        return cls(kind=kind, number=int(found[2] or 1))

    def __str__(self) -> str:
        """As it is read."""
        if self.seconds is not None:
            return "@" * self.exact + f"{self.seconds:.{PLACES}f}".rstrip("0").rstrip(".") + "s"
        if self.journey:
            return f"#{self.journey}" + (f"/{self.stage}" if self.stage else "")
        return f"{self.kind}:{self.number}" if self.kind else ""

    @property
    def live(self) -> bool:
        """Whether the view is as it was seen while it ran, rather than at a journey or an event."""
        return not (self.journey or self.kind or self.exact)


def journey_moment(text: str) -> Moment:
    """ "#17/exit"; MomentError if it is no journey."""
    name, slash, stage = text.removeprefix("#").partition("/")
    name = name.replace(",", "").replace(" ", "").lower()
    if not (name.isdecimal() or name in NAMED_JOURNEYS) or bool(slash) != bool(stage):
        raise MomentError(not_understood(text))
    return Moment(journey=name.lstrip("0") or "0", stage=stage)


def names_of_steps(story: Story) -> list[str]:
    """A story's stages; the second one of a name is "wait-queue:2"."""
    found = list[str]()
    for step in range(len(story.steps)):
        name = story.stop_of(step).name
        before = sum(other.partition(":")[0] == name for other in found)
        found.append(f"{name}:{before + 1}" if before else name)
    return found


def not_understood(text: str) -> str:
    """What is wrong with it, and what is allowed."""
    return tr(
        "{text!r} is no moment: name a time (2.5s, @300ms), a journey (#17, #median, #slowest, #newest), one of its"
        " stages (#17/runnable), or an event ({kinds}; irqfd:3 is the third one).",
        text=text,
        kinds=", ".join(KINDS),
    )


# -- where in a recording it is


def last_needed(moment: Moment, recording: Recording) -> int:
    """Up to which TSC a recording has to be played so that a model can look at it; MomentError: there is no such."""
    clock = recording.header.clock
    if moment.seconds is not None:
        tsc = recording.first + clock.cycles(moment.seconds)
        if tsc > recording.last:
            seconds = clock.ns(recording.last - recording.first) / 1e9
            raise MomentError(
                tr("{at} is after the end: the recording lasts {seconds:.3f} s.", at=moment, seconds=seconds)
            )
        return min(tsc + clock.cycles(AFTER_SECONDS), recording.last) if moment.exact else tsc
    if moment.journey.isdecimal():
        tsc = int(journey_span(journey_numbered(recording, int(moment.journey)))[1][0])
    elif moment.kind:
        tsc = int(event_numbered(recording, KINDS[moment.kind], moment.number)["tsc"][0])
    else:
        return recording.last
    return min(tsc + clock.cycles(AFTER_SECONDS), recording.last)


def journey_numbered(recording: Recording, number: int) -> Journeys:
    """The first journey of this number, shape (1,); MomentError if there is none."""
    tracker, seen = JourneyTracker(recording.header.scenario, recording.header.backend), [0, 0]
    for events in recording.sorted_batches():
        journeys = tracker.feed(events)
        numbers = np.where(journeys["ring"] > 0, journeys["seq"], journeys["interrupt"])
        found = np.flatnonzero(numbers == number)
        if found.size:
            return journeys[found[:1]]
        if numbers.size:
            seen = [seen[0] or int(numbers.min()), max(seen[1], int(numbers.max()))]
    if not seen[1]:
        raise MomentError(tr("There is no journey #{number}: the recording holds none.", number=number))
    raise MomentError(
        tr(
            "There is no journey #{number}: they go from #{first} to #{last}.",
            number=number,
            first=seen[0],
            last=seen[1],
        )
    )


def event_numbered(recording: Recording, kind: EventKind, number: int) -> Events:
    """The so-manieth event of a kind, shape (1,); MomentError if there are not so many."""
    before = 0
    for events in recording.sorted_batches():
        found = np.flatnonzero(events["kind"] == kind)
        if found.size >= number - before:
            return events[found[number - before - 1 : number - before]]
        before += found.size
    name = NAMES_OF_KINDS[kind]
    raise MomentError(
        tr("There is no event {name}:{number}: there are {count}.", name=name, number=number, count=before)
    )


# -- a model that looks at it


def look_at(model: LiveModel, moment: Moment) -> None:
    """Moves the view of a model, which has come as far as last_needed(), to the moment; MomentError: it has none."""
    if moment.exact and moment.seconds is not None:
        model.scrub(recording_of_model(model).first + model.clock.cycles(moment.seconds))
    elif moment.kind:
        recording = recording_of_model(model)
        model.steps.to_event(event_numbered(recording, KINDS[moment.kind], moment.number))
    elif moment.journey:
        journey, which = journey_of_moment(model, moment)
        if moment.stage:
            tell_stage(model, journey, which, moment)
        else:
            model.steps.to_journey(journey)


def recording_of_model(model: LiveModel) -> Recording:
    """That it replays."""
    assert model.recorded is not None
    return model.recorded.recording


def journey_of_moment(model: LiveModel, moment: Moment) -> tuple[Journeys, Teller]:
    """The journey, shape (1,), and how a story of it is called."""
    if moment.journey.isdecimal():
        return journey_numbered(recording_of_model(model), int(moment.journey)), Teller.CHOSEN
    which = NAMED_JOURNEYS[moment.journey]
    journey = journey_told(model, which)
    if not journey.size:
        raise MomentError(tr("There is no journey {at}: none that is in the figures came to its end.", at=moment))
    return journey, which


def tell_stage(model: LiveModel, journey: Journeys, which: Teller, moment: Moment) -> None:
    """Tells the journey's story at a stage; MomentError if it passed none of that name."""
    model.selection.choose(journeys=journey)
    told = tell_journey(model, journey, which, STAGE_SECONDS)
    story = model.story
    names = [] if story is None or not told else names_of_steps(story)
    if story is None or moment.stage not in names:
        stages = ", ".join(names) or "–"
        raise MomentError(tr("{at}: that journey passed no such stage; it passed {stages}.", at=moment, stages=stages))
    story.go(names.index(moment.stage))
    story.paused = True
    model.tell(story)


# -- and back: the moment that a model looks at


def moment_of(model: LiveModel) -> Moment:
    """The moment of a model's view, by which a picture of it is asked for."""
    seconds = round(ns_since_first(model) / 1e9, PLACES)
    journeys, events, story = model.selection.journeys, model.selection.events, model.story
    if story is not None:
        return Moment(journey=str(number_of_journey(story.whole.journey)), stage=names_of_steps(story)[story.step])
    if not model.transport.exact:
        return Moment(seconds=seconds)
    if events.size and int(events["tsc"][0]) == model.playhead:
        return event_moment(model, events)
    if journeys.size and middle_of(journeys) == model.playhead:
        return Moment(journey=str(number_of_journey(journeys)))
    return Moment(seconds=seconds, exact=True)


def ns_since_first(model: LiveModel) -> float:
    """How long after the first event the moment is that a model looks at."""
    first = model.recorded.recording.first if model.recorded else model.past.first
    return model.clock.ns(max(model.playhead - first, 0))


def event_moment(model: LiveModel, event: Events) -> Moment:
    """Which of its kind an event is, shape (1,)."""
    kind, tsc = EventKind(int(event["kind"][0])), np.uint64(event["tsc"][0])
    before = sum(int(((some["kind"] == kind) & (some["tsc"] <= tsc)).sum()) for some in model.past.stream())
    return Moment(kind=NAMES_OF_KINDS[kind], number=max(before, 1))
