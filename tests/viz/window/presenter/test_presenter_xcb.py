"""The presenter on two real screens, of which one goes and comes while it runs, with a clicker's real keys."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.xcb_program import XcbProgram

pytestmark = pytest.mark.xcb

LEFT, RIGHT = ("LEFT", "960/250x1080/280+0+0"), ("RIGHT", "960/250x1080/280+960+0")
SAY = """
    def say() -> None:
        audience, own = window.presenter.audience, window.geometry()
        if audience is None:
            print("nobody", len(app.screens()), flush=True)
            return
        place = audience.geometry()
        seen = "seen" if audience.isVisible() else "hidden"
        print(
            "audience", seen, str(audience.blank and audience.blank.name), len(app.screens()),
            f"at={place.x()},{place.width()}x{place.height()}", f"own={own.x()}", flush=True
        )
"""


def test_screens_come_and_go_and_nothing_ends(xvfb: str, tmp_path: Path) -> None:
    if shutil.which("xrandr") is None:
        pytest.skip("xrandr is not installed: .ci/system-libraries --test")
    with XcbProgram(xvfb, tmp_path, SAY, 960, 700) as program:
        try:
            program.run("xrandr", "--setmonitor", *LEFT, "screen")
            program.run("xrandr", "--setmonitor", *RIGHT, "none")
            program.until("nobody", "2")
            window = program.focus()
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
            program.quit()
        finally:
            for name in ("LEFT", "RIGHT"):
                program.run("xrandr", "--delmonitor", name)
