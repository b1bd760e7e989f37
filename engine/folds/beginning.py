"""A stream that begins in the middle of a run: the events that say how things stood, and numbers counted from there.

A recording can be begun while the guest runs, and the history forgets what is oldest. The guest's and the host's
numbers go on as they are, so that #4711 is #4711 everywhere; but what a stream adds up to is only what is in it. So a
stream that begins in the middle opens with a prologue: the wiring, the settings, and BEFORE events with the newest
numbers until then. What was under way at that moment, rung but not received, signalled but not handled, belongs to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from bellwire.engine.events import STATS, EventKind, Events, Lane, Setting, Switch, event, no_events

if TYPE_CHECKING:
    from bellwire.engine.folds.tally import Tally


class Before(IntEnum):
    """`id` of EventKind.BEFORE: which number its seq is."""

    RUNG = 0  # newest doorbell rung
    RECEIVED = 1  # newest doorbell received from the queue `arg`
    SIGNALLED = 2  # newest interrupt signalled
    COVERED = 3  # newest interrupt that a handler knew of
    BUFFERS_ADDED = 4  # to a virtqueue
    BUFFERS_USED = 5
    STAT = 6  # value of the kernel's counter `arg`, an index into STATS


INTERRUPTS = (EventKind.IRQFD, EventKind.IRQ_IOCTL, EventKind.SUBMIT, EventKind.HANDLER)


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
        for before in events[events["kind"] == EventKind.BEFORE]:
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


def prologue(tally: Tally, tsc: int) -> Events:
    """The events that a stream opens with at `tsc`; tally: of all events until then. None if there were none."""
    before, began = tally.began, []

    def say(which: Before, number: int, arg: int = 0) -> None:
        if number:
            began.append(event(tsc, EventKind.BEFORE, Lane.ENGINE, which, number, arg))

    # The guest's stamps can come after what they caused: who was received was rung.
    rung = max(tally.doorbells_rung, tally.doorbells_received)
    say(Before.RUNG, max(rung + before.doorbells, before.rung))
    signalled = max(tally.irqs_signalled + before.covered, before.signalled)
    say(Before.SIGNALLED, signalled)
    # No handler will ever run for what was lost at a masked pin: it is over.
    over = tally.settings.get(Setting.MASKED) or not tally.irqs_pending
    say(Before.COVERED, signalled if over else tally.irqs_covered + before.covered)
    say(Before.BUFFERS_ADDED, tally.buffers_added + before.buffers_used)
    say(Before.BUFFERS_USED, tally.buffers_used + before.buffers_used)
    received = {0: tally.irqs_covered} if tally.direct else tally.received_from  # direct: the handler receives them
    for queue in {**before.received, **received}:
        say(Before.RECEIVED, received.get(queue, 0) + before.received.get(queue, 0), queue)
    for index, name in enumerate(STATS):
        say(Before.STAT, tally.kvm.get(name, 0) + before.stats.get(index, 0), index)
    for setting, value in tally.settings.items():  # first: how the wires are registered follows from the lab's steps
        began.append(event(tsc, EventKind.SETTING, Lane.ENGINE, setting, 0, value))
    wire = tally.partner_pid or int(tally.direct)
    for switch, on in tally.wiring.items():
        began.append(event(tsc, EventKind.WIRE, Lane.ENGINE, Switch(switch), wire, int(on)))
    return np.concatenate([no_events(), *began])
