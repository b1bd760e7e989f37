"""What a picture costs: from the command, beside a window of Qt's with nothing in it; and one after another.

In seconds of a core, user and system: what else the machine does has little to do with it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory

from bellwire.viz.bench.many_pictures import PICTURES
from bellwire.viz.bench.program import Figure

MANY_PICTURES = "bellwire.viz.bench.many_pictures"  # the module that is run in a process of its own
EMPTY_WINDOW = """
from PySide6.QtWidgets import QApplication, QWidget
app, window = QApplication([]), QWidget()
window.resize(1920, 1080)
window.show()
app.processEvents()
window.close()
"""
FULL_HD = "shot", "roundtrip", "--replay", "--size", "1920x1080"


def picture_figures(turns: int) -> list[Figure]:
    """Warm: with compiled modules, as an installed program has them."""
    with TemporaryDirectory() as kept:
        return [from_the_command(turns, Path(kept)), one_after_another(turns, Path(kept))]


def from_the_command(turns: int, kept: Path) -> Figure:
    """A diagram of full HD, imports and the end of the process included."""
    shot = ["-m", "bellwire.viz", *FULL_HD, "--force", "-o", str(kept / "diagram.png")]
    pairs = [(python_for(shot, kept)[0], python_for(["-c", EMPTY_WINDOW], kept)[0]) for _ in range(turns + 1)][1:]
    picture, window = (statistics.median(side) for side in zip(*pairs, strict=True))
    detail = f"{picture:.2f} s of a core : {window:.2f} s, {picture / window:.1f} x; {len(pairs)} pairs"
    more = picture - window
    return Figure(
        "picture, 1920×1080, from the command, beyond an empty PySide6 window",
        f"{more:.2f} s",
        "0.4 s",
        more <= 0.4,
        detail,
    )


def one_after_another(turns: int, kept: Path) -> Figure:
    """Diagrams at their own size, each of another moment of one recording, in one process."""
    rates = [PICTURES / float(python_for(["-m", MANY_PICTURES], kept)[1]) for _ in range(turns)]
    value = statistics.median(rates)
    detail = f"{PICTURES} moments of one recording at 1280×720; {min(rates):.0f} to {max(rates):.0f}"
    return Figure("pictures a second, one process", f"{value:.0f}", "30", value >= 30, detail)


def python_for(words: list[str], kept: Path) -> tuple[float, str]:
    """Seconds of a core that a process takes, and what it prints."""
    plain = {"PYTHONPYCACHEPREFIX": str(kept), "PYTHONDONTWRITEBYTECODE": "", "QT_QPA_PLATFORM": "offscreen"}
    before = sum(getrusage(RUSAGE_CHILDREN)[:2])
    ended = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=True, timeout=60, env=os.environ | plain
    )
    return sum(getrusage(RUSAGE_CHILDREN)[:2]) - before, ended.stdout
