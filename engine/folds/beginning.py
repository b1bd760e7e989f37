"""What was before a stream that begins in the middle of a run: the newest numbers until then, and to count from there.

The guest's and the host's numbers go on as they are, so that #4711 is #4711 everywhere; but what a stream adds up to is
only what is in it. engine/folds/prologue.py says how such a stream opens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from bellwire.engine.events import SIGNALLING, EventKind, Events, Setting, by_kind


class Before(IntEnum):
    """`id` of EventKind.BEFORE: which number its seq is."""

    RUNG = 0  # newest doorbell rung
    RECEIVED = 1  # newest doorbell received from the queue `arg`
    SIGNALLED = 2  # newest interrupt signalled
    COVERED = 3  # newest interrupt that a handler knew of
    BUFFERS_ADDED = 4  # to a virtqueue
    BUFFERS_USED = 5
    STAT = 6  # value of the kernel's counter `arg`, an index into STATS


INTERRUPTS = (*SIGNALLING, EventKind.HANDLER)


@dataclass
class Beginning:
    """The numbers that a stream begins behind; of one that begins at the start all are 0."""

    rung: int = 0
    signalled: int = 0
    covered: int = 0
    buffers_added: int = 0
    buffers_used: int = 0
    received: dict[int, int] = field(default_factory=dict)  # by queue
    stats: dict[int, int] = field(default_factory=dict)  # by index into STATS
    noted: bool = False  # whether there is anything else than 0

    def note(self, events: Events) -> None:
        """Takes the BEFORE events of a batch."""
        for before in by_kind(events).of(EventKind.BEFORE):
            self.noted = True
            which, number, arg = int(before["id"]), int(before["seq"]), int(before["arg"])
            match which:
                case Before.RECEIVED:
                    self.received[arg] = number
                case Before.STAT:
                    self.stats[arg] = number
                case _ if which < len(Before):
                    setattr(self, Before(which).name.lower(), number)

    @property
    def doorbells(self) -> int:
        """Doorbells that are none of the stream's: those received before it."""
        return sum(self.received.values())

    @property
    def under_way(self) -> tuple[int, int, int]:
        """Doorbells rung and not received, interrupts signalled and not handled, buffers added and not used."""
        return (
            max(0, self.rung - self.doorbells),
            max(0, self.signalled - self.covered),
            max(0, self.buffers_added - self.buffers_used),
        )

    def relative(self, events: Events) -> Events:
        """The events (shape (n,)) with numbers that count from the beginning."""
        if not self.noted:
            return events
        events = events.copy()
        kind = events["kind"]
        lower(events, "seq", kind == EventKind.RING, self.doorbells)
        lower(events, "seq", np.isin(kind, INTERRUPTS), self.covered)
        lower(events, "seq", kind == EventKind.BUFFERS, self.buffers_used)
        for queue, number in self.received.items():
            lower(events, "seq", (kind == EventKind.DOORBELL) & (events["id"] == queue), number)
        for index, value in self.stats.items():
            lower(events, "arg", (kind == EventKind.STAT) & (events["id"] == index), value)
        masked = (kind == EventKind.SETTING) & (events["id"] == Setting.MASKED)
        lower(events, "seq", masked, self.covered)
        return events


def lower(events: Events, field: str, which: np.ndarray[tuple[int], np.dtype[np.bool_]], by: int) -> None:
    """Some numbers less by an amount, those before the beginning 0."""
    if by:
        events[field][which] -= np.minimum(events[field][which], np.uint64(by))
