"""The virtual screen that tests of a real window use."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
from PySide6.QtWidgets import QApplication
app = QApplication([])
print(app.platformName(), *app.primaryScreen().size().toTuple())
"""


@pytest.mark.xcb
def test_qt_finds_a_real_screen(xvfb: str) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "xcb", "DISPLAY": xvfb}
    command = [sys.executable, "-c", PROGRAM]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "xcb 1920 1080\n", "")
