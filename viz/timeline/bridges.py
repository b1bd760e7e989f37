"""The journeys' ways across the timeline's lanes: bridges that bend into the lane of KVM, and leaps past lanes.

They are gathered first and painted colour by colour, each way by itself: Qt's work for a path that crosses rows of
pixels often grows with the square of that, so that fifty bends in one path cost ten times what they cost in fifty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import DASHES

INSET = 7.0  # pixels that a bridge needs to bend into a block
HALF, LENGTH = 3.5, 6.0  # pixels, of an arrow
TOGETHER = 4  # arrows in one path: filling them one by one takes longer, and so do many at once


@dataclass
class Strokes:
    """What is painted in one colour."""

    lines: list[QPainterPath] = field(default_factory=list)  # one a way
    tips: list[QPainterPath] = field(default_factory=list)  # of arrows, TOGETHER in each

    def line(self) -> QPainterPath:
        """The path of the next way."""
        self.lines.append(QPainterPath())
        return self.lines[-1]

    def tip(self) -> QPainterPath:
        """The path that the next arrow belongs to."""
        if (len(self.lines) - 1) % TOGETHER == 0:
            self.tips.append(QPainterPath())
            self.tips[-1].setFillRule(Qt.FillRule.WindingFill)  # where two arrows overlap there is no hole
        return self.tips[-1]


class BridgePaths:
    """Gathers bridges between lanes, whose rectangles are known by their keys; what leads to no lane is left out."""

    def __init__(self, rects: Mapping[str, QRectF]) -> None:
        self.rects = rects
        self.strokes: dict[tuple[bool, str], Strokes] = {}  # by whether it is chosen, and colour
        self._edges: dict[tuple[str, str], float] = {}

    def bridge(self, source: str, x0: float, x1: float, target: str, kvm: str, color: str, chosen: bool) -> None:
        """From one lane by the KVM lane to another: it bends into the block that stands for the time in between."""
        if not {source, target} <= self.rects.keys():
            return
        bend = INSET if x1 - x0 > 3 * INSET else 0.0
        middle, here, there = self.rects[kvm].center().y(), self._edge(source, kvm), self._edge(target, kvm)
        strokes = self._of(color, chosen)
        path = strokes.line()
        path.moveTo(x0, here)
        path.lineTo(x0, middle + bend * (1 if here > middle else -1))
        if bend:
            path.quadTo(x0, middle, x0 + bend, middle)
            path.moveTo(x1 - bend, middle)
            path.quadTo(x1, middle, x1, middle + bend * (1 if there > middle else -1))
        else:
            path.moveTo(x1, middle)
        path.lineTo(x1, there)
        add_arrow(strokes.tip(), x1, there, down=there > middle)

    def leap(self, source: str, x0: float, x1: float, target: str, color: str, chosen: bool) -> None:
        """From one lane to another past those in between."""
        if not {source, target} <= self.rects.keys():
            return
        here, there = self._edge(source, target), self._edge(target, source)
        strokes, middle = self._of(color, chosen), (here + there) / 2
        path = strokes.line()
        path.moveTo(x0, here)
        path.cubicTo(QPointF(x0, middle), QPointF(x1, middle), QPointF(x1, there))
        add_arrow(strokes.tip(), x1, there, down=there > here)

    def paint(self, painter: QPainter, theme: Theme) -> None:
        """Everything gathered; what is chosen over the rest."""
        for (chosen, color), strokes in sorted(self.strokes.items(), key=lambda item: item[0]):
            ink = theme.color("selection" if chosen else color)
            pen = QPen(ink, (3.0 if chosen else 1.6) * theme.stroke)
            if color == "heavy":
                pen.setStyle(Qt.PenStyle.DotLine if theme.marked else Qt.PenStyle.DashLine)
            elif theme.marked and color in DASHES:
                pen.setDashPattern(list(DASHES[color]))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen)
            for line in strokes.lines:
                painter.drawPath(line)
            for tip in strokes.tips:
                painter.fillPath(tip, ink)

    def _of(self, color: str, chosen: bool) -> Strokes:
        key = chosen, color
        if key not in self.strokes:
            self.strokes[key] = Strokes()
        return self.strokes[key]

    def _edge(self, lane: str, other: str) -> float:
        """The y of a lane's edge that faces the other one."""
        if (lane, other) not in self._edges:
            self._edges[lane, other] = edge_towards(self.rects[lane], self.rects[other])
        return self._edges[lane, other]


def add_arrow(path: QPainterPath, x: float, y: float, *, down: bool) -> None:
    """A small triangle whose tip is there."""
    back = y - LENGTH if down else y + LENGTH
    path.moveTo(x, y)
    path.lineTo(x - HALF, back)
    path.lineTo(x + HALF, back)
    path.closeSubpath()


def edge_towards(lane: QRectF, other: QRectF) -> float:
    """The y of the lane's edge that faces the other one."""
    return lane.bottom() if other.center().y() > lane.center().y() else lane.top()
