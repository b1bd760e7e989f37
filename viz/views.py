"""Who sits where below the bar: the diagram, the plots beside it, the timeline, the numbers."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from viz.diagram import Diagram
from viz.model import LiveModel
from viz.numbers import Numbers
from viz.plots import PLOTS
from viz.theme import Theme
from viz.timeline import Timeline

PRESENTED = 1 / 720  # how much larger the numbers are for an audience, by the window's height
SPACING = 10
DIAGRAM_SHARE = 0.73  # of the height, where the timeline has the rest
LEAST_DIAGRAM, LEAST_TIMELINE, LEAST_PLOT = 330, 150, 112  # pixels at 100 % text


class Views(QWidget):
    """All views of one model. They read it; they are refreshed in the order in which they are seen."""

    def __init__(self, model: LiveModel, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("plain")
        self.presenting = False
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
        column.setSpacing(10)
        for plot in self.plots:
            plot.setMinimumHeight(0)
            column.addWidget(plot, 1)
        top = QHBoxLayout()
        top.setSpacing(14)
        top.addWidget(self.diagram, 68)
        top.addWidget(self.column, 32)
        box = QVBoxLayout(self)
        box.setContentsMargins(22, 4, 22, 8)
        box.setSpacing(SPACING)
        box.addLayout(top, round(100 * DIAGRAM_SHARE))
        box.addWidget(self.timeline, round(100 * (1 - DIAGRAM_SHARE)))
        box.addWidget(self.numbers)

    def refresh(self, everything: bool = True) -> None:
        """From the model's newest state: the tokens, or every view that is due."""
        self.diagram.refresh(everything)
        if everything:
            self.numbers.refresh()
        if everything and not self.presenting:
            self.timeline.refresh()
            for plot in self.plots:
                plot.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Large text in a small window: rather fewer views than views that cannot be read."""
        px, scale = self.theme.px, max(1.0, self.height() * PRESENTED) if self.presenting else 1.0
        self.numbers.set_theme(replace(self.theme, scale=self.theme.scale * scale))
        left = self.height() - self.numbers.sizeHint().height() - 2 * SPACING
        tall = left >= px(LEAST_DIAGRAM) + px(LEAST_TIMELINE)
        self.timeline.setVisible(tall and not self.presenting)
        self.column.setVisible(not self.presenting)
        room = (left * DIAGRAM_SHARE if tall else left) // px(LEAST_PLOT)
        for n, plot in enumerate(self.plots):
            plot.setVisible(n < max(room, 1))

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        self.diagram.set_theme(theme)
        self.timeline.set_theme(theme)
        for plot in self.plots:
            plot.set_theme(theme)
        self._make_room()

    def set_presenting(self, on: bool) -> None:
        """Only the diagram and the numbers, or everything."""
        self.presenting = on
        self._make_room()
        self.diagram.setFocus(Qt.FocusReason.OtherFocusReason)
