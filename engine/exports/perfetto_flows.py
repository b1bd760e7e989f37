"""Which journeys an event belongs to: a flow for each, from the doorbell, or the lone interrupt, to the handler.

Unlike a JourneyTracker it must say so at each event, before the journey is complete; it goes by the same rules, so that
the flows that come to a handler are the journeys that are counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np

from bellwire.engine.events import SIGNALLING, EventKind, Lane, Setting, Switch
from bellwire.engine.folds.beginning import Before
from bellwire.engine.folds.journeys import OPEN_LIMIT, WAITING_LIMIT, InTurn
from bellwire.engine.folds.masked_pin import MaskedPin

LONE = 1 << 62  # added to the number of an interrupt that answers no doorbell
REACH = 1 << 32  # from the newest number that an event names to those that may be meant

Ends = tuple[list[int], list[int]]  # flows that pass through an event, flows that end there
NOWHERE: Ends = ([], [])
# Events that neither a flow passes through nor change how the others go on: half of most recordings.
ASIDE = frozenset(EventKind) - {
    *(EventKind.RING, EventKind.EXIT, EventKind.DOORBELL, *SIGNALLING),
    *(EventKind.HANDLER, EventKind.SETTING, EventKind.BEFORE, EventKind.LOST, EventKind.WIRE),
}


class Row(NamedTuple):
    """An event as Python's numbers; at: ns since the first event."""

    at: int
    kind: EventKind
    lane: Lane
    vm: int
    id: int
    seq: int
    arg: int


class Flows:
    """Follows journeys by their numbers. direct: doorbells are interrupts; queues: that the guest rings in turn."""

    def __init__(self, direct: bool, queues: int, masked: bool = False, in_turn: InTurn | None = None) -> None:
        """masked: the interrupt's pin is, from the start. in_turn: what tells of a level's handlers."""
        self._direct, self._queues = direct, queues
        self._rung: dict[int, None] = {}  # doorbells on their way, in order
        self._signalled: dict[int, list[int]] = {}  # interrupts on their way, in order: the flows that each carries on
        self._answered = 0  # newest doorbell that an interrupt answered
        self._newest = 0  # newest interrupt signalled
        self._unsure = False  # whether a signal was lost since the last that answered a doorbell
        self._announced = 0  # newest interrupt that a handler knew of
        self._in_turn = in_turn
        self._pin = MaskedPin()
        if masked:
            self._pin.mask(0)

    def of(self, row: Row) -> Ends:
        """The flows of the next event."""
        if row.kind in ASIDE:
            return NOWHERE
        match row.kind:
            case EventKind.RING:
                return [self._opened(row.seq)], []
            case EventKind.EXIT if row.seq:
                return [n for n in (row.seq,) if n in self._rung], []
            case EventKind.DOORBELL:
                return self._covered(row), []
            case EventKind.IRQFD | EventKind.IRQ_IOCTL | EventKind.SUBMIT:
                return self._signal(row), []
            case EventKind.HANDLER:
                return [], self._handled(self._own(row))
            case _:
                self._note(row)
                return NOWHERE

    def _note(self, row: Row) -> None:
        """What is no part of a journey, and yet changes how they go on."""
        match row.kind, row.id:
            case EventKind.SETTING, Setting.MASKED:
                self._pin.mask(row.seq) if row.arg else self._pin.unmask(row.seq)
            case EventKind.BEFORE, Before.SIGNALLED:
                self._newest = max(self._newest, row.seq)
            case EventKind.BEFORE, Before.COVERED:
                self._announced = max(self._announced, row.seq)
            case EventKind.LOST, Lane.GUEST | Lane.ENGINE:  # the handler of what is under way may be among them
                (self._rung if self._direct else self._signalled).clear()
                if self._in_turn:
                    self._in_turn.miss()
            case EventKind.WIRE, Switch.IRQFD if self._in_turn:
                self._in_turn.wire(bool(row.arg))

    def _opened(self, doorbell: int) -> int:
        self._rung[doorbell] = None
        if len(self._rung) > OPEN_LIMIT:
            del self._rung[next(iter(self._rung))]
        return doorbell

    def _covered(self, row: Row) -> list[int]:
        """The doorbells that a read has received: of its queue, the newest `arg`."""
        first, last = (number * self._queues + row.id + 1 for number in (row.seq - min(row.arg, row.seq), row.seq - 1))
        return within(self._rung, range(max(first, last - REACH), last + 1, self._queues))

    def _signal(self, row: Row) -> list[int]:
        """The doorbells that it answers; a flow of its own if it answers none."""
        above, upto = self._answered, max(self._answered, row.arg)
        self._unsure |= row.seq != self._newest + 1
        self._newest, self._answered = row.seq, upto
        flows = [LONE + row.seq % LONE]
        if upto > above:
            passed = within(self._rung, range(max(above + 1, upto - REACH), upto + 1))
            # After a gap only the newest doorbell is known to be this signal's: others may have been the lost ones'.
            flows = [doorbell for doorbell in passed if doorbell == upto or not self._unsure]
            self._unsure = False
            for doorbell in passed:
                del self._rung[doorbell]
        if not self._dropped(row.seq):
            self._signalled[row.seq] = flows
        if len(self._signalled) > WAITING_LIMIT:
            del self._signalled[next(iter(self._signalled))]
        return flows

    def _dropped(self, interrupt: int) -> bool:
        """Whether no handler will ever run for it."""
        return bool(self._pin.above) and bool(self._pin.drops(np.array([interrupt], np.uint64))[0])

    def _own(self, row: Row) -> Row:
        """A handler of a level by the number of the interrupt that it ran for; 0: not known, or none."""
        if self._in_turn is None:
            return row
        return row._replace(seq=self._in_turn.next(row.seq, row.arg), arg=1)

    def _handled(self, row: Row) -> list[int]:
        """What this handler is for: the interrupts that were signalled by now and are known to the guest by now.

        It may have known of one before that was signalled; so that one's own handler covers nothing new.
        """
        before, self._announced = self._announced, max(self._announced, row.seq)
        if self._direct:
            ended = up_to(self._rung, self._announced)
            for doorbell in ended:
                del self._rung[doorbell]
            return ended
        numbers, covered_from = up_to(self._signalled, self._announced), row.seq - min(row.arg, row.seq)
        carried = {number: self._signalled.pop(number) for number in numbers}
        # Not those that another handler has covered, which is missing.
        return [flow for n, flows in carried.items() if n <= before or n > covered_from for flow in flows]


def within(open_: Collection[int], numbers: range) -> list[int]:
    """The numbers that are under way, by looking at the fewer of the two."""
    if len(numbers) > len(open_):
        return [number for number in open_ if number in numbers]
    return [number for number in numbers if number in open_]


def up_to(open_: Iterable[int], newest: int) -> list[int]:
    """The numbers under way, in order, up to the newest; what is under way comes in order."""
    found = []
    for number in open_:
        if number > newest:
            break
        found.append(number)
    return found
