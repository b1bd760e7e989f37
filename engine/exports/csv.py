"""CSV: one line an event, a first line with the columns' names."""

from __future__ import annotations

from typing import IO

import pyarrow as pa
import pyarrow.csv

from bellwire.engine.exports.batches import batches
from bellwire.engine.exports.columns import FIELDS, column_arrays
from bellwire.engine.recordings.recording import Progress, Recording

PLAIN = [pa.field(field.name, pa.string()) if pa.types.is_dictionary(field.type) else field for field in FIELDS]


def write(recording: Recording, file: IO[bytes], progress: Progress) -> int:
    """How many events."""
    written, schema = 0, pa.schema(PLAIN)
    with pa.csv.CSVWriter(file, schema) as writer:
        for events in batches(recording, progress):
            plain = [
                column.cast(field.type) for column, field in zip(column_arrays(recording, events), PLAIN, strict=True)
            ]
            writer.write_batch(pa.record_batch(plain, schema=schema))
            written += events.size
    return written
