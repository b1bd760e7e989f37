"""CSV: one line an event, a first line with the columns' names.

A spreadsheet computes what begins like a formula, whoever wrote it. Names of threads are of other programs: before one
that begins so stands an apostrophe, by which a spreadsheet takes it for text.
"""

from __future__ import annotations

from typing import IO, Any

import pyarrow as pa
import pyarrow.csv

from bellwire.engine.exports.columns import column_arrays, fields_of
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recording import Progress, Recording

FORMULA = ("=", "+", "-", "@")  # what one begins with


def plain_fields(header: Header) -> list[pa.Field[Any]]:
    """The columns, names as texts."""
    fields = fields_of(header)
    return [pa.field(field.name, pa.string()) if pa.types.is_dictionary(field.type) else field for field in fields]


def text_column(column: pa.Array[Any]) -> pa.Array[Any]:
    """The column with texts that are no formulas in place of their numbers."""
    if not isinstance(column, pa.DictionaryArray):
        return column
    names = map(str, column.dictionary.to_pylist())
    texts = [f"'{name}" if name.startswith(FORMULA) else name for name in names]
    return pa.DictionaryArray.from_arrays(column.indices, pa.array(texts, pa.string())).cast(pa.string())


def write(recording: Recording, file: IO[bytes], progress: Progress) -> int:
    """How many events."""
    written, schema = 0, pa.schema(plain_fields(recording.header))
    with pa.csv.CSVWriter(file, schema) as writer:
        for events in recording.sorted_batches(progress):
            columns = [text_column(column) for column in column_arrays(recording, events)]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            written += events.size
    return written
