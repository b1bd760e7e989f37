"""Recordings: what was appended is what is read, and a damaged file is read as far as it goes or refused."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pytest

from bellwire.engine.errors import RecordingError
from bellwire.engine.events import EVENT, Clock, EventKind, Lane, Setting, Switch, end_to_end, event, told_pace
from bellwire.engine.outlet import Outlet
from bellwire.engine.recordings.arrow_stream import END_OF_STREAM, read_message
from bellwire.engine.recordings.batch import plausible
from bellwire.engine.recordings.header import VERSION_ATTACHED, Header
from bellwire.engine.recordings.outline import newest_changes
from bellwire.engine.recordings.recorder import BATCH, HOLD_SECONDS, Recorder, save_recording
from bellwire.engine.recordings.recording import Recording
from tests.support.fake_source import FakeSource
from tests.support.small_recording import BATCHES, HEADER, batch


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A small recording of nine events in three batches."""
    with Recorder(tmp_path / "small.arrow", HEADER) as recorder:
        for events in BATCHES:
            recorder.append(events)
            recorder.flush()
    assert recorder.events == 9
    assert recorder.size == recorder.path.stat().st_size
    return recorder.path


def test_what_was_appended_is_read(path: Path) -> None:
    recording = Recording(path)
    assert recording.header == HEADER
    assert recording.warning == ""
    assert (len(recording), recording.first, recording.last) == (9, 1000, 1080)
    for read, appended in zip(recording.batches(), BATCHES, strict=True):
        np.testing.assert_array_equal(read, appended)


def test_settings_survive(tmp_path: Path) -> None:
    scenario = HEADER.scenario.with_settings({"pace": "flat-out", "irqfd": "off"})
    with Recorder(tmp_path / "r.arrow", Header(scenario, {}, "kvm_amd", Clock(1e9), "0.1.0")) as recorder:
        recorder.append(batch(1, 1))
    assert Recording(recorder.path).header.scenario == scenario


def read_with_arrow(path: Path) -> pa.Table:
    """What any tool that reads Arrow makes of it."""
    return pa.ipc.open_file(path.read_bytes(), options=pa.ipc.IpcReadOptions(use_threads=False)).read_all()


def test_other_tools_read_it(path: Path) -> None:
    table = read_with_arrow(path)
    assert table.num_rows == 9
    assert json.loads(table.schema.metadata[b"bellwire"])["kinds"]["RING"] == 1


