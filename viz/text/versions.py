"""Which versions of this program and of what it stands on are installed."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path


@lru_cache
def program_version() -> str:
    """This program's version; "not installed" where it is not.

    The folder that pip keeps its metadata in has it in its name: what reads them takes longer than a picture's paint.
    """
    for folder in map(Path, sys.path):
        for found in folder.glob("bellwire-*.dist-info"):
            return found.name.removeprefix("bellwire-").removesuffix(".dist-info")
    return distribution("bellwire")


@lru_cache
def distribution(name: str) -> str:
    """An installed distribution's version; "not installed" if it is not there."""
    from importlib.metadata import PackageNotFoundError, version  # seldom asked for, and large

    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
