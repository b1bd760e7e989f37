"""Events as columns that explain themselves: names instead of numbers, nanoseconds beside cycles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from bellwire.engine.events import EventKind, Events, Lane
from bellwire.engine.recordings.recording import Recording

KINDS = pa.array([EventKind(n).name if n in list(EventKind) else "" for n in range(max(EventKind) + 1)])
LANES = pa.array([lane.name for lane in sorted(Lane)])
NAMED = pa.dictionary(pa.int16(), pa.string())

FIELDS = [
    pa.field("time_ns", pa.int64(), nullable=False),  # since the recording's first event
    pa.field("tsc", pa.uint64(), nullable=False),
    pa.field("kind", NAMED, nullable=False),
    pa.field("lane", NAMED, nullable=False),
    pa.field("vm", pa.uint8(), nullable=False),
    pa.field("id", pa.uint32(), nullable=False),
    pa.field("seq", pa.uint64(), nullable=False),
    pa.field("arg", pa.uint64(), nullable=False),
]


def column_arrays(recording: Recording, events: Events) -> list[pa.Array[Any]]:
    """An array for each of FIELDS."""
    since = events["tsc"] - np.uint64(recording.first)
    return [
        pa.array(np.rint(recording.header.clock.ns_array(since)).astype(np.int64)),
        pa.array(np.ascontiguousarray(events["tsc"])),
        pa.DictionaryArray.from_arrays(events["kind"].astype(np.int16), KINDS),
        pa.DictionaryArray.from_arrays(events["lane"].astype(np.int16), LANES),
        *(pa.array(np.ascontiguousarray(events[name])) for name in ("vm", "id", "seq", "arg")),
    ]