@pytest.mark.parametrize(("t0", "t1", "count"), [(0, 9999, 9), (1010, 1050, 4), (1030, 1031, 1), (1081, 9999, 0)])
def test_window(path: Path, t0: int, t1: int, count: int) -> None:
    events = Recording(path).window(t0, t1)
    assert events.size == count
    assert ((events["tsc"] >= t0) & (events["tsc"] < t1)).all()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Batches so large that a part of one is worth reading, some events at the same moment as others."""
    path = tmp_path_factory.mktemp("large") / "large.arrow"
    with Recorder(path, HEADER) as recorder:
        for first in range(1, 4 * BATCH, BATCH):
            events = np.repeat(batch(1, 1), BATCH)[:BATCH]
            events["seq"] = np.arange(first, first + BATCH)
            events["tsc"] = 1000 + events["seq"] // 3
            recorder.append(events)
    return path


def test_a_part_of_a_batch_holds_what_the_whole_does(large: Path) -> None:
    recording, whole = Recording(large), end_to_end(*Recording(large).batches())
    assert recording.entries.size == 4
    random, last = np.random.default_rng(1), int(whole["tsc"][-1])
    for _ in range(300):
        t0 = int(random.integers(900, last + 100))
        t1 = t0 + int(random.integers(0, 10 ** random.integers(1, 6)))
        inside = (whole["tsc"] >= t0) & (whole["tsc"] < t1)
        np.testing.assert_array_equal(recording.window(t0, t1), whole[inside])


def test_what_lies_in_one_place_is_read_without_the_rest(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(large)
    middle = int(recording.entries["first"][2]) + 1000
    expected = recording.read_once(2)["seq"]
    monkeypatch.setattr(recording, "read", None)
    assert recording.window(middle, middle + 1).size == 3
    monkeypatch.setattr(recording, "_opened", None)  # what is near is there already
    near = recording.window(middle - 500, middle + 500)["seq"].tolist()
    assert near == [number for number in expected.tolist() if middle - 500 <= 1000 + number // 3 < middle + 500]


def test_a_part_is_checked_as_a_whole_batch_is(large: Path, tmp_path: Path) -> None:
    recording, path = Recording(large), tmp_path / "damaged.arrow"
    place = large.read_bytes().index(recording.read_once(2)["seq"][3000:3008].tobytes())
    content = bytearray(large.read_bytes())
    content[place : place + 8] = b"\xff" * 8
    path.write_bytes(content)
    damaged, there = Recording(path), int(recording.read_once(2)["tsc"][3000])
    assert damaged.window(there + 9000, there + 9001).size == 3  # of the rest nobody has heard yet
    assert damaged.window(there, there + 1).size == 0
    assert damaged.damaged == {2: BATCH}
    assert damaged.window(there + 9000, there + 9001).size == 0  # nothing of it is believed from then on


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_a_bit_that_is_another_one_damages_its_batch_and_the_sentence_names_that(
    compression: Literal["lz4", "zstd"] | None, tmp_path: Path
) -> None:
    """What comes of most bits may be an event all the same: nothing but the checksum tells."""
    path, written = tmp_path / "flipped.arrow", [batch(1000, 40), batch(1400, 40), batch(1800, 40)]
    with Recorder(path, HEADER, compression=compression) as recorder:
        for events in written:
            recorder.append(events)
            recorder.flush()
    with path.open("rb") as file:
        message = read_message(file.fileno(), int(Recording(path).entries["offset"][1]))
    assert message is not None
    content, damaged = path.read_bytes(), 0
    for position in range(message.offset + message.header_size, message.end):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        recording = Recording(path)
        found = list(recording.batches())
        if recording.damaged:
            damaged += 1
            assert [events["kind"].tolist() for events in found[1:]] == [[EventKind.LOST], [EventKind.RING] * 40]
            assert recording.warning == "40 events lie in damaged parts and are left out: batch 2 of 3."
        else:
            for read, events in zip(found, written, strict=False):
                np.testing.assert_array_equal(read, events)
    assert damaged >= (40 * EVENT.itemsize if compression is None else 40)


def test_what_older_ones_have_written_says_no_checksum(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.engine.recordings.batch.crc32_of", None)
    content = path.read_bytes().replace(b'"crc32"', b'"other"')
    path.write_bytes(content)
    assert sum(events.size for events in Recording(path).batches()) == 9
    assert Recording(path).warning == ""


def test_a_part_of_a_batch_whose_times_are_not_those_that_it_says_is_not_believed(large: Path, tmp_path: Path) -> None:
    recording, path = Recording(large), tmp_path / "damaged.arrow"
    times = recording.read_once(2)["tsc"]
    content = bytearray(large.read_bytes())
    place = content.index(times[:8].tobytes())
    content[place : place + 8] = (int(times[0]) - 1).to_bytes(8, "little")
    path.write_bytes(content)
    assert Recording(path).window(int(times[3000]), int(times[3000]) + 1).size == 0


def test_batches_may_overlap_in_time_and_come_unsorted(tmp_path: Path) -> None:
    late = np.concatenate([batch(1000, 2), batch(990, 1)])
    with Recorder(tmp_path / "late.arrow", HEADER) as recorder:
        recorder.append(batch(1005, 4))
        recorder.flush()
        recorder.append(late)
    recording = Recording(recorder.path)
    assert (len(recording), recording.first, recording.last, recording.warning) == (7, 990, 1035, "")
    in_order = [990, 1000, 1005, 1010, 1015, 1025, 1035]
    assert recording.window(0, 9999)["tsc"].tolist() == in_order
    assert np.concatenate(list(recording.sorted_batches()))["tsc"].tolist() == in_order


def test_much_of_one_moment_is_not_held_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of 6 MB may hold 17 million events of one moment, which no part of its time tells apart."""
    monkeypatch.setattr("bellwire.engine.recordings.recording.ROWS_LIMIT", 4)
    with Recorder(tmp_path / "moment.arrow", HEADER) as recorder:
        for events in (
            batch(990, 2),
            *[event(1000, EventKind.WAIT, Lane.IO_THREAD, 0, n) for n in range(9)],
            batch(1000, 3),
        ):
            recorder.append(events)
            recorder.flush()
    recording = Recording(recorder.path)
    pieces = list(recording.windows(995, 1015))
    np.testing.assert_array_equal(end_to_end(*pieces), recording.window(995, 1015))
    assert sum(map(len, pieces)) == 12
    assert max(map(len, pieces)) <= 4 + 3  # and a batch
    assert [piece.size for piece in recording.windows(990, 1000)] == [1]  # so little is one piece, whatever it is,
    assert [piece.size for piece in recording.windows(0, 5)] == [0]  # even if it is nothing


