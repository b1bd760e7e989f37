"""`bellwire clip`: a film and its sentences, or one sentence and nothing left behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bellwire.engine.recordings.shipped import path_of_shipped
from tests.support.forked import Forked
from tests.support.refusals import refused

SHIPPED = path_of_shipped("roundtrip")
SHORT = ("clip", str(SHIPPED), "--size", "320x180", "--seconds", "0.2")


def test_a_clip_and_its_sentences(tmp_path: Path, forked: Forked) -> None:
    target = tmp_path / "a.gif"
    ran = forked.command((*SHORT, "-o", str(target)), tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{target}: diagram, 320 × 180, 0.2 s in 3 frames, 0.0")
    assert target.read_bytes().startswith(b"GIF89a")
    assert (tmp_path / "a.vtt").read_text().startswith("WEBVTT\n")
    again = forked.command((*SHORT, "-o", str(target)), tmp_path)
    assert (again.returncode, "add --force" in again.stderr) == (1, True)
    assert forked.command((*SHORT, "-o", str(target), "--force"), tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (f"clip {SHIPPED} -o x.avi", 2, ".webm, .mp4, .gif, .apng"),
        (f"clip {SHIPPED} -o x.gif --pace quick", 2, "A pace is story"),
        (f"clip {SHIPPED} -o x.gif --fps 90", 2, "A gif has 1 to 50 frames"),
        (f"clip {SHIPPED} -o x.gif --pace live --at #7", 2, "In real time a clip begins at a time"),
        (f"clip {SHIPPED} -o x.webm --size 101x100", 2, "an even number of pixels"),
        (f"clip {SHIPPED} -o /nonexistent/x.gif", 1, "cannot be written"),
        ("clip roundtrip", 2, "--output"),
    ],
)
def test_a_clip_that_is_none_is_one_sentence(
    words: str, code: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    found, said = refused(words, tmp_path, monkeypatch, capfd)
    assert found == code
    assert why in said


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, forked: Forked) -> None:
    (tmp_path / "full.gif").symlink_to("/dev/full")
    ran = forked.command((*SHORT, "-o", f"{tmp_path}/full.gif"), tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == f"bellwire: {tmp_path}/full.gif cannot be written: {os.strerror(errno.ENOSPC)}.\n"
    assert os.listdir(tmp_path) == ["full.gif"]


def test_a_disk_that_becomes_full_ends_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """All frames were made first."""
    disk, frames = os.statvfs, list[int]()

    class Full:
        f_bfree = f_bavail = 0
        f_blocks = 1000

    def filmed(file: Path, asked: object, suffix: str, look: Callable[[], None], named: str) -> None:
        for frame in range(60):
            frames.append(frame)
            if frame == 4:
                monkeypatch.setattr("os.statvfs", lambda path: Full())
            look()

    monkeypatch.setattr("bellwire.viz.cli.pictures.clip_command.clip_of_file", filmed)
    found, said = refused(f"clip {SHIPPED} -o x.gif --pace live --seconds 4", tmp_path, monkeypatch, capfd)
    monkeypatch.setattr("os.statvfs", disk)
    assert (found, len(frames)) == (1, 5)
    assert f"x.gif cannot be written: {os.strerror(errno.ENOSPC)}." in said
    assert os.listdir(tmp_path) == []


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    words = ["clip", str(SHIPPED), "-o", f"{tmp_path}/a.webm"]
    program = f"""
import os, runpy, signal, sys
from bellwire.viz.pictures.plain_qt import make_qt_plain
make_qt_plain()
from bellwire.viz.pictures.clips import encoding
add = encoding.VideoFile.add
def interrupted(file, pixels):
    add(file, pixels)
    if file._frames == 3:
        os.kill(os.getpid(), signal.SIGINT)
encoding.VideoFile.add = interrupted
sys.argv[1:] = {words!r}
runpy.run_module("bellwire.viz", run_name="__main__")
"""
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False, timeout=240
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (128 + signal.SIGINT, "", "bellwire: interrupted\n")
    assert not list(tmp_path.iterdir())
