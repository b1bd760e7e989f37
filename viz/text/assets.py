"""Finds the files that the window is drawn from: fonts, icons, the diagram's layout, explanations."""

from __future__ import annotations

from pathlib import Path

# Under which keys of the files there stand texts, as against names.
DIAGRAM_TEXTS = frozenset({"title", "help", "skipped", "name"})
ANATOMY_TEXTS = frozenset({"title", "text", "rule"})
GLOSSARY_TEXTS = frozenset({"meaning"})
LAB_TEXTS = frozenset({"text", "mended"})
SCENARIO_TEXTS = frozenset({"title", "group", "purpose", "shows"})
FOLDER = Path(__file__).resolve().parents[2] / "assets"  # beside viz, in the tree and where it is installed


def asset(name: str) -> Path:
    """Path of assets/`name`; it may not exist."""
    return FOLDER / name


def recorded_elsewhere() -> list[str]:
    """Names of the recordings of scenarios that another KVM made, "roundtrip@kvm_amd": not of what is in them."""
    return sorted(path.stem for path in asset("recordings").glob("*@*.arrow"))
