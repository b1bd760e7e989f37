"""Which journeys an event belongs to: a flow for each, from the doorbell, or the lone interrupt, to the handler.

Unlike a JourneyTracker it must say so at each event, before the journey is complete. So it goes by what the events
themselves say: which doorbells a read covers, up to which one a signal answers, which interrupts a handler covers.
"""

from __future__ import annotations

from typing import NamedTuple

from bellwire.engine.events import EventKind, Lane

LONE = 1 << 62  # added to the number of an interrupt that answers no doorbell
AT_ONCE = 256  # flows of one event
OPEN_LIMIT = 1 << 16  # journeys under way

Ends = tuple[list[int], list[int]]  # flows that pass through an event, flows that end there
NOWHERE: Ends = ([], [])


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

    def __init__(self, direct: bool, queues: int) -> None:
        self._direct, self._queues = direct, queues
        self._rung: dict[int, None] = {}  # doorbells on their way, in order
        self._signalled: dict[int, list[int]] = {}  # interrupts on their way: the flows that each carries on
        self._answered = 0

    def of(self, row: Row) -> Ends:
        """The flows of the next event."""
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
                return [], self._handled(row)
            case _:
                return NOWHERE

    def _opened(self, doorbell: int) -> int:
        self._rung[doorbell] = None
        if len(self._rung) > OPEN_LIMIT:
            del self._rung[next(iter(self._rung))]
        return doorbell

    def _covered(self, row: Row) -> list[int]:
        """The doorbells that a read has received: of its queue, the newest `arg`."""
        numbers = range(max(row.seq - min(row.arg, AT_ONCE), 0), row.seq)
        of_queue = (number * self._queues + row.id + 1 for number in numbers)
        return [doorbell for doorbell in of_queue if doorbell in self._rung]

    def _signal(self, row: Row) -> list[int]:
        """The doorbells that it answers; a flow of its own if there are none."""
        first = max(self._answered + 1, row.arg - AT_ONCE + 1)
        answered = [doorbell for doorbell in range(first, row.arg + 1) if doorbell in self._rung]
        self._answered = max(self._answered, row.arg)
        for doorbell in answered:
            del self._rung[doorbell]
        self._signalled[row.seq] = answered or [LONE + row.seq % LONE]
        if len(self._signalled) > OPEN_LIMIT:
            del self._signalled[next(iter(self._signalled))]
        return self._signalled[row.seq]

    def _handled(self, row: Row) -> list[int]:
        """What the interrupts were for that this handler covers."""
        numbers = range(max(row.seq - min(row.arg, AT_ONCE), 0) + 1, row.seq + 1)
        if self._direct:
            ended = [number for number in numbers if number in self._rung]
            for number in ended:
                del self._rung[number]
            return ended
        return [flow for number in numbers for flow in self._signalled.pop(number, [])]
