"""The flags of annotations above the lanes: a leaf of paper at each moment, and its words as far as there is room."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPolygonF

from bellwire.engine.recordings.annotations.annotation import Annotation
from bellwire.viz.model.annotations.kept import Annotations
from bellwire.viz.style.theme import Theme
from bellwire.viz.timeline.view import TimeScale

SIDE = 12  # of a leaf, pixels at 100 %
MOST_WORDS, LEAST_WORDS = 220, 40  # how wide its words are
SIZE = 10.5  # of its words
ELIDE = Qt.TextElideMode.ElideRight


@dataclass(frozen=True)
class Leaf:
    """Of one annotation: its index, where its line is, its words as far as they are seen, and all that it takes."""

    index: int
    x: float
    one: Annotation
    words: str
    box: QRectF

    @property
    def cut(self) -> bool:
        """Whether its words are not all of its text."""
        return self.words != self.one.text


def leaves_of(annotations: Annotations, theme: Theme, area: QRectF, scale: TimeScale) -> list[Leaf]:
    """Those in view, in the order of time; the words of each end before the next."""
    seen = [(scale.x(tsc), index) for tsc, index in annotations.timed if scale.shows(tsc)]
    metrics, side = QFontMetricsF(theme.font(SIZE, 600)), theme.px(SIDE)
    found = []
    for number, (x, index) in enumerate(seen):
        end = seen[number + 1][0] - side if number + 1 < len(seen) else area.right()
        room, one = min(end - x - side, theme.px(MOST_WORDS)), annotations.all[index]
        words = metrics.elidedText(one.text, ELIDE, room) if room >= theme.px(LEAST_WORDS) else ""
        wide = metrics.horizontalAdvance(words) + side * bool(words)
        box = QRectF(x - side / 2, area.top() - side - 3, side + wide, side)
        found.append(Leaf(index, x, one, words, box))
    return found


def paint_leaf(painter: QPainter, theme: Theme, leaf: Leaf, bottom: float, chosen: bool) -> None:
    """A line down to the bottom, at its top a sheet with a corner turned down, filled if it is chosen; the words."""
    color, box, side = theme.color(leaf.one.ink), leaf.box, leaf.box.height()
    painter.setPen(QPen(color, 1.4 * theme.stroke))
    painter.drawLine(QPointF(leaf.x, box.bottom()), QPointF(leaf.x, bottom))
    if leaf.words:
        painter.fillRect(box, theme.color("surface"))
        painter.setFont(theme.font(SIZE, 600))
        painter.setPen(theme.color("text"))
        painter.drawText(box.adjusted(1.3 * side, -2, 0, 2), Qt.AlignmentFlag.AlignVCenter, leaf.words)
    corners = ((0, 0), (0.6, 0), (1, 0.4), (1, 1), (0, 1))
    painter.setPen(QPen(color, 1.6 * theme.stroke))
    painter.setBrush(color if chosen else theme.color("surface"))
    painter.drawPolygon(QPolygonF([box.topLeft() + QPointF(x * side, y * side) for x, y in corners]))
