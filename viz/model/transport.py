"""Where the view stands in time and how fast it goes. The capture never stops for it.

At 1:1 the view follows the newest. In slow motion the playhead moves through the history at 1/factor of real time; a
quiet stretch in which nothing travels is cut short, because at 1:100 000 half a millisecond would last a minute.

A journey of 50 µs lasts 5 ms at 1:100, which nobody can see. So up to the factor at which journeys last LEAST_SECONDS
the playhead moves as slowly as it should, but tokens go together, at a pace for the eye and with the count of what
they stand for; beyond it each token is where its journey was.
"""

from __future__ import annotations

from collections.abc import Callable

from bellwire.engine.events import Clock

SLOWEST = 1e7
LONGEST_QUIET = 0.4  # seconds on the screen
LEAST_SECONDS = 0.25  # on the screen, that a journey must last to be shown for itself
SURE = 1.25  # times as long or short, before one way to show it gives way to the other: latencies waver

FACTORS = (*(float(m * 10**e) for e in range(7) for m in (1, 2, 5)), SLOWEST)

NextStart = Callable[[int], int | None]


class Transport:
    """The playhead (TSC), paused or not, and the slow-motion factor (1 is real time)."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.playhead = 0
        self.paused = False
        self.factor = 1.0
        self.away = False  # the playhead goes its own way, not with what is new
        self.together = False  # in slow motion: journeys are too short to be seen, so that tokens share
        self.quiet = 0.0  # seconds on the screen in which nothing has travelled
        self.skipped = 0  # cycles of quiet that were cut out, newest cut

    @property
    def following(self) -> bool:
        """Whether the view shows the newest."""
        return not self.paused and not self.away

    @property
    def exact(self) -> bool:
        """Whether the view shows the playhead's very moment, each journey where it was."""
        return self.away and not self.together

    def pause(self) -> None:
        """Holds the view where it is."""
        self.paused = True

    def play(self) -> None:
        """Goes on: at 1:1 with the newest, in slow motion from the playhead."""
        self.paused = False
        self.away = self.factor > 1

    def to_newest(self) -> None:
        """Back to the present, in real time."""
        self.paused, self.away, self.together, self.factor = False, False, False, 1.0

    def seek(self, tsc: int) -> None:
        """Shows the moment `tsc`, and stays there."""
        self.playhead, self.paused, self.away, self.together = tsc, True, True, False

    def set_factor(self, factor: float) -> None:
        """Slower or faster, 1..10^7; at 1 a view that is playing follows the newest again."""
        self.factor = min(max(factor, 1.0), SLOWEST)
        self.away = self.factor > 1 or (self.paused and self.away)
        self.quiet = 0.0

    def judge(self, seconds: float | None) -> None:
        """Whether tokens go together, given how long a journey usually takes (None: unknown)."""
        if self.paused or seconds is None:
            self.together = self.together and self.paused
            return
        least = LEAST_SECONDS * (SURE if self.together else 1 / SURE)
        self.together = self.away and seconds * self.factor < least

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
        if not self.away:
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
