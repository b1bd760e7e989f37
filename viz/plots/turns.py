"""When a view's turn to redraw comes: slower than the frames, and each view in a frame of its own."""

from __future__ import annotations

import time

SECONDS = 1 / 15  # between the turns of a plot
SLOTS = 4  # a slot is a frame at 60 Hz: three plots and the timeline


class Turns:
    """The turns of one view: every `every` x SECONDS, in its own slot."""

    def __init__(self, slot: int, every: int = 1) -> None:
        self._period = SECONDS * every
        self._phase = slot % SLOTS * SECONDS / SLOTS
        self._next = 0.0

    def come(self) -> bool:
        """Whether it is time; each turn is said to have come once, and one that was missed is not made up for."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = ((now - self._phase) // self._period + 1) * self._period + self._phase
        return True
