"""What somebody points at, in the picture's own coordinates: so it is at the same part in every window, at any size."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from math import cos, pi, sin
from time import monotonic

from bellwire.viz.diagram.blueprint import Point, Rect

TRAIL_SECONDS = 0.4  # that the laser's trail is seen
PEN_SECONDS, FADING_SECONDS = 12.0, 2.0  # that a mark of the pen stays, and then fades
LEAST_STEP = 1.5  # canvas pixels between two points of a mark


class Tool(StrEnum):
    """What the pointer does to the diagram, in place of choosing a part."""

    LASER = "laser"
    PEN = "pen"
    SPOTLIGHT = "spotlight"
    ZOOM = "zoom"


@dataclass
class PenMark:
    """A line that was drawn; ended: when the pen was lifted, None while it is not."""

    points: list[Point]
    ended: float | None = None

    def strength(self, now: float) -> float:
        """How much of it is seen, 0..1."""
        over = 0.0 if self.ended is None else now - self.ended - PEN_SECONDS
        return min(max(1.0 - over / FADING_SECONDS, 0.0), 1.0)


@dataclass
class Pointing:
    """One for all diagrams of a window.

    spot: what alone is bright; zoom: what fills the diagram; dragged: the rectangle that is being drawn for either.
    """

    now: Callable[[], float] = monotonic
    tool: Tool | None = None
    marks: list[PenMark] = field(default_factory=list)
    dragged: Rect | None = None
    spot: Rect | None = None
    zoom: Rect | None = None
    trail: deque[tuple[float, Point]] = field(default_factory=lambda: deque(maxlen=120))
    _done: list[PenMark | tuple[Rect | None, Rect | None]] = field(
        default_factory=list
    )  # to be undone, the newest last

    @property
    def laser(self) -> Point | None:
        """Where the laser points at; None if nowhere."""
        return self.trail[-1][1] if self.trail else None

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to be painted."""
        return not (self.trail or self.marks or self.spot or self.dragged)

    def take(self, tool: Tool) -> None:
        """This one from now on, or none if it is that already."""
        taken = None if self.tool is tool else tool
        self.lay_down()
        self.tool = taken

    def lay_down(self) -> None:
        """No tool; what was marked stays."""
        self.end_mark()
        self.tool = self.dragged = None
        self.trail.clear()

    # -- laser and pen

    def shine(self, at: Point | None) -> None:
        """The laser points there; None: at nothing."""
        if at is None:
            self.trail.clear()
        else:
            self.trail.append((self.now(), at))

    def begin_mark(self, at: Point) -> None:
        """The pen is put down."""
        mark = PenMark([at])
        self.marks.append(mark)
        self._done.append(mark)

    def draw_to(self, at: Point) -> None:
        """The pen is moved."""
        if self.marks and self.marks[-1].ended is None:
            before = self.marks[-1].points[-1]
            if abs(before[0] - at[0]) + abs(before[1] - at[1]) >= LEAST_STEP:
                self.marks[-1].points.append(at)

    def end_mark(self) -> None:
        """The pen is lifted."""
        if self.marks and self.marks[-1].ended is None:
            self.marks[-1].ended = self.now()

    def ring(self, around: Rect) -> None:
        """A mark around something."""
        self.begin_mark(ring_points(around)[0])
        self.marks[-1].points = ring_points(around)
        self.end_mark()

    # -- spotlight and zoom

    def light(self, area: Rect | None) -> None:
        """This alone is bright."""
        self._keep()
        self.spot = area

    def fill_with(self, area: Rect | None, kept: bool = True) -> None:
        """This fills the diagram; None: all of it. kept: it can be undone by itself, as no notch of a wheel need be."""
        if kept or self.zoom is None:
            self._keep()
        self.zoom = area

    def _keep(self) -> None:
        self._done.append((self.spot, self.zoom))

    # -- undo

    def undo(self) -> bool:
        """Takes the newest mark, spotlight or zoom back that is still seen; whether there was one."""
        self.fade()
        while self._done:
            last = self._done.pop()
            if isinstance(last, PenMark):
                if last in self.marks:
                    self.marks.remove(last)
                    return True
            elif last != (self.spot, self.zoom):
                self.spot, self.zoom = last
                return True
        return False

    def clear(self) -> bool:
        """As if nobody had pointed at anything; whether somebody had."""
        pointed = self.tool is not None or not self.nothing or self.zoom is not None
        self.lay_down()
        self.wipe()
        return pointed

    def wipe(self) -> None:
        """No mark, no spotlight, no zoom; the tool stays taken."""
        self.marks.clear()
        self._done.clear()
        self.spot = self.zoom = None

    def fade(self) -> None:
        """What has faded is gone: marks, and the end of the laser's trail."""
        now = self.now()
        if self.marks and any(not mark.strength(now) for mark in self.marks):
            self.marks[:] = [mark for mark in self.marks if mark.strength(now)]
        while len(self.trail) > 1 and now - self.trail[0][0] > TRAIL_SECONDS:
            self.trail.popleft()


def ring_points(around: Rect, corners: int = 48) -> list[Point]:
    """An ellipse around a rectangle, which it touches nowhere, closed."""
    x, y, width, height = around
    center, reach = (x + width / 2, y + height / 2), (width * 0.62 + 6, height * 0.62 + 6)
    angles = [2 * pi * corner / corners for corner in range(corners + 1)]
    return [(center[0] + reach[0] * cos(angle), center[1] + reach[1] * sin(angle)) for angle in angles]


def rect_of(one: Point, other: Point) -> Rect:
    """The rectangle of which these are corners."""
    left, top = min(one[0], other[0]), min(one[1], other[1])
    return left, top, abs(one[0] - other[0]), abs(one[1] - other[1])


def widened(area: Rect, by: float) -> Rect:
    """The same with as much around it on each side."""
    return area[0] - by, area[1] - by, area[2] + 2 * by, area[3] + 2 * by