def test_what_was_passed_over_is_read_as_it_was_held(tmp_path: Path) -> None:
    """Where somebody saves what he has seen of a run that was too fast for him, the file tells how much that is not."""
    outlet = Outlet(200)
    with FakeSource() as source:
        for _ in range(40):
            source.run(0.05)
            outlet.put(source.take())
    held = outlet.take()
    told = held["kind"] == EventKind.PASSED_OVER
    assert held["id"][told].any()
    save_recording(tmp_path / "seen.arrow", HEADER, [held])
    recording = Recording(tmp_path / "seen.arrow")
    np.testing.assert_array_equal(end_to_end(*recording.batches()), held)
    assert recording.warning == ""


def test_batches_in_any_order_are_those_of_a_run(tmp_path: Path) -> None:
    """Whoever joins pieces of a run may have them in any order; who reads it batch by batch reads a run."""
    whole = end_to_end(*BATCHES)
    with Recorder(tmp_path / "shuffled.arrow", HEADER) as recorder:
        for events in (BATCHES[2], BATCHES[0], BATCHES[1]):
            recorder.append(events)
            recorder.flush()
    shuffled = Recording(recorder.path)
    np.testing.assert_array_equal(end_to_end(*shuffled.batches()), whole)
    np.testing.assert_array_equal(end_to_end(*shuffled.sorted_batches()), whole)
    assert (shuffled.first, shuffled.last) == (1000, 1080)


def test_one_that_is_still_written_is_not_said_to_be_cut_off(tmp_path: Path) -> None:
    with Recorder(tmp_path / "growing.arrow", HEADER) as recorder:
        recorder.append(BATCHES[0])
        recorder.flush()
        told = Recording(recorder.path).warning
        assert told == "This recording is still being written: these are its first 3 events."
        growing = recorder.path.read_bytes()
    assert Recording(recorder.path).warning == ""
    (tmp_path / "cut.arrow").write_bytes(growing)
    assert "cut off or damaged" in Recording(tmp_path / "cut.arrow").warning


def test_what_waits_is_on_the_disk_after_half_a_second(tmp_path: Path) -> None:
    now = [0.0]
    with Recorder(tmp_path / "live.arrow", HEADER, lambda: now[0]) as recorder:
        recorder.append(BATCHES[0])
        now[0] += HOLD_SECONDS * 0.9
        recorder.append(BATCHES[1])
        assert (recorder.size, recorder.events) == (0, 4)
        now[0] += HOLD_SECONDS * 0.1
        recorder.append(batch(0, 0))
        seen = Recording(recorder.path)
        assert (len(seen), len(seen.entries)) == (4, 1)
        assert "still being written" in seen.warning


