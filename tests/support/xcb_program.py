"""A window in a process of its own, on a real X server, with real keys: what offscreen tests cannot see."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest


class XcbProgram:
    """The window in a process of its own, which says what it is doing twenty times a second."""

    def __init__(self, display: str, tmp_path: Path, program: str) -> None:
        """program: its source, in which {root} is the tree's top; it prints a line each time that it says something."""
        root = str(Path(__file__).parents[2])
        self.env = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "XDG_CONFIG_HOME": str(tmp_path)}
        code = textwrap.dedent(program.format(root=root))
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.line = ""

    def until(self, *words: str) -> None:
        """Reads until a line has all the words; the test's own timeout is the limit."""
        assert self.process.stdout
        while not all(word in self.line.split() for word in words):
            self.line = self.process.stdout.readline()
            if not self.line:
                pytest.fail(f"the window has ended: {self.process.communicate()[1]}")

    def run(self, *command: str) -> None:
        """A command on the same display."""
        subprocess.run(command, env=self.env, check=True, capture_output=True)

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self.env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def press(self, key: str) -> None:
        self.xdotool("key", key)

    def end(self) -> None:
        """Whatever it is doing."""
        self.process.kill()
        self.process.communicate()
