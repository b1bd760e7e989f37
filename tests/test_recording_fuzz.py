"""Recordings damaged at random are read as far as they go or refused; `make fuzz` does the same for longer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_a_thousand_damaged_recordings_crash_nothing() -> None:
    command = [sys.executable, "-m", "tests.recording_fuzz", "1000"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert (ran.returncode, ran.stderr) == (0, "")
    opened, refused = (int(word) for word in ran.stdout.split() if word.isdigit() and word != "1000")
    assert opened > 100
    assert refused > 100
