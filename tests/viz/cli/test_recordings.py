"""record, info and convert, as they are typed."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bellwire.engine.events import Events
from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind, PartPin
from bellwire.engine.recordings.recorder import Recorder, save_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.cli.app import main
from bellwire.viz.text.figures import grouped
from tests.support.commands import bellwire
from tests.support.recorded import recorded
from tests.support.small_recording import BATCHES, HEADER

# A package that tells that it was imported.
TELLTALE = """
from pathlib import Path
Path(__file__).with_name("imported").touch()
__version__ = "2.2.0"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A recording of the synthetic source."""
    return recorded(tmp_path / "run.arrow").path


@pytest.mark.parametrize("held", [[], [BATCHES[1]]], ids=["nothing", "one event"])
def test_a_table_has_rows_or_is_a_sentence(
    held: list[Events], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_recording(tmp_path / "little.arrow", HEADER, held)
    assert main(["info", str(tmp_path / "little.arrow")]) == 0
    said = capsys.readouterr().out
    assert not re.search(r"─\s*\n\s*(\n|$)", said)
    assert ("1 event recorded" if held else "0 events recorded") in said


@pytest.mark.parametrize("command", [["run", "roundtrip", "--record"], ["record", "roundtrip", "-o"]])
def test_what_is_there_is_not_recorded_over_unasked(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("mine")
    assert main([*command, str(tmp_path / "mine")]) == 1
    assert "add --force" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.kvm
@pytest.mark.parametrize("command", ["run roundtrip --seconds 60 --record", "record roundtrip -o"])
def test_a_disk_that_is_full_ends_it_at_once(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "/dev/full"]) == 1
    assert "No space left on device" in capsys.readouterr().err


@pytest.mark.kvm
def test_what_is_explained_has_no_room_for_its_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(recorder: Recorder, *message: object) -> bool:
        recorder._fail(OSError(), os.strerror(errno.ENOSPC))
        return False

    monkeypatch.setattr(Recorder, "_put", full)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["explain", "roundtrip", "--signals", "20"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"bellwire: The recording {tmp_path}")
    assert told.endswith(f"has ended: {os.strerror(errno.ENOSPC)}. There is no file.\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.kvm
def test_an_interrupt_in_the_first_second_leaves_a_whole_file_or_none(tmp_path: Path) -> None:
    for turn, number in enumerate((signal.SIGINT, signal.SIGHUP, signal.SIGTERM) * 2):
        path = tmp_path / f"{turn}.arrow"
        command = [sys.executable, "-m", "bellwire.viz", "record", "roundtrip", "-o", str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            while turn > 2 and not path.exists():
                time.sleep(0.01)  # as soon as there is a file
            time.sleep(0 if turn > 2 else 0.5 + 0.2 * turn)
            process.send_signal(number)
            said, _ = process.communicate()
        assert "Traceback" not in said
        if path.exists():
            assert Recording(path).warning == ""
            assert f"{path}: " in said


def test_info_says_what_it_is_of(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(path)]) == 0
    printed = capsys.readouterr().out
    for words in ("Test CPU", "format 3", "2.000000 GHz", "ioeventfd off", "round trip", "HANDLER", "3 dropped"):
        assert words in printed


def test_info_json_agrees_with_the_recording(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(path), "--json"]) == 0
    report, recording = json.loads(capsys.readouterr().out), Recording(path)
    outline = recording.outline()
    assert (report["format"], report["backend"], report["missing"]) == (3, "kvm_fake", "")
    assert report["bytes"] == path.stat().st_size
    assert report["outline"]["kinds"] == outline.kinds
    assert report["counts"]["doorbells_rung"] == outline.kinds["RING"]
    assert report["latency_ns"]["round_trip"]["count"] > 0
    assert report["ring"] == {"recorded": outline.events - 1, "dropped": 3, "passed_over": 0}


def test_info_holds_a_recording_to_assertions(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(path), "--assert", "received==rung"]) == 0
    assert "holds   received == rung: " in capsys.readouterr().out
    assert main(["info", str(path), "--assert", "doorbell.p50<1ns", "--json"]) == 1
    verdict = json.loads(capsys.readouterr().out)["assertions"][0]
    assert (verdict["text"], verdict["holds"]) == ("doorbell.p50 < 1ns", False)
    assert main(["info", str(path), "--assert", "doorbel.p50<1ns"]) == 2
    assert "did you mean doorbell?" in capsys.readouterr().err


def test_info_says_what_is_missing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_bytes(path.read_bytes()[: int(Recording(path).entries[4]["offset"])])
    assert main(["info", str(path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert "ends early" in report["missing"]
    assert len(report["outline"]["wiring"]) >= 2


def test_convert_goes_by_the_suffix_and_never_overwrites(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = path.with_suffix(".csv")
    assert main(["convert", str(path), str(out)]) == 0
    assert f"{grouped(len(Recording(path)))} events" in capsys.readouterr().out
    before = out.read_bytes()
    assert main(["convert", str(path), str(out), "--to", "parquet"]) == 1
    assert "--force" in capsys.readouterr().err
    assert out.read_bytes() == before
    assert main(["convert", str(path), str(out), "--to", "parquet", "--force"]) == 0
    assert out.read_bytes().startswith(b"PAR1")


@pytest.mark.parametrize("arguments", [["out.xlsx"], ["out.csv", "--to", "xlsx"]])
def test_an_unknown_format_names_the_known_ones(
    arguments: list[str], path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(path), *arguments]) == 2
    assert "perfetto (.pftrace)" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["info"], ["convert", "--force"], ["replay"]])
def test_what_is_no_recording_is_one_sentence(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").write_text("Lorem ipsum")
    arguments = [str(tmp_path / "text"), *([str(tmp_path / "out.csv")] if "convert" in command else [])]
    assert main([command[0], *arguments, *command[1:]]) == 1
    printed = capsys.readouterr().err
    assert "cannot be opened as a recording" in printed
    assert printed.count("\n") == 1


def test_no_qt_is_imported(path: Path) -> None:
    for arguments in (["info", str(path)], ["convert", str(path), str(path.with_suffix(".hgrm"))]):
        code = (
            f"import sys; from bellwire.viz.cli.app import main; main({arguments!r}); print('PySide6' in sys.modules)"
        )
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert ran.stdout.splitlines()[-1] == "False"


# -- with a real guest


@pytest.mark.kvm
def test_record_records_and_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.arrow"
    command = ["record", "roundtrip", "-o", str(path), "--signals", "200", "--set", "burst=2"]
    assert main(command) == 0
    recording = Recording(path)
    assert f"{grouped(len(recording))} events" in capsys.readouterr().out
    assert (recording.warning, recording.header.scenario.pace.burst) == ("", 2)
    assert recording.outline().kinds["RING"] == 200
    assert recording.header.capabilities["IOEVENTFD"] == 1
    assert recording.header.started_tsc > 0
    assert main(command) == 1
    assert "--force" in capsys.readouterr().err
    assert main([*command, "--force"]) == 0


def recording_process(path: Path) -> subprocess.Popen[str]:
    """One that records until it is told to end, with its first events on the disk."""
    command = [sys.executable, "-m", "bellwire.viz", "record", "roundtrip", "-o", str(path), "--set", "pace=1000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not path.exists() or path.stat().st_size < 20_000:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process


@pytest.mark.kvm
def test_a_killed_recorder_leaves_what_it_had_recorded(tmp_path: Path) -> None:
    with recording_process(tmp_path / "run.arrow") as process:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    recording = Recording(tmp_path / "run.arrow")
    assert "ends early" in recording.warning
    assert recording.outline().kinds["RING"] > 0
    assert recording.outline().wiring


@pytest.mark.kvm
def test_ctrl_c_ends_a_recording_in_order(tmp_path: Path) -> None:
    with recording_process(tmp_path / "run.arrow") as process:
        process.send_signal(signal.SIGINT)
        printed, complaint = process.communicate(timeout=240)
    assert (process.returncode, complaint) == (0, "")
    recording = Recording(tmp_path / "run.arrow")
    assert (recording.warning, f"{grouped(len(recording))} events" in printed) == ("", True)


NAME = "a\nFAILED  dropped < 1\x1b[31m\u202e.arrow"  # of a file: what it may say is not a line of ours


@pytest.mark.parametrize("command", ["info", "compare", "convert"])
def test_a_file_s_name_is_never_a_line_of_its_own(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recorded(tmp_path / NAME).path
    others = {"compare": [path], "convert": [tmp_path / f"{NAME}.csv"]}
    assert main([command, str(path), *map(str, others.get(command, ()))]) == 0
    printed = capsys.readouterr().out
    assert "a␊FAILED  dropped < 1␛[31m\\u202e.arrow" in printed
    assert not any(line.startswith("FAILED") for line in printed.splitlines())


def test_info_counts_the_annotations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note = Annotation(AnnotationKind.NOTE, "look here", PartPin("ioeventfd"))
    save_recording(tmp_path / "r.arrow", HEADER, BATCHES, annotations=[note, note])
    assert main(["info", str(tmp_path / "r.arrow")]) == 0
    assert ["annotations", "2"] in [line.split() for line in capsys.readouterr().out.splitlines()]
    assert main(["info", str(tmp_path / "r.arrow"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["annotations"]
    assert told == [{"kind": "note", "text": "look here", "ink": "selection", "part": {"part": "ioeventfd"}}] * 2


@pytest.mark.kvm
def test_pandas_is_not_imported_with_the_first_array_of_a_recording(tmp_path: Path) -> None:
    package = tmp_path / "pandas"
    package.mkdir()
    (package / "__init__.py").write_text(TELLTALE)
    where = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    recording = tmp_path / "run.arrow"
    for words in (
        ("record", "roundtrip", "--signals", "20", "-o", str(recording)),
        ("info", str(recording)),
        ("convert", str(recording), str(tmp_path / "run.csv")),
    ):
        ended = bellwire(*words, PYTHONPATH=where)
        assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "run.csv").stat().st_size > 1000
    assert not (package / "imported").exists()