def test_a_full_batch_is_on_the_disk_at_once_and_no_batch_is_larger(tmp_path: Path) -> None:
    with Recorder(tmp_path / "live.arrow", HEADER, lambda: 0.0) as recorder:
        recorder.append(batch(10, BATCH - 1))
        assert recorder.size == 0
        recorder.append(batch(10 * BATCH, BATCH + 2))
        assert Recording(recorder.path).entries["events"].tolist() == [BATCH, BATCH, 1]


def test_the_outline_is_the_same_whether_written_down_or_counted(tmp_path: Path) -> None:
    events = np.concatenate(
        [
            event(1, EventKind.WIRE, Lane.ENGINE, Switch.IRQFD, 0, 1),
            event(2, EventKind.SETTING, Lane.ENGINE, Setting.PACE, *told_pace(99.5)),
            event(2, EventKind.SETTING, Lane.ENGINE, Setting.STALLED, 0, 4),
            event(3, EventKind.LOST, Lane.ENGINE, Lane.GUEST, 0, 5),
            event(4, EventKind.LOST, Lane.ENGINE, Lane.GUEST, 0, 2),
            batch(10, 3),
        ]
    )
    with Recorder(tmp_path / "r.arrow", HEADER) as recorder:
        recorder.append(events)
        recorder.flush()
        killed = tmp_path / "killed.arrow"
        killed.write_bytes(recorder.path.read_bytes())
    closed, counted = Recording(recorder.path).outline(), Recording(killed).outline()
    assert closed == counted
    assert (closed.events, closed.first, closed.last, closed.dropped) == (8, 1, 30, 7)
    assert closed.wiring == [[1, "IRQFD", 1]]
    assert closed.settings == [[2, "PACE", 100], [2, "STALLED", 4]]
    assert closed.kinds == {"RING": 3, "WIRE": 1, "SETTING": 2, "LOST": 2}
    for stood in (closed.stood_before(10, 0), newest_changes(events[:3], 10)):
        assert stood[["tsc", "kind", "id", "seq", "arg"]].tolist() == [
            (10, EventKind.WIRE, Switch.IRQFD, 0, 1),
            (10, EventKind.SETTING, Setting.PACE, 10_050_251, 100),
        ]


def test_a_recording_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "saved.arrow"
    assert save_recording(path, HEADER, BATCHES) == 9
    assert len(Recording(path)) == 9
    with pytest.raises(RecordingError, match="cannot be written"):
        save_recording(tmp_path / "none" / "r.arrow", HEADER, BATCHES)
    assert [file.name for file in tmp_path.iterdir()] == ["saved.arrow"]


def older(version: int) -> Recording:
    """A recording of an earlier format, which was an Arrow stream."""
    return Recording(Path(__file__).parents[2] / "recordings" / f"format-{version}.arrow")


def test_format_1_is_still_read() -> None:
    """It was compressed, and said nothing about its batches."""
    recording = older(1)
    assert (len(recording), recording.warning) == (recording.outline().events, "")
    assert recording.outline().kinds["RING"] > 0
    assert recording.header.started == ""


def test_format_2_is_still_read_and_written_anew_it_holds_the_same(tmp_path: Path) -> None:
    recording = older(2)
    assert (len(recording), recording.entries["events"].tolist(), recording.warning) == (120, [40, 40, 40], "")
    assert recording.closing == recording.outline()
    save_recording(tmp_path / "new.arrow", recording.header, recording.batches())
    again = Recording(tmp_path / "new.arrow")
    np.testing.assert_array_equal(np.concatenate(list(again.batches())), np.concatenate(list(recording.batches())))
    assert (again.outline(), again.header.scenario) == (recording.outline(), recording.header.scenario)


def test_a_file_is_the_stream_behind_eight_bytes(path: Path, tmp_path: Path) -> None:
    """So the two are read alike, wherever they end."""
    whole = path.read_bytes()
    stream = tmp_path / "stream.arrow"
    for size in (len(whole), int(Recording(path).entries[2]["offset"])):
        stream.write_bytes(whole[8:size])
        read, appended = list(Recording(stream).batches()), BATCHES if size == len(whole) else BATCHES[:2]
        np.testing.assert_array_equal(np.concatenate(read), np.concatenate(appended))


