"""Makes a handout of a lesson: walks it, notes what each position says and shows, and keeps its recordings."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QDate, QLocale

from bellwire.engine.foreign import file_name
from bellwire.engine.language import Spoken, tr, tr_as
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.source import Source
from bellwire.viz.handout.document import AskedAnswer, Handout, HandoutStep, KeptRecording, Picture, Seen
from bellwire.viz.handout.pictures import Unpacked, scene_painted
from bellwire.viz.handout.walk import MakeSource, walked, window_for
from bellwire.viz.lessons.course import ChoiceSoFar, Course, Position
from bellwire.viz.lessons.lesson import HOMEWORK, Lesson
from bellwire.viz.lessons.step_figures import PLACEHOLDER
from bellwire.viz.model.live import LiveModel, recorded
from bellwire.viz.model.moments.telling import stopwatch_reason, stopwatch_words, story_title
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.figures import grouped
from bellwire.viz.text.host_words import machine_words


@dataclass(frozen=True)
class Noted:
    """What was said and shown at a position of the walk. tsc: the moment in its source."""

    position: Position
    source: Source
    tsc: int
    replayed: bool
    pictures: tuple[Picture, ...]
    caption: str
    text: tuple[str, ...]
    ask: str
    choices: tuple[ChoiceSoFar, ...]

    @property
    def answered(self) -> bool:
        """Whether the run has said which of them are right."""
        return any(choice.answered for choice in self.choices)

    @classmethod
    def of_words(cls, course: Course, source: Source) -> Noted:
        """What was said alone."""
        return cls(
            *(course.position, source, 0, False, (), ""),
            text=tuple(course.told(course.step.text)),
            ask=course.asked,
            choices=course.choices(),
        )


@dataclass(frozen=True)
class Kept:
    """A recording that was copied, and its first moment."""

    told: KeptRecording
    recording: Recording

    @property
    def header(self) -> Header:
        """Of what run it is."""
        return self.recording.header


def lesson_handout(
    lesson: Lesson,
    make_source: MakeSource,
    why: str,
    folder: Path,
    theme: Theme,
    look: Callable[[], None] = lambda: None,
    progress: Callable[[float], None] = lambda share: None,
) -> Handout:
    """Walks the lesson and copies its recordings into `folder`.

    make_source: the guest of a scenario, or its recording; why: there is no guest, "" if there is one. look: called
    once a frame, ends the walk by raising. EngineError if a scene does not come.
    """
    noted: list[Noted] = []
    with window_for(lesson, make_source, theme) as window:
        for course in walked(window, lesson, look):
            noted.append(note_of(window.model, course, theme))
            progress(len(noted) / len(course.positions))
        kept = keep_recordings(window.lessons.recording_of, [note.source for note in noted], folder)
        return handout_of(course, noted, kept, why)


def handout_of(course: Course, noted: list[Noted], kept: dict[Source, Kept], why: str) -> Handout:
    """Of what was noted at the positions that were come to. why: there is no guest, "" if there is one."""
    lesson, headers = course.lesson, [one.header for one in kept.values()]
    return Handout(
        *(lesson.name, lesson.title, lesson.minutes, lesson.knows),
        steps=tuple(steps_of_handout(noted, kept)),
        homework=tuple(course.told(lesson.homework)),
        commands=lesson.commands,
        recordings=tuple(dict.fromkeys(one.told for one in kept.values())),
        host=headers[0].host | {"backend": headers[0].backend} if headers else {},
        why=why,
        made=today_words(),
    )


def today_words() -> str:
    """ "27 November 2026"."""
    parts = tr_as("a date, in Qt's letters for its parts", "d MMMM yyyy")
    return QLocale(Spoken.name).toString(QDate.currentDate(), parts)


def note_of(model: LiveModel, course: Course, theme: Theme) -> Noted:
    """What the course's position says and shows now."""
    pictures = tuple(painted.packed() for painted in painted_at(model, course, theme))
    return replace(noted_moment(model, course, model.source), pictures=pictures)


