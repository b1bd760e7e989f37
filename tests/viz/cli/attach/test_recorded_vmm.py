"""`bellwire attach PID --record FILE`, and what `bellwire info` and the others make of it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from bellwire.engine.events import EventKind, Lane, end_to_end, event
from bellwire.engine.kvm.vm import Kvm, Vm
from bellwire.engine.language import THIN
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.cli.app import main
from tests.support.forked import Forked
from tests.support.kernel_sight import needs_sight
from tests.support.seen_recordings import seen_recording

INTERRUPTED = {"thread": "CPU 0/KVM", "reason": "EINTR", "times": 1}


@pytest.mark.kvm
def test_what_is_seen_is_written_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needs_sight()
    file = tmp_path / "own.arrow"
    with Kvm() as kvm, Vm(kvm):
        words = ["attach", str(os.getpid()), "--record", str(file), "--seconds", "0.3"]
        assert main([*words, "--hide", "pid"]) == 0
        assert f"{file}: " in capsys.readouterr().out
        attached = Recording(file, attached=True).header.attached
        assert attached is not None
        assert attached.process.pid_hidden
        assert main(["info", str(file)]) == 0
        assert not re.search(r"─\s*\n\s*(\n|$)", capsys.readouterr().out)  # a table without a row
        assert main(words) == 1
        assert "--force" in capsys.readouterr().err
        assert main([*words, "--force"]) == 0


@pytest.mark.kvm
def test_nobody_looks_on_once_it_is_written_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --seconds and Ctrl-C: what is on the disk has ended, and whoever watches is to know it."""
    needs_sight()
    with Kvm() as kvm, Vm(kvm):
        assert main(["attach", str(os.getpid()), "--record", "/dev/full"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "The recording /dev/full has ended: No space left on device" in line


@pytest.mark.parametrize("words", [["--once"], ["--json"], ["--hide", "name"]])
def test_what_cannot_be_recorded_so_is_one_sentence(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["attach", str(os.getpid()), "--record", str(tmp_path / "none.arrow"), *words]) == 2
    assert capsys.readouterr().err.startswith("bellwire: Invalid value")
    assert main(["attach", str(os.getpid()), "--record", str(tmp_path / "none.arrow")]) == 1
    assert "has no VM" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        *("explain F", "compare F F", "compare F --at-switch", "info F --assert exits==0", "convert F out.hgrm"),
        *("shot F -o out.png", "clip F -o out.gif", "export-html F -o out.html"),
    ],
)
def test_a_command_that_wants_journeys_says_why_not(words: str, tmp_path: Path, forked: Forked) -> None:
    path = seen_recording(tmp_path / "seen.arrow", 100).path
    ran = forked.command([str(path) if word == "F" else word for word in words.split()], tmp_path)
    (line,) = ran.stderr.splitlines()
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "hops, not journeys" in line
    assert [file.name for file in tmp_path.iterdir()] == ["seen.arrow"]


def test_info_counts_what_it_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = seen_recording(tmp_path / "seen.arrow").path
    assert main(["info", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["attached"] == {"name": "qemu-system-x86_64", "guest": "web", "pid": 4213}
    assert [(one["address"], one["times"]) for one in told["doorbells"]][:2] == [(0xFE003000, 2000), (0x510, 0)]
    assert [(one["gsi"], one["times"]) for one in told["interrupts"]] == [(2, 2000), (5, None)]
    assert told["woken"] == [{"thread": name, "times": 2000} for name in ("IO io0", "CPU 0/KVM")]
    assert told["exits"] == [{"thread": "CPU 0/KVM", "reason": "MMIO", "times": 199}, INTERRUPTED]
    assert (told["lost"], told["missing"]) == (5, "")
    assert len(told["changes"]) == 1
    assert main(["info", str(path)]) == 0
    printed = capsys.readouterr().out
    for words in ("qemu-system-x86_64, pid 4213, guest web", f"2{THIN}000", "Hops, not journeys", "0x600"):
        assert words in printed


def test_it_can_be_converted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = seen_recording(tmp_path / "seen.arrow", 100).path
    for suffix in ("csv", "parquet", "pftrace", "arrows"):
        assert main(["convert", str(path), str(tmp_path / f"out.{suffix}")]) == 0
    assert "events." in capsys.readouterr().out


def test_what_lost_events_may_be_missing_from_is_at_least_so_much(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = seen_recording(tmp_path / "seen.arrow")
    events = end_to_end(*seen.batches())
    whole = events[events["kind"] != EventKind.LOST]
    lost = event(seen.last, EventKind.LOST, Lane.ENGINE, Lane.KVM, seen.first, 7)
    for name, some in (("whole", whole), ("lossy", end_to_end(whole, lost))):
        with Recorder(tmp_path / name, seen.header) as recorder:
            for note in seen.notes:
                recorder.note(note)
            recorder.append(some)
        assert main(["info", str(tmp_path / name)]) == 0
        rows = [line for line in capsys.readouterr().out.splitlines() if re.match(r"port 0x|GSI \d", line)]
        assert rows
        assert all(("≥ " in row) == (name == "lossy") for row in rows if not row.startswith("GSI 5")), rows


def test_an_irqfd_at_a_pin_is_registered_though_nobody_knows_how_often_it_was_signalled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of one that had nothing else it was said that none was registered."""
    file = seen_recording(tmp_path / "seen.arrow", 30).path
    assert main(["info", str(file)]) == 0
    rows = [re.split(r"\s{2,}", line.strip()) for line in capsys.readouterr().out.splitlines()]
    assert next(row for row in rows if row[0] == "GSI 5")[1:3] == ["–", "–"]
    assert main(["info", str(file), "--json"]) == 0
    told = {one["gsi"]: one["times"] for one in json.loads(capsys.readouterr().out)["interrupts"]}
    assert told == {2: 30, 5: None}


def test_replay_without_a_display_counts_from_the_moment_that_it_was_sent_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all of it, whatever --at said."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    nothing_there = SimpleNamespace(platform="offscreen", trouble="no display")
    monkeypatch.setattr("bellwire.viz.cli.display.find_display", lambda: nothing_there)
    path = seen_recording(tmp_path / "seen.arrow").path
    for at, times in (("0", f"2{THIN}000"), ("1.5", "500")):
        assert main(["replay", str(path), "--at", at]) == 0
        rows = [re.split(r"\s{2,}", line.strip()) for line in capsys.readouterr().out.splitlines()]
        told = {row[0]: row[1:] for row in rows}
        assert told["GSI 2"][0].removeprefix("≥ ") == times
        assert told["GSI 2"][1].removeprefix("≥ ").startswith(f"1{THIN}00")
        assert told["MSI"][0] == times
        assert told.get("counted") == ([f"from {at}00 s after its first event on"] if at != "0" else None)
