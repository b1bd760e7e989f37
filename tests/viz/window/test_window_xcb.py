"""One real window on a real X server, with real keys: what offscreen tests cannot see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bellwire.engine.recordings.recording import Recording
from tests.closings import display, missing
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


RECORDING = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from bellwire.viz.window.window import open_window
from tests.support.fake_source import FakeSource

source = FakeSource()

def record(window):
    window.files.toggle_capture(Path(sys.argv[1]))
    world = QTimer(window)
    world.timeout.connect(lambda: source.run(0.1))
    world.start(20)
    QTimer.singleShot(300, window, lambda: print("records", flush=True))

sys.exit(open_window(source, then=record))
"""


@pytest.mark.parametrize(
    ("platform", "said"), [("xcb", "The X11 connection broke"), ("wayland", "The window has ended: The Wayland")]
)
def test_a_recording_is_whole_when_the_display_goes(platform: str, said: str, tmp_path: Path) -> None:
    """Qt ends its event loop then, and closes nothing; of Wayland it ends the process, from wherever it is."""
    if why := missing(platform):
        pytest.skip(f"There is no {why} here: .ci/system-libraries names the package.")
    file = tmp_path / "run.arrow"
    command = [sys.executable, "-c", RECORDING, str(file)]
    with display(platform) as environment:
        there = environment | {"XDG_CONFIG_HOME": str(tmp_path)}
        program = subprocess.Popen(command, env=there, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert program.stdout
        assert program.stdout.readline() == "records\n"
    with program:
        errors = program.communicate()[1]
        assert (program.wait(), said in errors) == (1, True), errors
    recording = Recording(file)
    assert (recording.warning, len(recording) > 0) == ("", True)
