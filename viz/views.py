"""Who sits where below the bar: the diagram, the plots beside it, the timeline, the numbers."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from viz.diagram import Diagram
from viz.model import LiveModel
from viz.numbers import Numbers
from viz.plots import PLOTS
from viz.theme import Theme
from viz.timeline import Timeline

PRESENTED = 1.35  # how much larger the numbers are for an audience


class Views(QWidget):
    """All views of one model. They read it; they are refreshed in the order in which they are seen."""

    def __init__(self, model: LiveModel, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("plain")
        self.presenting = False
        self._turn = 0  # whose turn it is among the timeline and the plots
        self.diagram = Diagram(model, theme)
        self.plots = [plot(model, theme) for plot in PLOTS]
        self.timeline = Timeline(model, theme)
        self.numbers = Numbers(model, theme)
        self.column = QWidget()
        self.column.setObjectName("plain")
        self._lay_out()
        self.set_theme(theme)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self.column)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        for plot in self.plots:
            column.addWidget(plot, 1)
        top = QHBoxLayout()
        top.setSpacing(14)
        top.addWidget(self.diagram, 68)
        top.addWidget(self.column, 32)
        box = QVBoxLayout(self)
        box.setContentsMargins(22, 4, 22, 8)
        box.setSpacing(12)
        box.addLayout(top, 72)
        box.addWidget(self.timeline, 24)
        box.addWidget(self.numbers)

    def refresh(self) -> None:
        """From the model's newest state: the diagram each frame, the others in turn, so that no frame pays for all."""
        self.diagram.refresh()
        self.numbers.refresh()
        if not self.presenting:
            self._turn = (self._turn + 1) % (len(self.plots) + 1)
            (self.timeline, *self.plots)[self._turn].refresh()

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        for view in (self.diagram, self.timeline, *self.plots):
            view.set_theme(theme)
        self.numbers.set_theme(theme.scaled(theme.scale * PRESENTED) if self.presenting else theme)

    def set_presenting(self, on: bool) -> None:
        """Only the diagram and the numbers, or everything."""
        self.presenting = on
        self.column.setVisible(not on)
        self.timeline.setVisible(not on)
        self.set_theme(self.theme)
        self.diagram.setFocus(Qt.FocusReason.OtherFocusReason)
