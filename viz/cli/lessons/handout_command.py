"""`bellwire handout`: a lesson as a document, with the recordings that it was told of beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.engine.errors import NoKvmError
from bellwire.engine.language import tr, tr_n
from bellwire.viz.cli.options import app
from bellwire.viz.cli.terminal import complain, out, say, share_bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from bellwire.viz.handout.document import HandoutFiles
    from bellwire.viz.lessons.lesson import Lesson

ASKED_FOR = "They were asked for by --replay."

Folder = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="DIR", help="A new or empty folder (default handout-LESSON).")
]
Replayed = Annotated[bool, typer.Option("--replay", help="Over the recordings that are shipped, though there is KVM.")]
WithPdf = Annotated[bool, typer.Option("--pdf/--no-pdf", help="As a PDF file, too.")]


@app.command()
def handout(
    what: Annotated[str, typer.Argument(metavar="LESSON", help="One of `bellwire lessons`, or a file.")],
    folder: Folder = None,
    replay: Replayed = False,
    pdf: WithPdf = True,
) -> None:
    """Writes a lesson to read afterwards: HTML, PDF, and the recordings of the run that its figures are of."""
    from bellwire.viz.lessons.lesson_file import lesson_named

    lesson = lesson_named(what)
    why = why_replayed(replay)
    written = write_handout(lesson, folder or Path(f"handout-{lesson.name}"), why, pdf)
    names = ", ".join(path.name for path in (written.html, written.pdf) if path)
    kept = tr_n("{n} recording", "{n} recordings", len(written.recordings))
    out(tr("{folder}: {names} and {kept}.", folder=written.html.parent, names=names, kept=kept))


def why_replayed(asked: bool) -> str:
    """Why recordings are shown and no guests; "" if there are guests. It is told, unless it was asked for."""
    from bellwire.engine.host.host import usable_kvm

    if asked:
        return ASKED_FOR
    try:
        usable_kvm()
    except NoKvmError as error:
        say(f"{str(error).removesuffix('.')}. Recordings are shown in place of guests.")
        return str(error)
    return ""


def write_handout(lesson: Lesson, folder: Path, why: str, pdf: bool) -> HandoutFiles:
    """Walks the lesson where nobody sees it and writes the folder. RecordingError, and no folder, if that fails."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from bellwire.viz.handout.files import write_lesson
    from bellwire.viz.handout.folder import folder_or_nothing
    from bellwire.viz.handout.pdf import needs_pango

    if pdf:
        needs_pango()
    with folder_or_nothing(folder) as made, ended_in_order() as look, share_bar(lesson.name) as progress:
        written = write_lesson(lesson, made, why, pdf, look, progress)
    return written.moved(folder)


@contextmanager
def ended_in_order() -> Iterator[Callable[[], None]]:
    """What is called now and then, and ends the command there after Ctrl-C or SIGTERM: Qt must not be left anywhere."""
    from bellwire.viz.cli.measure import noted_interrupts

    with noted_interrupts() as noted:

        def look() -> None:
            if noted.number:
                raise SystemExit(complain("interrupted", 128 + noted.number))

        yield look
        look()
