"""Exports: every event of the recording is in each of them, and other programs' own readers agree."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset
import pyarrow.parquet
import pytest
from hdrh.histogram import HdrHistogram

from bellwire.engine.errors import RecordingError
from bellwire.engine.events import EventKind
from bellwire.engine.exports import EXPORTS
from bellwire.engine.exports.convert import export_for, write_export
from bellwire.engine.exports.hdr import hdr_of
from bellwire.engine.exports.perfetto_gaps import TRACK as UNKNOWN_RATES
from bellwire.engine.folds.histogram import bin_of
from bellwire.engine.folds.latency import LATENCIES, Latencies
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import save_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from tests.support.emulated import emulated_recording
from tests.support.fake_source import FakeSource
from tests.support.recorded import recorded
from tests.support.shifted import shifted_run


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return recorded(tmp_path_factory.mktemp("recorded") / "run.arrow")


def written(recording: Recording, folder: Path, name: str) -> Path:
    """The recording in that format."""
    path = folder / f"run{EXPORTS[name].suffix}"
    shares: list[float] = []
    assert write_export(recording, path, EXPORTS[name], shares.append) > 0
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert [file.name for file in folder.iterdir()] == [path.name]
    return path


def test_csv_has_a_line_an_event(recording: Recording, tmp_path: Path) -> None:
    with written(recording, tmp_path, "csv").open() as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["kind"] for row in rows) == recording.outline().kinds
    assert int(rows[0]["time_ns"]) == 0
    assert int(rows[-1]["time_ns"]) == pytest.approx(recording.seconds * 1e9, abs=2)
    times = [int(row["tsc"]) for row in rows]
    assert (times[0], times[-1]) == (recording.first, recording.last)
    assert times == sorted(times)


def test_a_folder_of_parquet_files_is_one_data_set(recording: Recording, tmp_path: Path) -> None:
    path = written(recording, tmp_path, "parquet")
    shutil.copy(path, tmp_path / "other.parquet")
    table = pyarrow.dataset.dataset(tmp_path).to_table(use_threads=False)
    assert table.num_rows == 2 * len(recording)
    assert set(table["scenario"].to_pylist()) == {"roundtrip"}
    assert set(table["backend"].to_pylist()) == {"kvm_fake"}
    table = pyarrow.parquet.read_table(path, use_threads=False)
    assert Counter(table["kind"].to_pylist()) == recording.outline().kinds
    events = recording.window(0, 2**64 - 1)
    for name in ("tsc", "vm", "id", "seq", "arg"):
        np.testing.assert_array_equal(table[name].to_numpy(), events[name])
    assert json.loads(table.schema.metadata[b"bellwire"])["clock_hz"] == recording.header.clock.hz


def test_arrow_is_the_same_recording_in_order(recording: Recording, tmp_path: Path) -> None:
    again = Recording(written(recording, tmp_path, "arrow"))
    assert (again.header, again.outline(), again.warning) == (recording.header, recording.outline(), "")
    np.testing.assert_array_equal(again.window(0, 2**64 - 1), recording.window(0, 2**64 - 1))


# -- HdrHistogram


def latencies_of(recording: Recording) -> Latencies:
    latencies = Latencies(recording.header.scenario, recording.header.clock)
    latencies.feed(recording.window(0, 2**64 - 1))
    return latencies


def test_percentiles_are_those_of_the_round_trip(recording: Recording, tmp_path: Path) -> None:
    lines = written(recording, tmp_path, "hgrm").read_text().splitlines()
    histogram = latencies_of(recording).histograms["round_trip"]
    assert "roundtrip on Test CPU" in lines[0]
    rows = [line.split() for line in lines if line and line.split()[0].replace(".", "").isdigit()]
    assert int(rows[-1][2]) == histogram.count
    for value, share, *_ in rows:
        assert float(value) * 1000 == pytest.approx(histogram.percentile(float(share) * 100), rel=2e-3)


def test_of_a_run_without_a_latency_there_are_no_percentiles(tmp_path: Path) -> None:
    """A mean and a longest of 0 µs would be told, of round trips that the scenario has not."""
    with pytest.raises(RecordingError, match=r"irq-masked.arrow has no latency"):
        written(Recording(path_of_shipped("irq-masked")), tmp_path, "hgrm")
    assert not list(tmp_path.iterdir())


def test_the_percentiles_summary_is_in_one_unit(recording: Recording, tmp_path: Path) -> None:
    text = written(recording, tmp_path, "hgrm").read_text()
    said = {name: float(value) for name, value in re.findall(r"(\w+)\s*=\s*([\d.]+)", text)}
    hdr = hdr_of(latencies_of(recording).histograms["round_trip"])
    values = [(item.value_iterated_to, item.count_at_value_iterated_to) for item in hdr.get_recorded_iterator()]
    each = np.repeat(*(np.array(column) for column in zip(*values, strict=True))) / 1000  # µs
    assert said["TotalCount"] == each.size
    assert said["Mean"] == pytest.approx(each.mean(), rel=2e-3)
    assert said["StdDeviation"] == pytest.approx(each.std(), rel=2e-2)
    assert said["Max"] == pytest.approx(each.max(), rel=2e-3)


def test_the_largest_latency_is_the_same_in_each_file(recording: Recording, tmp_path: Path) -> None:
    """HdrHistogram has it by its bin, up to 0.1 % more than it was: two files of one run did not agree."""
    most = latencies_of(recording).histograms["round_trip"].max
    for folder in ("hgrm", "hlog"):
        (tmp_path / folder).mkdir()
    text = written(recording, tmp_path / "hgrm", "hgrm").read_text()
    values = [float(line.split()[0]) for line in text.splitlines() if re.match(r" *\d", line)]
    assert max(values) == values[-1] == float(re.findall(r"Max\s*=\s*([\d.]+)", text)[0]) == most / 1000
    assert values == sorted(values)
    log = written(recording, tmp_path / "hlog", "hlog").read_text()
    assert max(map(float, re.findall(r"Tag=round_trip,[\d.]+,[\d.]+,([\d.]+)", log))) == pytest.approx(most / 1e6)


def test_the_log_s_histograms_add_up_to_the_run_s(recording: Recording, tmp_path: Path) -> None:
    latencies, found = latencies_of(recording), {name: HdrHistogram(1, 2**40 - 1, 3) for name in LATENCIES}
    for line in written(recording, tmp_path, "hlog").read_text().splitlines():
        if line.startswith("Tag="):
            tag, _, _, _, payload = line.split(",")
            found[tag.removeprefix("Tag=")].decode_and_add(payload)
    for name in LATENCIES:
        counts = np.zeros_like(latencies.histograms[name].counts)
        for item in found[name].get_recorded_iterator():
            counts[bin_of(np.array([item.value_iterated_to]))[0]] += item.count_at_value_iterated_to
        np.testing.assert_array_equal(counts, latencies.histograms[name].counts)


@pytest.mark.parametrize("name", ["hgrm", "hlog"])
def test_no_file_has_latencies_of_an_emulated_cpu(name: str, tmp_path: Path) -> None:
    """They mean nothing: the window and every report give none, and a plotter would."""
    path = emulated_recording(tmp_path / "run.arrow")
    with pytest.raises(RecordingError, match="emulated CPU, whose times mean nothing"):
        write_export(Recording(path), tmp_path / f"run{EXPORTS[name].suffix}", EXPORTS[name])
    assert [file.name for file in tmp_path.iterdir()] == ["run.arrow"]


@pytest.mark.parametrize(("ahead", "said"), [(0, {*LATENCIES}), (2_000_000, {"store_cost", "round_trip"})])
def test_latencies_of_clocks_that_are_apart_are_in_no_file(ahead: int, said: set[str], tmp_path: Path) -> None:
    """As in every report: the one-way ones are off by what the clocks are apart."""
    source = FakeSource("roundtrip")
    save_recording(tmp_path / "run.arrow", Header.of(source, "0"), [shifted_run(source.scenario, ahead)])
    recording, log = Recording(tmp_path / "run.arrow"), tmp_path / "run.hlog"
    counted = write_export(recording, log, EXPORTS["hlog"])
    latencies = latencies_of(recording)
    assert {name for name in LATENCIES if latencies.known(name)} == said
    assert set(re.findall(r"Tag=(\w+),", log.read_text())) == said
    assert counted == sum(latencies.histograms[name].count for name in said) > 0
    write_export(recording, tmp_path / "run.hgrm", EXPORTS["hgrm"])
    percentiles, left = (tmp_path / "run.hgrm").read_text(), "; without doorbell, injection: clocks that are apart]"
    assert "; round_trip, µs" in percentiles
    assert [left in text for text in (log.read_text(), percentiles)] == [ahead > 0] * 2


@pytest.mark.parametrize("name", ["hgrm", "hlog"])
def test_no_file_says_that_there_were_no_latencies_where_none_can_be_told(name: str, tmp_path: Path) -> None:
    """Those of an interrupt alone begin and end by two clocks: 400 of them were "0 latencies"."""
    source = FakeSource("irq-msi")
    save_recording(tmp_path / "run.arrow", Header.of(source, "0"), [shifted_run(source.scenario, -2_000_000)])
    with pytest.raises(RecordingError, match="no latency that could be told: guest and host clocks are apart"):
        write_export(Recording(tmp_path / "run.arrow"), tmp_path / f"run{EXPORTS[name].suffix}", EXPORTS[name])
    assert [file.name for file in tmp_path.iterdir()] == ["run.arrow"]


# -- Perfetto, read by its own classes

BEGIN, END, COUNTER = 1, 2, 4  # TrackEvent.Type


def trace(path: Path) -> Any:
    from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace

    parsed = Trace()
    parsed.ParseFromString(path.read_bytes())
    return parsed


@pytest.fixture(scope="module")
def packets(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    path = written(recording, tmp_path_factory.mktemp("perfetto"), "perfetto")
    return list(trace(path).packet)


def track_events(packets: list[Any], category: str | None = None) -> list[Any]:
    """The packets that are something on a track; of one category. A slice's end has none, but its event's details."""
    categories = {entry.iid: entry.name for packet in packets for entry in packet.interned_data.event_categories}
    found = [packet for packet in packets if packet.HasField("track_event")]

    def category_of(event: Any) -> str:
        if event.type == END:
            return "event" if len(event.debug_annotations) == 3 else "derived"
        return str(categories[event.category_iids[0]])

    return [packet for packet in found if category is None or category_of(packet.track_event) == category]


def unknown(message: Any) -> int:
    """How many fields of it, and of what is in it, its class does not know."""
    from google.protobuf.unknown_fields import UnknownFieldSet

    inner = (value for field, value in message.ListFields() if field.message_type)
    parts = (part for value in inner for part in ([value] if hasattr(value, "ListFields") else value))
    return len(UnknownFieldSet(message)) + sum(map(unknown, parts))


def test_perfetto_knows_every_field(packets: list[Any]) -> None:
    assert sum(map(unknown, packets)) == 0
    assert packets[0].first_packet_on_sequence
    snapshot = next(packet.clock_snapshot for packet in packets if packet.HasField("clock_snapshot"))
    assert [clock.clock_id for clock in snapshot.clocks] == [6, 1]


def test_every_event_is_one_packet(recording: Recording, packets: list[Any]) -> None:
    events = track_events(packets, "event")
    assert len(events) == len(recording)
    assert {packet.trusted_packet_sequence_id for packet in packets} == {1}
    kinds = Counter(packet.track_event.type for packet in events)
    outline = recording.outline()
    assert kinds[COUNTER] == outline.kinds["STAT"] + outline.kinds["COUNT"]
    assert kinds[BEGIN] == outline.kinds["RING"] + outline.kinds["EXIT"]


def test_time_runs_forward(packets: list[Any], recording: Recording) -> None:
    """On all tracks together, but for the one where rates are not known, which is told only behind where that was."""
    unknown = {packet.track_descriptor.uuid for packet in packets if packet.track_descriptor.name == UNKNOWN_RATES}
    apart: dict[bool, list[int]] = {True: [], False: []}
    for packet in track_events(packets):
        apart[packet.track_event.track_uuid in unknown].append(packet.timestamp)
    assert len(unknown) == 1
    assert apart[True]
    assert all(times == sorted(times) for times in apart.values())
    assert apart[False][0] == 0
    assert track_events(packets, "event")[-1].timestamp == pytest.approx(recording.seconds * 1e9, abs=2)


def test_every_track_and_name_is_defined_before_it_is_used(packets: list[Any]) -> None:
    tracks: set[int] = {0}
    names: set[int] = set()
    for packet in packets:
        names |= {entry.iid for entry in packet.interned_data.event_names}
        if packet.HasField("track_descriptor"):
            descriptor = packet.track_descriptor
            assert descriptor.parent_uuid in tracks
            assert descriptor.uuid not in tracks
            assert descriptor.name
            tracks.add(descriptor.uuid)
        if packet.HasField("track_event"):
            assert packet.track_event.track_uuid in tracks
            assert packet.track_event.type in (COUNTER, END) or packet.track_event.name_iid in names
    described = [packet.track_descriptor.name for packet in packets if packet.HasField("track_descriptor")]
    assert {"VM 0", "Guest", "vCPU thread", "I/O thread", "Operator", "doorbells", "KVM: exits"} <= set(described)


def test_every_slice_ends_and_none_ends_twice(packets: list[Any]) -> None:
    """The end of a slice is its track's: by a name or a category readers would look for another one to end."""
    depth: Counter[int] = Counter()
    for packet in track_events(packets):
        track = packet.track_event.track_uuid
        depth[track] += {BEGIN: 1, END: -1}.get(packet.track_event.type, 0)
        assert depth[track] in (0, 1)
        named = packet.track_event.name_iid or packet.track_event.category_iids
        assert bool(named) == (packet.track_event.type != END)


