"""How long somebody waits for what may never come."""

from __future__ import annotations

import time
from collections.abc import Callable

LATE = 2  # times as long as it should be: what of a turn counts at most
STARVED = 16  # turns that count as one where those that are waited for wait for a CPU


class Patience:
    """So many seconds in which nothing has gone on, counted in the turns of whoever waits.

    turn: how long one of them takes, seconds, where nobody else wants the CPU. Where a turn took longer, this thread
    did not run, and those that it waits for may not have run either: no more of it counts than LATE turns. most:
    seconds, counted likewise, after which it ends whatever goes on.
    """

    def __init__(
        self, seconds: float, turn: float, most: float = float("inf"), clock: Callable[[], float] | None = None
    ) -> None:
        self.seconds, self._turn, self._most = seconds, turn, most
        self._clock = clock or time.monotonic
        self._progress: object = None
        self._looked = self._advanced = self._clock()
        self._counted = self._in_all = 0.0

    @property
    def waited(self) -> float:
        """Seconds since something went on, by the clock."""
        return self._clock() - self._advanced

    def ends(self, progress: object, *, starved: bool = False) -> bool:
        """To be asked once a turn. progress: is another one whenever something has gone on.

        starved: whether those that it waits for are known to wait for a CPU. Of such a turn, in which nothing goes on,
        little counts.
        """
        now = self._clock()
        counts = min(now - self._looked, LATE * self._turn)
        if starved and progress == self._progress:
            counts /= STARVED
        self._looked, self._counted, self._in_all = now, self._counted + counts, self._in_all + counts
        if progress != self._progress:
            self._progress, self._advanced, self._counted = progress, now, 0.0
        return self._counted > self.seconds or self._in_all > self._most
