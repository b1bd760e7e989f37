"""Where on the screen a time is. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

BEYOND = 2.0  # widths: what lies further away is as far as this, because a painter's numbers are limited


@dataclass(frozen=True)
class TimeScale:
    """A stretch of time, start..end (TSC), over `width` pixels from `left`."""

    start: int
    end: int
    left: float
    width: float

    def x(self, tsc: int) -> float:
        """Where a time is."""
        share = (int(tsc) - self.start) / max(self.end - self.start, 1)
        return self.left + self.width * min(max(share, -BEYOND), 1 + BEYOND)

    def share(self, x: float) -> float:
        """How far along a place is: 0 at the left end, 1 at the right."""
        return (x - self.left) / max(self.width, 1.0)

    def tsc(self, x: float) -> int:
        """Which time a place is."""
        return self.start + round(self.share(x) * (self.end - self.start))

    def shows(self, tsc: int) -> bool:
        """Whether a time lies in it."""
        return self.start <= tsc <= self.end
