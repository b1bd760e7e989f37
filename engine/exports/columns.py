"""Events as columns that explain themselves: names instead of numbers, nanoseconds beside cycles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from bellwire.engine.events import EventKind, Events, Lane, full_exit_name
from bellwire.engine.recordings.attached.seen_events import ACCESSED, addresses_of, lengths_of, threads_of
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recording import Recording

KINDS = pa.array([EventKind(n).name if n in list(EventKind) else "" for n in range(max(EventKind) + 1)])
LANES = pa.array([lane.name for lane in sorted(Lane)])
NAMED = pa.dictionary(pa.int16(), pa.string())
FOREIGN = pa.dictionary(pa.int32(), pa.string())  # of which each of a batch's events may have another one

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


SEEN_FIELDS = [  # of a VMM that was seen from outside, in place of `seq`, which holds no number of a signal there
    pa.field("thread", pa.uint32(), nullable=False),
    pa.field("thread_name", FOREIGN, nullable=False),
    pa.field("address", pa.uint64(), nullable=False),  # of an access; else 0
    pa.field("length", pa.uint8(), nullable=False),  # of an access, bytes; 0: not told
    pa.field("reason", FOREIGN, nullable=False),  # of USER_EXIT: KVM_EXIT_IO, EINTR; else ""
]


def fields_of(header: Header) -> list[pa.Field[Any]]:
    """Those that column_arrays() gives of such a recording."""
    return [*FIELDS, *SEEN_FIELDS] if header.attached else FIELDS


def column_arrays(recording: Recording, events: Events) -> list[pa.Array[Any]]:
    """An array for each of fields_of()."""
    more = seen_arrays(recording, events) if recording.header.attached else []
    return [*usual_arrays(recording, events), *more]


def seen_arrays(recording: Recording, events: Events) -> list[pa.Array[Any]]:
    """Those of SEEN_FIELDS."""
    accesses, threads = np.isin(events["kind"], ACCESSED), threads_of(events)
    names = {one.tid: one.name for note in recording.notes for one in note.threads}
    different, which = np.unique(threads, return_inverse=True)
    called = pa.array([names.get(thread, "") for thread in different.tolist()], pa.string())
    return [
        pa.array(threads.astype(np.uint32)),
        pa.DictionaryArray.from_arrays(which.astype(np.int32), called),
        pa.array(np.where(accesses, addresses_of(events), np.uint64(0))),
        pa.array(np.where(accesses, lengths_of(events), np.uint64(0)).astype(np.uint8)),
        reasons_told(events),
    ]


def reasons_told(events: Events) -> pa.Array[Any]:
    """Of each USER_EXIT why KVM_RUN has returned; of others ""."""
    exits = events["kind"] == EventKind.USER_EXIT
    different, which = np.unique(events[exits][["id", "arg"]], return_inverse=True)
    numbers = np.zeros(events.size, np.int32)
    numbers[exits] = which + 1
    names = ["", *(full_exit_name(*pair) for pair in different.tolist())]
    return pa.DictionaryArray.from_arrays(numbers, pa.array(names, pa.string()))


def usual_arrays(recording: Recording, events: Events) -> list[pa.Array[Any]]:
    """Those of FIELDS."""
    since = events["tsc"] - np.uint64(recording.first)
    return [
        pa.array(np.rint(recording.header.clock.ns_array(since)).astype(np.int64)),
        pa.array(np.ascontiguousarray(events["tsc"])),
        pa.DictionaryArray.from_arrays(events["kind"].astype(np.int16), KINDS),
        pa.DictionaryArray.from_arrays(events["lane"].astype(np.int16), LANES),
        *(pa.array(np.ascontiguousarray(events[name])) for name in ("vm", "id", "seq", "arg")),
    ]
