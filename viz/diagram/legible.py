"""The diagram for an audience: what is said in it can be read from the last row, and what cannot is not said."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QWidget

from bellwire.viz.diagram.blueprint import Blueprint
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.theme import Theme

FOOT = 26  # canvas pixels below the lowest box: a token's label has room there


class LegibleDiagram(Diagram):
    """Without the sentence at its foot, which whoever shows it says in larger type."""

    def __init__(self, model: LiveModel, theme: Theme, least: int, parent: QWidget | None = None) -> None:
        """least: pixels of a font that no text is smaller than."""
        super().__init__(model, theme, parent)
        self.set_least(least)

    def set_least(self, least: int) -> None:
        """Another size that no text is smaller than."""
        if least != self.least:
            self.least = least
            self._arrange()

    def _blueprint(self) -> Blueprint:
        return without_foot(super()._blueprint())


def without_foot(whole: Blueprint) -> Blueprint:
    """The picture without the room that its caption has below the boxes."""
    lowest = max(box.rect[1] + box.rect[3] for box in whole.boxes.values())
    return replace(whole, size=(whole.size[0], lowest + FOOT))
