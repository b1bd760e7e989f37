"""CSV: one line an event, a first line with the columns' names."""

from __future__ import annotations

from typing import IO, Any

import pyarrow as pa
import pyarrow.csv

from bellwire.engine.exports.batches import batches
from bellwire.engine.exports.columns import column_arrays, fields_of
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recording import Progress, Recording


def plain_fields(header: Header) -> list[pa.Field[Any]]:
    """The columns, names as texts."""
    fields = fields_of(header)
    return [pa.field(field.name, pa.string()) if pa.types.is_dictionary(field.type) else field for field in fields]


def write(recording: Recording, file: IO[bytes], progress: Progress) -> int:
    """How many events."""
    written, fields = 0, plain_fields(recording.header)
    schema = pa.schema(fields)
    with pa.csv.CSVWriter(file, schema) as writer:
        for events in batches(recording, progress):
            plain = [
                column.cast(field.type) for column, field in zip(column_arrays(recording, events), fields, strict=True)
            ]
            writer.write_batch(pa.record_batch(plain, schema=schema))
            written += events.size
    return written
