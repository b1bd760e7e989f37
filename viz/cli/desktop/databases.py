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


def update_databases(share: Path) -> Iterator[str]:
    """Runs the tools; a sentence for each that is not there, or cannot."""
    for database in DATABASES:
        folder = share / database.folder
        if folder.is_dir() and (why := trouble_of(database, folder)):
            yield f"{why}; until then {database.without}."
    touch_theme(share / THEME)


def trouble_of(database: Database, folder: Path) -> str:
    """Runs a tool; why it could not be run, or ""."""
    if shutil.which(database.tool) is None:
        return f"There is no {database.tool}: install {database.package}, then run `{database.tool} {folder}`"
    try:
        ran = subprocess.run([database.tool, folder], capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{database.tool} does not end well: {answer_of(error)}"
    lines = ran.stderr.strip().splitlines()
    return f"{database.tool} ends with {ran.returncode}: {lines[-1] if lines else ''}" if ran.returncode else ""


def touch_theme(theme: Path) -> None:
    """Whoever keeps a cache of the icons sees that it is out of date."""
    with suppress(OSError):
        os.utime(theme)


def forget(share: Path) -> Iterator[str]:
    """Runs the tools once our files are gone, and removes what they have made, if it was about us alone.

    A sentence for each that is not there, or cannot.
    """
    types, programs = share / "mime", share / "applications"
    if types.is_dir():
        with suppress(OSError):
            (types / "packages").mkdir(exist_ok=True)  # without which the tool does nothing
    yield from update_databases(share)
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
