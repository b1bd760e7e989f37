"""Notes between the events of a recording: written at once, bounded, and read through the door."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bellwire.engine.errors import RecordingError
from bellwire.engine.events import no_events
from bellwire.engine.recordings.attached import notes as module
from bellwire.engine.recordings.attached.notes import SEEN, note_from_json, note_to_json, threads_by_number
from bellwire.engine.recordings.header import VERSION, VERSION_ATTACHED, Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.synthetic import synthetic_recording
from tests.support.seen_recordings import CHANGED, FIRST, NOTES, THREADS, attached_header, seen_recording, seen_stream
from tests.support.seen_vmms import SEEN as TOPOLOGY


def test_a_note_is_read_as_it_was_written() -> None:
    first, second = (note_from_json(note_to_json(note)) for note in NOTES)
    assert (first.tsc, first.threads) == (FIRST, THREADS)
    assert first.topology is not None
    assert first.topology.vms == TOPOLOGY.vms
    assert second.topology is not None
    assert second.topology.vms == CHANGED.vms
    assert threads_by_number((first, second)) == {one.tid: one for one in THREADS}


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"tsc": -1, "threads": []}', b'{"tsc": 1, "threads": [7]}'])
def test_what_is_no_note_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        note_from_json(text)


def test_a_recording_holds_them_and_is_refused_where_journeys_are_wanted(tmp_path: Path) -> None:
    recording = seen_recording(tmp_path / "seen.arrow")
    assert [note.tsc for note in recording.notes] == [note.tsc for note in NOTES]
    assert recording.header.attached is not None
    assert recording.header.attached.title == "qemu-system-x86_64 · web"
    assert recording.header.version == VERSION_ATTACHED
    assert not recording.warning
    assert sum(events.size for events in recording.batches()) == seen_stream().size
    with pytest.raises(RecordingError, match="hops, not journeys"):
        Recording(tmp_path / "seen.arrow")


def test_a_run_of_a_scenario_keeps_its_format(tmp_path: Path) -> None:
    synthetic_recording(tmp_path / "run.arrow", 1000)
    assert Recording(tmp_path / "run.arrow", attached=True).header.version == VERSION
    assert VERSION == 3


def test_a_killed_recorder_has_lost_no_note(tmp_path: Path) -> None:
    path = tmp_path / "cut.arrow"
    recorder = Recorder(path, attached_header())
    recorder.append(seen_stream(50))
    for note in NOTES:
        recorder.note(note)
    whole = path.read_bytes()  # as it is on the disk at that moment
    recorder.close()
    cut = tmp_path / "killed.arrow"
    cut.write_bytes(whole)
    recording = Recording(cut, attached=True)
    assert len(recording.notes) == 2
    assert len(recording) == seen_stream(50).size
    assert not recording.whole


def test_notes_are_bounded_for_who_writes_and_for_who_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.engine.recordings.recorder.MOST_NOTES", 3)
    with Recorder(tmp_path / "many.arrow", attached_header(), notes=NOTES * 4) as recorder:
        recorder.append(seen_stream(10))
    assert len(Recording(tmp_path / "many.arrow", attached=True).notes) == 3
    assert Recording(tmp_path / "many.arrow", attached=True).notes_end is None
    monkeypatch.setattr("bellwire.engine.recordings.recording.MOST_NOTES", 2)
    again = Recording(tmp_path / "many.arrow", attached=True)
    assert len(again.notes) == 2
    assert "ends early" in again.warning


@pytest.mark.parametrize("bound", ["MOST_NOTES", "MOST_NOTED"])
def test_where_notes_had_no_more_room_it_is_said(bound: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last that had was what was registered, whatever came after it."""
    size = max(len(note_to_json(note)) for note in NOTES)
    for side in ("recorder", "recording"):
        monkeypatch.setattr(f"bellwire.engine.recordings.{side}.{bound}", 3 if bound == "MOST_NOTES" else 5 * size)
    with Recorder(tmp_path / "few.arrow", attached_header(), notes=NOTES[:2]) as recorder:
        recorder.append(seen_stream(10))
    assert Recording(tmp_path / "few.arrow", attached=True).warning == ""
    with Recorder(tmp_path / "many.arrow", attached_header(), notes=NOTES * 9) as recorder:
        recorder.append(seen_stream(10))
    recording = Recording(tmp_path / "many.arrow", attached=True)
    assert len(recording.notes) < len(NOTES * 9)
    assert recording.whole
    assert recording.warning.startswith("It has no room for more notes of what was registered: what changed after ")


def test_a_note_in_a_run_of_a_scenario_is_damage(tmp_path: Path) -> None:
    synthetic_recording(tmp_path / "run.arrow", 1000)
    header = Recording(tmp_path / "run.arrow").header
    with Recorder(tmp_path / "harmed.arrow", header) as recorder:
        recorder.append(seen_stream(10))
        recorder.flush()
        recorder.note(NOTES[0])
    assert "ends early" in Recording(tmp_path / "harmed.arrow").warning


@pytest.mark.parametrize("member", ["attached", "version", "clock_hz"])
def test_a_header_that_contradicts_itself_is_refused(tmp_path: Path, member: str) -> None:
    content = json.loads(attached_header().content())
    content[member] = {"attached": {"pid": "x"}, "version": VERSION, "clock_hz": 0}[member]

    class Harmed(Header):
        def content(self) -> bytes:
            return json.dumps(content).encode()

    made = attached_header()
    harmed = Harmed(**{name: getattr(made, name) for name in made.__dataclass_fields__})
    with Recorder(tmp_path / "harmed.arrow", harmed) as recorder:
        recorder.append(no_events())
    with pytest.raises(RecordingError, match="header of this recording is damaged"):
        Recording(tmp_path / "harmed.arrow", attached=True)


def test_the_key_is_one_of_ours() -> None:
    assert SEEN.startswith(b"bellwire")
    assert module.MOST_NOTED >= 1 << 20
