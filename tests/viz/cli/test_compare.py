"""`bellwire compare`: both sides, their difference and what that means, as tables and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bellwire.engine.events import Clock, EventKind, Events, Lane, end_to_end, event
from bellwire.engine.findings.compare import BETWEEN_RUNS, STRETCHES
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder, save_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.engine.source import Order
from bellwire.viz.cli.app import main
from bellwire.viz.text.figures import THIN
from tests.support.fake_source import FakeSource
from tests.support.lossy import lossy
from tests.support.shifted import shifted_run


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


def figures_of(printed: str, name: str) -> list[str]:
    """The two figures of a row of exits per signal."""
    return next(line for line in printed.splitlines() if line.startswith(name)).split()[-2:]


def test_exits_that_nobody_told_are_not_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = recorded(tmp_path / "a.arrow", ioeventfd=False)
    empty = tmp_path / "empty.arrow"
    with FakeSource() as source, Recorder(empty, Header.of(source, "test")):
        pass
    qemu = str(path_of_shipped("qemu-virtio-blk"))  # whose vCPU is another process's
    assert main(["compare", ours, qemu]) == 0
    printed = capsys.readouterr().out
    assert figures_of(printed, "to user space: IO") == ["1.000", "–"]
    assert "–" not in figures_of(printed, "counted by KVM")
    assert main(["compare", ours, str(empty)]) == 0  # which has no signal that there could be exits for
    printed = capsys.readouterr().out
    assert figures_of(printed, "to user space: IO") == ["1.000", "–"]
    assert figures_of(printed, "counted by KVM")[1] == "–"
    assert main(["compare", ours, qemu, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report["a"]["exits"]["to_userspace"]) == {"IO"}
    assert report["b"]["exits"]["to_userspace"] is None
    assert set(report["b"]["exits"]) == {"signals", "to_userspace", "lost", "kvm"}


def rewritten(path: Path, source: str, events: Events | None = None, hz: float = 0.0) -> str:
    """The same recording by another clock, or of other events; the name of the file."""
    made = Recording(Path(source))
    clock = Clock(hz) if hz else made.header.clock
    save_recording(path, replace(made.header, clock=clock), made.batches() if events is None else [events])
    return str(path)


def test_each_side_is_in_cycles_of_its_own_clock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = recorded(tmp_path / "a.arrow")
    b = rewritten(tmp_path / "b.arrow", a, hz=1.5 * Recording(Path(a)).header.clock.hz)
    assert main(["compare", a, b, "--unit", "cycles"]) == 0
    printed = capsys.readouterr().out
    table = printed.partition("Latency, cycles")[2].partition("B − A")[0].replace(THIN, "").replace("–", "0")
    rows = [line.split()[-9:] for line in table.splitlines()]
    one, other = ([list(map(float, row[1:])) for row in rows if row[:1] == [side]] for side in "AB")
    assert len(one) == 4
    for figures, same in zip(one, other, strict=True):
        assert figures == pytest.approx(same, rel=0.01)
    assert "B − A, µs" in printed
    assert "in µs: cycles of their clocks are not equally long" in printed
    assert main(["compare", a, a, "--unit", "cycles"]) == 0
    assert "B − A, cycles" in capsys.readouterr().out


def test_what_is_missing_from_a_side_is_said_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, cut = recorded(tmp_path / "a.arrow", switch=True), tmp_path / "cut.arrow"
    last = Recording(Path(whole)).entries[-1]
    cut.write_bytes(Path(whole).read_bytes()[: int(last["offset"] + last["size"])])
    assert main(["compare", whole, str(cut)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("This recording was cut off or damaged") == 1
    assert "B: This recording was cut off or damaged" in printed
    assert main(["compare", whole, str(cut), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["a"]["missing"] == ""
    assert report["b"]["missing"].startswith("This recording was cut off or damaged")
    assert main(["compare", str(cut), "--at-switch"]) == 0
    assert "A and B: This recording was cut off or damaged" in capsys.readouterr().out


def test_that_figures_are_of_several_wirings_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(path_of_shipped(name)) for name in ("roundtrip", "irq-msi")]
    assert main(["compare", *files]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "A's wiring changed while it ran: its figures are of 5 wirings together." in printed
    assert "B's wiring" not in printed
    assert main(["compare", files[0], "--at-switch"]) == 0
    assert "'s wiring" not in capsys.readouterr().out


def test_what_was_dropped_is_said_of_the_run_that_lost_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = recorded(tmp_path / "a.arrow")
    events = end_to_end(*Recording(Path(whole)).batches())
    lost = event(int(events["tsc"][-1]), EventKind.LOST, Lane.ENGINE, Lane.VCPU, 0, 5)
    lossy = rewritten(tmp_path / "b.arrow", whole, end_to_end(events, lost, lost))
    assert main(["compare", whole, lossy]) == 0
    printed = capsys.readouterr().out
    assert "B: 10 events were dropped while it was recorded." in printed
    assert "A: " not in printed
    assert main(["compare", whole, lossy, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["b"]["dropped"], report["a"]["exits"]["lost"], report["b"]["exits"]["lost"]) == (10, 0, 10)


def test_exits_a_signal_are_at_least_so_many_where_some_were_dropped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of them were missing, and the other half was compared with all of the other run's."""
    shipped, half = path_of_shipped("roundtrip-userspace"), tmp_path / "half.arrow"
    events, _ = lossy("roundtrip-userspace", EventKind.EXIT, Lane.VCPU, 2)
    save_recording(half, Recording(shipped).header, [events])
    assert main(["compare", str(shipped), str(half)]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("to user space: IO"))
    assert row.split()[4:] == ["1.000", "≥", "0.500"]


def test_why_a_latency_is_not_compared_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = recorded(tmp_path / "a.arrow")
    scenario = Recording(Path(whole)).header.scenario
    apart = rewritten(tmp_path / "b.arrow", whole, shifted_run(scenario, 2_000_000))
    one = rewritten(tmp_path / "c.arrow", whole, shifted_run(scenario, 0)[:6])
    assert main(["compare", whole, apart]) == 0
    assert "B: its guest's and host's clocks are apart, so doorbell and injection are not told." in (
        capsys.readouterr().out
    )
    assert main(["compare", whole, apart, "--json"]) == 0
    latencies = json.loads(capsys.readouterr().out)["b"]["latency_ns"]
    assert main(["info", apart, "--json"]) == 0
    assert latencies == json.loads(capsys.readouterr().out)["latency_ns"]
    assert main(["compare", whole, one]) == 0
    printed = capsys.readouterr().out
    assert "They have no latency in common." in printed
    assert "Latency, µs" not in printed  # heads of what nobody has
    assert "interval: from how" not in printed
    assert "Exits per signal" in printed
    assert "B: no journey of it came to its end after the warm-up." in printed


def test_a_host_that_is_not_known_is_not_called_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = recorded(tmp_path / "a.arrow")
    made = Recording(Path(a))
    save_recording(tmp_path / "b.arrow", replace(made.header, host={}), made.batches())
    assert main(["compare", a, str(tmp_path / "b.arrow")]) == 0
    printed = capsys.readouterr().out
    assert "None" not in printed
    assert "It is not known whether the two were measured on one host" in printed
    assert main(["compare", a, str(tmp_path / "b.arrow"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["same_host"] is None