def painted_at(model: LiveModel, course: Course, theme: Theme) -> Iterator[Unpacked]:
    """The pictures of the course's position, one after the other; homework has none."""
    if course.step.name != HOMEWORK:
        yield from scene_painted(model, course.scene, theme)


def noted_moment(model: LiveModel, course: Course, source: Source) -> Noted:
    """The same without pictures. source: what the position was of, which this model shows, perhaps again."""
    return replace(
        Noted.of_words(course, source),
        tsc=model.playhead,
        replayed=recorded(source) is not None,
        caption=caption_at(model, course),
    )


def caption_at(model: LiveModel, course: Course) -> str:
    """Of which moment the picture is at the course's position, and of how long the figures in its text."""
    step, visit = course.step, course.visit
    reasons = [choice.reason for choice in step.question.choices] if step.question and not course.asks else []
    if visit is None or not any(counts_itself(text) for text in (*step.text, *reasons)):
        return caption_of(model)
    seconds = grouped(visit.figures.seconds, 2)
    counted = tr("The text counts what came within {seconds} s, since this step began.", seconds=seconds)
    return f"{caption_of(model)} {counted}"


def counts_itself(text: str) -> bool:
    """Whether a text has a figure of its own step, not only of earlier ones."""
    return any("@" not in side for found in PLACEHOLDER.findall(text) for side in found.split("/"))


def caption_of(model: LiveModel) -> str:
    """Of which moment a picture is."""
    story = model.story
    if story is None:
        return tr("The newest signals on their way.")
    stage, after = story.stop_of(story.step).stage.title, stopwatch_words(model, story)
    return tr(
        "{story}: {stage}, {after} after its start ({reason}).",
        story=story_title(story),
        stage=stage,
        after=after,
        reason=stopwatch_reason(model, story),
    )


def keep_recordings(
    path_of: Callable[[Source], Path | None], sources: list[Source], folder: Path
) -> dict[Source, Kept]:
    """Copies each recording once; by the source that it is of. RecordingError if one cannot be read.

    path_of: where its recording is, which may still grow; sources: in the order in which the lesson came to them.
    """
    copied: dict[Path, Kept] = {}
    kept: dict[Source, Kept] = {}
    for source in sources:
        path = None if source in kept else path_of(source)
        if path is not None:
            if path not in copied:
                copied[path] = keep_recording(path, folder, len(copied) + 1, source)
            kept[source] = copied[path]
    return kept


def keep_recording(path: Path, folder: Path, number: int, source: Source) -> Kept:
    """A copy of it, numbered as the lesson came to it."""
    scenario = source.scenario
    target = folder / f"{number}-{file_name(scenario.name)}.arrow"
    told = copied_recording(path, target, tr(scenario.title), recorded(source) is not None)
    return Kept(told, Recording(target))


def copied_recording(path: Path, target: Path, title: str, replayed: bool) -> KeptRecording:
    """A copy of a recording, and what is said of it."""
    shutil.copyfile(path, target)
    header = Recording(target).header
    machine = machine_words(header.host, header.backend)
    return KeptRecording(target.name, title, target.stat().st_size, machine, replayed)


def steps_of_handout(noted: list[Noted], kept: dict[Source, Kept]) -> Iterator[HandoutStep]:
    """What was asked and what the run answered are one step."""
    revealed = {note.position.step.name: note for note in noted if note.answered}
    asked = 0
    for note in noted:
        step = note.position.step
        if note.position.revealed or step.name == HOMEWORK:
            continue
        answer = revealed.get(step.name)
        asked += answer is not None
        yield HandoutStep(
            step.title,
            note.text,
            seen_of(note, kept),
            AskedAnswer(asked, note.ask, answer.choices, seen_of(answer, kept)) if answer else None,
        )


def seen_of(note: Noted, kept: dict[Source, Kept]) -> Seen:
    """With where in which file it is."""
    of = kept.get(note.source)
    if of is None:
        return Seen(note.pictures, note.caption, replayed=note.replayed)
    seconds = max(of.header.clock.ns(note.tsc - of.recording.first) / 1e9, 0.0)
    return Seen(note.pictures, note.caption, of.told.name, seconds, note.replayed)
