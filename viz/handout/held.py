"""The handout of a lecture that is being held: of what its window has shown so far, written in turns with all else.

What was on the screen at a step is looked at again in the recordings that run beside the lesson, as whoever goes back
to the step would see it. What needs no window, files and the PDF, is done in threads.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.source import Source
from bellwire.viz.handout.document import HandoutFiles, Picture
from bellwire.viz.handout.files import write_sheet
from bellwire.viz.handout.folder import folder_or_nothing
from bellwire.viz.handout.lesson_handout import Kept, Noted, handout_of, keep_recordings, noted_moment, painted_at
from bellwire.viz.handout.lesson_sheet import lesson_sheet
from bellwire.viz.handout.pdf import needs_pango
from bellwire.viz.lessons.course import Course, Visit
from bellwire.viz.lessons.lesson import TimeOfScene
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.telling import Teller, begin_story, stand_at_stage
from bellwire.viz.style.theme import LIGHT
from bellwire.viz.window.lesson.player import LessonPlayer
from bellwire.viz.window.shown import reason_for

Done = TypeVar("Done")


def held_handout(player: LessonPlayer, model: LiveModel, folder: Path) -> Generator[float, None, None]:
    """Writes it; yields now and then how much is done, 0..1. EngineError, and no folder, if that is not possible.

    model: the one that is shown: of the position at hand it is as it is now.
    """
    course = player.course
    assert course is not None
    paths = {visit.source: player.path_of(visit.source) for visit in course.visits.values()}
    with folder_or_nothing(folder) as made:
        at_hand, ways = course.at, [at_position(course, at) for at in sorted(course.visits)]
        now = yield from noted_at(model, at_position(course, at_hand), model.source)
        kept = yield from meanwhile(lambda: keep_recordings(paths.get, list(paths), made))
        noted: list[Noted] = []
        for number, way in enumerate(ways, 1):
            noted.append(now if way.at == at_hand else (yield from seen_again(way, kept)))
            yield number / (len(ways) + 1)
        why = next(filter(None, map(reason_for, paths)), "")
        html = lesson_sheet(handout_of(course, noted, kept, why))
        yield from meanwhile(lambda: write_both(html, made, [one.told.name for one in kept.values()]))
    yield 1.0


def write_both(html: str, folder: Path, recordings: list[str]) -> HandoutFiles:
    """HTML and, where that can be made, PDF."""
    try:
        needs_pango()
    except EngineError:
        return write_sheet(html, folder, recordings, False, lambda: None)
    return write_sheet(html, folder, recordings, True, lambda: None)


def meanwhile(work: Callable[[], Done]) -> Generator[float, None, Done]:
    """What `work` gives, or raises, in a thread of its own; yields as long as that takes."""
    given: list[Done] = []
    raised: list[Exception] = []

    def do() -> None:
        try:
            given.append(work())
        except Exception as error:  # told to whoever waits for it, as it is
            raised.append(error)

    thread = threading.Thread(target=do, name="handout", daemon=True)
    begin_thread(thread)
    while thread.is_alive():
        yield 0.0
    if raised:
        raise raised[0]
    return given[0]


def at_position(course: Course, at: int) -> Course:
    """The same lesson with the same visits, as it was at another position."""
    there = copy.copy(course)
    there.at = at
    return there


def seen_again(course: Course, kept: dict[Source, Kept]) -> Generator[float, None, Noted]:
    """What the course's position said, and showed when it was left; without a recording only what it said."""
    visit = course.visit
    assert visit is not None
    if visit.source not in kept:
        return Noted.of_words(course, visit.source)
    with model_at(kept[visit.source].recording, visit) as model:
        yield 0.0
        tell_as_before(model, course, visit)
        yield 0.0
        return (yield from noted_at(model, course, visit.source))


def noted_at(model: LiveModel, course: Course, source: Source) -> Generator[float, None, Noted]:
    """What the course's position says and shows now, a picture at a turn. source: what it was of."""
    noted, pictures = noted_moment(model, course, source), list[Picture]()
    for painted in painted_at(model, course, LIGHT):
        yield 0.0
        pictures.append((yield from meanwhile(painted.packed)))
    return replace(noted, pictures=tuple(pictures))


@contextmanager
def model_at(recording: Recording, visit: Visit) -> Iterator[LiveModel]:
    """A recording at the moment at which a position was left."""
    source = Replay(recording, lambda: 0)  # ns of a clock that stands
    source.begin_at(max((visit.left or recording.last) - recording.first, 0))
    source.start()
    try:
        model = LiveModel(source)
        model.drain()
        while model.batch.size:
            model.drain()
        yield model
    finally:
        source.stop()


def tell_as_before(model: LiveModel, course: Course, visit: Visit) -> None:
    """The moment, and the story if one was told."""
    if visit.left:
        model.transport.seek(visit.left)
    model.move(0.0)
    model.selection.choose(journeys=visit.journey)
    if course.scene.telling is not TimeOfScene.LIVE and visit.journey.size and begin_story(model, Teller.CHOSEN):
        stand_at_stage(model, course.scene.stage)
