"""How a clip goes through its recording: a model that is moved on by a frame's time, however long painting takes."""

from __future__ import annotations

from bellwire.engine.folds.latency import begin
from bellwire.engine.language import tr
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.telling import Teller, begin_story
from bellwire.viz.pictures.clips.clip_asked import USUAL_SECONDS, ClipAsked
from bellwire.viz.pictures.moment import NAMED_JOURNEYS, Moment, MomentError
from bellwire.viz.pictures.played import PlayedRecording, drain_all, played_model

LEAD_SECONDS = 0.4  # on the screen, before the journey that slow motion begins with
HAIR = 1 + 1e-9  # times a frame's time: a stage of 30 frames is over after them, however the sum is rounded


class ClipCourse:
    """The model of a clip, at one frame after another."""

    def __init__(self, source: PlayedRecording, asked: ClipAsked) -> None:
        """Stands at the first frame. MomentError if there is no such moment. Whoever made the source stops it."""
        self.source, self.asked, at = source, asked, asked.begins.at
        self.model = played_model(source, at)
        if asked.pace.story:
            tell_clip(self.model, at, asked.pace.stage_seconds)
        elif not asked.pace.live:
            slow_down(self.model, asked.pace.factor)
        self.frames = max(round(self._seconds * asked.rate), 1)
        self._step = HAIR / asked.rate

    @property
    def _seconds(self) -> float:
        """How long it lasts if the recording does."""
        if self.asked.seconds is not None:
            return self.asked.seconds
        story = self.model.story
        return USUAL_SECONDS if story is None else (len(story.steps) - story.step) * story.seconds

    def go_on(self) -> bool:
        """By one frame; False if there is nothing more to come."""
        model, source = self.model, self.source
        if model.story is not None:
            model.move(self._step)
            return True
        stood, ended = model.playhead, source.now() >= source.recording.last
        source.play_to(source.now() + source.clock.cycles(self._step))
        drain_all(model, source)
        model.move(self._step)
        return not ended or model.playhead != stood


def tell_clip(model: LiveModel, at: Moment, seconds: float) -> None:
    """Begins the story of what is looked at, seconds a stage; MomentError if there is none."""
    if model.story is not None:  # the moment names a stage
        model.story.seconds, model.story.paused = seconds, False
    elif not begin_story(model, NAMED_JOURNEYS.get(at.journey, Teller.CHOSEN), seconds):
        raise MomentError(tr("{at}: there is no journey whose story could be told.", at=at))


def slow_down(model: LiveModel, factor: float) -> None:
    """Slow motion from the moment that is looked at; from a journey, shortly before it begins."""
    lead = model.clock.cycles(LEAD_SECONDS / factor)
    chosen = model.selection.journeys
    if chosen.size and not model.selection.events.size:
        model.selection.choose()  # what is said is of the journey that is under way
        model.transport.seek(max(int(begin(chosen)[0]) - lead, model.events.first))
    model.transport.set_factor(factor)
    model.transport.play()
    model.transport.judge(model.usual_seconds)  # before the first frame, which is seen before anything has moved
