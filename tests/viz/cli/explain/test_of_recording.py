"""`bellwire explain`: bars that add up, as tables and as JSON; of a recording, and of a run that is made for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bellwire.viz.cli.explain.of_recording
from bellwire.engine.events import EVENT, Clock, EventKind, Lane
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.cli.app import main
from bellwire.viz.cli.explain.of_recording import ExplainedRecording
from tests.support.recorded import recorded


def test_json_adds_up_and_has_each_way_of_a_run_that_was_switched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(recorded(tmp_path / "a.arrow").path)
    assert main(["explain", file, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {way["latency"] for way in report["ways"]} == {"round_trip"}
    assert len({way["way"] for way in report["ways"]}) == len(report["ways"]) > 1
    told = [journey for way in report["ways"] for journey in way["journeys"].values() if journey]
    assert len(told) >= 2 * len(report["ways"])
    for journey in told:
        assert sum(part["cycles"] for part in journey["parts"]) == journey["cycles"]
        assert round(sum(part["percent"] for part in journey["parts"]), 6) == 100
        assert all((part["bound"] is None) == (part["rule"] is None) for part in journey["parts"])
    counted = ExplainedRecording(Path(file))
    figures = counted.latencies.histograms["round_trip"]
    assert sum(way.whole.count for way in counted.run.told) == figures.count
    assert max(way.whole.max for way in counted.run.told) == figures.max


@pytest.mark.parametrize("width", ["60", "80", "200"])
def test_tables_have_every_part_at_every_width(
    tmp_path: Path, width: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["explain", str(recorded(tmp_path / "a.arrow", "irq-ioapic").path)]) == 0
    printed = capsys.readouterr().out
    for words in ("Interrupt by irqfd, at a pin", "median", "slowest", "100.0 %"):
        assert words in printed


def test_what_has_no_journey_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(recorded(tmp_path / "a.arrow", "irq-masked").path)]) == 0
    assert "No journey came to its end" in capsys.readouterr().out
    assert main(["explain", str(tmp_path / "a.arrow"), "--signals", "5"]) == 2
    assert main(["explain", str(tmp_path / "none.arrow")]) == 1


def test_what_is_missing_from_the_recording_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, cut = recorded(tmp_path / "a.arrow"), tmp_path / "cut.arrow"
    last = whole.entries[-1]
    cut.write_bytes(whole.path.read_bytes()[: int(last["offset"] + last["size"])])
    assert main(["explain", str(cut)]) == 0
    assert "This recording was cut off or damaged" in capsys.readouterr().out
    assert main(["explain", str(cut), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"] == Recording(cut).warning
    assert main(["explain", str(whole.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"] == ""


@pytest.mark.kvm
def test_a_scenario_is_run_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "roundtrip", "--signals", "300", "--json"]) == 0
    [way] = json.loads(capsys.readouterr().out)["ways"]
    assert way["latency_ns"]["count"] > 200


@pytest.mark.parametrize("held", [3, 32])
def test_a_journey_that_is_longer_than_a_few_blocks_is_divided_by_its_own_stamps(
    held: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host signals every 100 µs and a handler comes after a second: each call took that long, not half of it."""
    monkeypatch.setattr(bellwire.viz.cli.explain.of_recording, "MOST_HELD", held)
    header = replace(recorded(tmp_path / "a.arrow").header, scenario=load_scenario("irq-msi"), clock=Clock(1e9))
    rows = [(10**9 + n * 100_000, EventKind.IRQFD, Lane.IO_THREAD, 0, 24, n, 0) for n in range(1, 10_001)]
    rows.append((rows[-1][0] + 50_000, EventKind.HANDLER, Lane.GUEST, 0, 0x40, 10_000, 10_000))
    rows.append((rows[-1][0] + 50_000, EventKind.WAIT, Lane.IO_THREAD, 0, 0, 0, 10_000))
    with Recorder(tmp_path / "b.arrow", header) as recorder:
        for block in np.array_split(np.array(rows, EVENT), 10):
            recorder.append(block)
            recorder.flush()
    (way,) = ExplainedRecording(tmp_path / "b.arrow").run.told
    assert way.whole.count == 10_000
    told = way.slowest
    assert told is not None
    assert [share.cycles for share in told.shares] == ([100_000, told.cycles - 100_000] if held > 3 else [told.cycles])