def test_an_empty_batch_is_not_written(tmp_path: Path) -> None:
    with Recorder(tmp_path / "empty.arrow", HEADER) as recorder:
        recorder.append(batch(0, 0))
    recording = Recording(recorder.path)
    assert (len(recording), recording.first, recording.last, recording.warning) == (0, 0, 0, "")
    assert recording.window(0, 100).size == 0


def stream_end(path: Path) -> int:
    """Where the mark begins to be whole that ends the stream in a file; behind it is the footer only."""
    return path.read_bytes().rindex(END_OF_STREAM) + len(END_OF_STREAM)


def test_the_footer_holds_nothing_that_is_needed(path: Path) -> None:
    whole, end = path.read_bytes(), stream_end(path)
    for size in range(end, len(whole)):
        path.write_bytes(whole[:size])
        recording = Recording(path)
        assert (len(recording), recording.warning, recording.closing) == (9, "", recording.outline())


def test_a_file_cut_off_anywhere_opens_or_is_refused(path: Path, tmp_path: Path) -> None:
    whole, appended = path.read_bytes(), np.concatenate(BATCHES)
    lengths: list[int] = []
    cut = tmp_path / "cut.arrow"
    for size in range(stream_end(path)):
        cut.write_bytes(whole[:size])
        try:
            recording = Recording(cut)
        except RecordingError:
            assert not lengths  # only before the first batch
            continue
        lengths.append(len(recording))
        np.testing.assert_array_equal(np.concatenate([appended[:0], *recording.batches()]), appended[: lengths[-1]])
        assert str(len(recording)) in recording.warning
    assert sorted(lengths) == lengths
    assert set(lengths) == {0, 3, 4, 9}


def test_a_damaged_byte_never_crashes_and_yields_events_or_nothing(path: Path, tmp_path: Path) -> None:
    whole, damaged, refused = path.read_bytes(), tmp_path / "damaged.arrow", 0
    for position in range(0, len(whole), 3):
        damaged.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            assert all(plausible(events) for events in Recording(damaged).batches())
        except RecordingError:
            refused += 1
    assert refused > 0