def test_a_flow_leads_from_each_doorbell_to_its_handler(packets: list[Any], recording: Recording) -> None:
    begun: Counter[int] = Counter()
    ended: list[int] = []
    for packet in track_events(packets):
        begun.update(packet.track_event.flow_ids)
        for flow in packet.track_event.terminating_flow_ids:
            assert flow in begun
            ended.append(flow)
    assert len(ended) == len(set(ended))
    assert len(ended) == recording.outline().kinds["RING"]  # also of the one of which a loss hides which way it took
    assert all(begun[flow] >= 3 for flow in ended)  # rung, received, answered


def test_rates_add_up_as_far_as_their_bins_are_over(packets: list[Any], recording: Recording) -> None:
    uuid = next(p.track_descriptor.uuid for p in packets if p.track_descriptor.name == "doorbells")
    rates = [p.track_event for p in track_events(packets, "derived") if p.track_event.track_uuid == uuid]
    rings = np.concatenate([some[some["kind"] == EventKind.RING] for some in recording.batches()])
    at = recording.header.clock.ns_array(rings["tsc"] - np.uint64(recording.first))
    over = recording.seconds // 0.05 * 0.05e9
    assert sum(rate.double_counter_value for rate in rates) * 0.05 == pytest.approx(int((at < over).sum()))


