"""What is printed of a run: what cannot be told is a dash, and says why."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bellwire.engine.events import STATS, EventKind, Lane, Setting, event
from bellwire.engine.findings.assertion import Judgement
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder, save_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.cli.app import main
from bellwire.viz.cli.summary import measured, summary_of_played
from bellwire.viz.model.live import LiveModel
from bellwire.viz.text.assets import asset
from bellwire.viz.text.figures import THIN, grouped
from tests.support.emulated import SAID, emulated_recording
from tests.support.fake_source import FakeSource
from tests.support.lossy import lossy
from tests.support.shifted import TURNS, shifted_run
from tests.support.small_recording import WallClock


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


def test_where_handlers_were_dropped_what_seems_merged_is_a_bound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, path = FakeSource(), tmp_path / "dropped.arrow"
    with source, Recorder(path, Header.of(source, "test")) as recorder:
        source.run(0.1)
        events = source.take()
        handlers = np.flatnonzero(events["kind"] == EventKind.HANDLER)
        dropped = handlers[len(handlers) // 2 :: 2]
        lost = event(int(events["tsc"][-1]), EventKind.LOST, Lane.GUEST, Lane.GUEST, 0, len(dropped))
        recorder.append(np.concatenate([np.delete(events, dropped), lost]))
    assert main(["info", str(path)]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("host → guest"))
    handled = len(handlers) - len(dropped)
    assert row.split()[3:] == [str(len(handlers)), "≥", str(handled), "≤", str(len(dropped)), "0"]

    asked = ["--assert", f"merged<={len(dropped)}", "--assert", "merged==0", "--assert", f"handled<{handled}"]
    assert main(["info", str(path), *asked]) == 1
    held, untold, failed = capsys.readouterr().out.splitlines()[-3:]
    assert held.startswith("holds   ")
    most = f"at most {len(dropped)}, limit 0; events are missing, so that it cannot be told"
    assert untold == f"unknown merged == 0: {most}"
    assert failed.startswith("FAILED  ")

    assert main(["info", str(path), "--json", *asked]) == 1
    report = json.loads(capsys.readouterr().out)
    most_of = {"irqs_handled": len(handlers), "irqs_merged": len(dropped)}
    bounds = {name: {"least": handled if "handled" in name else 0, "most": most} for name, most in most_of.items()}
    assert report["bounds"] == bounds
    assert [verdict["holds"] for verdict in report["assertions"]] == [True, None, False]
    assert report["assertions"][1]["value_bounds"] == bounds["irqs_merged"]


@pytest.mark.parametrize(
    ("kind", "lane", "row", "name", "asked"),
    [
        (EventKind.DOORBELL, Lane.IO_THREAD, "guest → host", "eventfd_reads", "reads==received"),
        (EventKind.EXIT, Lane.VCPU, "KVM_RUN returned: IO", "exits_to_userspace.IO", "exits_io==1514"),
        (EventKind.EXIT, Lane.VCPU, "KVM_RUN returned: IO", "exits_to_userspace.MMIO", "exits_mmio==0"),
    ],
)
def test_what_is_counted_from_events_that_were_dropped_is_a_bound(
    kind: EventKind, lane: Lane, row: str, name: str, asked: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, gone = lossy("roundtrip", kind, lane, 2)
    path = tmp_path / "lossy.arrow"
    save_recording(path, Recording(asset("recordings/roundtrip.arrow")).header, [events])
    assert main(["info", str(path), "--assert", asked]) == 1
    printed = capsys.readouterr().out
    assert "≥" in next(line for line in printed.splitlines() if row in line)
    assert f"unknown {asked.replace('==', ' == ')}: at" in printed
    assert main(["info", str(path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["bounds"][name]["most"] - report["bounds"][name]["least"] == gone


def test_of_a_run_that_dropped_nothing_no_count_is_a_bound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(asset("recordings/qemu-virtio-blk-exit.arrow")), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bounds"] == {}


def test_what_another_process_does_is_no_count_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    """Each doorbell of this guest leaves for QEMU."""
    recording = str(asset("recordings/qemu-virtio-blk-exit.arrow"))
    assert main(["info", recording, "--json", "--assert", "exits==0"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["counts"]["exits_to_userspace"], report["counts"]["eventfd_reads"]) == (None, None)
    assert report["counts"]["kvm"]["mmio_exits"] > 0
    assert report["assertions"][0]["value"] is None
    assert main(["info", recording, "--assert", "exits==0"]) == 1
    assert "exits == 0: it is not known: another process does it" in capsys.readouterr().out


def test_where_the_clocks_are_apart_no_corrected_figure_is_given_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, path = FakeSource(), tmp_path / "paced.arrow"
    run = shifted_run(source.scenario, source.clock.cycles(-12e-6))  # half of the journeys do not contradict it
    paced = event(int(run["tsc"][0]), EventKind.SETTING, Lane.ENGINE, Setting.PACE, 0, 2000)
    with source, Recorder(path, Header.of(source, "test")) as recorder:
        recorder.append(paced)
        recorder.append(run)
    assert main(["info", str(path), "--json"]) == 0
    corrected = json.loads(capsys.readouterr().out)["latency_ns_corrected_for_coordinated_omission"]
    assert corrected["doorbell"]["p50"] is None
    assert corrected["doorbell"]["count"] > 0
    assert corrected["round_trip"]["p50"] > 0


def test_of_an_emulated_cpu_no_time_is_given_but_every_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(emulated_recording(tmp_path / "run.arrow"))
    assert main(["info", file]) == 0
    printed = capsys.readouterr().out
    assert f" · {SAID}" in printed
    assert "Latency: none is given" in printed
    assert not re.search(r"p50|corrected|–", printed)
    why = "An emulated CPU (TCG) ran it: order and counts are as KVM makes them, times mean nothing"
    assert " ".join(printed.split()).count(why) == 1

    assert main(["info", file, "--json", "--assert", "round_trip.p50>0us", "--assert", "round_trip.count>100"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [held["holds"] for held in report["assertions"]] == [False, True]
    for name in ("doorbell", "injection", "store_cost", "round_trip"):
        figures = dict(report["latency_ns"][name])
        assert figures.pop("count") > 0
        assert figures
        assert set(figures.values()) == {None}
    assert report["latency_ns_corrected_for_coordinated_omission"] is None
    assert report["why_not_corrected"].startswith("An emulated CPU (TCG) ran it")


@pytest.mark.parametrize("words", [["explain", "{file}"], ["compare", "{file}", "{file}"]])
def test_what_explains_or_compares_times_says_why_it_does_not(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(emulated_recording(tmp_path / "run.arrow"))
    assert main([word.format(file=file) for word in words]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "An emulated CPU (TCG) ran it: order and counts are as KVM makes them, times mean nothing" in printed
    assert not re.search(r"\d (?:ns|µs|ms)\b", printed)


@pytest.mark.parametrize("name", ["irq-masked", "roundtrip"])
def test_no_table_is_printed_without_a_row(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(asset(f"recordings/{name}.arrow"))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ("Latency: there is none, as no journey has come to its end." in lines) == (name == "irq-masked")
    ruled = [number for number, line in enumerate(lines) if line.strip() and not line.strip("─ ")]
    assert ruled
    assert all(lines[number + 1].strip() for number in ruled)


def test_journeys_of_the_warm_up_have_come_to_their_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of `bellwire run roundtrip --signals 1` it was said that none had."""
    path = str(tmp_path / "short.arrow")
    with FakeSource() as source, Recorder(Path(path), Header.of(source, "0.1.0")) as recorder:
        source.run(0.02)
        recorder.append(source.take())
    assert main(["info", path]) == 0
    printed = capsys.readouterr().out
    assert "Latency: there is none, as all is left out: " in printed
    assert "of warm-up." in printed
    assert main(["convert", path, str(tmp_path / "short.hgrm")]) == 1
    assert "all of its journeys belong to the warm-up" in capsys.readouterr().err


