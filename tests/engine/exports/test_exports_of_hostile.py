"""What is made of recordings that nobody recorded is read whole by the programs that it is made for."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from bellwire.engine.errors import RecordingError
from bellwire.engine.exports.convert import export_for, write_export
from bellwire.engine.recordings.recording import Recording
from tests.support.hostile_recordings import hostile_recording
from tests.support.trace_processor import TraceProcessor

SEED = 2811
OPENED = 10  # recordings
# In a process of their own: these programs start threads that never end. Prints for each folder what each has read of
# the export there, in rows.
READERS = """
import csv, json, sys
import duckdb, pandas, polars, pyarrow.parquet

def rows(out):
    lines = list(csv.reader(open(f"{out}.csv", newline="")))
    assert {len(line) for line in lines} == {len(lines[0])}, f"{out}: lines of other lengths"
    return {
        "csv": len(lines) - 1,
        "csv, pandas": len(pandas.read_csv(f"{out}.csv")),
        "csv, polars": polars.read_csv(f"{out}.csv", infer_schema_length=None).height,
        "csv, duckdb": duckdb.execute(f"SELECT count(*) FROM read_csv('{out}.csv', sample_size=-1)").fetchone()[0],
        "parquet": pyarrow.parquet.read_table(f"{out}.parquet").num_rows,
        "parquet, pandas": len(pandas.read_parquet(f"{out}.parquet")),
        "parquet, polars": polars.read_parquet(f"{out}.parquet").height,
        "parquet, duckdb": duckdb.execute(f"SELECT count(*) FROM '{out}.parquet'").fetchone()[0],
        "arrow, pandas": len(pandas.read_feather(f"{out}.arrow")),
        "arrow, polars": polars.read_ipc(f"{out}.arrow").height,
        "arrows, polars": polars.read_ipc_stream(f"{out}.arrows").height,
    }

print(json.dumps({out: rows(out) for out in sys.argv[1:]}))
"""
SUFFIXES = (".csv", ".parquet", ".arrow", ".arrows")


def opened(folder: Path) -> Iterator[Recording]:
    """The first ones that are not refused."""
    found = 0
    for number in count():
        path = folder / f"{number}.arrow"
        hostile_recording(path, random.Random(f"{SEED}/{number}"))
        try:
            recording = Recording(path)
        except RecordingError:
            continue
        found += 1
        yield recording
        if found == OPENED:
            return


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Recording]:
    """They may be read and written in any order."""
    return list(opened(tmp_path_factory.mktemp("hostile")))


def test_tables_have_a_row_an_event_for_each_reader(recordings: list[Recording], tmp_path: Path) -> None:
    rows: dict[str, int] = {}
    for number, recording in enumerate(recordings):
        out = tmp_path / f"{number}"
        rows[str(out)] = sum(events.size for events in recording.sorted_batches())
        for suffix in SUFFIXES:
            write_export(recording, out.with_suffix(suffix), export_for(out.with_suffix(suffix)))
    read = subprocess.run(
        [sys.executable, "-c", READERS, *rows], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert read.returncode == 0, read.stderr
    told = json.loads(read.stdout)
    assert {out: set(counts.values()) for out, counts in told.items()} == {out: {count} for out, count in rows.items()}
    assert sum(rows.values()) > OPENED


def test_perfetto_finds_nothing_wrong(recordings: list[Recording], tmp_path: Path) -> None:
    slices = 0
    with TraceProcessor() as processor:
        for number, recording in enumerate(recordings):
            out = tmp_path / f"{number}.pftrace"
            write_export(recording, out, export_for(out))
            processor.load(out.read_bytes())
            slices += processor.query("SELECT count(*) FROM slice")[0][0]
            assert not processor.query("SELECT name, value FROM stats WHERE severity != 'info' AND value > 0"), out
    assert slices > OPENED
