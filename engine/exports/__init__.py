"""A recording as other programs want it: one file a format. EXPORTS names them, and is what the command line offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from bellwire.engine.exports import arrow, csv, hdr, parquet, perfetto
from bellwire.engine.recordings.recording import Progress, Recording


@dataclass(frozen=True)
class Export:
    """One format. write(recording, file, progress) returns how many events, or latencies, it has written."""

    suffix: str
    title: str
    unit: str  # what is counted
    write: Callable[[Recording, IO[bytes], Progress], int]


EXPORTS = {
    "parquet": Export(".parquet", "Parquet, one row an event", "events", parquet.write),
    "csv": Export(".csv", "CSV, one line an event", "events", csv.write),
    "perfetto": Export(".pftrace", "a trace for ui.perfetto.dev", "events", perfetto.write),
    "hgrm": Export(".hgrm", "HdrHistogram's percentiles", "latencies", hdr.write_percentiles),
    "hlog": Export(".hlog", "HdrHistogram's log, a line a second and latency", "latencies", hdr.write_log),
    "arrow": Export(".arrow", "a recording again, whole and in order", "events", arrow.write),
    "arrows": Export(".arrows", "the same as an Arrow stream", "events", arrow.write_stream),
}
