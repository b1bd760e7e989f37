"""Parquet: one row an event. Every file names its run in its columns, so that a folder of them is one data set.

What is the same in all rows of a file (scenario, backend ...) costs nothing there: it is stored once, with a count.
The recording's whole header is in the file's metadata, under "bellwire".
"""

from __future__ import annotations

from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from bellwire.engine.events import Events
from bellwire.engine.exports.columns import NAMED, column_arrays, fields_of
from bellwire.engine.foreign import shown
from bellwire.engine.recordings.header import METADATA, Header
from bellwire.engine.recordings.recording import Progress, Recording

ROWS = 1 << 20  # of a row group: what readers take at once


def run_of(recording: Recording) -> dict[str, str]:
    """What tells this file's rows from those of others."""
    header = recording.header
    return {
        "recording": shown(recording.path.stem),
        "scenario": header.scenario.name,
        "backend": header.backend,
        "cpu": header.host.get("cpu", ""),
        "kernel": header.host.get("kernel", ""),
        "started": header.started,
    }


def schema_of(header: Header, run: dict[str, str]) -> pa.Schema:
    """The event's columns, then the run's."""
    fields = [*fields_of(header), *(pa.field(name, NAMED, nullable=False) for name in run)]
    return pa.schema(fields, {METADATA: header.content()})


def batch_of(recording: Recording, events: Events, run: dict[str, str], schema: pa.Schema) -> pa.RecordBatch:
    """The rows of these events."""
    same = np.zeros(events.size, np.int16)
    constant = [pa.DictionaryArray.from_arrays(same, pa.array([value])) for value in run.values()]
    return pa.record_batch([*column_arrays(recording, events), *constant], schema=schema)


def write(recording: Recording, file: IO[bytes], progress: Progress) -> int:
    """How many events."""
    run, written = run_of(recording), 0
    schema = schema_of(recording.header, run)
    waiting: list[pa.RecordBatch] = []
    with pa.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for events in recording.sorted_batches(progress):
            waiting.append(batch_of(recording, events, run, schema))
            written += events.size
            if sum(batch.num_rows for batch in waiting) >= ROWS:
                writer.write_table(pa.Table.from_batches(waiting, schema), row_group_size=ROWS)
                waiting = []
        writer.write_table(pa.Table.from_batches(waiting, schema), row_group_size=ROWS)
    return written
