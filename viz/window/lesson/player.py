"""Plays a lesson: sets the scene of each step, waits for what has to happen, and goes back to what was.

A step is entered with its scene, live; it can be left once what it waits for has happened. A step that was left is
visited again as it was, in the same run while that is shown, else in the recording beside the lesson.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventKind, Events, Switch, end_to_end, no_events
from bellwire.engine.language import tr
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.source import Order, Source
from bellwire.viz.lessons.course import Course, Visit
from bellwire.viz.lessons.lesson import Lesson, TimeOfScene
from bellwire.viz.lessons.step_figures import StepFigures
from bellwire.viz.model.breaks import Fits
from bellwire.viz.model.filter_language import parse
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.telling import Storyteller, Teller, stand_at_stage
from bellwire.viz.window.breaking import BreakControl
from bellwire.viz.window.notice import NoticeBar
from bellwire.viz.window.settings import Look
from bellwire.viz.window.shown import Shown, reason_for
from bellwire.viz.window.views import LABS

if TYPE_CHECKING:
    from bellwire.viz.window.lesson.recordings import LessonRecordings

TELLERS = {TimeOfScene.NEWEST: Teller.NEWEST, TimeOfScene.MEDIAN: Teller.MEDIAN, TimeOfScene.SLOWEST: Teller.SLOWEST}
ORDERS = {Switch.IOEVENTFD: Order.IOEVENTFD, Switch.IRQFD: Order.IRQFD}


class Coming(Enum):
    """How far a step has come."""

    ARRIVING = auto()  # its guest, or its recording, is not yet shown
    SETTLING = auto()  # its switches are not yet as they should be
    ON = auto()
    VISITED = auto()  # it is looked at again


class LessonPlayer:
    """The lesson of one window, if there is one."""

    def __init__(
        self, shown: Shown, look: Look, notice: NoticeBar, storyteller: Storyteller, breaks: BreakControl
    ) -> None:
        self._shown, self._look, self._notice = shown, look, notice
        self._storyteller, self._breaks = storyteller, breaks
        self.course: Course | None = None
        self.coming = Coming.ARRIVING
        self.wants_on = False  # whoever leads it has asked for the next step, which comes once it may
        self._recordings: LessonRecordings | None = None
        self._model: LiveModel | None = None  # whose events are counted
        self._asked: LiveModel | None = None  # what was shown when another source was asked for
        self._told = False  # the story of this step has begun
        self._ended = 0  # how often the step's recording has come to its end in vain
        self._stands: tuple[tuple[float | None, ...], int] = ((), 0)  # what is waited for, and since which TSC
        self._part = ""  # of the diagram, as it was chosen last
        self._coming_back: Visit | None = None  # whose recording is opened once it is whole
        self._tap: Callable[[Events], None] | None = None
        shown.changed.connect(self._changed)

    @property
    def on(self) -> bool:
        """Whether there is a lesson."""
        return self.course is not None

    @property
    def riddle(self) -> bool:
        """Whether a cause is asked for that the scenario's very name would tell: it is one of the labs."""
        return self.course is not None and self.course.asks and self._shown.model.scenario.group == LABS

    def recording_of(self, source: Source) -> Path | None:
        """Where what that source yielded is kept as long as the lesson lasts; nothing more is. None if nowhere."""
        return self._recordings.whole(source) if self._recordings else None

    def path_of(self, source: Source) -> Path | None:
        """Where that is, which may go on growing; None if nowhere."""
        return self._recordings.path_of(source) if self._recordings else None

    def begin(self, lesson: Lesson, *, here: bool = False) -> None:
        """From its first step. here: what is shown, or being built, is that of its first scene."""
        self.end()
        try:
            from bellwire.viz.window.lesson.recordings import LessonRecordings  # and Arrow with it

            self._recordings = LessonRecordings()
        except EngineError as error:
            self._notice.say(tr("There is no room for the recording beside a lesson. {error}", error=error))
            return
        self.course = Course(lesson)
        self._enter(0, here)

    def end(self) -> None:
        """Goes on without the lesson; what runs, runs on."""
        self._stop_counting()
        if self._recordings:
            self._recordings.end()
        if self.course:
            self._shown.views.diagram.set_highlight(frozenset())
            self._shown.views.diagram.set_silent(False)
            self._shown.views.show_purpose(True)
        self.course = self._recordings = None

    # -- forth and back

    def go_on(self) -> None:
        """To the next step, as soon as what has to have happened before has happened."""
        course = self.course
        if course is None or course.last:
            return
        if self.coming is Coming.VISITED:
            self._leave()
            if course.at + 1 == course.furthest:
                self._return_to_front()
            else:
                self._visit(course.at + 1)
        elif self.coming is not Coming.ON or course.unmet():
            self.wants_on = True
        else:
            self._leave()
            self._stop_counting()
            self._enter(course.at + 1)

    def go_back(self) -> None:
        """To the step before, as it was when it was left."""
        course = self.course
        if course is None or not course.at or course.at - 1 not in course.visits:
            return
        self._leave()
        self._visit(course.at - 1)

    def choose(self, choice: int) -> None:
        """Somebody is for that choice."""
        if self.course and self.course.asks:
            self.course.chosen[self.course.step.name] = choice

    # -- a step is entered

    def _enter(self, at: int, here: bool = False) -> None:
        assert self.course
        course, self.wants_on, self._told, self._ended = self.course, False, False, 0
        course.at = at
        self.coming = Coming.ARRIVING
        scene, model = course.scene, self._shown.model
        if (scene.afresh and not here) or self._own_recording(model):
            self._ask_for(scene.in_place if reason_for(model.source) else scene.scenario)
        else:
            self._asked = None

    def _own_recording(self, model: LiveModel) -> bool:
        """Whether what is shown is what a step before was, and no longer goes on."""
        return model.recorded is not None and not reason_for(model.source)

    def _ask_for(self, scenario: Scenario) -> None:
        self._asked = self._shown.model
        self._shown.run_scenario(scenario)

    def _arrive(self) -> None:
        """The scene's source is shown: what else it wants is set."""
        assert self.course
        scene, model = self.course.scene, self._shown.model
        if reason_for(model.source) and model.scenario.name != scene.in_place.name:
            self._ask_for(scene.in_place)
            return
        self._set_look()
        if not self._storyteller.end():
            model.to_newest()
        for switch, on in scene.switches.items():
            if model.present.wired(switch) != on and not model.source.can(ORDERS[switch]):
                model.source.order(ORDERS[switch], on)
        self.coming = Coming.SETTLING

    def _set_look(self) -> None:
        assert self.course
        scene, views = self.course.scene, self._shown.views
        if self._look.extended != scene.extended:
            self._look.set_extended(scene.extended)
        views.show_purpose(False)
        views.front(scene.panel)
        views.diagram.set_highlight(scene.highlight)
        views.diagram.set_silent(self.riddle)
        self._shown.pointing.wipe()  # what was marked was of the step before
        self._part = scene.part  # and so no answer
        self._shown.model.selection.choose(part=scene.part)

    def _settled(self) -> bool:
        """Whether the switches are as the scene wants them, as far as they can be turned here."""
        assert self.course
        model = self._shown.model
        return all(
            model.present.wired(switch) == on or bool(model.source.can(ORDERS[switch]))
            for switch, on in self.course.scene.switches.items()
        )

    def _count(self) -> None:
        """From now on events are this step's."""
        assert self.course
        course, model = self.course, self._shown.model
        figures = StepFigures(model.scenario, model.clock, self._so_far(model), model.source.backend)
        course.visits[course.at] = Visit(model.source, figures)
        self._feed(model, figures)
        if self._recordings:
            try:
                self._recordings.record(model)
            except EngineError as error:
                self._notice.say(tr("There is no way back to this step: {error}", error=error))
        if course.scene.break_at:
            self._breaks.watch.arm(Fits(course.scene.break_at, parse(course.scene.break_at)))
        self.coming = Coming.ON

    def _so_far(self, model: LiveModel) -> Events:
        """What belongs to a step when its counting begins: a machine that began with it may have had its one signal,
        and a recording may have been played to its end before a starved window came to show it."""
        resumed = model.recorded is not None and model.recorded.resumed is not None
        if self._asked is None or resumed or model.events.oldest:
            return model.beginning()
        so_far = end_to_end(no_events(), *model.events)  # what has come: of a recording more is held on the disk
        return so_far if self._wired_throughout(so_far) else model.beginning()

    def _wired_throughout(self, events: Events) -> bool:
        """Whether no switch of the scene ever stood otherwise."""
        assert self.course
        wires = events[events["kind"] == EventKind.WIRE]
        return all(
            (wires["arg"][wires["id"] == switch] == on).all() for switch, on in self.course.scene.switches.items()
        )

    def _feed(self, model: LiveModel, figures: StepFigures) -> None:
        self._stop_counting()
        self._model, self._tap = model, figures.feed
        model.taps.append(self._tap)

    def _stop_counting(self) -> None:
        if self._model and self._tap in self._model.taps:
            self._model.taps.remove(self._tap)
        self._model = self._tap = None

    def _leave(self) -> None:
        """What was seen here is kept, to come back to it; of the newest step what comes counts on."""
        assert self.course
        visit, model = self.course.visit, self._shown.model
        if visit and self.coming is Coming.ON:
            visit.left = model.playhead
            visit.journey = model.selection.journeys[:1]

    # -- a step is visited again

    def _visit(self, at: int) -> None:
        assert self.course
        self.course.at, self.coming, self.wants_on = at, Coming.VISITED, False
        self._asked = None
        visit = self.course.visits[at]
        if self._shows(visit):
            self._restore(visit)
        else:
            self._coming_back = visit
            if self._recordings:
                self._recordings.keep_annotations(self._shown.model)
                self._recordings.left(visit.source)

    def _shows(self, visit: Visit) -> bool:
        """Whether the run of that visit is shown, or its recording."""
        model = self._shown.model
        path = self._recordings.path_of(visit.source) if self._recordings else None
        return model.source is visit.source or (model.recorded is not None and model.recorded.recording.path == path)

    def _open(self, visit: Visit) -> None:
        if not self._recordings or not self._recordings.ready(visit.source):
            return
        self._coming_back = None
        try:
            replay = self._recordings.replay(visit.source, visit.left)
        except EngineError as error:
            self._notice.say(str(error))
            return
        if replay is None:
            self._notice.say(tr("Of this step there is no recording."))
            return
        replay.no_guest = reason_for(visit.source)
        self._recordings.keep_annotations(self._shown.model)
        self._shown.show_source(replay)
        self._recordings.bring_annotations(self._shown.model)

    def _restore(self, visit: Visit) -> None:
        """The moment, and what was told of it."""
        assert self.course
        self._set_look()
        self._storyteller.end()
        model = self._shown.model
        model.transport.seek(visit.left)
        model.selection.choose(journeys=visit.journey)
        if self.course.scene.telling is not TimeOfScene.LIVE and visit.journey.size:
            self._storyteller.begin(Teller.CHOSEN)
            self._to_stage()

    def _return_to_front(self) -> None:
        """To the step that was come to last: it goes on if its guest still runs, else it begins anew."""
        assert self.course
        visit = self.course.visits[self.course.furthest]
        if self._shown.model.source is not visit.source:
            self._enter(self.course.furthest)
            return
        self.course.at, self.coming = self.course.furthest, Coming.ON
        self._set_look()
        self._storyteller.end()
        self._shown.model.to_newest()

    # -- once a frame

    def _changed(self) -> None:
        """Another source is shown."""
        if self.course is None:
            return
        if self._model is not None and self._recordings:
            self._recordings.keep_annotations(self._model)
            self._recordings.left(self._model.source)
        self._stop_counting()
        if self.coming is Coming.VISITED and self.course.visit:
            self._restore(self.course.visit)

    def follow(self) -> None:
        """Goes on with what has to wait for something."""
        course = self.course
        if course is None:
            return
        self._follow_pointing(course)
        if self._coming_back is not None:
            self._open(self._coming_back)
        elif self.coming is Coming.ARRIVING and self._shown.model is not self._asked:
            self._arrive()
        elif self.coming is Coming.SETTLING and self._settled():
            self._count()
        elif self.coming is Coming.ON and not course.unmet():
            if course.scene.telling is not TimeOfScene.LIVE and not self._told:
                self._tell()
            if self.wants_on:
                self.go_on()
        elif self.coming is Coming.ON:
            self._watch(course)
            if self._shown.model.replaying and not self._shown.model.source.alive and not self.in_vain:
                self._play_again()

    def _follow_pointing(self, course: Course) -> None:
        """A part of the diagram that is clicked at is an answer, if it is one of the choices."""
        part, before = self._shown.model.selection.part, self._part
        self._part = part
        if part and part != before and course.step.question:
            for number, choice in enumerate(course.step.question.choices):
                if part in choice.parts:
                    self.choose(number)

    @property
    def in_vain(self) -> bool:
        """Whether a recording was played as a whole, and what is waited for has not come to be: it never will."""
        return self._ended > 1

    @property
    def stood_seconds(self) -> float:
        """How long nothing has changed of what is waited for."""
        model, since = self._shown.model, self._stands[1]
        return max(float(model.clock.ns(model.now - since)) / 1e9, 0.0) if since else 0.0

    def _watch(self, course: Course) -> None:
        values = tuple(judgement.value for judgement in course.unmet())
        if values != self._stands[0] or self._shown.model.now < self._stands[1]:
            self._stands = values, self._shown.model.now

    def _play_again(self) -> None:
        """A recording that has come to its end before enough has happened begins anew, and the step with it, once:
        the step may have begun in the midst of it."""
        self._ended += 1
        if self.in_vain:
            return
        self.coming, self._asked = Coming.ARRIVING, self._shown.model
        self._shown.restart()

    def _tell(self) -> None:
        assert self.course
        self._told = True
        self._storyteller.begin(TELLERS[self.course.scene.telling])
        self._to_stage()

    def _to_stage(self) -> None:
        """The story stands still at the stage that the scene names, if its way has it."""
        assert self.course
        stand_at_stage(self._shown.model, self.course.scene.stage)
