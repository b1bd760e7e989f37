"""A recording as other programs want it: one file a format. EXPORTS names them, and is what the command line offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from bellwire.engine.counted import Thing
from bellwire.engine.exports import arrow, csv, hdr, parquet, perfetto
from bellwire.engine.language import tr_later
from bellwire.engine.recordings.recording import Progress, Recording


@dataclass(frozen=True)
class Export:
    """One format. write(recording, file, progress) returns how many events, or latencies, it has written."""

    suffix: str
    title: str  # as a message
    unit: Thing  # what is counted
    write: Callable[[Recording, IO[bytes], Progress], int]


EXPORTS = {
    "parquet": Export(".parquet", tr_later("Parquet, one row an event"), "event", parquet.write),
    "csv": Export(".csv", tr_later("CSV, one line an event"), "event", csv.write),
    "perfetto": Export(".pftrace", tr_later("a trace for ui.perfetto.dev"), "event", perfetto.write),
    "hgrm": Export(".hgrm", tr_later("HdrHistogram's percentiles"), "latency", hdr.write_percentiles),
    "hlog": Export(".hlog", tr_later("HdrHistogram's log, a line a second and latency"), "latency", hdr.write_log),
    "arrow": Export(".arrow", tr_later("a recording again, whole and in order"), "event", arrow.write),
    "arrows": Export(".arrows", tr_later("the same as an Arrow stream"), "event", arrow.write_stream),
}
