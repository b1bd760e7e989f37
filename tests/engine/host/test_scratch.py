"""Folders for what need not last: what a killed program leaves is taken away, and nothing else."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.host.scratch import SCRATCH, YOUNG, scratch_folder
from bellwire.engine.outputs import write_whole

KILLED = """
import os, signal, sys
from pathlib import Path
from bellwire.engine.host.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("a recording")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def aged(folder: Path) -> Path:
    """The folder, as if nothing had been made in it for long."""
    then = time.time() - 2 * YOUNG
    os.utime(folder, (then, then))
    return folder


def test_what_was_made_before_the_clock_was_set_back_is_old(tmp_path: Path) -> None:
    """It was said to be in the making for as long as the clock had gone back."""
    left = tmp_path / f"{SCRATCH}left"
    left.mkdir()
    later = time.time() + 1e6
    os.utime(left, (later, later))
    with scratch_folder(tmp_path):
        assert not left.exists()


def test_a_folder_goes_with_its_user(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        write_whole(folder / "file", b"x")  # which locks the folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_program_leaves_is_taken_away(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (left,) = tmp_path.iterdir()
    assert killed.returncode == -signal.SIGKILL
    with scratch_folder(tmp_path):
        assert left.exists()  # it may be one that is just being made
    aged(left)
    with scratch_folder(tmp_path):
        assert not left.exists()


def test_what_is_used_or_is_not_ours_stays(tmp_path: Path) -> None:
    mine, elsewhere = tmp_path / "bellwire-thesis", tmp_path / "elsewhere"
    mine.mkdir()
    elsewhere.mkdir()
    (tmp_path / f"{SCRATCH}link").symlink_to(elsewhere)
    with scratch_folder(tmp_path) as used:
        for folder in (mine, elsewhere, used):
            aged(folder)
        with scratch_folder(tmp_path):
            assert {mine, elsewhere, used, tmp_path / f"{SCRATCH}link"} < set(tmp_path.iterdir())


def test_where_none_can_be_made_it_is_a_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(EngineError, match=r"No such file or directory\. TMPDIR can name"),
        scratch_folder(tmp_path / "no"),
    ):
        pass
