"""One answer to "where is the signal?": at which stages a journey may be at a moment, and which one is looked at.

Where several stages are possible at a moment, as no stamp tells them apart, all of them are given, and the one that is
looked at is the first: what is certain to have begun. A story looks at each in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bellwire.engine.folds.journeys import Journeys
from bellwire.viz.stages.moments import FOREVER, Moments
from bellwire.viz.stages.times import Known, StageTimes, stamps
from bellwire.viz.stages.way import StageWay, Stop


@dataclass(frozen=True)
class Standpoint:
    """A journey and its stops at a moment.

    journey: shape (1,). times: of it alone. first, last: the stops that it may be at, `tsc` being the moment; stop: the
    one that is looked at. beside: the stop of another's branch that a story looks at instead; None: it does not.
    """

    journey: Journeys
    moments: Moments
    times: StageTimes
    first: int
    last: int
    stop: int
    tsc: int
    beside: Stop | None = None

    @property
    def stops(self) -> tuple[Stop, ...]:
        """All of the way."""
        return self.times.way.stops

    @property
    def here(self) -> Stop:
        """What is looked at."""
        return self.beside or self.stops[self.stop]

    @property
    def possible(self) -> tuple[Stop, ...]:
        """Where the signal may be."""
        return self.stops[self.first : self.last + 1]

    @property
    def start(self) -> int:
        """TSC of the journey's first stamp."""
        return int(self.times.earliest[0, 0])

    def began(self, stop: int) -> tuple[int, int | None]:
        """Cycles after the journey's start at which a stop began: at the earliest, and at the latest; None: unknown."""
        latest = int(self.times.latest[0, stop])
        return int(self.times.earliest[0, stop]) - self.start, None if latest == FOREVER else latest - self.start

    def cycles_between(self, first: int, last: int) -> int:
        """Within how many cycles the beginnings of these stops lie; 0: measured, or not known."""
        latest = int(self.times.latest[0, last])
        return 0 if latest == FOREVER else latest - int(self.times.earliest[0, first])

    def stamp(self, name: str) -> int:
        """TSC of a stamp of the journey or of a moment on its way; 0 if there is none."""
        return int(stamps(name, self.journey, self.moments)[0])

    def known(self, stop: int) -> Known:
        """What is known of that."""
        return self.times.known(stop)

    def at(self, stop: int) -> Standpoint:
        """The same journey, looked at where it reaches a stop: at its stamp, or at the earliest it can have."""
        tsc = int(self.times.earliest[0, stop])
        first, last = self.times.standing(tsc)
        return replace(self, first=int(first[0]), last=max(int(last[0]), stop), stop=stop, tsc=tsc, beside=None)

    def meanwhile(self, beside: Stop, tsc: int) -> Standpoint:
        """The same journey at `tsc`, while another one does what is looked at: the signal is where it is by then."""
        first, last = (int(stops[0]) for stops in self.times.standing(tsc))
        return replace(self, first=first, last=last, stop=last, tsc=tsc, beside=beside)


def in_count(way: StageWay, first: int, last: int) -> tuple[int, int]:
    """What a journey at these stops adds to its doorbell's eventfd's count: at least, at most.

    It is counted from when the eventfd is signalled until the reader's read() has returned.
    """
    return between(way.index("eventfd", out=True), way.index("waiter", out=True), first, last)


def in_irq_count(way: StageWay, first: int, last: int) -> tuple[int, int]:
    """The same of its interrupt's eventfd, as long as no irqfd is there: an irqfd takes the count at once."""
    return between(way.index("kept", out=False), way.index("lapic", out=False), first, last)


def in_local_apic(way: StageWay, first: int, last: int) -> tuple[int, int]:
    """What a journey at these stops adds to the interrupts that the local APIC has noted: at least, at most.

    It waits there until the guest's handler runs.
    """
    return between(way.index("lapic", out=False), way.index("handler", out=False), first, last)


def between(begin: int, end: int, first: int, last: int) -> tuple[int, int]:
    """Whether it is certain, and whether it is possible, that what is at one of these stops is from begin to end."""
    if begin < 0 or end < 0:
        return 0, 0
    return int(begin <= first and last < end), int(last >= begin and first < end)
