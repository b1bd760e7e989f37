"""Which versions of this program and of what it stands on are installed."""

from __future__ import annotations

from functools import lru_cache


def program_version() -> str:
    """This program's version; "not installed" where it is not."""
    return distribution("bellwire")


@lru_cache
def distribution(name: str) -> str:
    """An installed distribution's version; "not installed" if it is not there."""
    from importlib.metadata import PackageNotFoundError, version  # seldom asked for, and large

    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
