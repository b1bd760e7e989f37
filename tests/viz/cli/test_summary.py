"""What is printed of a run: what cannot be told is a dash, and says why."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.viz.cli.app import main
from tests.support.fake_source import FakeSource
from tests.support.shifted import TURNS, shifted_run


@pytest.fixture
def shifted(tmp_path: Path) -> Path:
    """A recording whose guest's clock is 300 µs behind."""
    source, path = FakeSource(), tmp_path / "shifted.arrow"
    with source, Recorder(path, Header.of(source, "test")) as recorder:
        recorder.append(shifted_run(source.scenario, source.clock.cycles(-300e-6)))
    return path


def test_info_says_how_many_journeys_contradict_their_order_and_by_how_much(
    shifted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(shifted)]) == 0
    printed = capsys.readouterr().out
    assert "guest and host clocks are apart by at least" in printed
    assert re.search(
        r"Guest and host clocks are apart: the guest's is [0-9.]+ µs to [0-9.]+ µs behind, so that", printed
    )
    assert "journeys whose stamps contradict their order" in printed
    row = next(line for line in printed.splitlines() if line.strip().startswith("doorbell ") and "–" in line)
    assert row.split()[1:-1] == ["–"] * 7

    assert main(["info", str(shifted), "--json", "--assert", "doorbell.p99<1s"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["out_of_order"] > 0.8 * TURNS
    assert report["not_paired"] == 0
    assert 0 < report["recording_s"] < 1  # from event to event; a run's length is another thing
    assert "run_s" not in report
    assert report["clock"]["verdict"] == "apart"
    assert report["latency_ns"]["doorbell"]["p50"] is None
    assert report["latency_ns"]["round_trip"]["p50"] > 0
    assert report["evidence"][0]["numbers"]["out_of_order"] == report["out_of_order"]
