"""Annotations: what was written is what is read, from any file; older programs read the rest; nothing else gets in."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from bellwire.engine.events import EventKind
from bellwire.engine.exports import EXPORTS
from bellwire.engine.exports.convert import write_export
from bellwire.engine.outlet import Outlet
from bellwire.engine.recordings.annotations.annotation import (
    ANNOTATIONS,
    MOST_ANNOTATIONS,
    MOST_WORDS,
    Annotation,
    AnnotationKind,
    EventPin,
    Ink,
    PartPin,
    StagePin,
    annotations_to_json,
    one_line,
    read_annotations,
)
from bellwire.engine.recordings.capture import Capture
from bellwire.engine.recordings.outline import Outline
from bellwire.engine.recordings.recorder import Recorder, save_recording
from bellwire.engine.recordings.recording import Recording
from tests.support.small_recording import BATCHES, HEADER

NOTE, ARROW = AnnotationKind.NOTE, AnnotationKind.ARROW
SOME = (
    Annotation(NOTE, "Here the guest leaves", EventPin(1030, EventKind.RING, 103)),
    Annotation(NOTE, "ünïcode ◆", StagePin(103, 1030, "io-bus", 1030), Ink.DOORBELL, moved=(-40, 60)),
    Annotation(NOTE, "always there", PartPin("ioeventfd"), Ink.KVM),
    Annotation(ARROW, "", PartPin("driver", 1040), Ink.HEAVY, to="wakes"),
)


def saved(path: Path, annotations: tuple[Annotation, ...] = SOME) -> Recording:
    save_recording(path, HEADER, BATCHES, annotations=annotations)
    return Recording(path)


@pytest.mark.parametrize("suffix", [".arrow", ".arrows"])
def test_what_was_written_is_what_is_read(tmp_path: Path, suffix: str) -> None:
    recording = saved(tmp_path / f"r{suffix}")
    assert recording.annotations == SOME
    assert (recording.warning, len(recording)) == ("", 9)
    assert recording.closing is not None


def test_who_does_not_know_of_them_reads_the_rest(tmp_path: Path) -> None:
    """The last message is an outline as ever, under the name as ever; Arrow reads all events."""
    saved(tmp_path / "r.arrow")
    reader = pa.ipc.open_file((tmp_path / "r.arrow").read_bytes())
    batch, metadata = reader.get_batch_with_custom_metadata(reader.num_record_batches - 1)
    assert (batch.num_rows, reader.read_all().num_rows) == (0, 9)
    assert Outline.from_json(metadata[b"bellwire"]).events == 9
    assert read_annotations(metadata[ANNOTATIONS]) == SOME
    assert saved(tmp_path / "none.arrow", ()).annotations == ()
    without = pa.ipc.open_file((tmp_path / "none.arrow").read_bytes())
    assert ANNOTATIONS not in without.get_batch_with_custom_metadata(without.num_record_batches - 1)[1]


def test_a_process_that_is_killed_has_not_lost_them(tmp_path: Path) -> None:
    """What is cut off behind them has them, but no outline: that was of a part."""
    with Recorder(tmp_path / "r.arrow", HEADER) as recorder:
        recorder.append(BATCHES[0])
        recorder.annotate(SOME[:2])
        recorder.append(BATCHES[1])
        recorder.flush()
        (tmp_path / "cut.arrow").write_bytes(recorder.path.read_bytes())
        recorder.annotate(SOME)
    cut = Recording(tmp_path / "cut.arrow")
    assert (cut.annotations, cut.whole, cut.closing, len(cut)) == (SOME[:2], False, None, 4)
    whole = Recording(tmp_path / "r.arrow")
    assert (whole.annotations, whole.warning, whole.outline().events) == (SOME, "", 4)


def test_a_capture_has_what_was_written_meanwhile(tmp_path: Path) -> None:
    outlet = Outlet()
    capture = Capture(tmp_path / "r.arrow", HEADER, BATCHES[0], outlet)
    capture.annotations = SOME
    capture.stop()
    assert capture.wait(20)
    assert Recording(capture.path).annotations == SOME


@pytest.mark.parametrize("name", ["arrow", "arrows"])
def test_a_conversion_keeps_them(tmp_path: Path, name: str) -> None:
    export = EXPORTS[name]
    target = tmp_path / f"out{export.suffix}"
    write_export(saved(tmp_path / "r.arrow"), target, export)
    assert Recording(target).annotations == SOME


def test_perfetto_has_each_as_an_instant(tmp_path: Path) -> None:
    write_export(saved(tmp_path / "r.arrow"), tmp_path / "with.pftrace", EXPORTS["perfetto"])
    write_export(saved(tmp_path / "n.arrow", ()), tmp_path / "without.pftrace", EXPORTS["perfetto"])
    noted, bare = (tmp_path / "with.pftrace").read_bytes(), (tmp_path / "without.pftrace").read_bytes()
    for words in ("Annotations", *(one.text for one in SOME[:3]), "→ wakes"):
        assert words.encode() in noted
        assert words.encode() not in bare


GOOD = json.loads(annotations_to_json(SOME))


def harmed(**members: object) -> bytes:
    """A list with one annotation, which has other members; None: that one is gone."""
    one = GOOD["annotations"][0] | members
    return json.dumps(GOOD | {"annotations": [{k: v for k, v in one.items() if v is not None}]}).encode()


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"[]", b"{}", b'{"version": 1}', b'{"version": 1, "annotations": {}}', b"\xff", b'{"version": 2}'),
        harmed(kind="poem"),
        harmed(text=None),
        harmed(text=7),
        harmed(text=" "),
        harmed(ink="#ff0000"),
        harmed(ink=["kvm"]),
        harmed(to="driver"),
        harmed(kind="arrow"),
        harmed(moved=[1]),
        harmed(moved=[1, 4001]),
        harmed(moved=[True, 1]),
        harmed(event=None),
        harmed(part={"part": "driver"}),
        harmed(event={"tsc": -1, "kind": "RING", "number": 1, "vm": 0}),
        harmed(event={"tsc": 2**63, "kind": "RING", "number": 1, "vm": 0}),
        harmed(event={"tsc": 1, "kind": "NOTHING", "number": 1, "vm": 0}),
        harmed(event={"tsc": 1, "kind": "RING", "number": 1, "vm": 0, "and": 1}),
        harmed(script="rm"),
        json.dumps(GOOD | {"annotations": GOOD["annotations"][:1] * (MOST_ANNOTATIONS + 1)}).encode(),
    ],
)
def test_anything_else_is_refused_and_the_events_are_read(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_annotations(text)
    if not text:
        return
    recording = saved(tmp_path / "r.arrow")
    recording._take_annotations(text)
    assert recording.annotations == ()
    assert recording.warning.startswith("Its annotations are left out, they cannot be read: ")
    assert "\n" not in recording.warning


def test_a_text_steers_nobody() -> None:
    hostile = "<b>x</b>\x1b[31m\u202e\n\n  y" + "z" * 1000
    assert one_line(hostile).startswith("<b>x</b>␛[31m\\u202e y")
    assert len(one_line("z" * 1000)) == MOST_WORDS
    read = read_annotations(harmed(text=hostile))[0]
    assert not set("\x1b\u202e\n") & set(read.text)


def test_as_many_and_as_long_as_there_may_be(tmp_path: Path) -> None:
    """What the editor lets through the reader takes."""
    longest = SOME[1].said("𝄞" * MOST_WORDS)
    assert saved(tmp_path / "r.arrow", (longest,) * MOST_ANNOTATIONS).annotations == (longest,) * MOST_ANNOTATIONS
