"""Whose turn it is to redraw: views redraw more slowly than frames come, and never two of them in one frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

SECONDS = 1 / 20  # between the turns of a plot
STEP_SECONDS = 1.0  # the same where nothing glides
LONGEST_FRAME = 0.1  # seconds that a view moves on in a frame at most, however late that is
FORGOTTEN = 0.5  # seconds after which a view that does not ask any more (it is hidden, or gone) leaves the queue


class ScreenClock:
    """The seconds by which views redraw: the system's, or those of frames that are made one by one."""

    now: ClassVar[Callable[[], float]] = staticmethod(lambda: time.monotonic())


@contextmanager
def screen_time(now: Callable[[], float]) -> Iterator[None]:
    """While it is open, views redraw by this time, from which it begins anew whose turn it is."""
    before, queue = ScreenClock.now, Turns._queue[:]
    ScreenClock.now, Turns._queue[:] = staticmethod(now), []
    try:
        yield
    finally:
        ScreenClock.now, Turns._queue[:] = before, queue


class Turns:
    """The turns of one view, one every `every` x SECONDS. Views that are due at the same time queue up."""

    _queue: ClassVar[list[Turns]] = []
    _taken: ClassVar[bool] = False  # whether a view redraws in this frame
    calm: ClassVar[bool] = False  # whether views go on in steps that can be told apart, for whoever wants no movement

    def __init__(self, every: int = 1, light: bool = False) -> None:
        """light: it costs so little that it need not queue."""
        self._light = light
        self._period = SECONDS * every
        self._due = 0.0
        self._asked = 0.0

    @classmethod
    def begin_frame(cls) -> None:
        """Another frame, in which another view may redraw. However long one takes, it is one frame."""
        cls._taken = False

    def come(self) -> bool:
        """Whether this view may redraw in this frame; asked once a frame."""
        now = self._asked = ScreenClock.now()
        if now < self._due:
            return False
        if self._light:
            self._due = now + self._period
            return True
        if self not in Turns._queue:
            Turns._queue.append(self)
        Turns._queue[:] = [turns for turns in Turns._queue if now - turns._asked < FORGOTTEN]
        if Turns._queue[0] is not self or Turns._taken:
            return False
        self.claim()
        return True

    def claim(self) -> None:
        """This view redraws in this frame, its turn or not: no other one does, and its next turn is a period away."""
        if self in Turns._queue:
            Turns._queue.remove(self)
        Turns._taken = True
        self.put_off()

    def put_off(self) -> None:
        """It has just redrawn, its turn or not: the next one is a period away."""
        self._due = ScreenClock.now() + (max(self._period, STEP_SECONDS) if Turns.calm else self._period)
