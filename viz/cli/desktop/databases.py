"""What desktops make of the files for themselves: the databases of types and of programs, and the cache of icons."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bellwire.engine.errors import answer_of
from bellwire.viz.cli.desktop.installing import remove_empty
from bellwire.viz.cli.desktop.share import THEME

SECONDS = 60  # in which a tool must have come to its end


class Database(NamedTuple):
    """Made by a tool of what is in a folder."""

    tool: str
    folder: str  # below share
    package: str  # Debian's, of the tool
    without: str  # what is missing as long as the tool has not run


DATABASES = (
    Database("update-mime-database", "mime", "shared-mime-info", "a double click opens no recording"),
    Database("update-desktop-database", "applications", "desktop-file-utils", "a double click may open no recording"),
)
# What the tools leave in a folder in which nothing is left to be said.
MADE_OF_TYPES = (
    "aliases generic-icons globs globs2 icons magic mime.cache subclasses treemagic types version XMLnamespaces"
)
MADE_OF_PROGRAMS = "mimeinfo.cache"


class Unaware(NamedTuple):
    """A database that does not know of our files. failed: its tool is there, and has not done what it is for."""

    sentence: str
    failed: bool


def update_databases(share: Path, gone: bool = False) -> Iterator[Unaware]:
    """Runs the tools; a word on each that is not there, or cannot. gone: our files are."""
    for database in DATABASES:
        folder = share / database.folder
        if not folder.is_dir():
            continue
        there = shutil.which(database.tool) is not None
        if why := trouble_of(database, folder) if there else no_tool(database, folder):
            until = "the desktop still knows of what was there" if gone else database.without
            yield Unaware(f"{why}; until then {until}.", failed=there)
    touch_theme(share / THEME)


def no_tool(database: Database, folder: Path) -> str:
    """That a tool is not there, and what to do."""
    return f"There is no {database.tool}: install {database.package}, then run `{database.tool} {folder}`"


def trouble_of(database: Database, folder: Path) -> str:
    """Runs a tool; why it has not done its work, and what to do, or ""."""
    again = f"run `{database.tool} {folder}` once that is mended"
    try:
        ran = subprocess.run(
            [database.tool, folder], capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{database.tool} does not end well: {answer_of(error)}; {again}"
    if not ran.returncode:
        return ""
    lines = ran.stderr.strip().splitlines()
    return f"{database.tool} ends with {ran.returncode}{f': {lines[-1]}' if lines else ''}; {again}"


def touch_theme(theme: Path) -> None:
    """Whoever keeps a cache of the icons sees that it is out of date."""
    with suppress(OSError):
        os.utime(theme)


def forget(share: Path) -> Iterator[Unaware]:
    """Runs the tools once our files are gone, and removes what they have made, if it was about us alone.

    A word on each that is not there, or cannot.
    """
    types, programs = share / "mime", share / "applications"
    if types.is_dir():
        with suppress(OSError):
            (types / "packages").mkdir(exist_ok=True)  # without which the tool does nothing
    yield from update_databases(share, gone=True)
    for folder in types.glob("*/"):
        remove_empty(share, folder)
    if not (types / "packages").exists():
        remove_all(share, [types / name for name in MADE_OF_TYPES.split()])
    if programs.is_dir() and {path.name for path in programs.iterdir()} == {MADE_OF_PROGRAMS}:
        remove_all(share, [programs / MADE_OF_PROGRAMS])


def remove_all(share: Path, paths: list[Path]) -> None:
    """And their folders, if that was all."""
    for path in paths:
        with suppress(OSError):
            path.unlink()
            remove_empty(share, path.parent)
