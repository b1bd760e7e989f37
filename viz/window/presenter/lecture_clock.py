"""The clock of a lecture: what time it is, how long it has gone on, how much is left of its minutes."""

from __future__ import annotations

from collections.abc import Callable
from time import localtime, monotonic, strftime

from bellwire.engine.language import tr

SECONDS = 60


class LectureClock:
    """Runs from the moment that it is made, or started anew. now: seconds of a clock that nobody sets."""

    def __init__(self, minutes: int = 0, now: Callable[[], float] = monotonic) -> None:
        """minutes: that there are; 0: nobody has said."""
        self.minutes, self._now = minutes, now
        self._begun = now()

    def start(self) -> None:
        """From now on."""
        self._begun = self._now()

    @property
    def gone(self) -> int:
        """Seconds since then."""
        return int(self._now() - self._begun)

    @property
    def left(self) -> int | None:
        """Seconds that are left, below 0 if it has gone on for too long; None: nobody has said how many there are."""
        return self.minutes * SECONDS - self.gone if self.minutes else None

    @property
    def gone_words(self) -> str:
        """ "12:40 of 15 min"."""
        gone = clock_words(self.gone)
        return tr("{gone} of {minutes} min", gone=gone, minutes=self.minutes) if self.minutes else gone

    @property
    def left_words(self) -> str:
        """ "2:20 left", "1:05 over"; "" if there is nothing to go by."""
        left = self.left
        if left is None:
            return ""
        time = clock_words(abs(left))
        return tr("{time} left", time=time) if left >= 0 else tr("{time} over", time=time)


def clock_words(seconds: int) -> str:
    """ "2:20", "1:02:20"."""
    minutes, rest = divmod(seconds, SECONDS)
    hours, minutes = divmod(minutes, SECONDS)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def time_of_day() -> str:
    """ "14:05"."""
    return strftime("%H:%M", localtime())
