"""What the window opens with, and what happens where there is no display or no KVM."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bellwire.engine.events import EventKind
from bellwire.engine.folds.tally import Tally
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.cli.opening import SHIPPED, instead
from bellwire.viz.style.assets import asset


def test_the_shipped_recording_is_small_whole_and_shows_both_ways() -> None:
    recording, tally, kinds = Recording(asset(SHIPPED)), Tally(), set[int]()
    for events in recording.batches():
        tally.feed(events)
        kinds |= set(events["kind"].tolist())
    assert asset(SHIPPED).stat().st_size < 1_000_000
    assert (recording.warning, recording.header.scenario.name, tally.dropped) == ("", "roundtrip", 0)
    assert tally.settled
    assert {EventKind.EXIT, EventKind.IRQFD, EventKind.IRQ_IOCTL, EventKind.WIRE} <= kinds


REFUSED = """
from bellwire.engine.errors import NoKvmError
from bellwire.engine.host import host

def refuse():
    raise NoKvmError("There is no /dev/kvm: sudo modprobe kvm_intel")

host.usable_kvm = refuse
"""


def start(folder: Path, preamble: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program in `folder`, without a display, for half a second."""
    code = f"import sys; import bellwire.viz.cli.opening as o; o.OFFSCREEN_SECONDS = 0.5\n{preamble}\n"
    code += f"from bellwire.viz.cli.app import main; sys.exit(main({list(arguments)!r}))"
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment,
        timeout=60,
    )


@pytest.mark.kvm
def test_without_a_display_it_runs_offscreen_and_leaves_a_picture(tmp_path: Path) -> None:
    run = start(tmp_path, "", "doorbell-pio", "--set", "pace=100")
    assert run.returncode == 0, run.stderr
    assert "PIO doorbell through an ioeventfd" in run.stdout
    assert f"The window's picture is in {tmp_path / 'bellwire.png'}" in run.stdout
    assert (tmp_path / "bellwire.png").read_bytes().startswith(b"\x89PNG")
    assert "Runs 0.5 s offscreen" in run.stderr


def test_without_kvm_it_says_why_and_replays(tmp_path: Path) -> None:
    run = start(tmp_path, REFUSED)
    assert run.returncode == 0, run.stderr
    assert "bellwire: There is no /dev/kvm: sudo modprobe kvm_intel\n" in run.stderr
    assert "shows a recording instead: roundtrip on " in run.stderr
    assert "REPLAY · roundtrip" in run.stdout
    assert (tmp_path / "bellwire.png").exists()


def test_a_recording_is_opened_by_its_name(tmp_path: Path) -> None:
    run = start(tmp_path, REFUSED, str(asset(SHIPPED)))
    assert run.returncode == 0, run.stderr
    assert "REPLAY · roundtrip" in run.stdout
    assert "modprobe" not in run.stderr


def test_without_kvm_and_recording_the_window_says_so(tmp_path: Path) -> None:
    run = start(tmp_path, f"{REFUSED}\no.SHIPPED = 'recordings/none.arrow'")
    assert run.returncode == 3
    assert "none.arrow cannot be opened as a recording" in run.stderr
    assert "Traceback" not in run.stderr


def test_without_kvm_the_window_says_why_and_that_it_shows_a_recording() -> None:
    source, words = instead("/dev/kvm is missing.")
    assert source is not None
    assert source.label == "REPLAY"
    assert words.startswith("/dev/kvm is missing. What you see is a recording, made on ")
    source.stop()
