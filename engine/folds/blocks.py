"""Values in the order of time, as stretches of equal length: what tells how far the values of one run can be trusted.

Latencies that follow each other are alike: a busy spell slows hundreds of them. So n of them say less than n values
that have nothing to do with each other, and only how whole stretches of the run differ shows how much less.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bellwire.engine.folds.histogram import BINS, bin_of, whole

FEW = 512  # values of a block that are not yet counted by bin: a power of two
AT_ONCE = 2  # blocks that are counted in a drain, of those that are not yet
MOST = 192  # blocks; then each two become one, of twice the length

Numbers = npt.NDArray[np.int64]
NOTHING: Numbers = np.empty(0, np.int64)
Block = tuple[Numbers, Numbers]  # bins of a Histogram, some of them more than once, and how many values each holds


class Blocks:
    """A fold over latencies: MOST / 2 to MOST blocks of as many values each, however many there are.

    As long as blocks are of a few values, these are kept one behind the other as they came, and twice as long blocks
    are nothing but another length: it is in drains, and so in frames, that they grow.
    """

    def __init__(self) -> None:
        self.count = 0
        self._length = 1
        self._parts: list[Numbers] = []  # bins of all values, while blocks are of a few
        self._counted: list[Block] = []  # the blocks, once they are of many
        self._uncounted = range(0)  # which of them are as they came, or two blocks one behind the other
        self._open = NOTHING  # bins of the values behind the last of those

    def record(self, values: npt.ArrayLike) -> None:
        """Adds values (shape (n,), ns), the next in time."""
        self.add(bin_of(whole(values)))

    def add(self, bins: Numbers) -> None:
        """The same of values whose bins are known."""
        if not bins.size:
            return
        self.count += bins.size
        if self._length > FEW:
            self._add_counted(bins)
            return
        self._parts.append(bins)
        while self.count >= MOST * self._length:
            self._length *= 2
        if self._length > FEW:
            self._parts, bins = [], np.concatenate(self._parts)
            self._counted = pieces(bins, self._length)
            self._uncounted = range(len(self._counted))
            self._open = bins[len(self._counted) * self._length :]
        elif len(self._parts) > MOST:
            self._parts = [np.concatenate(self._parts)]

    def _add_counted(self, bins: Numbers) -> None:
        self._open = np.concatenate([self._open, bins])
        while self._open.size >= self._length:
            made = pieces(self._open[: (MOST - len(self._counted)) * self._length], self._length)
            self._open = self._open[len(made) * self._length :]
            self._counted += [counted(*block) for block in made]
            if len(self._counted) == MOST:
                pairs = zip(self._counted[::2], self._counted[1::2], strict=True)
                self._counted, self._length = [both(*pair) for pair in pairs], 2 * self._length
                self._uncounted = range(len(self._counted))
        self._count_some(AT_ONCE + bins.size // self._length)

    def _count_some(self, most: int) -> None:
        """Some of those that are not yet: all of them in one drain would take ten milliseconds."""
        for at in self._uncounted[:most]:
            self._counted[at] = counted(*self._counted[at])
        self._uncounted = self._uncounted[most:]

    @property
    def _blocks(self) -> list[Block]:
        """All of them, made when they are asked for if they are of a few values."""
        return self._counted if self._length > FEW else pieces(np.concatenate([NOTHING, *self._parts]), self._length)

    @property
    def number(self) -> int:
        """How many blocks there are."""
        return len(self._counted) if self._length > FEW else self.count // self._length

    def halves(self) -> tuple[Numbers, Numbers] | None:
        """How many values each bin of a Histogram holds of the earlier and of the later half; None of one block."""
        blocks = self._blocks
        middle = len(blocks) // 2
        if not middle:
            return None
        early, late = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
        for number, (bins, counts) in enumerate(blocks):
            np.add.at(early if number < middle else late, bins, counts)
        return early, late

    def shares(self, upto: int, stretches: int) -> npt.NDArray[np.float64]:
        """The share of the values in bins up to `upto` in each of so many stretches of the run, one after the other.

        Shape (stretches,), or (0,) if there are fewer blocks than that.
        """
        blocks = self._blocks
        if len(blocks) < stretches:
            return np.empty(0)
        below = np.array([int(counts[bins <= upto].sum()) for bins, counts in blocks])
        starts = np.arange(stretches) * len(blocks) // stretches
        lengths = np.diff(np.append(starts, len(blocks))) * self._length
        shares: npt.NDArray[np.float64] = np.add.reduceat(below, starts) / lengths
        return shares


def pieces(bins: Numbers, length: int) -> list[Block]:
    """Whole blocks of so many values, from the first on; what is left over is in none."""
    ones = np.ones(length, np.int64)
    return [(bins[at : at + length], ones) for at in range(0, bins.size - length + 1, length)]


def both(a: Block, b: Block) -> Block:
    """Two blocks as one: a bin that both have is there twice, until it is counted."""
    return np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1]])


def counted(bins: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> Block:
    """Each bin once, where there are many. Of two blocks a stable sort is hardly more than a merge: both are rising."""
    if bins.size <= FEW:
        return bins, counts
    order = np.argsort(bins, kind="stable")
    rising = bins[order]
    first = np.flatnonzero(np.concatenate([[True], rising[1:] != rising[:-1]]))
    return rising[first], np.add.reduceat(counts[order], first)
