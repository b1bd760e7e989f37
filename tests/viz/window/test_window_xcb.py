"""One real window on a real X server, with real keys: what offscreen tests cannot see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.xcb_program import XcbProgram

pytestmark = pytest.mark.xcb

SAY = """
    def say() -> None:
        model = window.model
        facts = (app.platformName(), model.state, len(source.commands), window.keys.isVisible(), len(model.tokens()))
        print(*facts, *source.commands, flush=True)
"""


def test_real_keys_in_a_real_window(xvfb: str, tmp_path: Path) -> None:
    with XcbProgram(xvfb, tmp_path, SAY, 1600, 900) as program:
        program.until("xcb", "LIVE")
        assert "Geometry: 1600x900" in program.xdotool("getwindowgeometry", program.focus())
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
        program.quit()
