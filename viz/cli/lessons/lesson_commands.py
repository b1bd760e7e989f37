"""Lessons on the command line: which there are, and one in the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.engine.counted import number_of
from bellwire.engine.language import tr
from bellwire.viz.cli.options import InLanguage, InTheme, Json, app
from bellwire.viz.cli.terminal import DONE, out, out_json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bellwire.viz.lessons.lesson import Lesson


@app.command()
def lessons(as_json: Json = False) -> None:
    """Lists the lessons: name, minutes, title."""
    from bellwire.viz.lessons.lesson_file import read_lesson, shipped_lessons

    shipped = shipped_lessons()
    if as_json:
        fields, written = ("name", "title", "minutes", "knows"), [read_lesson(lesson.path) for lesson in shipped]
        out_json([{field: getattr(lesson, field) for field in fields} for lesson in written])
    else:
        out(lesson_table(shipped))


def lesson_table(shipped: list[Lesson]) -> RenderableType:
    """One row a lesson, in the order of the course."""
    from bellwire.viz.cli.tables import Figures

    table = Figures(tr("Lesson"), tr("Title"), tr("Minutes"), tr("Steps"))
    table.columns[0].no_wrap = True
    for lesson in shipped:
        table.add_row(lesson.name, lesson.title, str(lesson.minutes), str(len(lesson.steps)))
    return table


@app.command(name="lesson")
def lesson_(
    what: Annotated[str, typer.Argument(metavar="LESSON", help="One of `bellwire lessons`, or a file.")],
    check: Annotated[bool, typer.Option("--check", help="Only say whether there is something wrong with it.")] = False,
    theme: InTheme = None,
    language: InLanguage = None,
) -> int:
    """Opens a lesson in the window."""
    from bellwire.viz.lessons.lesson_file import lesson_named

    lesson = lesson_named(what)
    if check:
        out(f"{lesson.path}: {number_of(len(lesson.steps), 'step')}, nothing wrong.")
        return DONE
    from bellwire.viz.cli.opening import open_lesson

    return open_lesson(lesson, out, theme or "", language or "")
