"""Whatever the path of the program, a desktop starts that very program with the file."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bellwire.viz.cli.desktop.entry import entry_calling
from bellwire.viz.text.assets import asset

ENTRY = asset("desktop/bellwire.desktop").read_text()


def test_where_it_is_on_everybodys_path_the_entry_is_as_it_is() -> None:
    assert entry_calling(ENTRY, ["bellwire"]) == ENTRY


@pytest.mark.parametrize("folder", ["plain", "a b", "50%", 'q"u`o$t\\e', "semi;colon's"])
def test_a_desktop_starts_what_stands_there(folder: str, tmp_path: Path) -> None:
    program, told = tmp_path / folder / "bellwire", tmp_path / "told"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{told}.part\nmv {told}.part {told}\n')
    program.chmod(0o755)
    entry = tmp_path / "bellwire.desktop"
    entry.write_text(entry_calling(ENTRY, [str(program)]))
    check = subprocess.run(["desktop-file-validate", str(entry)], capture_output=True, text=True, check=False)
    assert check.stdout == ""
    (tmp_path / "my run.arrow").touch()
    environment = os.environ | {"HOME": str(tmp_path), "GIO_USE_VFS": "local"}
    subprocess.run(["gio", "launch", str(entry), str(tmp_path / "my run.arrow")], env=environment, check=True)
    while not told.exists():  # it is started and left alone; the test's own timeout is the limit
        os.sched_yield()
    assert told.read_text().splitlines() == ["open", "--from-desktop", str(tmp_path / "my run.arrow")]
