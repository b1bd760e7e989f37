"""Writes what a handout consists of into a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.source import Source
from bellwire.viz.handout.document import HandoutFiles
from bellwire.viz.handout.lesson_handout import lesson_handout
from bellwire.viz.handout.lesson_sheet import lesson_sheet
from bellwire.viz.handout.pdf import pdf_of
from bellwire.viz.handout.walk import MakeSource
from bellwire.viz.lessons.lesson import Lesson
from bellwire.viz.style.theme import LIGHT
from bellwire.viz.window.shown import live_session

HTML_NAME, PDF_NAME = "handout.html", "handout.pdf"

Look = Callable[[], None]  # called now and then; what it raises ends the work
Progress = Callable[[float], None]  # how much is done, 0..1


def maker_of(why: str) -> MakeSource:
    """Makes the source of a scenario: a guest or, if there is a reason why not, its recording."""
    if not why:
        return live_session

    def replayed(scenario: Scenario) -> Source:
        from bellwire.engine.recordings.shipped import replay_in_place_of

        return replay_in_place_of(scenario, why)

    return replayed


def write_lesson(lesson: Lesson, folder: Path, why: str, pdf: bool, look: Look, progress: Progress) -> HandoutFiles:
    """A lesson's handout with its recordings. why: they are shipped ones, "" if it is walked over guests."""
    made = lesson_handout(lesson, maker_of(why), why, folder, LIGHT, look, progress)
    return write_sheet(lesson_sheet(made), folder, [one.name for one in made.recordings], pdf, look)


def write_sheet(html: str, folder: Path, recordings: list[str], pdf: bool, look: Look) -> HandoutFiles:
    """The sheet, as HTML and, if wanted, as PDF, beside recordings that are there already."""
    page, paper = folder / HTML_NAME, folder / PDF_NAME if pdf else None
    page.write_text(html, encoding="utf-8")
    look()
    if paper:
        paper.write_bytes(pdf_of(html))
    look()
    return HandoutFiles(page, paper, tuple(folder / name for name in recordings))
