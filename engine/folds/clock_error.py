"""How far the guest's clock and the host's can be apart: bounds from the journeys themselves.

Nothing arrives before it was sent. A latency measured from a guest's stamp to a host's is the true one less what the
guest's clock is ahead, so the smallest one bounds that from below; from a host's stamp to a guest's it is the true one
more that, so the smallest one bounds it from above. Neither is an estimate: no assumption on symmetry goes in, and
what the kernel says of the clocks is only compared.

What belongs together is told by numbers, not by order: with the journeys whose stamps contradict their order left out,
no bound could ever leave out 0.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Clock
from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.folds.journeys import FROM_GUEST_TO_GUEST, TO_GUEST, TO_HOST, Journeys
from bellwire.engine.language import tr

AGREE_NS = 100_000  # bounds that lie further out than this on either side tell nothing of use
RARE = 0.01  # of all differences: so many below 0 are not believed, as a number may have been read a moment late
FEW = 10  # differences: of so many a single one below 0 is rare as well; of fewer it may be all that is known

Cycles = npt.NDArray[np.int64]


class Agreement(StrEnum):
    """What can be said of the two clocks."""

    AGREE = "agree"  # 0 lies within bounds that are near
    APART = "apart"  # the bounds leave out 0
    UNKNOWN = "unknown"  # they do not, but one is missing, or far away


class Smallest:
    """A fold over differences of stamps (cycles, may be negative): the smallest one that can be believed."""

    def __init__(self) -> None:
        self.count = 0
        self._late: int | None = None  # the smallest from 0 on
        self._early = Histogram()  # how far below 0 the others are

    def feed(self, cycles: Cycles) -> None:
        """Adds differences, shape (n,)."""
        if not cycles.size:
            return
        self.count += cycles.size
        early = cycles < 0
        if early.any():
            self._early.record(-cycles[early])
            cycles = cycles[~early]
        if cycles.size:
            self._late = int(cycles.min()) if self._late is None else min(self._late, int(cycles.min()))

    @property
    def cycles(self) -> int | None:
        """But for the rare ones below 0; None if there is nothing."""
        unbelieved = max(int(RARE * self.count), int(self.count >= FEW))
        believed = self._early.count - unbelieved
        if believed <= 0:
            return self._late
        return -self._early.percentile(100 * believed / self._early.count)


class ClockError:
    """A fold over journeys: the least and the most that the guest's TSC can be ahead of the host's, in cycles.

    Where doorbells go to another process no host stamps either end, and the bounds stay None. Where they go to another
    guest (`two_guests`), it is that one's TSC, ahead of the TSC of the guest that rings; nothing comes back, so that
    one bound stays None.
    """

    def __init__(self, clock: Clock, two_guests: bool = False) -> None:
        self.clock, self.two_guests = clock, two_guests
        self.journeys = self.contradicted = 0  # complete ones; of these, whose stamps contradict their order
        self._to_host, self._to_guest = Smallest(), Smallest()

    def feed(self, journeys: Journeys, out_of_order: Journeys) -> None:
        """Takes the next journeys, those of the warm-up too: they are slow, but no less true."""
        self.journeys += journeys.size + out_of_order.size
        self.contradicted += out_of_order.size
        to_guest = (FROM_GUEST_TO_GUEST,) if self.two_guests else TO_GUEST
        for some in (side for side in (journeys, out_of_order) if side.size):
            for direction, pairs in ((self._to_host, TO_HOST), (self._to_guest, to_guest)):
                for start, end in pairs:
                    direction.feed(stamped_apart(some, start, end))

    @property
    def clocks(self) -> str:
        """Whose they are, within a sentence."""
        return tr("the two guests' clocks") if self.two_guests else tr("guest and host clocks")

    @property
    def least(self) -> int | None:
        """The guest's TSC is ahead by at least so many cycles; None: not bounded."""
        smallest = self._to_host.cycles
        return None if smallest is None else -smallest

    @property
    def most(self) -> int | None:
        """And by at most so many."""
        return self._to_guest.cycles

    @property
    def ns(self) -> tuple[float | None, float | None]:
        """(least, most) in ns; None: not bounded on that side."""
        least, most = (None if cycles is None else self.clock.ns(cycles) for cycles in (self.least, self.most))
        return least, most

    @property
    def apart(self) -> bool:
        """Whether the bounds leave out 0: the clocks do not agree, and one-way latencies are off by at least that."""
        least, most = self.least, self.most
        return (least is not None and least > 0) or (most is not None and most < 0)

    @property
    def agreement(self) -> Agreement:
        """They agree only if both bounds are near."""
        if self.apart:
            return Agreement.APART
        near = all(ns is not None and abs(ns) <= AGREE_NS for ns in self.ns)
        return Agreement.AGREE if near else Agreement.UNKNOWN

    def contradicts(self, offset: int | None) -> bool:
        """Whether the bounds leave out what KVM says that the guest is ahead, in cycles; None: it says nothing."""
        if offset is None or self.two_guests:
            return False
        least, most = self.least, self.most
        return (least is not None and offset < least) or (most is not None and offset > most)


def stamped_apart(journeys: Journeys, start: str, end: str) -> Cycles:
    """Cycles from one stage to another, of the journeys that have both; shape (n,)."""
    starts, ends = journeys[start], journeys[end]
    both = (starts > 0) & (ends > 0)
    return ends[both].astype(np.int64) - starts[both].astype(np.int64)