def test_the_log_s_last_second_is_as_long_as_it_was(recording: Recording, tmp_path: Path) -> None:
    lines = [line.split(",") for line in written(recording, tmp_path, "hlog").read_text().splitlines()]
    ends = [float(line[1]) + float(line[2]) for line in lines if line[0].startswith("Tag=")]
    assert max(ends) == pytest.approx(recording.seconds, abs=0.002)


def test_the_log_begins_when_its_first_event_was(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what was held in memory and saved later the header's time is that of the saving."""
    saved = replace(recording.header, started_ns=1_700_000_000 * 10**9, started_tsc=recording.last)
    monkeypatch.setattr(recording, "header", saved)
    text = written(recording, tmp_path, "hlog").read_text()
    starts = [float(time) for time in re.findall(r"(?:Start|Base)Time: ([\d.]+)", text)]
    assert starts == pytest.approx([1_700_000_000 - recording.seconds] * 2, abs=0.002)
    begun = saved.begun_at(recording.first)
    assert begun.started_ns == recording.first_ns == pytest.approx(starts[0] * 1e9, abs=2e6)
    assert f"{begun.started}]" in text
    assert re.findall(r"Time: \d+\.(\d{3}) ", text) == [begun.started[20:23]] * 2
    assert replace(saved, started_ns=0).begun_at(recording.first).started == ""


@pytest.mark.parametrize("scenario", ["doorbell-pio", "irq-many", "self-doorbell", "vm-to-vm"])
def test_other_wirings_make_whole_traces(scenario: str, tmp_path: Path) -> None:
    other = recorded(tmp_path / "other.arrow", scenario, 0.2)
    (tmp_path / "out").mkdir()
    events = track_events(list(trace(written(other, tmp_path / "out", "perfetto")).packet), "event")
    assert len(events) == len(other)


# -- whole or not at all


def test_the_format_follows_from_the_name() -> None:
    assert export_for(Path("a.pftrace")) is export_for(Path("A.PFTRACE")) is EXPORTS["perfetto"]
    assert export_for(Path("a.txt"), "csv") is EXPORTS["csv"]
    for path, name in ((Path("a.txt"), None), (Path("a.csv"), "xlsx")):
        with pytest.raises(RecordingError, match=r"not a format .* parquet"):
            export_for(path, name)


@pytest.mark.parametrize("name", list(EXPORTS))
def test_an_interrupt_leaves_nothing_and_keeps_what_was_there(name: str, recording: Recording, tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("before")

    def interrupt(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_export(recording, path, EXPORTS[name], interrupt, force=True)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("out", "before")]


@pytest.mark.parametrize("name", list(EXPORTS))
def test_where_no_file_can_be_made_is_one_error(name: str, recording: Recording, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be written"):
        write_export(recording, tmp_path / "none" / "out", EXPORTS[name])
