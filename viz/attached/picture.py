"""Paints the picture of a VM that is seen from outside, with what paints every diagram."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from bellwire.engine.attached.topology import SeenVm, Topology
from bellwire.engine.attached.watched import Rates
from bellwire.engine.foreign import shown
from bellwire.engine.language import tr
from bellwire.viz.attached.plan import Heard, SeenPlan, seen_plan
from bellwire.viz.diagram.geometry import Geometry
from bellwire.viz.diagram.painter import Sketch
from bellwire.viz.style.painting import painting
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.commands import commands_quoted
from bellwire.viz.wires.passable import Passage

EMPTY_WIDE, EMPTY_SIZE = 520, 15  # pixels at 100 % text
ALL_ALONG = Passage(lit=True)  # a wire that is registered; what passes it is not seen


class SeenPicture(QWidget):
    """The picture of one VM, as it was seen last."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.plan: SeenPlan | None = None
        self.empty = ""  # what is said while there is nothing to paint: a heading, and below it what to do
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(480, 260)
        self.setAccessibleName(tr("Diagram of a VM that is seen from outside"))

    def sizeHint(self) -> QSize:
        return QSize(1040, 572)

    def show_vm(self, vm: SeenVm | None, topology: Topology, rates: Rates, heard: Heard | None = None) -> None:
        """From now on this is seen; None: it has no VM any more."""
        plan = seen_plan(vm, topology, rates, heard) if vm else None
        if plan != self.plan:
            self.plan = plan
            self.setAccessibleDescription(plan.facts["note caption"] if plan else self.empty)
            self.update()

    def clear(self) -> None:
        """Nothing is seen."""
        self.plan = None
        self.update()

    def say(self, empty: str) -> None:
        """Why there is nothing to be seen, and what to do; it is painted while there is nothing else."""
        if empty != self.empty:
            self.empty = empty
            if self.plan is None:
                self.setAccessibleDescription(empty)
                self.update()

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        self.update()

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.color("background"))
        size = self.plan.blueprint.size if self.plan else (1.0, 1.0)
        geometry = Geometry.fit(self.width(), self.height(), (0, 0, *size), self.theme)
        sketch = Sketch(painter, geometry)
        sketch.card(QRectF(self.rect()))
        if self.plan:
            paint_plan(sketch, self.plan)
        else:
            self._paint_empty(painter)

    def _paint_empty(self, painter: QPainter) -> None:
        """In the middle, as wide as is good to read."""
        margin = max(self.theme.px(32), (self.width() - self.theme.px(EMPTY_WIDE)) // 2)
        painter.setFont(self.theme.font(EMPTY_SIZE))
        painter.setPen(self.theme.color("text_muted"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(
            self.rect().adjusted(margin, 0, -margin, 0), flags, commands_quoted(shown(self.empty, lines=True))
        )


def paint_plan(sketch: Sketch, plan: SeenPlan) -> None:
    """All of it, from the back to the front."""
    parts = plan.blueprint
    for box in parts.boxes.values():
        sketch.box(box)
    for wire in parts.wires.values():
        sketch.wire(wire, ALL_ALONG)
    for name, box in parts.boxes.items():
        sketch.box_words(box, plan.facts[name], parts.headroom(box))
    for name, node in parts.nodes.items():
        sketch.node(node, not node.unused)
        sketch.node_words(node, plan.facts[name], not node.unused)
    for name, counter in parts.counters.items():
        sketch.counter(counter, plan.counts[name], plugged=True, inside=False)
        sketch.counter_words(counter, counter.name)
    for name, note in parts.notes.items():
        sketch.note(note, plan.facts[f"note {name}"], note.color)
