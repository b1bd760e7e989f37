"""`bellwire shots`: makes the pictures of a list, checks them, tells of them."""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.viz.cli.options import Json, app
from bellwire.viz.cli.terminal import DONE, FAILED, USAGE, complain, out, out_json

if TYPE_CHECKING:
    from bellwire.viz.pictures.lists.listed import ListedPicture, ShotList
    from bellwire.viz.pictures.lists.states import Standings

shots = typer.Typer(
    name="shots",
    help="All pictures of a manual, from a list of them: made, and held against what is there.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.add_typer(shots)

ListName = Annotated[Path, typer.Argument(metavar="[LIST]", help="The list (default: shots.toml).", show_default=False)]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="NAME", help="Of these shots alone; or files, or a pattern: 'tour-*', '*.svg'."),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, max=64, metavar="N", help="Processes (default: one a processor).")
]
Outside = Annotated[bool, typer.Option("--outside", help="Pictures may go into other folders than the list's.")]
Anew = Annotated[
    bool,
    typer.Option("--force", help="Make those too that are up to date, and replace files that are none of bellwire's."),
]
ReportFolder = Annotated[
    Path | None, typer.Option("--report", metavar="DIR", help="Shows there what differs: report.html, and pictures.")
]
USUAL = Path("shots.toml")


def list_read(path: Path, only: list[str] | None, outside: bool) -> tuple[ShotList, list[ListedPicture]]:
    """The list, and what is chosen of it; what is wrong in it ends the command as a wrong call does."""
    from bellwire.viz.pictures.lists.list_file import read_shot_list
    from bellwire.viz.pictures.lists.listed import ShotListError

    try:
        listed = read_shot_list(path, outside)
    except ShotListError as error:
        raise SystemExit(complain(str(error), USAGE)) from error
    return listed, chosen_of(listed, only)


def chosen_of(listed: ShotList, only: list[str] | None) -> list[ListedPicture]:
    """Those whose shot or file is called so; a wrong call if that is none."""
    from bellwire.engine.scenarios.scenario import did_you_mean

    if not only:
        return list(listed.pictures)
    chosen = set[int]()
    for pattern in only:
        found = {
            number
            for number, one in enumerate(listed.pictures)
            if any(fnmatchcase(name, pattern) for name in (one.name, str(one.out), one.out.name))
        }
        if not found:
            hint = did_you_mean(pattern, list(dict.fromkeys(one.name for one in listed.pictures)))
            raise typer.BadParameter(f"--only {pattern}: {listed.path} has no such shot; {hint}")
        chosen |= found
    return [one for number, one in enumerate(listed.pictures) if number in chosen]


@shots.command("build")
def build_shots(
    path: ListName = USUAL,
    only: Only = None,
    force: Anew = False,
    jobs: Jobs = None,
    outside: Outside = False,
    as_json: Json = False,
) -> int:
    """Makes the pictures of a list that are out of date: by what they hold, not by when they were written."""
    from bellwire.viz.cli.shots.building import Building

    listed, chosen = list_read(path, only, outside)
    building = Building(listed, force)
    bar_alone = sys.stdout.isatty() and sys.stderr.isatty()  # which lines would tear
    building.make(chosen, jobs, quiet=as_json or bar_alone)
    if as_json:
        out_json(building.as_json())
    else:
        out(building.summary())
    for one in chosen:
        if one in building.failures:
            complain(building.failures[one], FAILED)
    return FAILED if building.failures else DONE


@shots.command("check")
def check_shots(
    path: ListName = USUAL,
    only: Only = None,
    report: ReportFolder = None,
    jobs: Jobs = None,
    outside: Outside = False,
    as_json: Json = False,
) -> int:
    """Makes the pictures of a list once more, in memory, and fails if one that is there is another one.

    Which version made a picture makes it none other. With --report a page shows what differs.
    """
    from bellwire.viz.cli.shots.checking import Checking, refuse_report

    listed, chosen = list_read(path, only, outside)
    if report:
        refuse_report(report)
    checking = Checking(listed)
    checking.check(chosen, jobs)
    page = checking.write_report(report) if report else None
    if as_json:
        out_json(checking.as_json())
    else:
        out(checking.summary())
    for one in checking.wrong:
        complain(f"{one.one.place}: {one.one.out} {one.state}: {one.what}", FAILED)
    for name in checking.unexpected:
        complain(f"{name} is in no list any more.", FAILED)
    if checking.wrong and page:
        complain(f"{page} shows what differs.", FAILED)
    if checking.again:
        complain(f"To make them anew: {checking.again}", FAILED)
    return FAILED if checking.wrong else DONE


@shots.command("list")
def list_shots(path: ListName = USUAL, only: Only = None, outside: Outside = False, as_json: Json = False) -> int:
    """Shows what a list asks for, and how it stands with each picture's file."""
    from bellwire.viz.cli.shots.crew import pictures_counted
    from bellwire.viz.pictures.lists.states import Standings

    listed, chosen = list_read(path, only, outside)
    standings = Standings(listed.folder)
    if as_json:
        out_json([picture_as_json(one, standings) for one in chosen])
        return DONE
    for one in chosen:
        state, why, _ = standings.of(one)
        out(f"{one.out}: {state}{f' ({why})' if why else ''}")
    out(f"{pictures_counted(len(chosen))} of {path}.")
    return DONE


def picture_as_json(one: ListedPicture, standings: Standings) -> dict[str, object]:
    """What is asked of a picture, and what its file says."""
    state, why, told = standings.of(one)
    return {
        "name": one.name,
        "out": str(one.out),
        "beside": str(one.beside) if one.beside else None,
        "recording": one.source,
        "command": one.command,
        "state": str(state),
        "why": why,
        "caption": told.caption if told else None,
        "alt": told.alt if told else None,
    }
