"""`bellwire export-html`: a run as one file that any browser plays, without a network and without this program."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.engine.language import tr
from bellwire.viz.cli.lessons.lab_recordings import Replayed
from bellwire.viz.cli.options import Force, InLanguage, Settings, Signals, app, seconds_option
from bellwire.viz.cli.pictures.shot_command import At, Hide, pictured_recording, usage_of_picture
from bellwire.viz.cli.terminal import complain_of_all, out, say, share_bar

if TYPE_CHECKING:
    from bellwire.viz.player.asked import PageAsked


class PageTheme(StrEnum):
    """Of a page, before its reader chooses."""

    READERS = "reader"
    DARK = "dark"
    LIGHT = "light"


PAGE_ENDINGS = (".html", ".htm")

PageName = Annotated[Path, typer.Option("--output", "-o", metavar="OUT.html", help="The file.")]
Length = Annotated[
    float | None,
    seconds_option("--seconds", least=0, what="How much of it; default: sixteen journeys."),
]
Extended = Annotated[bool, typer.Option("--extended", help="The diagram with the parts of the kernel.")]


@app.command("export-html")
def export_html(
    what: Annotated[str, typer.Argument(metavar="RECORDING | SCENARIO | LESSON")],
    target: PageName,
    at: At = "",
    seconds: Length = None,
    theme: Annotated[
        PageTheme, typer.Option("--theme", help="Dark, light, or as its reader has it.")
    ] = PageTheme.READERS,
    extended: Extended = False,
    language: InLanguage = None,
    hide: Hide = "",
    replay: Replayed = False,
    count: Signals = None,
    settings: Settings = None,
    force: Force = False,
) -> int:
    """Writes a part of a run, or a lesson, as one HTML file, which plays in any browser.

    Of a run: the median journey and those after it, unless another part is asked for. Of a lesson: its steps, with
    the recordings that are shipped.
    """
    from bellwire.engine.outputs import refuse_source, target_of, tried_target, write_whole
    from bellwire.viz.text.figures import grouped

    refuse_source(target, Path(what))
    if not target_of(target, force=True).streams and target.suffix.lower() not in PAGE_ENDINGS:
        raise typer.BadParameter(tr("The name of a page ends in {known}: {name}", known=PAGE_ENDINGS[0], name=target))
    place = tried_target(target, force)
    first = "" if theme is PageTheme.READERS else str(theme)
    trouble: list[str] = []
    if is_lesson(what):
        if at or seconds is not None or extended or count is not None or settings:
            raise typer.BadParameter(tr("of a lesson no part can be chosen: its steps say what they show."))
        content = lesson_content(what, first, language, hide)
    else:
        asked = page_asked(at, seconds, first, extended, language, hide)
        with pictured_recording(what, count, settings, replay) as (file, _, trouble), share_bar(what) as look:
            content = page_of_file(file, asked, look)
    write_whole(target, content, force)
    (say if place.streams else out)(tr("{path}: {size} MB.", path=target, size=grouped(len(content) / 1e6, 1)))
    return complain_of_all(trouble)


def page_asked(
    at: str, seconds: float | None, theme: str, extended: bool, language: str | None, hide: str
) -> PageAsked:
    """What the options ask for; a moment that makes no sense is a wrong call."""
    from bellwire.viz.pictures.asked import read_hidden
    from bellwire.viz.pictures.moment import Moment
    from bellwire.viz.player.asked import PageAsked
    from bellwire.viz.text.languages import CODE

    with usage_of_picture():
        moment, hidden = Moment.read(at) if at else None, read_hidden(hide)
    return PageAsked(moment, seconds, theme, extended, language or CODE, hidden)


def page_of_file(file: Path, asked: PageAsked, look: Callable[[float], None]) -> bytes:
    """The page's bytes. EngineError if it cannot be made."""
    from bellwire.viz.cli.lessons.handout_command import ended_in_order
    from bellwire.viz.cli.pictures.plain import plain_application

    plain_application()
    from bellwire.viz.player.export import run_page

    with ended_in_order() as interrupted:

        def told(share: float) -> None:
            interrupted()
            look(share)

        return run_page(file, asked, told)


def is_lesson(what: str) -> bool:
    """Whether that is a lesson that is shipped, or a lesson's file."""
    from bellwire.viz.lessons.lesson_file import lesson_paths

    return what.endswith(".md") or (what in {path.stem for path in lesson_paths()} and not Path(what).is_file())


def lesson_content(what: str, theme: str, language: str | None, hide: str) -> bytes:
    """A lesson's page. EngineError if it cannot be made."""
    from bellwire.viz.pictures.asked import read_hidden
    from bellwire.viz.pictures.plain_qt import make_qt_plain

    with usage_of_picture():
        hidden = read_hidden(hide)

    make_qt_plain()
    from bellwire.viz.cli.lessons.handout_command import ended_in_order, speak_for_documents
    from bellwire.viz.lessons.lesson_file import lesson_named

    speak_for_documents(language)
    lesson = lesson_named(what)
    with ended_in_order() as interrupted, share_bar(lesson.name) as look:
        from bellwire.viz.player.lesson_told import lesson_page

        return lesson_page(lesson, theme, tr("A page is told of recordings."), look, interrupted, hidden)
