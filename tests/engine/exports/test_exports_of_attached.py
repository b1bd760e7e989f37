"""What a recording of a VMM that was seen from outside becomes: every event, with threads' names; no journeys."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from bellwire.engine.errors import RecordingError
from bellwire.engine.events import EVENT, EventKind, Events, Lane
from bellwire.engine.exports import EXPORTS
from bellwire.engine.exports.convert import write_export
from bellwire.engine.recordings.attached.notes import SeenNote, SeenThread
from bellwire.engine.recordings.recorder import write_recording
from bellwire.engine.recordings.recording import Recording
from tests.support.seen_recordings import FIRST, IO, VCPU, attached_header, seen_recording
from tests.support.seen_vmms import SEEN, VMM
from tests.support.trace_processor import TraceProcessor


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return seen_recording(tmp_path_factory.mktemp("seen") / "seen.arrow")


def exported(recording: Recording, folder: Path, name: str) -> Path:
    """The recording in that format."""
    path = folder / f"seen{EXPORTS[name].suffix}"
    assert write_export(recording, path, EXPORTS[name]) == len(recording)
    return path


def test_csv_names_threads_and_whole_addresses(recording: Recording, tmp_path: Path) -> None:
    with exported(recording, tmp_path, "csv").open() as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["kind"] for row in rows) == recording.outline().kinds
    rung = [row for row in rows if row["kind"] == "FAST_MMIO"]
    assert {(row["thread"], row["thread_name"], row["address"]) for row in rung} == {
        (str(VCPU), "CPU 0/KVM", str(0xFE003000))
    }
    assert {row["address"] for row in rows if row["kind"] == "MSI"} == {"0"}
    assert Counter(row["reason"] for row in rows if row["kind"] == "USER_EXIT") == {"KVM_EXIT_MMIO": 199, "EINTR": 1}
    assert {row["reason"] for row in rows if row["kind"] != "USER_EXIT"} == {""}


def test_parquet_has_the_same_columns(recording: Recording, tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(exported(recording, tmp_path, "parquet"), use_threads=False)
    assert table.num_rows == len(recording)
    assert set(table["scenario"].unique().to_pylist()) == {"qemu-system-x86_64"}
    named = set(zip(table["thread"].to_pylist(), table["thread_name"].to_pylist(), strict=True))
    assert {(VCPU, "CPU 0/KVM"), (IO, "IO io0")} <= named


def other_recording(path: Path, events: Events, *names: str) -> Recording:
    """Of these events; names: of the first threads."""
    threads = tuple(SeenThread(number, VMM.pid, name) for number, name in enumerate(names, start=1))
    with path.open("wb") as file:
        write_recording(file, attached_header(), [events], notes=[SeenNote(FIRST, SEEN, threads)])
    return Recording(path, attached=True)


def woken(threads: int) -> Events:
    """An event of each of so many threads."""
    events = np.zeros(threads, EVENT)
    events["tsc"], events["kind"] = FIRST + np.arange(threads), EventKind.WAKING
    events["lane"], events["seq"] = Lane.KVM, np.arange(1, threads + 1)
    return events


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_each_event_may_be_of_another_thread(tmp_path: Path, name: str) -> None:
    """Of more than 32,767 in one batch the numbers of their names ran over."""
    recording = other_recording(tmp_path / "many.arrow", woken(40_000), "first")
    path = exported(recording, tmp_path, name)
    if name == "csv":
        with path.open() as file:
            rows = list(csv.DictReader(file))
    else:
        rows = pyarrow.parquet.read_table(path, use_threads=False).to_pylist()
    assert [int(row["thread"]) for row in rows] == list(range(1, 40_001))
    assert [row["thread_name"] for row in rows] == ["first", *[""] * 39_999]


def test_no_name_of_a_thread_is_a_formula_in_a_spreadsheet(tmp_path: Path) -> None:
    names = ["=1+1", "@SUM(A1)", "+1", "-bash", "CPU 0/KVM", "a=b"]
    recording = other_recording(tmp_path / "names.arrow", woken(len(names)), *names)
    with exported(recording, tmp_path, "csv").open() as file:
        told = [row["thread_name"] for row in csv.DictReader(file)]
    assert told == ["'=1+1", "'@SUM(A1)", "'+1", "'-bash", "CPU 0/KVM", "a=b"]


@pytest.mark.parametrize("name", ["arrow", "arrows"])
def test_a_recording_of_it_is_the_same_again(recording: Recording, tmp_path: Path, name: str) -> None:
    again = Recording(exported(recording, tmp_path, name), attached=True)
    assert again.notes == recording.notes
    assert again.header == recording.header
    assert again.outline().kinds == recording.outline().kinds


@pytest.mark.parametrize("name", ["hgrm", "hlog"])
def test_latencies_of_journeys_there_are_none(recording: Recording, tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordingError, match="hops, not journeys"):
        exported(recording, tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_a_trace_of_one_exit_does_not_end_before_it_begins(tmp_path: Path) -> None:
    outside = woken(1)
    outside["kind"] = EventKind.USER_EXIT
    path = exported(other_recording(tmp_path / "one.arrow", outside), tmp_path, "perfetto")
    with TraceProcessor() as trace:
        trace.load(path.read_bytes())
        ((start, end),) = trace.query("select start_ts, end_ts from trace_bounds")
        assert (start, end >= start) == (0, True)


def test_perfetto_has_every_event_and_every_hop(recording: Recording, tmp_path: Path) -> None:
    path = exported(recording, tmp_path, "perfetto")
    kinds = recording.outline().kinds
    counted = kinds["STAT"] + kinds["COUNT"]
    with TraceProcessor() as trace:
        trace.load(path.read_bytes())
        ((slices,),) = trace.query("select count(*) from slice where category = 'event'")
        assert slices == len(recording) - counted - kinds["ENTRY"]
        ((unfinished,),) = trace.query("select count(*) from slice where dur < 0")
        assert unfinished == 0
        ((hops,),) = trace.query("select count(*) from flow")
        assert hops == kinds["WAKING"]
        ((rung,),) = trace.query("select count(*) from slice where name = 'doorbell mmio 0xfe003000'")
        assert rung == kinds["FAST_MMIO"]
        lasting = trace.query("select distinct name, dur from slice where dur > 0")
        assert sorted(lasting) == [("user space: EINTR", 7000), ("user space: MMIO", 7000)]
        names = {name for (name,) in trace.query("select name from track")}
        assert {"CPU 0/KVM", "IO io0", "qemu-system-x86_64"} <= names
        assert not trace.query("select name, value from stats where severity = 'error' and value > 0")
