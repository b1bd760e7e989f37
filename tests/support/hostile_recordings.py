"""Recordings that nobody recorded: what is in a file, damaged or made up at every level of it, by a random number.

Bits of the file; its metadata, member by member; columns, compression, batches and footers; the events themselves, in
the ranges that they may have and beyond; and the index that is kept of a recording.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from bellwire.engine.events import EVENT, Clock, EventKind, Events, Lane
from bellwire.engine.recordings import index_cache
from bellwire.engine.recordings.annotations.annotation import (
    ANNOTATIONS,
    Annotation,
    AnnotationKind,
    EventPin,
    Ink,
    PartPin,
    StagePin,
    annotations_to_json,
)
from bellwire.engine.recordings.attached.notes import SEEN, note_to_json
from bellwire.engine.recordings.batch import KNOWN_KINDS, MOST
from bellwire.engine.recordings.header import FIELDS, METADATA, Header
from bellwire.engine.recordings.index import RecordingIndex
from bellwire.engine.recordings.outline import Outline
from bellwire.engine.recordings.recorder import by_time
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.synthetic import round_trips
from bellwire.engine.scenarios.scenario import list_scenarios
from tests.support.seen_recordings import NOTES, attached_header, seen_stream

AT_RANDOM = 10_000  # events of a batch that are made up one by one; of millions that would take minutes
OLDER = [Path(__file__).parents[1] / "recordings" / f"format-{version}.arrow" for version in (1, 2)]
SCENARIOS = list_scenarios()
HOSTILE = "<h1>A & B</h1><img src='x'>[/x][bold]\x1b[31m\x1b]0;owned\x07\u202e\r\n\t../../x"
ABSURD = (  # JSON texts
    *("null", "true", "[]", "{}", "-1", "1e999", "1e300", "1e-300", "NaN", "Infinity", "0", "0.5", "1", str(2**63)),
    *(str(2**64), "9" * 5000, '"\\ud800"', '"\\u0000"', '"x"', '""', '[["x", 1, 2]]', '{"x": {"x": []}}'),
    *(json.dumps(HOSTILE), json.dumps("y" * 100_000), "[" * 50_000 + "]" * 50_000, '{"a": 1, "a": 2}', "{", ""),
)
EXTREME = (0, 1, 2, 7, 2**8, 2**16, 2**31, 2**32 - 1, 2**53, 2**56, 2**62, 2**63 - 1, 2**63, 2**64 - 1)


@dataclass
class Made:
    """A recording to be written, as it would be if all were well."""

    header: bytes
    batches: list[Events]
    about: dict[int, bytes] = field(default_factory=dict)  # by number of the batch: its metadata, if not the true one
    outline: bytes | None = None  # if not the true one
    annotations: bytes = b""
    notes: list[bytes] = field(default_factory=list)  # of a VMM that was seen from outside
    fields: list[pa.Field[Any]] = field(default_factory=lambda: list(FIELDS))
    compression: Literal["lz4", "zstd"] | None = None
    as_file: bool = True

    def write(self, path: Path) -> None:
        """As Arrow writes it."""
        schema = pa.schema(self.fields, {METADATA: self.header})
        options = pa.ipc.IpcWriteOptions(use_threads=False, compression=self.compression)
        new = pa.ipc.new_file if self.as_file else pa.ipc.new_stream
        with path.open("wb") as file, new(file, schema, options=options) as writer:
            for note in self.notes:
                writer.write_batch(record_batch(np.empty(0, EVENT), schema), custom_metadata={SEEN: note})
            for number, events in enumerate(self.batches):
                true = {"first": int(events["tsc"][0]), "last": int(events["tsc"][-1]), "events": events.size}
                about = self.about.get(number, json.dumps(true).encode())
                writer.write_batch(record_batch(events, schema), custom_metadata={METADATA: about} if about else None)
            end = outline_of(self.batches).to_json().encode() if self.outline is None else self.outline
            metadata = {METADATA: end} | ({ANNOTATIONS: self.annotations} if self.annotations else {})
            writer.write_batch(record_batch(np.empty(0, EVENT), schema), custom_metadata=metadata)


def outline_of(batches: list[Events]) -> Outline:
    """Of those events whose kinds, ids and lanes exist."""
    outline = Outline()
    for events in batches:
        outline.feed(events[KNOWN_KINDS[events["kind"]] & (events["id"] < 2) & (events["lane"] < len(Lane))])
    return outline


def record_batch(events: Events, schema: pa.Schema) -> pa.RecordBatch:
    """The events in the columns of a schema, whatever those are."""
    columns = []
    for wanted in schema:
        if wanted.name in (EVENT.names or ()):
            values = pa.array(np.ascontiguousarray(events[wanted.name]))
            try:
                encoded = pa.types.is_dictionary(wanted.type)
                columns.append(values.dictionary_encode() if encoded else values.cast(wanted.type))
            except pa.ArrowException:
                columns.append(pa.nulls(events.size, wanted.type))
        else:
            columns.append(pa.nulls(events.size, wanted.type))
    return pa.record_batch(columns, schema=schema)


def plain(rng: random.Random) -> Made:
    """One that is well: a few batches of some scenario, or of a VMM that was seen from outside."""
    if rng.random() < 0.3:
        return plain_of_attached(rng)
    scenario = rng.choice(SCENARIOS)
    header = Header(scenario, {"cpu": "Test", "cpus": "2", "kernel": "6.1"}, "kvm_intel", Clock(2e9), "0.1.0")
    some = round_trips(np.random.default_rng(rng.randrange(2**32)), 10**9, 0)[: rng.choice((30, 400, 3000))]
    return Made(header.content(), np.array_split(some, rng.choice((1, 3, 5))))


def plain_of_attached(rng: random.Random) -> Made:
    """Of a VMM that was seen from outside."""
    notes = [note_to_json(note) for note in NOTES]
    return Made(attached_header().content(), np.array_split(seen_stream(rng.choice((10, 400))), 3), notes=notes)


# -- Ways to harm one. Each takes what is well, and changes it.

Harm = Callable[[Made, random.Random], None]


def any_member(text: bytes, rng: random.Random) -> bytes:
    """JSON with something absurd in place of a member of it."""
    content = json.loads(text)
    at = content
    while True:
        key = rng.choice(list(at))
        if isinstance(at[key], dict) and at[key] and rng.random() < 0.8:
            at = at[key]
            continue
        match rng.randrange(4):
            case 0:
                del at[key]
            case 1:
                at[HOSTILE] = at.pop(key)
            case _:
                at[key] = "HERE"
        return json.dumps(content).replace('"HERE"', rng.choice(ABSURD)).encode()


def harm_header(made: Made, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 3))):
        try:
            made.header = any_member(made.header, rng)
        except (ValueError, RecursionError):
            return


def harm_texts(made: Made, rng: random.Random) -> None:
    """Nothing is wrong but what it says."""
    content = json.loads(made.header)
    texts = {
        "scenario": ("title", "purpose", "shows", "name"),
        "host": ("cpu", "kernel"),
        "attached": ("name", "guest"),
    }
    for name, keys in texts.items():
        content.get(name, {}).update(dict.fromkeys(keys, HOSTILE * rng.choice((1, 1, 500))))
    content["program"] = content["backend"] = HOSTILE
    made.header = json.dumps(content).encode()


def harm_clock(made: Made, rng: random.Random) -> None:
    content = json.loads(made.header)
    content["clock_hz"] = rng.choice((1e6, 1e11, 999_999, 1e-300, 1e300, 5e-324, 2e9))
    content["started_ns"], content["started_tsc"] = rng.choice(EXTREME), rng.choice(EXTREME)
    made.header = json.dumps(content).encode()


def harm_about(made: Made, rng: random.Random) -> None:
    """What the batches say about themselves."""
    for number, events in enumerate(made.batches):
        if rng.random() < 0.7:
            true = {"first": int(events["tsc"][0]), "last": int(events["tsc"][-1]), "events": events.size}
            wrong = {rng.choice(list(true)): rng.choice((*EXTREME, -1, true["first"] + 1, events.size + 1))}
            text = json.dumps(true).encode()
            made.about[number] = rng.choice(
                (json.dumps(true | wrong).encode(), any_member(text, rng), rng.choice(ABSURD).encode())
            )


def harm_outline(made: Made, rng: random.Random) -> None:
    outline = outline_of(made.batches)
    outline.wiring, outline.settings = [[1, "IRQFD", 1]], [[2, "PACE", rng.choice(EXTREME)]]
    text = outline.to_json().encode()
    made.outline = rng.choice((text, any_member(text, rng), rng.choice(ABSURD).encode()))


def harm_annotations(made: Made, rng: random.Random) -> None:
    """What somebody has written on it: some of it well, about what there is and what there is not."""
    first = int(made.batches[0]["tsc"][0]) if made.batches[0].size else 0
    text = annotations_to_json(
        [
            Annotation(AnnotationKind.NOTE, HOSTILE, PartPin("ioeventfd"), moved=(rng.randrange(-4000, 4001), 0)),
            Annotation(AnnotationKind.NOTE, "y" * 280, EventPin(first, EventKind.RING, 1)),
            Annotation(AnnotationKind.NOTE, "late", EventPin(rng.choice(EXTREME) >> 1, EventKind.HANDLER, 2**62)),
            Annotation(AnnotationKind.ARROW, "", StagePin(1, first, "io-bus", first), Ink.HEAVY, HOSTILE[:40]),
        ]
    ).encode()
    absurd = rng.choice(ABSURD).encode()
    made.annotations = rng.choice((text, any_member(text, rng), text.replace(b'"late"', absurd), absurd))


def harm_notes(made: Made, rng: random.Random) -> None:
    """What a VMM had registered: another thing, too much of it, at times that are none; in runs of scenarios, too."""
    text = note_to_json(rng.choice(NOTES))
    content = json.loads(text)
    if "topology" in content:
        (vm,) = content["topology"]["vms"]
        vm["ioeventfds"] *= rng.choice((1, 1000))
        vm["irqfds"] *= rng.choice((1, 1000))
        content["topology"]["process"]["name"] = HOSTILE
    content["tsc"] = rng.choice(EXTREME)
    more = rng.choice((json.dumps(content).encode(), any_member(text, rng), rng.choice(ABSURD).encode()))
    made.notes = rng.choice(([*made.notes, more], [more] * 40, [*made.notes[1:], more, *made.notes[:1]]))


def harm_columns(made: Made, rng: random.Random) -> None:
    """Another order, type, nullability or number of columns."""
    number = rng.randrange(len(made.fields))
    one = made.fields[number]
    match rng.randrange(6):
        case 0:
            rng.shuffle(made.fields)
        case 1:
            other = rng.choice((pa.int64(), pa.float64(), pa.string(), pa.uint8(), pa.list_(pa.int8()), pa.null()))
            made.fields[number] = pa.field(one.name, other)
        case 2:
            made.fields[number] = one.with_nullable(True)
        case 3:
            made.fields[number] = pa.field(one.name, pa.dictionary(pa.int32(), one.type), nullable=False)
        case 4:
            made.fields.append(pa.field(HOSTILE, rng.choice((pa.int8(), pa.string()))))
        case _:
            del made.fields[number]


def harm_values(made: Made, rng: random.Random) -> None:
    """Events at random: with any numbers, with extreme ones that they can have, or out of order."""
    for events in made.batches:
        share = rng.choice((1, 3, AT_RANDOM))
        for row in rng.sample(range(events.size), min(share, events.size)):
            kind = rng.choice(list(EventKind))
            most = MOST[kind]
            beyond = rng.random() < 0.02
            names = ("id", "seq", "arg")
            ranges = {name: 2 ** (8 * EVENT[name].itemsize) - 1 if beyond else getattr(most, name) for name in names}
            events["kind"][row] = rng.randrange(2**16) if beyond else kind
            events["lane"][row] = rng.randrange(2**8) if beyond else rng.randrange(len(Lane))
            events["vm"][row] = rng.choice((0, 0, 1, 5, 15, 200)) if beyond else rng.choice((0, 0, 1, 15))
            for name, largest in ranges.items():
                events[name][row] = min(rng.choice((rng.randrange(20), rng.randrange(largest + 1), largest)), largest)
    harm_times(made, rng)


def harm_times(made: Made, rng: random.Random) -> None:
    """When they happened: all at once, far apart, or so that batches overlap."""
    last = rng.choice((10**9, 10**9 + 1, 10**12, 2**60, 2**63 - 1, 2**64 - 1))
    many = np.random.default_rng(rng.randrange(2**32))  # of millions of rows, Python's own would take seconds
    for number, events in enumerate(made.batches):
        if rng.random() < 0.5:
            times = many.integers(10**9, last, events.size, np.uint64, endpoint=True)
            events["tsc"] = np.sort(times) if rng.random() < 0.95 else times
        made.batches[number] = by_time(events) if rng.random() < 0.95 else events


def harm_size(made: Made, rng: random.Random) -> None:
    """Few bytes that would become many."""
    made.compression = rng.choice(("zstd", "lz4"))
    made.batches = [np.repeat(made.batches[0][:1], rng.choice((1 << 17, 1 << 20, (1 << 21) + 1)))] * rng.choice(
        (1, 3, 24)
    )
    if rng.random() < 0.5:
        made.about = dict.fromkeys(range(len(made.batches)), b"")


def harm_batches(made: Made, rng: random.Random) -> None:
    """Their order, their number, and what they leave unsaid."""
    match rng.randrange(4):
        case 0:
            made.batches = made.batches[::-1]
        case 1:
            made.batches = [made.batches[0][:1]] * 300
        case 2:
            made.batches = made.batches * 3
        case _:
            made.about = dict.fromkeys(range(len(made.batches)), b"")


def harm_nothing(made: Made, rng: random.Random) -> None:
    """What is well stays so."""


HARMS: tuple[Harm, ...] = (
    *(harm_header, harm_header, harm_texts, harm_clock, harm_about, harm_outline, harm_columns),
    *(harm_annotations, harm_notes, harm_notes),
    *(harm_values, harm_values, harm_values, harm_times, harm_size, harm_batches, harm_nothing),
)


def damaged(whole: bytes, rng: random.Random) -> bytes:
    """The file with bytes changed, taken out, doubled, or cut off."""
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at, size = rng.randrange(len(data) + 1), rng.choice((1, 1, 4, 8, 64))
        what = rng.randrange(6)
        if what < 3:
            data[at : at + size] = rng.choice((rng.randbytes(size), b"\0" * size, b"\xff" * size))
        elif what == 3 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif what == 4:
            del data[at : at + size]
        else:
            data[at:at] = data[at : at + size]
    return bytes(data[: rng.randrange(len(data) + 1)]) if rng.random() < 0.1 else bytes(data)


def hostile_recording(path: Path, rng: random.Random) -> str:
    """Writes one; what was done to it."""
    made, harms = plain(rng), rng.sample(HARMS, rng.choice((1, 1, 2, 3)))
    harms.sort(key=lambda harm: harm is harm_header)  # what the others read is JSON until then
    made.compression, made.as_file = rng.choice((None, None, "zstd", "lz4")), rng.random() < 0.8
    for harm in harms:
        harm(made, rng)
    try:
        made.write(path)
    except pa.ArrowException:  # a file holds one dictionary a column
        made.as_file = False
        made.write(path)
    names = [harm.__name__.removeprefix("harm_") for harm in harms]
    if rng.random() < 0.1:
        path.write_bytes(rng.choice(OLDER).read_bytes())
        names = ["older"]
    if rng.random() < 0.2:
        path.write_bytes(damaged(path.read_bytes(), rng))
        names.append("bits")
    return " ".join(names)


def hostile_index(recording: Recording, rng: random.Random) -> None:
    """Keeps an index of it, and damages that."""
    RecordingIndex.built(recording, lambda share: None)
    for path in index_cache.cache().glob("*.index"):
        path.write_bytes(rng.choice((b"", damaged(path.read_bytes(), rng), rng.randbytes(500))))
