"""The bench of large recordings measures what it says, on a small one."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest
from PySide6.QtGui import QPaintEvent

from bellwire.engine.errors import RecordingError
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.recordings.synthetic import synthetic_recording
from bellwire.viz.bench.kernelshark import take_instances_away
from bellwire.viz.bench.recordings import STEPS, against_kernelshark, figures_of, recording_figures, zoom
from bellwire.viz.timeline.widget import Timeline


def test_a_synthetic_recording_is_whole_and_says_that_it_is_one(tmp_path: Path) -> None:
    path = tmp_path / "synthetic.arrow"
    written = synthetic_recording(path, 70_000)
    recording = Recording(path)
    assert 70_000 <= written == len(recording)
    assert (recording.warning, recording.header.backend) == ("", "synthetic")


def test_a_disk_that_is_full_ends_it() -> None:
    with pytest.raises(RecordingError, match=os.strerror(errno.ENOSPC)):
        synthetic_recording(Path("/dev/full"), 200_000)


def test_every_figure_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bellwire.viz.bench.recordings.load_seconds", lambda events, folder: (2.0, events))
    figures = recording_figures(20_000)
    assert (figures[-1].holds, "20\u202f000 system calls" in figures[-1].detail) == (True, True)
    assert [figure.name.split(",")[0] for figure in figures][:2] == ["recording opened", "index built"]
    assert all("synthetic" in figure.detail for figure in figures[:2])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("qapp")
def test_each_step_is_painted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, painted, paint = tmp_path / "synthetic.arrow", list[QPaintEvent](), Timeline.paintEvent

    def counted(timeline: Timeline, event: QPaintEvent) -> None:
        painted.append(event)
        paint(timeline, event)

    synthetic_recording(path, 20_000)
    replay = Replay(Recording(path))
    replay.start()
    monkeypatch.setattr(Timeline, "paintEvent", counted)
    wall, cpu = zoom(replay)
    replay.stop()
    assert (len(wall), len(cpu), len(painted) >= STEPS) == (STEPS, STEPS, True)


def test_without_kernelshark_it_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.viz.bench.kernelshark.library_there", lambda: False)
    figure = against_kernelshark(0.1, 1000, tmp_path)
    assert (figure.value, figure.holds) == ("not measured", False)
    assert "apt install trace-cmd" in figure.detail


def test_a_killed_bench_leaves_no_tracing_behind(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    for name in (f"bellwire-bench-{gone.pid}", f"bellwire-bench-{os.getpid()}", "mine"):
        (tmp_path / name).mkdir()
    take_instances_away(tmp_path)
    assert {folder.name for folder in tmp_path.iterdir()} == {f"bellwire-bench-{os.getpid()}", "mine"}


def test_what_is_missed_is_said() -> None:
    measured = dict.fromkeys(("index_s", "again_s", "step_p50_ms", "step_cpu_p99_ms"), 0.0)
    figures = figures_of(measured | {"open_s": 1.1, "step_p99_ms": 7.9, "memory_mb": 501.0}, "")
    assert [figure.holds for figure in figures] == [False, True, True, False]
