"""The metadata, the entry and the file types are what their own checkers want, and say what the program is."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

from bellwire.viz.cli.desktop.metainfo import METAINFO, newest_release, program_summary
from bellwire.viz.text.assets import asset

ROOT = Path(__file__).resolve().parents[4]


def test_the_metadata_are_valid() -> None:
    command = ["appstreamcli", "validate", "--pedantic", "--no-net", str(asset(f"desktop/{METAINFO}"))]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    told = [line for line in ran.stdout.splitlines() if line.startswith(("E:", "W:", "P:"))]
    assert (ran.returncode, told) == (0, []), ran.stdout


def test_the_entry_is_valid() -> None:
    command = ["desktop-file-validate", str(asset("desktop/bellwire.desktop"))]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == ""


def test_the_newest_release_is_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert newest_release().version == project["version"]


def test_the_entry_says_the_same_of_the_program() -> None:
    assert f"Comment={program_summary()}" in asset("desktop/bellwire.desktop").read_text().splitlines()
