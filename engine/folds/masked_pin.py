"""Which interrupts the kernel dropped, because their pin was masked when they were signalled.

The pin changes while nothing is signalled (engine/machines/lab.py), so the numbers tell exactly which: those above the
newest one when it was masked, up to the newest one when it was unmasked.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import EventKind, Events, Setting, by_kind

MOST = 2**64 - 1  # that a number of an event holds; what a damaged recording adds up to may be more
NEVER = 2**63  # where a span ends that has not ended

Numbers = npt.NDArray[np.uint64]


@dataclass
class MaskedPin:
    """A fold over events. Two numbers for each time that the pin was masked."""

    above: list[int] = field(default_factory=list)
    upto: list[int] = field(default_factory=list)

    @property
    def masked(self) -> bool:
        """Whether it is masked now."""
        return bool(self.upto) and self.upto[-1] == NEVER

    def mask(self, newest: int) -> None:
        """From the interrupt after `newest` on they are lost."""
        if not self.masked:
            self.above.append(newest)
            self.upto.append(NEVER)

    def unmask(self, newest: int) -> None:
        """`newest` was the last one that is lost."""
        if self.masked:
            self.upto[-1] = newest

    def feed(self, events: Events) -> None:
        """Adds the next batch."""
        settings = by_kind(events).of(EventKind.SETTING)
        settings = settings[settings["id"] == Setting.MASKED]
        for newest, masked in zip(settings["seq"].tolist(), settings["arg"].tolist(), strict=True):
            self.mask(newest) if masked else self.unmask(newest)

    def lost(self, upto: int) -> int:
        """How many of the interrupts 1 to `upto` are lost."""
        return int(self.lost_each(np.array([min(upto, MOST)], np.uint64))[0])

    def lost_each(self, upto: Numbers) -> Numbers:
        """The same for each of many; shape (n,)."""
        if not self.above:
            return np.zeros(upto.size, np.uint64)
        above, ends = np.array(self.above, np.uint64), np.array(self.upto, np.uint64)
        before = np.concatenate([np.zeros(1, np.uint64), np.cumsum(ends - above, dtype=np.uint64)])
        span = np.searchsorted(above, upto)  # so many begin before
        newest = np.maximum(span, 1) - 1
        within = np.minimum(upto, ends[newest]) - above[newest]
        return np.where(span > 0, before[newest] + within, np.uint64(0))

    def newest_kept(self, upto: Numbers) -> Numbers:
        """Of the interrupts 1 to each of these, the newest that is not lost; 0 if all are. Shape (n,)."""
        if not self.above:
            return upto
        above, ends = np.array(self.above, np.uint64), np.array(self.upto, np.uint64)
        span = np.searchsorted(above, upto)  # so many begin before
        newest = np.maximum(span, 1) - 1
        return np.where((span > 0) & (upto <= ends[newest]), above[newest], upto)

    def drops(self, numbers: Numbers) -> npt.NDArray[np.bool_]:
        """Which of these interrupts are lost; shape (n,)."""
        return self.lost_each(numbers) > self.lost_each(numbers - np.uint64(1))
