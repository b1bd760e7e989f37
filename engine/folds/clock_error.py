"""How far the guest's clock and the host's can be apart: bounds from the journeys themselves.

Nothing arrives before it was sent. A latency measured from a guest's stamp to a host's is the true one less what the
guest's clock is ahead, so the smallest one bounds that from below; from a host's stamp to a guest's it is the true one
more that, so the smallest one bounds it from above. Neither is an estimate: no assumption on symmetry goes in, and
what the kernel says of the clocks is not looked at.
"""

from __future__ import annotations

from bellwire.engine.events import Clock
from bellwire.engine.folds.journeys import Journeys

TO_HOST = (("ring", "doorbell"), ("ring", "exit"))  # (stamped by the guest, then by the host)
TO_GUEST = (("irq", "handler"), ("entry", "rung"))  # (stamped by the host, then by the guest)


class ClockError:
    """A fold over journeys: the least and the most that the guest's TSC can be ahead of the host's, in cycles.

    Where doorbells go to another guest or process no host stamps either end, and the bounds stay None.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.least: int | None = None
        self.most: int | None = None

    def feed(self, journeys: Journeys) -> None:
        """Takes the next journeys, those of the warm-up too: they are slow, but no less true."""
        for stages in TO_HOST:
            cycles = smallest(journeys, *stages)
            if cycles is not None:
                self.least = -cycles if self.least is None else max(self.least, -cycles)
        for stages in TO_GUEST:
            cycles = smallest(journeys, *stages)
            if cycles is not None:
                self.most = cycles if self.most is None else min(self.most, cycles)

    @property
    def ns(self) -> tuple[float | None, float | None]:
        """(least, most) in ns; None: not bounded on that side."""
        least, most = (None if cycles is None else self.clock.ns(cycles) for cycles in (self.least, self.most))
        return least, most

    @property
    def apart(self) -> bool:
        """Whether the bounds leave out 0: the clocks do not agree, and one-way latencies are off by at least that."""
        return (self.least is not None and self.least > 0) or (self.most is not None and self.most < 0)


def smallest(journeys: Journeys, start: str, end: str) -> int | None:
    """Cycles from one stage to another, at their fewest; None if no journey has both."""
    both = journeys[(journeys[start] > 0) & (journeys[end] > 0)]
    return int((both[end].astype("i8") - both[start].astype("i8")).min()) if both.size else None
