"""Which stretch of time the timeline shows, and how it moves.

Following, it holds still like an oscilloscope: the newest journeys that fit, the first always in one place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bellwire.engine.folds.journeys import Journeys
from bellwire.viz.model.live import LiveModel, journey_span

SHORTEST, LONGEST = 1e-7, 3600.0  # seconds across
FEW = 64  # journeys; with more of them in view it scrolls
FITTED = 1.3  # widths of what is fitted
MARGIN = 0.1  # of the width, before what is fitted
LEAD = 0.05  # of the width, before the first journey
CROSSING = 3.0  # seconds on the screen that the playhead needs from edge to edge
AUTOMATIC = 4  # journeys that the span is chosen for, as long as nobody zooms


class TimeView:
    """`start` and `span` in TSC cycles; `zero` is the TSC that the axis counts from."""

    def __init__(self, model: LiveModel) -> None:
        self.model = model
        self.start, self.zero = 0, 0
        self.span = model.clock.cycles(2e-4)
        self._usual = self.span
        self.following = True
        self.chosen = False  # somebody has zoomed

    @property
    def end(self) -> int:
        """TSC at the right edge."""
        return self.start + self.span

    @property
    def scrolling(self) -> bool:
        """Whether it shows so much that it moves with time rather than from journey to journey."""
        newest = self.model.journeys.newest(FEW)
        return bool(newest.size == FEW and int(journey_span(newest)[0][0]) > self.model.now - self.span * 0.9)

    def advance(self) -> None:
        """To where the view should be now; called before each redraw."""
        transport = self.model.transport
        if not self.following:
            return
        if transport.away:
            if not transport.paused and not self.chosen:
                self._slow_span()
            self._hold(self.model.playhead)
        elif not transport.paused:
            self._follow()

    def _follow(self) -> None:
        newest = self.model.journeys.newest(FEW)
        if not newest.size:
            self.start, self.zero = self.model.now - self.span, self.model.now
            return
        if not self.chosen:
            self._choose_span(newest)
        if self.scrolling:
            self.start, self.zero = self.model.playhead - self.span, self.model.playhead
            return
        starts, ends = journey_span(newest)
        end = int(ends.max())
        fit = starts[starts.astype(np.int64) >= end - round(self.span * (1 - 2 * LEAD))]
        self.zero = int(fit.min()) if fit.size else int(starts.max())
        self.start = self.zero - round(self.span * LEAD)

    def _choose_span(self, newest: Journeys) -> None:
        """Room for a few journeys if they follow closely, for one if they are far apart; not changed for little.

        A newest journey that takes much longer is shown whole nevertheless.
        """
        starts, ends = (times.astype(np.int64) for times in journey_span(newest))
        length = float(np.median(ends - starts))
        apart = float(np.median(np.diff(np.sort(starts)))) if newest.size > 1 else length * 10
        several = AUTOMATIC * apart if apart < 2 * length else 0.0
        wanted = self._rounded(max(1.6 * length, several))
        if not 0.5 < wanted / self._usual <= 1.01:
            self._usual = wanted
        self.span = max(self._usual, self._rounded(1.15 * float((ends - starts)[-1])))

    def _rounded(self, cycles: float) -> int:
        return self.model.clock.cycles(rounded_step(cycles / self.model.clock.hz))

    def _slow_span(self) -> None:
        """So much time that the playhead needs CROSSING seconds for it, else pages would turn faster than one reads."""
        span = max(self._usual, self._rounded(CROSSING * self.model.clock.hz / self.model.transport.factor))
        share = (self.model.playhead - self.start) / self.span
        if span != self.span:
            self.start, self.span = self.model.playhead - round(share * span), span

    def _hold(self, tsc: int) -> None:
        """Keeps a moment in view, turning the page when it leaves."""
        if not self.start + self.span * 0.02 <= tsc <= self.start + self.span * 0.95:
            self.start = tsc - round(self.span * 0.15)
            self.zero = self.start + round(self.span * LEAD)

    # -- by hand

    def zoom(self, factor: float, at: float = 0.5) -> None:
        """Shows `factor` times as much (below 1: less); the moment at the share `at` of the width stays where it is."""
        hz = self.model.clock.hz
        span = min(max(round(self.span * factor), round(SHORTEST * hz)), round(LONGEST * hz))
        self.start += round((self.span - span) * at)
        self.span, self.chosen = span, True

    def pan(self, share: float) -> None:
        """Moves by a share of the width and stops following."""
        self.start += round(self.span * share)
        self.following = False

    def fit(self, start: int, end: int) -> None:
        """Shows a stretch of time whole."""
        hz = self.model.clock.hz
        self.span = min(max(round((end - start) * FITTED), round(SHORTEST * hz)), round(LONGEST * hz))
        self.start, self.zero = start - round(self.span * MARGIN), start
        self.following, self.chosen = False, True

    def bring(self, start: int, end: int) -> None:
        """Moves to a stretch of time that is out of view; shows more, if it is longer than the view."""
        if end - start > self.span:
            chosen = self.chosen
            self.fit(start, end)
            self.chosen = chosen
            return
        if start < self.start or end > self.end:
            self.start, self.zero = start - round(self.span * MARGIN), start
            self.following = False

    def usual(self) -> None:
        """The automatic span, around the middle of what is in view."""
        middle = self.start + self.span // 2
        self.chosen = False
        self.span = self._usual
        if not self.following:
            self.start = middle - self.span // 2

    def back_to_live(self) -> None:
        """Follows the newest again, in the automatic span."""
        self.following, self.chosen = True, False


def rounded_step(seconds: float, steps: tuple[float, ...] = (1, 1.5, 2, 3, 5, 7, 10)) -> float:
    """The next of `steps` times a power of ten."""
    size = 10.0 ** np.floor(np.log10(max(seconds, 1e-9)))
    return float(next(size * step for step in steps if size * step >= seconds * 0.999))


# -- Where on the screen a time is.

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

    def places(self, times: npt.NDArray[np.unsignedinteger]) -> list[float]:
        """The same of many times at once; shape (n,)."""
        share = (times.astype(np.int64) - self.start) / max(self.end - self.start, 1)
        found: list[float] = (self.left + self.width * np.clip(share, -BEYOND, 1 + BEYOND)).tolist()
        return found

    def share(self, x: float) -> float:
        """How far along a place is: 0 at the left end, 1 at the right."""
        return (x - self.left) / max(self.width, 1.0)

    def tsc(self, x: float) -> int:
        """Which time a place is."""
        return self.start + round(self.share(x) * (self.end - self.start))

    def shows(self, tsc: int) -> bool:
        """Whether a time lies in it."""
        return self.start <= tsc <= self.end
