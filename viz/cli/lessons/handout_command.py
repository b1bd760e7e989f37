"""`bellwire handout`: a lesson as a document, with the recordings that it was told of beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.engine.counted import number_of
from bellwire.engine.language import tr
from bellwire.viz.cli.lessons.lab_recordings import Replayed, lab_recording, why_replayed
from bellwire.viz.cli.options import InLanguage, app
from bellwire.viz.cli.terminal import complain, out, share_bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from bellwire.viz.handout.document import HandoutFiles

SEED_OF_SHEETS = 1  # by which a sheet's choices are drawn

Folder = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="DIR", help="A new or empty folder (default handout-LESSON).")
]
WithPdf = Annotated[bool, typer.Option("--pdf/--no-pdf", help="As a PDF file, too.")]


@app.command()
def handout(
    what: Annotated[str, typer.Argument(metavar="LESSON | LAB", help="One of `bellwire lessons`, a file, or a lab-*.")],
    folder: Folder = None,
    replay: Replayed = False,
    pdf: WithPdf = True,
    language: InLanguage = None,
) -> None:
    """Writes a lesson to read afterwards, or a lab's sheet: HTML, PDF, and the recordings that its figures are of."""
    folder = folder or Path(f"handout-{Path(what).stem}")
    speak_for_documents(language)
    written = write_lab_sheet(what, folder, replay, pdf) if is_lab(what) else write_handout(what, folder, replay, pdf)
    names = ", ".join(path.name for path in (written.html, written.pdf) if path)
    kept = number_of(len(written.recordings), "recording")
    out(tr("{folder}: {names} and {kept}.", folder=written.html.parent, names=names, kept=kept))


def speak_for_documents(language: str | None) -> None:
    """The language of a document: what was asked for, else what the window speaks."""
    from bellwire.viz.window.access.spoken import speak_wanted
    from bellwire.viz.window.settings import Settings

    speak_wanted(language or "", Settings())


def is_lab(what: str) -> bool:
    """Whether a lab's sheet is wanted, and no lesson."""
    return what.startswith("lab-") and not Path(what).is_file()


def write_handout(what: str, folder: Path, replay: bool, pdf: bool) -> HandoutFiles:
    """Walks a lesson where nobody sees it and writes the folder. RecordingError, and no folder, if that fails."""
    from bellwire.viz.lessons.lesson_file import lesson_named

    lesson = lesson_named(what)
    why = why_replayed(replay)
    with new_folder(folder, pdf) as made, ended_in_order(folder) as look, share_bar(lesson.name) as progress:
        from bellwire.viz.handout.files import write_lesson

        written = write_lesson(lesson, made, why, pdf, look, progress)
    return written.moved(folder)


def write_lab_sheet(what: str, folder: Path, replay: bool, pdf: bool) -> HandoutFiles:
    """Runs a lab, or takes its recording, and writes the folder."""
    from bellwire.viz.lessons.labs.lab_texts import riddle_named
    from bellwire.viz.lessons.labs.quiz import Quiz

    drawn = Quiz.drawn(SEED_OF_SHEETS, riddle_named(what))
    why = why_replayed(replay)
    with new_folder(folder, pdf) as made, lab_recording(drawn.lab, why, what) as path, ended_in_order(folder) as look:
        from bellwire.engine.recordings.recording import Recording
        from bellwire.viz.handout.files import write_lab

        written = write_lab(drawn, Recording(path), made, why, pdf, look)
    return written.moved(folder)


@contextmanager
def new_folder(folder: Path, pdf: bool) -> Iterator[Path]:
    """A folder that gets its name once it is whole; what a PDF needs is looked for first."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from bellwire.viz.handout.folder import folder_or_nothing
    from bellwire.viz.handout.pdf import needs_pango

    if pdf:
        needs_pango()
    with folder_or_nothing(folder) as made:
        yield made


@contextmanager
def ended_in_order(*made: Path) -> Iterator[Callable[[], None]]:
    """What is called now and then, and ends the command there after Ctrl-C or SIGTERM: Qt must not be left anywhere.

    made: what is to be written in the end; RecordingError once the disk has no room for it.
    """
    from bellwire.engine.outputs import refuse_filled
    from bellwire.viz.cli.measure import noted_interrupts

    with noted_interrupts() as noted:

        def look() -> None:
            if noted.number:
                raise SystemExit(complain("interrupted", 128 + noted.number))
            for path in made:
                refuse_filled(path)

        yield look
        look()
