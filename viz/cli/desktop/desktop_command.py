"""`bellwire desktop`: makes the program known to this user's desktop, shell and man, and forgets it again."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.viz.cli.options import Json, app
from bellwire.viz.cli.terminal import DONE, FAILED, out, out_json, say

if TYPE_CHECKING:
    from bellwire.viz.cli.desktop.databases import Unaware


class DesktopAction(StrEnum):
    """What to do."""

    INSTALL = "install"
    REMOVE = "remove"
    SHOW = "show"


Action = Annotated[
    DesktopAction, typer.Argument(metavar="[install|remove|show]", help="Write the files, remove them, or list them.")
]
Prefix = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="For packagers: below DIR/share, and no database of the desktop is touched."),
]


@app.command()
def desktop(action: Action = DesktopAction.SHOW, prefix: Prefix = None, as_json: Json = False) -> int:
    """Makes bellwire known to the desktop, the shell and man: menu, icons, recordings, completion, manual page."""
    from bellwire.viz.cli.desktop.share import shared_files

    share = prefix / "share" if prefix else data_home()
    every_command = typer.main.get_command(app)
    files = shared_files(every_command, ["bellwire"] if prefix else own_call())
    code = DONE
    match action:
        case DesktopAction.INSTALL:
            told, code = install_files(share, files, databases=not prefix)
        case DesktopAction.REMOVE:
            told, code = remove_shared(share, list(files), databases=not prefix)
        case _:
            told = {str(share / name): state_of_file(share / name, content) for name, content in files.items()}
    if as_json:
        out_json(told)
    else:
        for path, state in told.items():
            out(f"{state:<8} {path}")
    return code


def install_files(share: Path, files: dict[str, bytes], databases: bool) -> tuple[dict[str, str], int]:
    """What was done with each file; and the exit code: FAILED if a tool of the desktop has failed."""
    from bellwire.viz.cli.desktop.databases import update_databases
    from bellwire.viz.cli.desktop.installing import put_files, with_changed

    everything, kept = with_changed(share, files) if databases else (files, {})
    put = put_files(share, everything)
    code = told_of_databases(update_databases(share)) if databases else DONE
    for sentence in still_to_do(share) if databases else ():
        say(sentence)
    for name, copy in kept.items():
        say(f"{share / name} was another one; it is kept as {share / copy}.")
    return {str(share / name): "written" if name in put.written else "there" for name in files}, code


def told_of_databases(untold: Iterable[Unaware]) -> int:
    """Says what is amiss; the exit code."""
    code = DONE
    for one in untold:
        say(one.sentence)
        code = FAILED if one.failed else code
    return code


def remove_shared(share: Path, names: list[str], databases: bool) -> tuple[dict[str, str], int]:
    """What was there, and is no longer; and the exit code, as above."""
    from bellwire.viz.cli.desktop.databases import forget
    from bellwire.viz.cli.desktop.installing import PUT, take_files

    taken = take_files(share, names)
    take_files(share, [PUT] if databases else [])
    code = told_of_databases(forget(share)) if databases and taken else DONE
    return {str(share / name): "removed" for name in taken}, code


def still_to_do(share: Path) -> Iterator[str]:
    """What a user's own files have to say, as we do not write into them."""
    if Path(os.environ.get("SHELL", "")).name == "zsh":
        from bellwire.viz.cli.desktop.share import ZSH

        folder = (share / ZSH).parent
        yield f"zsh completes it once ~/.zshrc says, before compinit: fpath+=({shlex.quote(str(folder))})"


def state_of_file(path: Path, content: bytes) -> str:
    """Of a file that is to have this content."""
    from bellwire.viz.cli.desktop.installing import held_content

    there = held_content(path)
    if there is None:
        return "missing"
    return "there" if there == content else "another"


def data_home() -> Path:
    """Where this user's desktop looks first."""
    named = os.environ.get("XDG_DATA_HOME", "")
    return Path(named) if named.startswith("/") else Path.home() / ".local" / "share"


def own_call() -> list[str]:
    """The words by which this very program is started from anywhere: a desktop need not know the user's PATH."""
    named = Path(sys.argv[0])
    beside = Path(sys.executable).with_name("bellwire")
    for path in (named.absolute() if named.name == "bellwire" else beside, beside):
        if os.access(path, os.X_OK):
            return [str(path)]
    return [sys.executable, "-P", "-m", "bellwire.viz"]
