"""One real window on a real X server, with real keys: what offscreen tests cannot see."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.xcb

PROGRAM = """
    import sys, time
    sys.path.insert(0, {root!r})
    from PySide6.QtCore import QTimer
    from tests.support.fake_source import FakeSource
    from bellwire.viz.style.theme import DARK
    from bellwire.viz.window.window import application, make_window

    app, source = application(), FakeSource()
    window = make_window(source, theme=DARK, make_source=FakeSource)
    window.setGeometry(0, 0, 1600, 900)
    world = QTimer()
    world.timeout.connect(lambda: source.run(0.016))
    world.start(16)

    def say() -> None:
        model = window.model
        facts = (app.platformName(), model.state, len(source.commands), window.keys.isVisible(), len(model.tokens()))
        print(*facts, *source.commands, flush=True)

    report = QTimer()
    report.timeout.connect(say)
    report.start(50)
    window.show()
    window.frame.start()
    app.exec()
    print("ended", source.stopped, flush=True)
"""


class Program:
    """The window in a process of its own, which says what it is doing twenty times a second."""

    def __init__(self, display: str, tmp_path: Path) -> None:
        root = str(Path(__file__).parents[3])
        self.env = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "XDG_CONFIG_HOME": str(tmp_path)}
        code = textwrap.dedent(PROGRAM.format(root=root))
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

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self.env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def press(self, key: str) -> None:
        self.xdotool("key", key)


def test_real_keys_in_a_real_window(xvfb: str, tmp_path: Path) -> None:
    program = Program(xvfb, tmp_path)
    try:
        program.until("xcb", "LIVE")
        window = program.xdotool("search", "--sync", "--onlyvisible", "--name", "Bellwire").splitlines()[0]
        program.xdotool("windowfocus", "--sync", window)
        assert "Geometry: 1600x900" in program.xdotool("getwindowgeometry", window)
        program.press("space")
        program.until("PAUSED")
        program.press("space")
        program.until("LIVE")
        program.press("i")
        program.until("ioeventfd", "off")
        program.press("d")
        program.until("ring")
        program.press("question")
        program.until("True")
        program.press("Escape")
        program.until("False")
        program.press("ctrl+q")
        program.until("ended", "1")
        assert program.process.wait(10) == 0
    finally:
        program.process.kill()
        program.process.communicate()
