"""What the manual says of recordings is what is in one."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pyarrow as pa

from bellwire.engine.events import EVENT, EventKind
from bellwire.engine.recordings.annotations.annotation import (
    FORMAT,
    MOST_ANNOTATIONS,
    MOST_WORDS,
    Annotation,
    AnnotationKind,
    EventPin,
    Ink,
    PartPin,
    Pin,
    StagePin,
    annotation_table,
    pin_table,
)
from bellwire.engine.recordings.header import ENUMS, VERSION, VERSION_ATTACHED, Header
from bellwire.engine.recordings.metadata import BatchFacts
from bellwire.engine.recordings.outline import Outline
from bellwire.engine.recordings.recorder import save_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from docs.computed.schema import HOLDERS, NAMED, column_table, kind_table, number_tables, remarks

PAGE = (Path(__file__).resolve().parents[2] / "docs/recordings.md").read_text()


def section(title: str) -> str:
    """What the page says under a heading."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def members(title: str) -> set[str]:
    """The names in the first column of its tables."""
    heads = re.findall(r"^\| (`.*?) \|", section(title), re.MULTILINE)
    return {name for head in heads for name in re.findall(r"`(\w+)`", head)}


def test_every_member_of_the_header_is_in_the_table(tmp_path: Path) -> None:
    shipped = Recording(path_of_shipped("roundtrip"))
    save_recording(tmp_path / "again.arrow", shipped.header, shipped.batches())
    with pa.ipc.open_file((tmp_path / "again.arrow").read_bytes()) as file:
        header = json.loads(file.schema.metadata[b"bellwire"])
        told = json.loads(file.get_batch_with_custom_metadata(0)[1][b"bellwire"])
        end = json.loads(file.get_batch_with_custom_metadata(file.num_record_batches - 1)[1][b"bellwire"])
    first, *_, last = ENUMS
    assert members("About the run") == {*set(header) - set(ENUMS), "attached", first, last, *told}
    assert set(told) == {field.name for field in fields(BatchFacts)}
    assert members("The end") == set(end) == {field.name for field in fields(Outline)}
    assert {field.name for field in fields(Header)} - {"clock"} <= members("About the run")


def test_every_fact_of_the_host_is_named() -> None:
    with pa.ipc.open_file(str(path_of_shipped("roundtrip"))) as file:
        host = json.loads(file.schema.metadata[b"bellwire"])["host"]
    row = next(line for line in section("About the run").splitlines() if line.startswith("| `host`"))
    assert set(re.findall(r"`(\w+)`", row)) == {"host", *host}


def test_every_member_of_an_annotation_is_in_the_table() -> None:
    pins: list[Pin] = [EventPin(1, EventKind.RING, 1), StagePin(1, 1, "eventfd", 1), PartPin("driver", 1)]
    tables = [annotation_table(Annotation(AnnotationKind.ARROW, "x", pin, to="exit", moved=(1, 1))) for pin in pins]
    inside = {key for pin in pins for key in next(iter(pin_table(pin).values()))}
    words = {word.value for numbers in (AnnotationKind, Ink) for word in numbers}
    assert members("Notes and arrows") == {name for table in tables for name in table}
    named = set(re.findall(r"`(\w+)`", section("Notes and arrows")))
    assert inside | words | {"version", "annotations"} <= named
    assert {str(MOST_ANNOTATIONS), str(MOST_WORDS), f"({FORMAT})"} <= set(
        re.findall(r"\(?\d+\)?", section("Notes and arrows"))
    )


def test_the_newest_version_is_the_last_one() -> None:
    assert re.findall(r"^\| (\d+) \|", section("Versions"), re.MULTILINE)[-2:] == [str(VERSION), str(VERSION_ATTACHED)]


def test_every_column_kind_and_number_is_in_a_table() -> None:
    assert re.findall(r"^\| `(\w+)` \|", column_table(), re.MULTILINE) == list(EVENT.names or ())
    assert re.findall(r"^\| \d+ `(\w+)` \|", kind_table(), re.MULTILINE) == [kind.name for kind in sorted(EventKind)]
    assert set(HOLDERS) == set(NAMED) == set(ENUMS) - {"kinds", "stats", "tracepoints", "functions", "exit_reasons"}
    shown = number_tables()
    for names in (table for name, table in ENUMS.items() if name != "kinds"):
        assert {name for name in names if f"`{name}`" not in shown} == set()


def test_every_kind_says_what_it_means() -> None:
    told = remarks(EventKind)
    assert [kind.name for kind in EventKind if not re.search(r"`(id|seq|arg)`", told[kind.name])] == []
    assert told["RING"] == "The guest, just before the doorbell's instruction: `id` address, `seq` doorbell."
