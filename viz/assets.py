"""Finds the files that the window is drawn from: fonts, icons, the diagram's layout, explanations."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACES = (HERE / "assets", HERE.parent / "assets")  # installed; in the source tree


def asset(name: str) -> Path:
    """Path of assets/`name`, whether installed or in the source tree; it may not exist."""
    found = [place / name for place in PLACES if (place / name).exists()]
    return found[0] if found else PLACES[-1] / name
