"""`bellwire compare`: both sides, their difference and what that means, as tables and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bellwire.engine.findings.compare import BETWEEN_RUNS, STRETCHES
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.source import Order
from bellwire.viz.cli.app import main
from tests.support.fake_source import FakeSource


def recorded(path: Path, *, switch: bool = False, ioeventfd: bool = True, cpu: str = "") -> str:
    """A second and a half at 2000 doorbells a second; the name of the file."""
    source = FakeSource()
    source.host |= {"cpu": cpu} if cpu else {}
    if not ioeventfd:
        source.order(Order.IOEVENTFD, False)
    with source, Recorder(path, Header.of(source, "test")) as recorder:
        source.run(1.0)
        recorder.append(source.take())
        if switch:
            source.order(Order.IOEVENTFD, False)
        source.run(1.0)
        recorder.append(source.take())
    return str(path)


def test_two_recordings_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = recorded(tmp_path / "a.arrow"), recorded(tmp_path / "b.arrow", ioeventfd=False)
    assert main(["compare", a, b]) == 0
    printed = capsys.readouterr().out
    for words in (f"A  {a}", f"B  {b}", "Latency, µs", "95% interval", "B is slower", "no significant difference"):
        assert words in printed
    assert "interval: from how 3 to 48 stretches of each side differ among themselves" in printed
    exits = next(line for line in printed.splitlines() if line.startswith("to user space: IO"))
    assert exits.split()[-2:] == ["0.000", "1.000"]
    assert "different hosts" not in printed


def test_json_has_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = recorded(tmp_path / "a.arrow"), recorded(tmp_path / "b.arrow", ioeventfd=False, cpu="another")
    assert main(["compare", a, b, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    found = report["differences_ns"]["doorbell"]["p50"]
    assert found["difference"] == found["b"] - found["a"] > 0
    assert found["low"] <= found["difference"] <= found["high"]
    assert (found["significant"], found["words"]) == (True, "B is slower")
    method = "the wider of Student's t over stretches of the run and a moving-block bootstrap"
    expected = {"method": method, "level": 0.95, "stretches": [*STRETCHES]}
    assert BETWEEN_RUNS < report["interval"].pop("between_runs") < 2 * BETWEEN_RUNS  # of runs of two seconds
    assert report["interval"] == expected
    assert (report["a"]["label"], report["same_host"]) == (a, False)
    assert report["b"]["latency_ns"]["doorbell"]["p50"] == found["b"]
    assert main(["compare", a, b]) == 0
    assert "different hosts" in capsys.readouterr().out


def test_one_recording_before_and_after_a_switch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = recorded(tmp_path / "a.arrow", switch=True)
    assert main(["compare", file, "--at-switch", "--unit", "cycles"]) == 0
    printed = capsys.readouterr().out
    assert "A  before ioeventfd off" in printed
    assert "B  after ioeventfd off" in printed
    assert "Latency, cycles" in printed


def test_what_cannot_be_compared_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = recorded(tmp_path / "a.arrow")
    assert main(["compare", file]) == 2
    assert main(["compare", file, file, "--at-switch"]) == 2
    assert main(["compare", file, "--at-switch"]) == 1
    assert main(["compare", file, str(tmp_path / "none.arrow")]) == 1
    complaints = capsys.readouterr().err.splitlines()
    assert "name two recordings, or one and --at-switch" in complaints[0]
    assert "nothing was switched in it" in complaints[2]
    assert "none.arrow cannot be opened as a recording" in complaints[3]
    assert len(complaints) == 4