@pytest.mark.parametrize("indexed", [False, True])
def test_of_a_recording_that_was_sent_to_a_moment_it_tells_what_was_counted_from_there(
    indexed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts were the whole run's, latencies and evidence those since the jump, and all was told to be of all of it."""
    monkeypatch.setattr("bellwire.engine.recordings.replay.PRELUDE", 1)
    recording, wall = Recording(path_of_shipped("roundtrip")), WallClock()
    events = np.concatenate(list(recording.sorted_batches()))
    with Replay(recording, wall) as replay:
        if indexed:
            replay.indexer.wait()
        replay.seek(recording.first + recording.header.clock.cycles(10.5))
        model, text = LiveModel(replay), io.StringIO()
        wall.ns += 10**12
        model.tick(0)
        there = events[events["tsc"] >= np.uint64(replay.yields_first)]
        rung = int((there["kind"] == EventKind.RING).sum())
        assert 0 < rung < 3000
        Console(file=text, width=200).print(summary_of_played(model, recording.seconds))
    printed, since = text.getvalue(), recording.header.clock.ns(replay.yields_first - recording.first) / 1e9
    assert f"· {recording.seconds - since:.2f} s, counted from {since:.2f} s after its first event on ·" in printed
    rows = [line.split("  ") for line in printed.splitlines()]
    (doorbells,) = ([cell.strip() for cell in row if cell] for row in rows if row[0] == "guest → host" and len(row) > 4)
    assert doorbells[1:] == [grouped(rung), grouped(rung), "0", grouped(rung)]
    assert f"of {grouped(rung)} doorbells" in printed
    exits = there["arg"][(there["kind"] == EventKind.STAT) & (there["id"] == STATS.index("exits"))]
    (counted,) = (int(row[-1].replace(THIN, "")) for row in rows if row[0] == "KVM" and "exits" in map(str.strip, row))
    assert int(exits[-1]) - int(exits[0]) <= counted < int(exits[-1]) // 2


def test_a_value_and_a_limit_that_look_alike_are_told_exactly() -> None:
    """ "6.83 ms, limit 6.83 ms" held, or did not."""

    def told(value: float, limit: float, *, is_time: bool = True) -> str:
        return measured(Judgement("round_trip.p50 < 6.83ms", value < limit, value, limit, is_time))

    assert told(6_826_000, 6_830_000) == f"6{THIN}826{THIN}000 ns, limit 6{THIN}830{THIN}000 ns"
    assert told(6_800_000, 6_830_000) == "6.80 ms, limit 6.83 ms"
    assert told(6_830_000, 6_830_000) == "6.83 ms, limit 6.83 ms"
    assert told(3, 4, is_time=False) == "3, limit 4"


@pytest.mark.parametrize(("unit", "ns"), [("us", 1000.0), ("ns", 1.0)])
def test_percentiles_have_the_digits_of_a_bin_and_extremes_all(
    unit: str, ns: float, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(path_of_shipped("roundtrip"))
    assert main(["info", path, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["latency_ns"]["doorbell"]
    assert main(["info", path, "--unit", unit]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("doorbell  "))
    cells = [float(cell.replace(THIN, "")) for cell in re.split(r"\s{2,}", row)[1:] if cell.strip() != "–"]
    least, p50, *_, p999, most, _ = cells
    assert [p50, p999] == pytest.approx([told["p50"] / ns, told["p999"] / ns], rel=2e-3)
    assert (least, most) == (round(told["min"] / ns, 1), round(told["max"] / ns, 0))
    assert all(len(f"{value:.0f}".rstrip("0")) <= 4 for value in cells[1:-2])
