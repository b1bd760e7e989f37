"""Writes what a handout consists of into a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bellwire.engine.language import tr
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.source import Source
from bellwire.viz.handout.document import HandoutFiles, Picture, Seen
from bellwire.viz.handout.lab_sheet import LabSheet, lab_html
from bellwire.viz.handout.lesson_handout import copied_recording, lesson_handout
from bellwire.viz.handout.lesson_sheet import lesson_sheet
from bellwire.viz.handout.pdf import pdf_of
from bellwire.viz.handout.pictures import diagram_picture
from bellwire.viz.handout.walk import MakeSource
from bellwire.viz.lessons.labs.lab_run import LabRun
from bellwire.viz.lessons.labs.quiz import Quiz
from bellwire.viz.lessons.lesson import Lesson
from bellwire.viz.pictures.moment import Moment
from bellwire.viz.pictures.played import PlayedRecording, played_model, source_played
from bellwire.viz.style.theme import LIGHT
from bellwire.viz.window.application import application
from bellwire.viz.window.shown import live_session

HTML_NAME, PDF_NAME, LAB_RECORDING = "handout.html", "handout.pdf", "lab.arrow"

Look = Callable[[], None]  # called now and then; what it raises ends the work
Progress = Callable[[float], None]  # how much is done, 0..1


def maker_of(why: str) -> MakeSource:
    """Makes the source of a scenario: a guest or, if there is a reason why not, its recording, whose time the walk
    makes."""
    if not why:
        return live_session

    def replayed(scenario: Scenario) -> Source:
        from bellwire.engine.recordings.shipped import played_in_place_of

        return played_in_place_of(scenario, why, PlayedRecording)

    return replayed


def write_lesson(lesson: Lesson, folder: Path, why: str, pdf: bool, look: Look, progress: Progress) -> HandoutFiles:
    """A lesson's handout with its recordings. why: they are shipped ones, "" if it is walked over guests."""
    made = lesson_handout(lesson, maker_of(why), why, folder, LIGHT, look, progress)
    return write_sheet(lesson_sheet(made), folder, [one.name for one in made.recordings], pdf, look)


def write_lab(quiz: Quiz, recording: Recording, folder: Path, why: str, pdf: bool, look: Look) -> HandoutFiles:
    """A lab's sheet, and the recording that its figures are of, whose name does not tell what is the matter."""
    lab = quiz.lab
    kept = copied_recording(recording.path, folder / LAB_RECORDING, tr("A guest in trouble"), bool(why))
    picture = picture_at(recording, lab.broken_at)
    seen = Seen((picture,), tr("While it is broken."), kept.name, lab.broken_at, bool(why))
    made = LabSheet(quiz, LabRun.of_recording(recording), seen, kept, why)
    return write_sheet(lab_html(made, False), folder, [kept.name], pdf, look, lab_html(made, True))


def picture_at(recording: Recording, seconds: float) -> Picture:
    """The diagram so long after a recording's first event."""
    application()
    with source_played(recording) as source:
        return diagram_picture(played_model(source, Moment(seconds=seconds)), LIGHT)


def write_sheet(html: str, folder: Path, recordings: list[str], pdf: bool, look: Look, paper: str = "") -> HandoutFiles:
    """A sheet, as HTML and, if wanted, as PDF, beside recordings that are there already.

    paper: the HTML for the PDF, where it is not the same.
    """
    page, printed = folder / HTML_NAME, folder / PDF_NAME if pdf else None
    page.write_text(html, encoding="utf-8")
    look()
    if printed:
        printed.write_bytes(pdf_of(paper or html))
    look()
    return HandoutFiles(page, printed, tuple(folder / name for name in recordings))
