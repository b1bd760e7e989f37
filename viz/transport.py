"""Where the view stands in time and how fast it goes. The capture never stops for it.

At 1:1 the view follows the newest. In slow motion the playhead moves through the history at 1/factor of real time; a
quiet stretch in which nothing travels is cut short, because at 1:100 000 half a millisecond would last a minute.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.events import Clock

SLOWEST = 1e7
LONGEST_QUIET = 0.4  # seconds on the screen

FACTORS = (*(float(m * 10**e) for e in range(7) for m in (1, 2, 5)), SLOWEST)

NextStart = Callable[[int], int | None]


class Transport:
    """The playhead (TSC), paused or not, and the slow-motion factor (1 is real time)."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.playhead = 0
        self.paused = False
        self.factor = 1.0
        self.exact = False  # the view shows the playhead's very moment, not what is new
        self.quiet = 0.0  # seconds on the screen in which nothing has travelled
        self.skipped = 0  # cycles of quiet that were cut out, newest cut

    @property
    def following(self) -> bool:
        """Whether the view shows the newest."""
        return not self.paused and not self.exact

    def pause(self) -> None:
        """Holds the view where it is."""
        self.paused = True

    def play(self) -> None:
        """Goes on: at 1:1 with the newest, in slow motion from the playhead."""
        self.paused = False
        self.exact = self.factor > 1

    def to_newest(self) -> None:
        """Back to the present, in real time."""
        self.paused, self.exact, self.factor = False, False, 1.0

    def seek(self, tsc: int) -> None:
        """Shows the moment `tsc`, and stays there."""
        self.playhead, self.paused, self.exact = tsc, True, True

    def set_factor(self, factor: float) -> None:
        """Slower or faster, 1..10^7; at 1 a view that is playing follows the newest again."""
        self.factor = min(max(factor, 1.0), SLOWEST)
        self.exact = self.factor > 1 or (self.paused and self.exact)
        self.quiet = 0.0

    def slower(self) -> None:
        """One notch slower."""
        self.set_factor(next((f for f in FACTORS if f > self.factor * 1.001), SLOWEST))

    def faster(self) -> None:
        """One notch faster."""
        self.set_factor(next((f for f in reversed(FACTORS) if f < self.factor * 0.999), 1.0))

    def advance(self, seconds: float, now: int, travelling: bool, next_start: NextStart, newest: int) -> None:
        """Moves the playhead on by `seconds` of the viewer's time.

        now: the present. travelling: something is under way at the playhead. next_start(t): when the next thing sets
        out after t. newest: the end of what is known.
        """
        if self.paused:
            return
        if not self.exact:
            self.playhead = now
            return
        self.quiet = 0.0 if travelling else self.quiet + seconds
        reach = self.playhead + round(seconds * self.clock.hz / self.factor)
        start = None if travelling else next_start(self.playhead)
        if start is None:
            self.playhead = max(self.playhead, min(reach, newest))
        elif reach < start and self.quiet < LONGEST_QUIET:
            self.playhead = reach
        else:  # the quiet is over, or long enough
            self.skipped = max(0, start - reach)
            self.playhead, self.quiet = start, 0.0
