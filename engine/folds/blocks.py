"""Values in the order of time, as stretches of equal length: what tells how far the values of one run can be trusted.

Latencies that follow each other are alike: a busy spell slows hundreds of them. So n of them say less than n values
that have nothing to do with each other, and only how whole stretches of the run differ shows how much less.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bellwire.engine.folds.histogram import BINS, bin_of, whole

FEW = 512  # values of a block that are not yet counted by bin
MOST = 192  # blocks; then each two become one, of twice the length

Numbers = npt.NDArray[np.int64]
Block = tuple[Numbers, Numbers]  # bins of a Histogram, and how many values each holds


class Blocks:
    """A fold over latencies: MOST / 2 to MOST blocks of as many values each, however many there are."""

    def __init__(self) -> None:
        self.count = 0
        self._length = 1
        self._blocks: list[Block] = []
        self._open = np.empty(0, np.int64)  # bins of the values behind the last block

    def record(self, values: npt.ArrayLike) -> None:
        """Adds values (shape (n,), ns), the next in time."""
        self.add(bin_of(whole(values)))

    def add(self, bins: Numbers) -> None:
        """The same of values whose bins are known."""
        if not bins.size:
            return
        self.count += bins.size
        self._open = np.concatenate([self._open, bins])
        while not self._blocks and self._open.size >= MOST * self._length:  # many at once: what they would become
            self._length *= 2
        while self._open.size >= self._length:
            for start in range(0, self._open.size - self._length + 1, self._length):
                self._blocks.append(block_of(self._open[start : start + self._length]))
                if len(self._blocks) == MOST:
                    self._open = self._open[start + self._length :]
                    break
            else:
                self._open = self._open[self._open.size // self._length * self._length :]
            if len(self._blocks) == MOST:
                pairs = zip(self._blocks[::2], self._blocks[1::2], strict=True)
                self._blocks, self._length = [both(*pair) for pair in pairs], 2 * self._length

    @property
    def number(self) -> int:
        """How many blocks there are."""
        return len(self._blocks)

    def halves(self) -> tuple[Numbers, Numbers] | None:
        """How many values each bin of a Histogram holds of the earlier and of the later half; None of one block."""
        middle = len(self._blocks) // 2
        if not middle:
            return None
        early, late = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
        for number, (bins, counts) in enumerate(self._blocks):
            np.add.at(early if number < middle else late, bins, counts)
        return early, late

    def shares(self, upto: int, stretches: int) -> npt.NDArray[np.float64]:
        """The share of the values in bins up to `upto` in each of so many stretches of the run, one after the other.

        Shape (stretches,), or (0,) if there are fewer blocks than that.
        """
        if len(self._blocks) < stretches:
            return np.empty(0)
        below = np.array([int(counts[bins <= upto].sum()) for bins, counts in self._blocks])
        starts = np.arange(stretches) * len(self._blocks) // stretches
        lengths = np.diff(np.append(starts, len(self._blocks))) * self._length
        shares: npt.NDArray[np.float64] = np.add.reduceat(below, starts) / lengths
        return shares


def block_of(bins: npt.NDArray[np.int64]) -> Block:
    """A block of these values: a few as they are, many by bin. Sorting them all the time would cost frames."""
    return counted(bins, np.ones(bins.size, np.int64))


def both(a: Block, b: Block) -> Block:
    """Two blocks as one."""
    return counted(np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1]]))


def counted(bins: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> Block:
    """Each bin once, where there are many."""
    if bins.size <= FEW:
        return bins, counts
    found, where = np.unique(bins, return_inverse=True)
    return found, np.bincount(where, counts).astype(np.int64)
