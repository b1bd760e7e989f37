"""One real window on a real X server, with real keys: what offscreen tests cannot see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.xcb_program import XcbProgram

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


def test_real_keys_in_a_real_window(xvfb: str, tmp_path: Path) -> None:
    program = XcbProgram(xvfb, tmp_path, PROGRAM)
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
        program.end()
