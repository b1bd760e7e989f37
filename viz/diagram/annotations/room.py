"""Where there is room in a picture for something: beside what it is about, and over as little as possible."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSizeF

CELL = 5  # pixels: the picture is looked at in squares of this side
TRIED, APART, SLACK = 16, 4, 15_000  # places, cells between two of them, and how much more than the best one may cost
AWAY = 16.0  # pixels between a thing and what is said about it
DISTANCE = 1.2  # what a pixel further away costs, for each pixel of height, in square pixels of what may be covered

Costs = npt.NDArray[np.float64]


class Obstacles:
    """What in a picture should stay free, each with what it costs to cover a square pixel of it."""

    def __init__(self, within: QRectF) -> None:
        """within: all that there is of the picture."""
        self.within = within
        rows, columns = math.ceil(within.height() / CELL), math.ceil(within.width() / CELL)
        self._costs: Costs = np.zeros((max(rows, 1), max(columns, 1)))

    def add(self, rects: Iterable[QRectF], cost: float) -> None:
        """These as well; where several are, the dearest counts."""
        for rect in rects:
            near = rect.translated(-self.within.topLeft()).intersected(QRectF(0, 0, 1e6, 1e6))
            left, top = int(near.left() / CELL), int(near.top() / CELL)
            right, bottom = math.ceil(near.right() / CELL), math.ceil(near.bottom() / CELL)
            part = self._costs[top:bottom, left:right]
            np.maximum(part, cost, out=part)

    def covered(self, high: int, wide: int) -> Costs:
        """What it costs to cover so many cells, by the cell at the top left; shape (rows, columns) of such cells."""
        upto = np.zeros((self._costs.shape[0] + 1, self._costs.shape[1] + 1))
        upto[1:, 1:] = self._costs.cumsum(axis=0).cumsum(axis=1)
        found: Costs = upto[high:, wide:] - upto[:-high, wide:] - upto[high:, :-wide] + upto[:-high, :-wide]
        return found * CELL**2

    def free_place(self, size: QSizeF, beside: QRectF) -> QRectF:
        """The best place for a rectangle: near to `beside`, over what costs least, and all of it in the picture."""
        return next(self.free_places(size, beside))

    def free_places(self, size: QSizeF, beside: QRectF) -> Iterator[QRectF]:
        """Some places that are apart from one another, the best first."""
        high = min(math.ceil(size.height() / CELL), self._costs.shape[0])
        wide = min(math.ceil(size.width() / CELL), self._costs.shape[1])
        costs = self.covered(high, wide)
        tops = self.within.top() + CELL * np.arange(costs.shape[0])[:, None]
        lefts = self.within.left() + CELL * np.arange(costs.shape[1])[None, :]
        across = np.maximum(np.maximum(beside.left() - lefts - size.width(), lefts - beside.right()), 0)
        down = np.maximum(np.maximum(beside.top() - tops - size.height(), tops - beside.bottom()), 0)
        middle = np.hypot(
            lefts + size.width() / 2 - beside.center().x(), tops + size.height() / 2 - beside.center().y()
        )
        far = np.abs(np.hypot(across, down) - AWAY) + 0.2 * middle
        costs = costs + DISTANCE * far * size.height()
        most = costs.min() + SLACK
        for _ in range(TRIED):
            if costs.min() > most:
                return
            row, column = divmod(int(np.argmin(costs)), costs.shape[1])
            yield QRectF(float(lefts[0, column]), float(tops[row, 0]), size.width(), size.height())
            costs[max(row - APART, 0) : row + APART + 1, max(column - APART, 0) : column + APART + 1] = np.inf
