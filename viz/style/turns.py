"""Whose turn it is to redraw: views redraw more slowly than frames come, and never two of them in one frame."""

from __future__ import annotations

import time
from typing import ClassVar

SECONDS = 1 / 20  # between the turns of a plot
APART = 0.008  # seconds between two turns: more than the views of one frame take to ask, less than a frame
FORGOTTEN = 0.5  # seconds after which a view that does not ask any more (it is hidden, or gone) leaves the queue


class Turns:
    """The turns of one view, one every `every` x SECONDS. Views that are due at the same time queue up."""

    _queue: ClassVar[list[Turns]] = []
    _latest: ClassVar[float] = 0.0

    def __init__(self, every: int = 1, light: bool = False) -> None:
        """light: it costs so little that it need not queue."""
        self._light = light
        self._period = SECONDS * every
        self._due = 0.0
        self._asked = 0.0

    def come(self) -> bool:
        """Whether this view may redraw in this frame; asked once a frame."""
        now = self._asked = time.monotonic()
        if now < self._due:
            return False
        if self._light:
            self._due = now + self._period
            return True
        if self not in Turns._queue:
            Turns._queue.append(self)
        Turns._queue[:] = [turns for turns in Turns._queue if now - turns._asked < FORGOTTEN]
        if Turns._queue[0] is not self or now - Turns._latest < APART:
            return False
        del Turns._queue[0]
        Turns._latest = now
        self._due = now + self._period
        return True
