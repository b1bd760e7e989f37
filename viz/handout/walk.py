"""Walks a lesson from its first position to its last, in the window's own player; nobody sees the window.

Guests take their time. A recording's time is made here, frame by frame: over recordings a walk is as quick as the
machine is, and shows the same each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from bellwire.engine.errors import EngineError, LessonError
from bellwire.engine.host.no_memory import needs_memory
from bellwire.engine.language import tr
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.source import Label, Source
from bellwire.viz.lessons.course import Course
from bellwire.viz.lessons.lesson import Lesson, TimeOfScene
from bellwire.viz.pictures.played import PlayedRecording
from bellwire.viz.style.theme import Theme
from bellwire.viz.window.application import application
from bellwire.viz.window.lesson.player import Coming
from bellwire.viz.window.window import MainWindow, make_window

LEAST_MEMORY = 10**9  # bytes of addresses, with which no lesson came to its end
PATIENCE_SECONDS = 90.0  # that a position may take, on a busy machine
FRAME_SECONDS = 0.008  # between frames, of a guest
STEP_SECONDS = 0.05  # of a recording, from frame to frame

MakeSource = Callable[[Scenario], Source]


@contextmanager
def window_for(lesson: Lesson, make_source: MakeSource, theme: Theme) -> Iterator[MainWindow]:
    """A window over the lesson's first scene, not shown, and closed at the end, with all that it has begun."""
    needs_memory(LEAST_MEMORY, tr("A lesson that is walked through"))
    application()
    scene = lesson.steps[0].scene
    source = make_source(scene.scenario)
    window = make_window(source, theme=theme, make_source=make_source)
    try:
        yield window
    finally:
        window.close()
        window.deleteLater()  # closed alone it is styled on with every further one


def walked(window: MainWindow, lesson: Lesson, look: Callable[[], None]) -> Iterator[Course]:
    """The course at each of its positions, once what has to happen there has happened, and its story is told.

    look: called once a frame; what it raises ends the walk. EngineError if a scene does not come.
    """
    wait_until(window, partial(has_started, window), look, "The guest does not start.")
    window.lessons.begin(lesson, here=True)
    course = window.lessons.course
    if course is None:
        raise EngineError(window.notice.words.text())
    for at in range(len(course.positions)):
        wait_until(window, partial(has_come, window, course, at), look, "")
        yield course
        window.lessons.go_on()


def has_started(window: MainWindow) -> bool:
    """Whether there is a guest, or a recording; EngineError with the reason if none will come."""
    source = window.model.source
    if source.why_nothing and source.label is not Label.STARTING:
        raise EngineError(source.why_nothing)
    return not source.why_nothing


def has_come(window: MainWindow, course: Course, at: int) -> bool:
    """Whether all that the position shows is there: its story or, of what is shown live, a whole second to speak of."""
    model = window.model
    live = course.scene.telling is TimeOfScene.LIVE
    speaks = not (model.why_unknown and model.source.alive and model.transport.following)
    shown = speaks if live else model.story is not None
    return course.at == at and window.lessons.coming is Coming.ON and not course.unmet() and shown


def wait_until(window: MainWindow, there: Callable[[], bool], look: Callable[[], None], why: str) -> None:
    """Frame after frame; EngineError with the reason if that takes too long."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not there():
        look()
        next_frame(window)
        application().processEvents()
        if time.monotonic() > ends or window.lessons.in_vain:
            raise EngineError(why_not_there(window) or why)


def next_frame(window: MainWindow) -> None:
    """Of a guest once it is due, of a recording at once."""
    source = window.model.source
    if isinstance(source, PlayedRecording):
        source.play_to(source.now() + source.clock.cycles(STEP_SECONDS))
        window.frame.step(STEP_SECONDS)
    else:
        window.frame.tick()
        time.sleep(FRAME_SECONDS)


def why_not_there(window: MainWindow) -> str:
    """What is waited for in vain, in one sentence."""
    course = window.lessons.course
    said = window.notice.words.text() if not window.notice.isHidden() else ""
    if course is None or said:
        return said
    unmet = " and ".join(judgement.text for judgement in course.unmet()) or "its scene"
    return str(
        LessonError(f"{course.lesson.path}:{course.step.line}: {course.step.title}: {unmet} has not come to be.")
    )
