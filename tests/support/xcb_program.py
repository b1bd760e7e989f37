"""A window in a process of its own, on a real X server, with real keys: what offscreen tests cannot see."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Self

import pytest

PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from PySide6.QtCore import QTimer
from tests.support.fake_source import FakeSource
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.application import application
from bellwire.viz.window.window import make_window

app, source = application(), FakeSource()
window = make_window(source, theme=DARK, make_source=FakeSource)
window.setGeometry(0, 0, {width}, {height})
world = QTimer()
world.timeout.connect(lambda: source.run(0.016))
world.start(16)
{say}
report = QTimer()
report.timeout.connect(say)
report.start(50)
window.show()
window.frame.start()
app.exec()
print("ended", source.stopped, flush=True)
"""


class XcbProgram:
    """The window in a process of its own, which says what it is doing twenty times a second."""

    def __init__(self, display: str, tmp_path: Path, say: str, width: int, height: int) -> None:
        """say: the source of a function say() that prints a line, of app, source and window, of this size."""
        root = str(Path(__file__).parents[2])
        self.env = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "XDG_CONFIG_HOME": str(tmp_path)}
        code = PROGRAM.format(root=root, say=textwrap.dedent(say), width=width, height=height)
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

    def focus(self) -> str:
        """Gives the window the keys, once it is there: its number."""
        window = self.xdotool("search", "--sync", "--onlyvisible", "--name", "Bellwire").splitlines()[0]
        self.xdotool("windowfocus", "--sync", window)
        return window

    def quit(self) -> None:
        """By its key, and it ends well."""
        self.press("ctrl+q")
        self.until("ended", "1")
        assert self.process.wait(10) == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it, whatever it is doing."""
        self.process.kill()
        self.process.communicate()
