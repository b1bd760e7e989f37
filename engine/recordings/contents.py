"""What is in a recording, for questions about any stretch of it: how many events of each kind are in each batch, where
events were lost, and which journey took longest.

It is a fold over the batches; the index keeps it beside its levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import EventKind, Events, Lane, chosen
from bellwire.engine.folds.gaps import Gap, Gaps
from bellwire.engine.folds.journeys import JOURNEY, Journeys, JourneyTracker, finish
from bellwire.engine.folds.latency import (
    LATENCIES,
    LEFT_OUT_KEPT,
    WARMUP_SECONDS,
    begin,
    cycles_of,
    has,
    of_warmup,
)
from bellwire.engine.folds.stops import PartnerStops, Stops
from bellwire.engine.recordings.recording import Recording

KINDS = max(EventKind) + 1

Counts = npt.NDArray[np.int64]  # shape (KINDS,)
Times = npt.NDArray[np.uint64]


def kinds_of(events: Events) -> Counts:
    """How many events of each kind; shape (KINDS,)."""
    return np.bincount(events["kind"], minlength=KINDS)[:KINDS]


class Contents:
    """Feed it every batch of the recording, in their order, and the journeys that each completed."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.kinds: npt.NDArray[np.int64] = np.zeros((recording.entries.size, KINDS), np.int64)  # by batch
        self.gaps = Gaps(recording.header.clock)
        self.slowest: Journeys = np.zeros(len(LATENCIES), JOURNEY)  # by latency, of those counted; 0: none has it
        self.left_out: Times = np.empty(0, np.uint64)  # when journeys began that are in no figure: the newest of them
        self._noted: set[int] = set()  # numbers of the batches of which it is known that they cannot be read
        self._journeys = 0
        self._stops, self._partner_stops = (fold(recording.header.clock) for fold in (Stops, PartnerStops))
        self._warm_at = recording.first + recording.header.clock.cycles(WARMUP_SECONDS)

    @classmethod
    def of(cls, recording: Recording) -> Self:
        """By reading all of it; RecordingError if the file has changed."""
        header = recording.header
        contents, tracker = cls(recording), JourneyTracker(header.scenario, header.backend)
        for number in range(recording.entries.size):
            events = recording.read(number)
            contents.feed(number, events, tracker.feed(events))
        return contents

    def feed(self, number: int, events: Events, journeys: Journeys) -> None:
        """Adds a batch; one that is damaged is empty or the word that it is lost, and a gap."""
        self.kinds[number] = kinds_of(events)
        self.gaps.feed(events)
        if not events.size:
            self._add_gap(number)
        self._stops.feed(events)
        self._partner_stops.feed(events)
        self._compare(journeys)

    def _add_gap(self, number: int) -> None:
        """In place of a batch."""
        entry = self.recording.entries[number]
        self.gaps.add(Gap(int(entry["first"]) - 1, int(entry["last"]), Lane.ENGINE, int(entry["events"])))

    def note_gone(self) -> None:
        """What was read once, and can no longer be, is a gap from now on."""
        unread = self.recording.gone | self.recording.damaged.keys()
        for number in sorted(unread - self._noted):
            if self.kinds[number].sum() == self.recording.entries["events"][number]:
                self._add_gap(number)
        self._noted |= unread

    def _compare(self, journeys: Journeys) -> None:
        """Not those of the warm-up, and none that was under way while everything stood still, or who answers it."""
        counted = ~of_warmup(journeys, self._journeys, self._warm_at)
        self._journeys += journeys.size
        for stops in (self._stops, self._partner_stops):
            counted &= ~stops.within(begin(journeys), finish(journeys))
        self.left_out = np.append(self.left_out, begin(journeys)[~counted])[-LEFT_OUT_KEPT:]
        warm = chosen(journeys, counted)
        for row, name in enumerate(LATENCIES):
            cycles = np.where(has(warm, name), cycles_of(warm, name), -1)
            at = int(cycles.argmax()) if cycles.size else 0
            if cycles.size and cycles[at] > int(cycles_of(self.slowest[row : row + 1], name)[0]):
                self.slowest[row] = warm[at]

    def counts(self, t0: int, t1: int) -> Counts:
        """How many events of each kind lie between t0 and t1 (TSC): what lies there whole is not read again."""
        entries = self.recording.entries
        first, last = (np.uint64(min(max(t, 0), 2**64 - 1)) for t in (t0, t1))
        touched = (entries["first"] <= last) & (entries["last"] >= first)
        whole = touched & (entries["first"] >= first) & (entries["last"] <= last)
        found: Counts = self.kinds[whole].sum(axis=0)
        for number in np.flatnonzero(touched & ~whole).tolist():
            events = self.recording.read(number)
            found = found + kinds_of(events[(events["tsc"] >= first) & (events["tsc"] <= last)])
        return found

    def slowest_by(self, name: str) -> Journeys:
        """The journey with the longest latency `name`; shape (1,), or (0,) if none has it."""
        row = LATENCIES.index(name)
        journey = self.slowest[row : row + 1]
        found: Journeys = journey[has(journey, name)]
        return found

    # -- in the cache

    def tables(self) -> dict[str, npt.NDArray[Any]]:
        """What of it lies in tables."""
        return {"kinds": self.kinds, "slowest": self.slowest, "left_out": self.left_out}

    def written_gaps(self) -> list[list[int]]:
        """The gaps as JSON can hold them."""
        return [list(astuple(gap)) for gap in self.gaps.found]

    @classmethod
    def restored(cls, recording: Recording, tables: Mapping[str, npt.NDArray[Any]], gaps: list[list[int]]) -> Self:
        """What was kept of a recording's contents; tables: as tables() has them, but for their shape."""
        contents = cls(recording)
        contents.kinds = tables["kinds"].reshape(-1, KINDS)
        contents.slowest, contents.left_out = tables["slowest"], tables["left_out"]
        for start, end, lane, count, told in gaps:
            contents.gaps.add(Gap(start, end, Lane(lane), count, bool(told)))
        return contents
