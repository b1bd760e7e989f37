"""Recordings that nobody recorded end in a sentence or a picture, in every command and in the window.

`make fuzz` does the same for longer.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

COUNT, SEED = 24, 2811  # parts of one or the other are damaged
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.timeout(600)
def test_hostile_recordings_are_shown_or_refused() -> None:
    command = [sys.executable, "-m", "tests.recording_fuzz", f"{COUNT}", f"{SEED}"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=580)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    counts = re.findall(r"(\d+) (opened|refused|found)", ran.stdout.splitlines()[-1])
    opened, refused, found = (int(count) for count, _ in counts)
    assert opened + refused == COUNT
    assert found == 0
    assert min(opened, refused) > 0
