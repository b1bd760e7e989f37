"""A recording's events, batch by batch in the order of their time, with the progress that this makes."""

from __future__ import annotations

from collections.abc import Iterator

from bellwire.engine.events import Events
from bellwire.engine.recordings.recording import Progress, Recording


def batches(recording: Recording, progress: Progress) -> Iterator[Events]:
    """All of them; memory is that of a batch."""
    done, total = 0, max(len(recording), 1)
    for events in recording.sorted_batches():
        yield events
        done += events.size
        progress(done / total)
