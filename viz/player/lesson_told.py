"""A lesson as a page carries it: the words and the question of each step, and the run that its scene showed."""

from __future__ import annotations

from collections.abc import Callable

from bellwire.engine.folds.journeys import Journeys, finish
from bellwire.engine.folds.latency import begin
from bellwire.engine.foreign import shown
from bellwire.engine.language import Spoken, tr
from bellwire.viz.handout.files import maker_of
from bellwire.viz.handout.walk import walked, window_for
from bellwire.viz.lessons.course import Course
from bellwire.viz.lessons.lesson import Lesson
from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.making import as_nobody_has_set_it
from bellwire.viz.player.page import Table, page_of
from bellwire.viz.player.part import CarriedPart, each_once
from bellwire.viz.player.run_told import Look, RunTeller, live_moment
from bellwire.viz.player.shapes import SharedShapes
from bellwire.viz.player.stills import stills_of
from bellwire.viz.style.theme import LIGHT
from bellwire.viz.text.host_words import machine_words

NOTHING = frozenset[str]()
NEWEST_EVENTS = 40  # that a scene without a journey carries


def lesson_page(
    lesson: Lesson, theme: str, why: str, look: Look, interrupted: Callable[[], None], hidden: frozenset[str] = NOTHING
) -> bytes:
    """The page's bytes. why: it is told of recordings, "" if over guests. EngineError if a scene does not come.

    look: how much is done; interrupted: called once a frame, ends it by raising. hidden: facts of the machine, which
    it does not tell.
    """
    shared, told = SharedShapes(), CourseTold()
    usual = PictureAsked(language=Spoken.name, hidden=hidden)
    with as_nobody_has_set_it(usual), window_for(lesson, maker_of(why), LIGHT) as window:
        for course in walked(window, lesson, interrupted):
            told.note(course, run_of_scene(window.model, course, shared))
            look(len(told.runs) / len(course.positions))
        about = about_lesson(window.model, course)
    carried = {"about": about, "runs": told.runs, "shared": shared.as_table(), "lesson": {"steps": told.steps}}
    return page_of(carried, theme).encode()


class CourseTold:
    """What was said and shown at each position. A step that asks has two runs: before its answer, and with it."""

    def __init__(self) -> None:
        self.steps: list[Table] = []
        self.runs: list[Table] = []

    def note(self, course: Course, run: Table) -> None:
        """The position that the course is at."""
        number = len(self.runs)
        self.runs.append(run)
        if course.position.revealed:
            answers = [{"right": one.right, "reason": shown(one.reason)} for one in course.answers()]
            self.steps[-1] |= {"reveal": number, "answers": answers}
            return
        self.steps.append(
            {
                "title": shown(course.step.title),
                "text": [shown(paragraph) for paragraph in course.told(course.step.text)],
                "ask": shown(course.asked),
                "choices": [shown(one.text) for one in course.choices()],
                "run": number,
            }
        )


def run_of_scene(model: LiveModel, course: Course, shared: SharedShapes) -> Table:
    """What a scene shows: the journey of its story, or the newest; first as it runs, if that is how it is shown."""
    scene, story = course.scene, model.story
    step = story.step if story is not None else 0
    journey = model.journeys.newest(1) if story is None else story.whole.journey
    with stills_of(model, shared, scene.extended, scene.highlight, scene.panel) as stills:
        live = [live_moment(model) | stills.take()] if story is None else []
        run = RunTeller(model, part_around(model, journey), stills, lambda share: None, live).tell()
    if story is not None:
        model.selection.choose(journeys=journey)
        model.tell(story)
    else:
        model.story = None
        model.to_newest()
    return run | {"start": step}


def part_around(model: LiveModel, journey: Journeys) -> CarriedPart:
    """A journey with its events; without one the newest events."""
    if journey.size:
        start, end = int(begin(journey)[0]), int(finish(journey)[0])
        return CarriedPart(start, end, journey, each_once(model.window(start, end)))
    events = each_once(model.window(max(model.now - model.clock.cycles(1.0), 0), model.now))[-NEWEST_EVENTS:]
    start, end = (int(events["tsc"][at]) for at in (0, -1)) if events.size else (model.now, model.now)
    return CarriedPart(start, end, journey, events)


def about_lesson(model: LiveModel, course: Course) -> Table:
    """What the page is of."""
    source, recorded, lesson = model.source, model.recorded, course.lesson
    return {
        "title": shown(lesson.title),
        "purpose": shown(" · ".join(lesson.knows)),
        "machine": shown(machine_words(source.host, source.backend)),
        "left_out": tr("Of each step this page holds one journey with its events, not the whole run."),
        "recorded": recorded.recording.header.started[:10] if recorded else "",
        "warning": "",
    }
