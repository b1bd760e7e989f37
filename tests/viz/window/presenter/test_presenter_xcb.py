"""The presenter on two real screens, of which one goes and comes while it runs, with a clicker's real keys."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.xcb_program import XcbProgram

pytestmark = pytest.mark.xcb

LEFT, RIGHT = ("LEFT", "960/250x1080/280+0+0"), ("RIGHT", "960/250x1080/280+960+0")
PROGRAM = """
    import sys
    sys.path.insert(0, {root!r})
    from PySide6.QtCore import QTimer
    from tests.support.fake_source import FakeSource
    from bellwire.viz.style.theme import DARK
    from bellwire.viz.window.window import application, make_window

    app, source = application(), FakeSource()
    window = make_window(source, theme=DARK, make_source=FakeSource)
    window.setGeometry(0, 0, 960, 700)
    world = QTimer()
    world.timeout.connect(lambda: source.run(0.016))
    world.start(16)

    def say() -> None:
        audience, own = window.presenter.audience, window.geometry()
        if audience is None:
            print("nobody", len(app.screens()), flush=True)
            return
        place = audience.geometry()
        seen = "seen" if audience.isVisible() else "hidden"
        print(
            "audience", seen, str(audience.blank and audience.blank.name), len(app.screens()),
            f"at={{place.x()}},{{place.width()}}x{{place.height()}}", f"own={{own.x()}}", flush=True
        )

    report = QTimer()
    report.timeout.connect(say)
    report.start(50)
    window.show()
    window.frame.start()
    app.exec()
    print("ended", source.stopped, flush=True)
"""


def test_screens_come_and_go_and_nothing_ends(xvfb: str, tmp_path: Path) -> None:
    if shutil.which("xrandr") is None:
        pytest.skip("xrandr is not installed: .ci/system-libraries --test")
    program = XcbProgram(xvfb, tmp_path, PROGRAM)
    try:
        program.run("xrandr", "--setmonitor", *LEFT, "screen")
        program.run("xrandr", "--setmonitor", *RIGHT, "none")
        program.until("nobody", "2")
        window = program.xdotool("search", "--sync", "--onlyvisible", "--name", "Bellwire").splitlines()[0]
        program.xdotool("windowfocus", "--sync", window)
        program.press("F5")
        program.until("audience", "seen", "at=960,960x1080", "own=0")
        for key, blank in (("b", "BLACK"), ("w", "WHITE"), ("period", "BLACK"), ("Escape", "None")):
            program.press(key)
            program.until("audience", blank)
        program.press("F6")
        program.until("at=0,960x1080", "own=960")
        program.press("F6")
        program.until("at=960,960x1080", "own=0")
        program.run("xrandr", "--delmonitor", "RIGHT")
        program.until("audience", "hidden", "1")
        program.xdotool("windowfocus", "--sync", window)
        program.press("F6")
        program.until("audience", "seen", "at=0,960x1080")
        program.run("xrandr", "--setmonitor", *RIGHT, "none")
        program.until("audience", "seen", "2", "at=960,960x1080")
        program.xdotool("windowfocus", "--sync", window)
        program.press("Escape")
        program.until("nobody")
        program.press("ctrl+q")
        program.until("ended", "1")
        assert program.process.wait(10) == 0
    finally:
        for name in ("LEFT", "RIGHT"):
            program.run("xrandr", "--delmonitor", name)
        program.end()