def rewritten(path: Path, change: dict[str, object]) -> Path:
    """The same file with something else in its header."""
    table = read_with_arrow(path)
    content = json.loads(table.schema.metadata[b"bellwire"]) | change
    schema = table.schema.with_metadata({"bellwire": json.dumps(content)})
    with pa.ipc.new_file(str(path), schema) as writer:
        writer.write_table(table.cast(schema))
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": VERSION_ATTACHED + 1, "program": "7.1"}, "a newer bellwire .*: install bellwire 7.1 or later"),
        ({"scenario": {"name": "x"}}, "header of this recording is damaged: title: missing"),
        ({"scenario": None}, "header of this recording is damaged"),
        ({"clock_hz": 0}, "header of this recording is damaged"),
        ({"host": 3}, "header of this recording is damaged"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(change: dict[str, object], words: str, path: Path) -> None:
    with pytest.raises(RecordingError, match=words) as caught:
        Recording(rewritten(path, change))
    assert "\n" not in str(caught.value)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.arrow"
    with pa.ipc.new_stream(str(other), pa.schema([pa.field("a", pa.int8())])):
        pass
    with pytest.raises(RecordingError, match="not a recording of bellwire"):
        Recording(other)
    (tmp_path / "text").write_text("Lorem ipsum dolor sit amet")
    for name in ("text", "none", "."):
        with pytest.raises(RecordingError, match="cannot be opened as a recording"):
            Recording(tmp_path / name)


def test_a_file_that_changed_since_is_one_error(path: Path) -> None:
    recording = Recording(path)
    path.write_bytes(path.read_bytes()[: int(recording.entries[1]["offset"])])
    with pytest.raises(RecordingError, match="has changed since it was opened"):
        list(recording.batches())


@pytest.mark.parametrize("cut", [True, False])
def test_who_looks_at_a_file_that_changed_sees_nothing_and_is_told_once(cut: bool, path: Path) -> None:
    recording = Recording(path)
    path.write_bytes(path.read_bytes()[: int(recording.entries[1]["offset"])]) if cut else path.unlink()
    for _ in range(3):
        seen = recording.window(0, 2**64 - 1)
        assert seen.size == (BATCHES[0].size if cut else 0)
        assert recording.warning == f"{path} has been cut off, replaced or removed since it was opened."


def test_a_file_in_its_place_that_is_built_alike_is_another_file(path: Path) -> None:
    """A run that is recorded anew has batches of the same size at the same places, and other events in them."""
    recording = Recording(path)
    with Recorder(path, HEADER) as recorder:
        for events in BATCHES:
            later = events.copy()
            later["tsc"] += 1000
            recorder.append(later)
            recorder.flush()
    with pytest.raises(RecordingError, match=r"has changed since it was opened: another file has its name"):
        recording.read_once(0)
    assert not recording.damaged


def test_where_no_file_can_be_made_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be written: there is no folder"):
        Recorder(tmp_path / "none" / "r.arrow", HEADER)


def ended_elsewhere(path: Path, act: Callable[[], object]) -> str:
    """What is said of a recording in whose place something happens while it is written."""
    with Recorder(path, HEADER) as recorder:
        recorder.append(BATCHES[0])
        recorder.flush()
        act()
    return str(recorder.error)


def test_one_that_is_moved_while_it_is_written_is_told_to_be_where_it_is(tmp_path: Path) -> None:
    path, moved = tmp_path / "here.arrow", tmp_path / "there.arrow"
    said = ended_elsewhere(path, lambda: path.rename(moved))
    assert said == f"{path} cannot be written: it was moved while it was being written; what was in it is in {moved}."
    assert len(Recording(moved)) == BATCHES[0].size
    assert Recording(moved).warning == ""


@pytest.mark.parametrize("replaced", [True, False])
def test_one_that_is_lost_while_it_is_written_is_not_said_to_hold_anything(tmp_path: Path, replaced: bool) -> None:
    path, other = tmp_path / "here.arrow", tmp_path / "other"
    other.write_text("another")
    said = ended_elsewhere(path, lambda: other.rename(path) if replaced else path.unlink())
    what = "replaced" if replaced else "removed"
    assert said == f"{path} cannot be written: it was {what} while it was being written, and what was in it is lost."


@pytest.fixture
def small_files() -> Iterator[int]:
    """No file may grow beyond this many bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    yield 20_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_ends_the_recording_with_one_error(tmp_path: Path, small_files: int) -> None:
    with Recorder(tmp_path / "full.arrow", HEADER) as recorder:
        for start in range(0, 200_000, 100):
            recorder.append(batch(start, 10))
            recorder.flush()
        first = recorder.error
        recorder.append(batch(200_000, 10))
        recorder.flush()
        assert recorder.error is first
    assert first is not None
    assert f"The recording {recorder.path} has ended: " in str(first)
    recording = Recording(recorder.path)
    assert 0 < len(recording) == recorder.events < 20_000
    assert str(recorder.events) in str(first)
    assert recording.warning


def test_a_disk_that_was_full_from_the_start() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full")
    with Recorder(full, HEADER) as recorder:
        recorder.append(batch(0, 1))
        recorder.flush()
    assert "No space left on device" in str(recorder.error)


def test_what_is_no_file_is_told_as_other_files_are(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name, why in ((".", "Is a directory"), ("fifo", "it is not a file"), ("none", "No such file or directory")):
        with pytest.raises(RecordingError, match=f"cannot be opened as a recording: {why}\\.$"):
            Recording(tmp_path / name)
