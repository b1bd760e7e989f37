"""`bellwire slides`: a lesson as slides, with its pictures and the notes for who speaks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.engine.language import tr, tr_n
from bellwire.viz.cli.lessons.handout_command import ended_in_order, speak_for_documents
from bellwire.viz.cli.lessons.lab_recordings import Replayed, why_replayed
from bellwire.viz.cli.options import Force, InLanguage, ThemeName, app
from bellwire.viz.cli.terminal import out, share_bar

if TYPE_CHECKING:
    from bellwire.viz.handout.slides.deck import Deck
    from bellwire.viz.lessons.lesson import Lesson

ONE_FILE = (".pptx", ".pdf")

SlidesName = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="DIR | OUT", help="A .pptx or .pdf file, or a new folder with both and all pictures."
    ),
]
SlideTheme = Annotated[ThemeName, typer.Option("--theme", help="Its colours; print is black on white.")]
NotesToo = Annotated[bool, typer.Option("--notes", help="In a PDF a page of notes behind each slide.")]


@app.command()
def slides(
    what: Annotated[str, typer.Argument(metavar="LESSON", help="One of `bellwire lessons`, or a file.")],
    target: SlidesName,
    theme: SlideTheme = ThemeName.PROJECTOR,
    notes: NotesToo = False,
    replay: Replayed = False,
    language: InLanguage = None,
    force: Force = False,
) -> None:
    """Makes slides of a lesson: each step with its picture and notes, questions and answers on slides of their own."""
    speak_for_documents(language)
    from bellwire.viz.lessons.lesson_file import lesson_named

    lesson, suffix = lesson_named(what), target.suffix.lower()
    if suffix in ONE_FILE:
        made = write_one_file(lesson, target, suffix, str(theme), notes, replay, force)
    elif suffix[1:].isalpha():
        known = ", ".join(ONE_FILE)
        raise typer.BadParameter(
            tr("The name of slides ends in {known}, or has no ending and is a folder: {name}", known=known, name=target)
        )
    else:
        made = write_folder(lesson, target, str(theme), notes, replay)
    out(tr("{path}: {slides}.", path=target, slides=tr_n("{n} slide", "{n} slides", len(made.slides))))


def write_one_file(
    lesson: Lesson, target: Path, suffix: str, theme: str, notes: bool, replay: bool, force: bool
) -> Deck:
    """The slides as PPTX or as PDF; the file, or after an error none."""
    from bellwire.engine.outputs import whole_or_not

    with whole_or_not(target, force) as file:
        needs_libraries(suffix)
        deck = walked_deck(lesson, theme, replay)
        from bellwire.viz.handout.slides.slide_files import deck_file
        from bellwire.viz.style.theme import THEMES

        file.write(deck_file(deck, suffix, THEMES[theme], notes))
    return deck


def write_folder(lesson: Lesson, folder: Path, theme: str, notes: bool, replay: bool) -> Deck:
    """Everything; the folder, or after an error none."""
    from bellwire.viz.handout.folder import folder_or_nothing

    with folder_or_nothing(folder) as made:
        needs_libraries(*ONE_FILE)
        deck = walked_deck(lesson, theme, replay)
        from bellwire.viz.handout.slides.slide_files import write_slides
        from bellwire.viz.style.theme import THEMES

        with ended_in_order(folder) as look:
            write_slides(deck, made, THEMES[theme], notes, look)
    return deck


def needs_libraries(*suffixes: str) -> None:
    """EngineError, with what to do, if one of these files cannot be made on this machine: before the work."""
    from bellwire.viz.handout.pdf import needs_pango
    from bellwire.viz.handout.slides.pptx_file import pptx

    if ".pptx" in suffixes:
        pptx()
    if ".pdf" in suffixes:
        needs_pango()


def walked_deck(lesson: Lesson, theme: str, replay: bool) -> Deck:
    """The lesson, walked where nobody sees it."""
    from bellwire.viz.pictures.plain_qt import make_qt_plain

    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    make_qt_plain()
    why = why_replayed(replay)
    from bellwire.viz.handout.files import maker_of
    from bellwire.viz.handout.slides.noting import lesson_deck
    from bellwire.viz.style.theme import THEMES

    with ended_in_order() as look, share_bar(lesson.name) as progress:
        return lesson_deck(lesson, maker_of(why), THEMES[theme], look, progress)
