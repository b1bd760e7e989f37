"""The command line: answers without Qt, one sentence for a mistake, exit codes that mean something."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bellwire.engine.errors import NoKvmError
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.tally import Tally
from bellwire.engine.host import host
from bellwire.engine.host.host import Check
from bellwire.engine.machines.build import refusal
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.scenarios.rules import GUESTS
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.viz.cli.app import main
from bellwire.viz.cli.measure import disagreements
from bellwire.viz.text.assets import recorded_elsewhere
from bellwire.viz.text.figures import grouped
from tests.support.processes import files_of, is_running

COUNTS = {
    *("doorbells_rung", "doorbells_received", "doorbells_pending", "eventfd_reads"),
    *("irqs_signalled", "irqs_handled", "irqs_merged", "irqs_pending", "irqs_spurious", "irqs_lost", "irqs_kept"),
    *("buffers_added", "buffers_used", "exits_to_userspace", "kvm"),
}
SUMMARY = {"count", "min", "p50", "p90", "p99", "p999", "p9999", "max", "mean", "stddev"}


def bellwire(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """The program as it is started from a shell."""
    return subprocess.run(
        [sys.executable, "-m", "bellwire.viz", *arguments], capture_output=True, check=False, timeout=240, **more
    )


def test_no_qt_is_imported() -> None:
    """By none of these, one after the other."""
    lines = ("--help", "--version", "list", "list --json", "call roundtrip", "doctor", "run --help", "run", "nonsense")
    code = f"""if True:
        import sys
        from bellwire.viz.cli.app import main
        bringing = []
        for line in {lines!r}:
            main(line.split())
            bringing += [line] * ("PySide6" in sys.modules)
        print(bringing, file=sys.stderr)
    """
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.splitlines()[-1] == "[]"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    for word in ("list", "doctor", "run", "record", "replay", "info", "convert", "SCENARIO", "--version"):
        assert word in printed
    assert "open " not in printed


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("bellwire ")


def test_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    lines, scenarios = [line for line in printed.splitlines() if line.strip()], list_scenarios()
    names, elsewhere = [scenario.name for scenario in scenarios], recorded_elsewhere()
    listed = [line.split()[0] for line in lines if line.startswith("  ")]
    assert listed == [*names, *sorted(elsewhere, key=lambda name: names.index(name.partition("@")[0]))]
    assert {scenario.group for scenario in scenarios} <= {line.strip() for line in lines}
    lacking = {scenario.name for scenario in scenarios if refusal(scenario)}
    assert {line.partition(":")[0] for line in lines if ": " in line and not line.startswith(" ")} >= lacking
    assert "\x1b" not in printed


def test_list_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in listed] == [scenario.name for scenario in list_scenarios()]
    assert all(entry["group"] and entry["purpose"] for entry in listed)
    assert [entry["lacks"] for entry in listed] == [refusal(scenario) for scenario in list_scenarios()]
    assert sorted(name for entry in listed for name in entry["recorded_elsewhere"]) == recorded_elsewhere() != []


def test_a_recording_of_another_kvm_is_called_by_its_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["info", "roundtrip@kvm_amd"]) == 0
    assert "kvm_amd (TCG): times mean nothing" in capsys.readouterr().out
    assert main(["compare", "roundtrip@kvm_amd", "roundtrip@kvm_amd"]) == 0
    assert main(["explain", "roundtrip@kvm_amd"]) == 0
    (tmp_path / "roundtrip@kvm_amd").write_bytes(b"no recording")
    assert main(["info", "roundtrip@kvm_amd"]) == 1  # a file that is there is meant
    assert main(["info", "irq-msi@kvm_amd"]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "Missing argument 'SCENARIO'; `bellwire run --help` explains."),
        (["run", "roundtrip", "--secnds", "1"], "No such option"),
        (["run", "roundtrip", "--seconds", "x"], "Invalid value for '--seconds'"),
        (["run", "roundtrip", "--seconds", "0"], "Invalid value for '--seconds'"),
        (["run", "roundtrip", "--signals", "0"], "Invalid value for '--signals'"),
        (["run", "roundtrip", "--seconds", "1", "--signals", "1"], "exclude each other"),
        (["run", "roundtrip", "--signals", "5", "--set", "pace=0"], "--signals needs a pace"),
        (["run", "roundtrip", "--set", "pace"], "--set takes KEY=VALUE, not 'pace'"),
        (["run", "roundtrip", "--set", "pase=1"], "pase: not a setting; did you mean pace?"),
        (["run", "roundtrip", "--set", "burst=0"], "a whole number from 1 to 1000"),
        (["run", "roundtrip", "--unit", "µs"], "Invalid value for '--unit'"),
        (["--theme", "pink"], "Invalid value for '--theme': 'pink' is not one of 'dark', 'light'"),
        (
            ["run", "roundtrip", "--assert", "dorbell.p99<1us"],
            "--assert 'dorbell.p99<1us': there is no latency dorbell",
        ),
        (["run", "rondtrip"], "There is no scenario 'rondtrip'; did you mean roundtrip?"),
        (["docter"], "There is no command or scenario 'docter'; did you mean doctor?"),
        (["explain", "/"], "/ is a directory; `bellwire list` shows the scenarios, and a recording is a file."),
        (["/"], "/ is a directory; `bellwire list` shows the scenarios, and a recording is a file."),
        (["roundtrip-user"], "did you mean roundtrip-userspace?"),
        (["--colour"], "No such option"),
        (
            ["--theme", "light", "replay", "run.arrow"],
            "Options come behind the command: `bellwire replay --theme light run.arrow`; ",
        ),
        (["--set=pace=1", "--json", "run", "roundtrip"], "`bellwire run --set=pace=1 --json roundtrip`"),
        (["explain", "run.arrow", "--kernel"], "`bellwire record SCENARIO --kernel`"),
        (["some.arrow", "--set", "pace=1"], "--set changes a scenario, not a file"),
        (["convert", "some.arrow", "some.foo"], "some.foo: not a format that a recording can be converted to: parquet"),
        (["convert", "some.arrow", "some.csv", "--to", "sheet"], "sheet: not a format that a recording can be"),
        (["shot", "roundtrip", "-o", "some.doc"], "The name of a picture ends in .png, .svg, .pdf"),
        (["clip", "roundtrip", "-o", "some.doc"], "The name of a clip ends in .webm, .mp4"),
        (["export-html", "roundtrip", "-o", "some.txt"], "The name of a page ends in .html: some.txt"),
        (["slides", "round-trip", "-o", "some.doc"], "ends in .pptx, .pdf, or has no ending and is a folder: some.doc"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("bellwire: ")
    assert printed.err.count("\n") == 1
    assert words in printed.err


def test_a_recording_that_is_none_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["none.arrow"]) == 1
    assert "none.arrow cannot be opened as a recording" in capsys.readouterr().err


@pytest.fixture
def own_scenario_file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text((GUESTS / "doorbell-pio.toml").read_text())
    return path


@pytest.fixture
def no_kvm(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise NoKvmError("There is no /dev/kvm: sudo modprobe kvm_intel")

    monkeypatch.setattr(host, "usable_kvm", refuse)


@pytest.mark.usefixtures("no_kvm")
def test_run_without_kvm_says_why_and_what_can_be_seen_instead(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "irq-msi"]) == 3
    why = "There is no /dev/kvm: sudo modprobe kvm_intel"
    assert capsys.readouterr().err == f"bellwire: {why}; without it `bellwire irq-msi` plays a recording\n"


@pytest.mark.usefixtures("no_kvm")
def test_of_a_scenario_of_ones_own_no_recording_is_offered(
    own_scenario_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(own_scenario_file)]) == 3
    assert capsys.readouterr().err == "bellwire: There is no /dev/kvm: sudo modprobe kvm_intel\n"
    assert main(["shot", str(own_scenario_file), "--replay", "-o", str(own_scenario_file.with_suffix(".png"))]) == 1
    assert capsys.readouterr().err == "bellwire: For the scenario mine no recording is shipped.\n"


GOOD = Check("clock", "TSC", True, "steady")
SLOW = Check("clock", "TSC", False, "unsteady", "sudo cpupower frequency-set -g performance")
NO_KVM = Check("access", "/dev/kvm", False, "There is no /dev/kvm", "sudo modprobe kvm_intel", needed=True)


OFF = Check("kernel", "privilege", False, "it may not", "sudo setcap cap_bpf,cap_perfmon=ep bw-kernel", optional=True)


@pytest.mark.parametrize(("checks", "code"), [([GOOD], 0), ([GOOD, SLOW], 1), ([NO_KVM, SLOW, OFF], 3), ([OFF], 0)])
def test_doctor_names_the_remedies(
    checks: list[Check], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bellwire.viz.cli.doctor.all_checks", lambda: checks)
    assert main(["doctor"]) == code
    printed = capsys.readouterr().out
    assert all(check.remedy in printed for check in checks)
    assert ("To mend it" in printed) == (code != 0)
    assert ("To see more" in printed) == ("could be shown more" in printed or OFF in checks) == (OFF in checks)
    assert main(["doctor", "--json"]) == code
    report = json.loads(capsys.readouterr().out)
    assert [entry["remedy"] for entry in report["checks"]] == [check.remedy for check in checks]
    assert {"kernel", "cpu", "backend", "bellwire", "python", "qt"} <= set(report["host"])


def test_a_reader_that_has_had_enough_is_no_crash() -> None:
    shell = f"{sys.executable} -m bellwire.viz list | head -1"
    ran = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert ran.stderr == ""


def test_events_that_do_not_add_up_are_named() -> None:
    tally = Tally()
    tally.doorbells_rung = tally.doorbells_received = 7
    names = ("rung", "received", "pending", "signalled", "handled", "reads", "lost")
    truth = dict.fromkeys(names, 0) | {"rung": 8, "received": 7}
    assert disagreements(tally, truth) == ["The events do not add up: doorbells rung 7, but 8 were counted."]
    tally.irqs_handled = 1
    assert disagreements(tally, truth | {"rung": 7, "handled": 1}) == [
        "The events do not add up: more arrived than was signalled."
    ]
    assert disagreements(tally, {}) == ["The session ended without its counters."]


def test_an_old_locale_prints_what_it_can() -> None:
    ran = bellwire("doctor", env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}, encoding="latin-1")
    assert ran.stderr == ""
    assert "TSC rate" in ran.stdout


# -- with a real guest


@pytest.mark.kvm
@pytest.mark.parametrize("name", ["roundtrip", "doorbell-mmio-exit", "irq-ioapic"])
def test_run_json_reconciles(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", name, "--signals", "200", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    counts = report["counts"]
    assert report["scenario"] == name
    assert {"kernel", "cpu", "backend"} <= set(report["host"])
    assert set(counts) == COUNTS
    assert 200 in (counts["doorbells_rung"], counts["irqs_signalled"])
    assert counts["doorbells_rung"] == counts["doorbells_received"] + counts["doorbells_pending"]
    assert counts["irqs_signalled"] == counts["irqs_handled"] + counts["irqs_merged"] + counts["irqs_pending"]
    assert set(report["latency_ns"]) == {"doorbell", "injection", "store_cost", "round_trip"}
    assert all(set(values) == SUMMARY for values in report["latency_ns"].values())
    assert report["ring"]["recorded"] > 200
    assert report["run_s"] > 0
    assert report["clock"]["kernel"]["tsc_khz"] > 0
    bounds = report["clock"]["guest_ahead_ns"]
    assert bounds["least"] is None or bounds["least"] < 0 or bounds["least"] <= bounds["most"]


@pytest.mark.kvm
def test_a_scenario_in_a_file_of_ones_own_runs(
    own_scenario_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(own_scenario_file.parent)
    assert main(["record", "mine.toml", "--signals", "50"]) == 0
    assert capsys.readouterr().out.startswith("mine.arrow: ")
    assert main(["explain", "mine.toml", "--signals", "50", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scenario"] == "mine"
    assert Recording(Path("mine.arrow")).header.scenario == load_scenario("mine.toml")


@pytest.mark.kvm
def test_only_what_is_paced_is_corrected(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "roundtrip", "--signals", "200", "--set", "pace=4000", "--json"]) == 0
    corrected = json.loads(capsys.readouterr().out)["latency_ns_corrected_for_coordinated_omission"]
    assert corrected.pop("expected_interval_ns") == {"shortest": 250_000, "longest": 250_000}
    assert set(corrected["round_trip"]) == SUMMARY
    assert main(["run", "roundtrip", "--signals", "200", "--set", "pace=flat-out", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["latency_ns_corrected_for_coordinated_omission"] is None


@pytest.mark.kvm
def test_a_run_is_held_to_what_is_asserted(capsys: pytest.CaptureFixture[str]) -> None:
    run = ["run", "roundtrip", "--signals", "200"]
    held, failed = "received == rung", "doorbell.p99<1ns"
    assert main([*run, "--assert", held, "--assert", "exits==0", "--unit", "cycles"]) == 0
    printed = capsys.readouterr().out
    assert "Latency, cycles" in printed
    assert "holds   received == rung: 200, limit 200\nholds   exits == 0: 0, limit 0\n" in printed
    assert "expected interval 500 µs" in printed
    assert "Guest and host clocks agree to within" in printed
    assert main([*run, "--assert", held, "--assert", failed]) == 1
    printed = capsys.readouterr().out
    assert "holds   received == rung" in printed
    assert "FAILED  doorbell.p99 < 1ns: " in printed
    assert main([*run, "--json", "--assert", failed]) == 1
    verdict = json.loads(capsys.readouterr().out)["assertions"][0]
    assert (verdict["text"], verdict["holds"], verdict["limit"]) == ("doorbell.p99 < 1ns", False, 1)
    assert verdict["value"] > 1


@pytest.mark.kvm
def test_run_prints_tables_and_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.arrow"
    assert main(["run", "roundtrip", "--signals", "300", "--set", "burst=3", "--record", str(file)]) == 0
    printed = capsys.readouterr()
    for words in ("Round trip: ioeventfd out", "Doorbells", "Interrupts", "round trip", "KVM_RUN returned"):
        assert words in printed.out
    assert printed.err == ""
    recording, tally = Recording(file), Tally()
    latencies = Latencies(recording.header.scenario, recording.header.clock)
    for events in recording.batches():
        tally.feed(events)
        latencies.feed(events)
    assert ("warm-up" in printed.out) == (latencies.warmup > 0), "on a busy machine it is over before a journey is"
    assert recording.warning == ""
    assert recording.header.scenario.pace.burst == 3
    assert (tally.doorbells_rung, tally.settled) == (300, True)
    assert f"{grouped(tally.recorded)} events recorded" in printed.out


@pytest.mark.kvm
def test_a_recording_that_cannot_be_made_ends_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "roundtrip", "--record", str(tmp_path / "none" / "r.arrow")]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.fixture
def flat_out() -> Iterator[subprocess.Popen[str]]:
    """A run that would take a minute, with its first events on the disk."""
    command = [
        sys.executable,
        "-m",
        "bellwire.viz",
        "run",
        "doorbell-pio",
        "--set",
        "pace=flat-out",
        "--seconds",
        "60",
        "--json",
    ]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    yield run
    run.kill()
    run.communicate()


@pytest.mark.kvm
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupt_ends_cleanly_and_prints_what_was_measured(
    number: signal.Signals, code: int, flat_out: subprocess.Popen[str]
) -> None:
    wait_for_vm(flat_out.pid)
    flat_out.send_signal(number)
    printed, complaint = flat_out.communicate(timeout=240)
    report = json.loads(printed)
    assert flat_out.returncode == code
    assert complaint == "bellwire: interrupted\n"
    counts = report["counts"]  # on a busy machine the last doorbell may not have been read by the end
    assert counts["doorbells_rung"] == counts["doorbells_received"] + counts["doorbells_pending"]


def wait_for_vm(pid: int) -> None:
    """Until the process has a vCPU."""
    while not any("kvm-vcpu" in target for target in files_of(pid).values()):
        assert is_running(pid), "it has ended without one"
        os.sched_yield()


@pytest.mark.kvm
def test_signals_that_do_not_come_end_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bellwire.viz.cli.measure.STALL_SECONDS", 0.2)
    assert main(["run", "roundtrip", "--signals", "100", "--set", "pace=1", "--json"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["counts"]["doorbells_rung"] < 100
    assert re.search(r" of 100 signals came, then none for \d[\d.]* s\.\n", printed.err)


@pytest.mark.parametrize("command", [[], ["run"], ["convert"], ["explain"]])
@pytest.mark.parametrize("columns", [40, 60])
def test_help_fits_the_terminal(
    command: list[str], columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([*command, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 10
    assert [line for line in lines if len(line) > columns] == []
