"""A command that makes pictures and is to end while one is painted: Qt is left nowhere in the midst of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bellwire.engine.recordings.shipped import path_of_shipped

PROGRAM = """
import runpy, signal, sys
from bellwire.viz.pictures.plain_qt import make_qt_plain
make_qt_plain()
from bellwire.viz.diagram.painter import Sketch
box = Sketch.box
def interrupted(painter, *words):
    Sketch.box = box
    signal.raise_signal(signal.SIGTERM)
    box(painter, *words)
Sketch.box = interrupted
runpy.run_module("bellwire.viz", run_name="__main__")
"""


@pytest.mark.parametrize("words", ["shot {file} -o out.png", "export-html {file} -o out.html --seconds 0.001"])
def test_a_signal_in_the_midst_of_a_paint_ends_it_behind_that(words: str, tmp_path: Path) -> None:
    """Raised there, it was passed over, or Qt crashed on a painter that outlived what it painted on."""
    command = [sys.executable, "-P", "-c", PROGRAM, *words.format(file=path_of_shipped("roundtrip")).split()]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=240)
    assert (ran.returncode, ran.stdout, ran.stderr) == (128 + signal.SIGTERM, "", "bellwire: interrupted\n")
    assert not list(tmp_path.iterdir())
