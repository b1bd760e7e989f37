"""Streams that have lost some of their events, and say so."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import EventKind, Events, Lane, end_to_end, event
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped


def lossy(name: str, kind: EventKind, lane: Lane, every: int) -> tuple[Events, int]:
    """A shipped recording's events without each `every`th of a kind, and how many those are; `lane` has lost them."""
    events = end_to_end(*Recording(path_of_shipped(name)).sorted_batches())
    gone = np.flatnonzero(events["kind"] == kind)[1::every]
    word = event(int(events["tsc"][gone[-1]]), EventKind.LOST, Lane.ENGINE, lane, int(events["tsc"][0]), gone.size)
    before, after = np.arange(events.size) < gone[-1], np.arange(events.size) > gone[-1]
    there = ~np.isin(np.arange(events.size), gone)
    return np.concatenate([events[there & before], word, events[there & after]]), int(gone.size)
