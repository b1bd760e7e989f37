"""The door: whatever stands in a recording's metadata, it is a value of a known type and range, or one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bellwire.engine.errors import RecordingError
from bellwire.engine.events import EVENT, FLAT_OUT, EventKind, Lane, Setting, event
from bellwire.engine.kernel.watch import KNOWN_BITS
from bellwire.engine.recordings.batch import MOST, plausible
from bellwire.engine.recordings.header import METADATA, Header, read_header
from bellwire.engine.recordings.metadata import MOST_BYTES, MOST_ROWS, BatchFacts, batch_facts, json_table
from bellwire.engine.recordings.outline import CHANGES_LIMIT, Outline
from bellwire.engine.recordings.recorder import Recorder, save_recording
from bellwire.engine.recordings.recording import Recording
from tests.support.small_recording import BATCHES, HEADER, batch

PATH = Path("x.arrow")
DEEP = "[" * 100_000 + "]" * 100_000
ABSURD = (  # JSON texts, each of which is wrong almost everywhere
    *("null", "true", "[]", "{}", "-1", "1e999", "-1e999", "1e300", "1e-300", "0", "0.5", str(2**64), "9" * 5000),
    *('"\\ud800"', '"\\u0000"', '"x"', '[["x"]]', '{"x": {"x": []}}', '""', json.dumps("y" * 100_000), DEEP),
)


def members(content: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The place of each member, however deep."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield (*path, key)
            yield from members(value, (*path, key))


def with_text(content: Any, path: tuple[str, ...], text: str) -> bytes:
    """The content as JSON, with a JSON text at a place."""
    changed = json.loads(json.dumps(content))
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = "HERE"
    return json.dumps(changed).replace('"HERE"', text).encode()


def closed(header: Header) -> bool:
    """Whether everything that others compute with or print is in its range."""
    texts = [header.backend, header.program, header.scenario.title, *header.host, *header.host.values()]
    numbers = [header.started_ns, header.started_tsc, *header.capabilities.values()]
    assert header.started is not None
    return (
        1e6 <= header.clock.hz <= 1e11
        and all(type(number) is int and 0 <= number < 2**63 for number in numbers)
        and all(text.isprintable() and len(text) <= 400 for text in texts)
    )


def test_no_member_of_a_header_can_be_anything() -> None:
    content = json.loads(HEADER.content())
    numbers = (
        "kinds",
        "lanes",
        "stats",
        "tracepoints",
        "functions",
        "eventfd_signallers",
        "probes_lacks",
        "exit_reasons",
    )
    ours = [path for path in members(content) if path[0] not in numbers]
    assert ("scenario", "doorbell", "bus") in ours
    sentences = []
    for path in ours:
        for text in ABSURD:
            try:
                assert closed(read_header({METADATA: with_text(content, path, text)}, PATH)), (path, text[:40])
            except RecordingError as error:
                sentences.append(str(error))
    assert len(sentences) > len(ours) * len(ABSURD) / 3
    assert all(sentence.isprintable() and len(sentence) < 700 for sentence in sentences)


@pytest.mark.parametrize("text", ABSURD)
def test_a_header_that_is_something_else_altogether(text: str) -> None:
    with pytest.raises(RecordingError, match="header of this recording is damaged"):
        read_header({METADATA: text.encode()}, PATH)


@pytest.mark.parametrize(
    "text",
    [b"", b"\xff\xfe{\0}\0", b"\xed\xa0\x80", b'{"a": 1, "a": 2}', b'{"a": NaN}', b'{"a": Infinity}', b"[1]", b'"x"'],
)
def test_what_is_no_plain_object_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="it "):
        json_table(text, "it")


def test_nothing_is_parsed_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("json.loads", lambda *_, **__: pytest.fail("parsed"))
    with pytest.raises(ValueError, match="more than 4 MB"):
        json_table(b" " * (MOST_BYTES + 1), "it")


def test_a_batch_says_where_it_is() -> None:
    good = {"first": 1, "last": 2, "events": 3}
    assert batch_facts(json.dumps(good).encode()) == BatchFacts(1, 2, 3)
    for path in members(good):
        for text in (text for text in ABSURD if text != "0"):
            with pytest.raises(ValueError, match=r"\w"):
                batch_facts(with_text(good, path, text))
    for wrong in ({"first": 3}, {"events": 0}, {"events": MOST_ROWS + 1}, {"last": 2**63}):
        with pytest.raises(ValueError, match=r"\w"):
            batch_facts(json.dumps(good | wrong).encode())


def outline() -> Outline:
    """Of a few events of several kinds."""
    found = Outline()
    found.feed(np.concatenate([*BATCHES, event(2000, EventKind.WIRE, Lane.ENGINE, 1, 0, 1)]))
    found.feed(event(3000, EventKind.LOST, Lane.ENGINE, Lane.GUEST, 0, 5))
    found.feed(event(3001, EventKind.SETTING, Lane.ENGINE, 0, 0, 2**63))
    return found


def test_an_outline_is_what_was_written_down_or_none() -> None:
    good = outline()
    assert Outline.from_json(good.to_json().encode()) == good
    content = json.loads(good.to_json())
    for path in members(content):
        for text in ABSURD:
            try:
                read = Outline.from_json(with_text(content, path, text))
            except ValueError:
                continue
            assert sum(read.kinds.values()) == read.events == good.events
            assert read.stood_before(2**62, False).dtype == EVENT
    for wrong in ({"events": 4}, {"kinds": {"NO": 12}}, {"wiring": [[1, "NO", 1]]}, {"first": 2**62}):
        with pytest.raises(ValueError, match="outline"):
            Outline.from_json(json.dumps(content | wrong).encode())
    with pytest.raises(ValueError, match="at most"):
        Outline.from_json(json.dumps(content | {"wiring": [[1, "IRQFD", 1]] * (CHANGES_LIMIT + 1)}).encode())


def test_every_kind_has_its_ranges_and_no_number_is_beyond_them() -> None:
    assert MOST.keys() == set(EventKind)
    for kind, most in MOST.items():
        for name in ("id", "seq", "arg"):
            largest = event(1, kind, Lane.ENGINE, 0, int(EventKind.RING) * (kind == EventKind.PASSED_OVER))
            assert plausible(largest)
            if kind == EventKind.PASSED_OVER and name == "seq":
                continue
            largest[name] = min(getattr(most, name), 2**32 - 1)
            assert plausible(largest)
            if getattr(most, name) + 1 < 2 ** (8 * EVENT[name].itemsize):
                largest[name] = getattr(most, name) + 1
                assert not plausible(largest), (kind, name)
    for name, value in (("tsc", 2**63), ("vm", 200), ("lane", 77), ("kind", 999)):
        wrong = batch(1, 1)
        wrong[name] = value
        assert not plausible(wrong)


@pytest.mark.parametrize(
    ("setting", "value", "well"),
    [
        (Setting.PACE, FLAT_OUT, True),
        (Setting.PACE, FLAT_OUT + 1, False),
        (Setting.STALLED, 10**12, True),
        (Setting.STALLED, 2**60, False),
        (Setting.KERNEL, KNOWN_BITS, True),
        (Setting.KERNEL, 2**62, False),
        (Setting.PARTNER_STOPPED, 2**22, True),
        (Setting.PARTNER_STOPPED, 2**33, False),
        (Setting.BURST, 1000, True),
        (Setting.BURST, 2**33, False),
    ],
)
def test_a_setting_has_a_value_that_it_can_have(setting: Setting, value: int, well: bool) -> None:
    assert plausible(event(1, EventKind.SETTING, Lane.ENGINE, setting, 0, value)) is well


@pytest.mark.parametrize(
    ("sort", "well"),
    [
        (EventKind.RING | 1 << 24 | 0x510 << 32, True),
        (EventKind.DOORBELL | Lane.IO_THREAD << 16 | 7 << 32, True),
        (EventKind.DOORBELL | Lane.IO_THREAD << 16 | 8 << 32, False),
        (0, False),
        (999, False),
        (EventKind.RING | 77 << 16, False),
        (EventKind.RING | 200 << 24, False),
        (2**64 - 1, False),
    ],
)
def test_what_was_passed_over_was_something_that_there_is(sort: int, well: bool) -> None:
    assert plausible(event(1, EventKind.PASSED_OVER, Lane.ENGINE, 0, sort, 3)) is well


def test_a_recording_that_lasted_for_ages_is_refused(tmp_path: Path) -> None:
    for header, batches in (
        (HEADER, [batch(1, 1), batch(2**62, 1)]),
        (replace(HEADER, started_tsc=2**62), [batch(1, 1)]),
    ):
        save_recording(tmp_path / "ages.arrow", header, batches, force=True)
        with pytest.raises(RecordingError, match="more than 10 years"):
            Recording(tmp_path / "ages.arrow")


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_file_that_would_become_huge_is_refused_before_anything_is_decompressed(
    codec: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = np.repeat(batch(1000, 1), 1 << 18)
    with Recorder(tmp_path / "bomb.arrow", HEADER, compression=codec) as recorder:
        for _ in range(12):
            recorder.append(same)
    assert recorder.path.stat().st_size < 1 << 20
    monkeypatch.setattr(pa, "CompressedInputStream", lambda *_: pytest.fail("decompressed"))
    with pytest.raises(RecordingError, match=r"MB that become more than \d\d MB, as no recording of a guest does"):
        Recording(recorder.path)


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_column_never_becomes_more_than_it_must_be(codec: Any, tmp_path: Path) -> None:
    """Its length says nine events; what is compressed in it is a hundred megabytes."""
    with Recorder(tmp_path / "r.arrow", HEADER, compression=codec) as recorder:
        recorder.append(np.concatenate(BATCHES))
    assert len(next(Recording(recorder.path).batches())) == 9
    data = bytearray(recorder.path.read_bytes())
    start = Recording(recorder.path).entries[0]["offset"]
    at = data.index((9 * 8).to_bytes(8, "little"), int(start))  # the first column
    bomb = pa.compress(b"\0" * 10**8, codec=codec, asbytes=True)[:40]
    data[at + 8 : at + 8 + len(bomb)] = bomb
    recorder.path.write_bytes(data)
    recording = Recording(recorder.path)
    assert next(recording.batches())[["kind", "arg"]].tolist() == [(EventKind.LOST, 9)]
    assert recording.damaged == {0: 9}


def test_what_is_kept_in_memory_is_bounded_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwire.engine.recordings.recording.CACHED", 100 * EVENT.itemsize)
    with Recorder(tmp_path / "r.arrow", HEADER) as recorder:
        for number, size in enumerate((60, 30, 60, 200, 5)):
            recorder.append(batch(1 + 10_000 * number, size))
            recorder.flush()
    recording = Recording(recorder.path)
    kept = []
    for number in range(5):
        recording.read(number)
        kept.append(sum(events.size for events in recording._cache.values()))
    assert kept == [60, 90, 90, 200, 5]
