"""Chooses what the window shows, and where: a guest or a recording, on the display or, without one, offscreen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bellwire.engine.errors import NoKvmError, RecordingError
from bellwire.viz.cli.ending import complain_of
from bellwire.viz.cli.terminal import Print, say

if TYPE_CHECKING:  # Arrow and cffi load when they are needed
    from bellwire.engine.recordings.replay import Replay
    from bellwire.engine.scenarios.scenario import Scenario
    from bellwire.engine.source import Source

SHIPPED = "recordings/roundtrip.arrow"
OFFSCREEN_SECONDS = 5.0


def open_scenario(scenario: Scenario, out: Print) -> int:
    """Shows a guest; where none can run says why, and shows the shipped recording. Returns the exit code."""
    from bellwire.engine.host.host import usable_kvm

    try:
        usable_kvm()
    except NoKvmError as error:
        say(f"{error}")
        return show(*instead(str(error)), out)
    from bellwire.engine.live.session import Session

    return show(Session(scenario), "", out)


def instead(reason: str) -> tuple[Source | None, str]:
    """The shipped recording, and what the window says of it: why it is shown, and that it is one."""
    source = shipped_recording()
    if source is None:
        return None, reason
    return source, f"{reason.removesuffix('.')}. What you see is a recording, made on {source.host.get('cpu')}."


def open_recording(path: Path, out: Print, at: float = 0.0) -> int:
    """Shows a recording from `at` seconds on. Returns the exit code; RecordingError if it is none."""
    source = replay_of(path)
    source.begin_at(source.clock.cycles(at))
    return show(source, source.warning, out)


def replay_of(path: Path) -> Replay:
    """A recording as a source."""
    from bellwire.engine.recordings.recording import Recording
    from bellwire.engine.recordings.replay import Replay

    return Replay(Recording(path))


def shipped_recording() -> Replay | None:
    """The recording that comes with the program; None, and a sentence, if it cannot be read."""
    from bellwire.viz.style.assets import asset

    try:
        source = replay_of(asset(SHIPPED))
    except RecordingError as error:
        say(str(error))
        return None
    host = source.host
    say(f"shows a recording instead: {source.scenario.name} on {host.get('cpu')} with {source.backend}.")
    return source


def show(source: Source | None, reason: str, out: Print) -> int:
    """On the display until the window is closed; without one a few seconds offscreen."""
    from bellwire.viz.cli.display import find_display

    found = find_display()
    os.environ["QT_QPA_PLATFORM"] = found.platform  # what was tried is what Qt opens
    if not found.trouble:
        from bellwire.viz.window.window import open_window

        return open_window(source, reason=reason, tell=complain_of)
    say(f"{found.trouble} Runs {OFFSCREEN_SECONDS:g} s offscreen.")
    from bellwire.viz.cli.offscreen import watch

    return watch(source, reason, OFFSCREEN_SECONDS, out)
