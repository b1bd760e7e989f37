"""A panel: a card that shares its place with others, by tabs; only the one in front is redrawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtWidgets import QWidget

from bellwire.engine.errors import EngineError
from bellwire.engine.language import tr
from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.card import Card
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.turns import Turns

SIDE, BELOW = "side", "below"  # with the plots, or with the timeline


class NothingToSaveError(EngineError):
    """There is nothing to save; the text says why."""


class Panel(Card):
    """One of PANELS. It reads the model; a choice made in it goes to model.selection."""

    place = SIDE
    tip = ""  # what it shows, in one sentence; as the title
    follows_stage = False  # whether it marks the stage that is looked at
    file, files = "", ""  # if it can be saved: the file's usual name, and the kinds of files as a dialog lists them

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.tip = tr(self.tip)
        self.model = model
        self._turns = Turns(every=5, light=True)
        self._quick = Turns(every=1, light=True)

    def refresh(self) -> None:
        """Redraws if it is seen and it is time; called once a frame.

        In slow motion, at a step and in a story a panel that follows the stage is as quick as the plots.
        """
        if self.isVisible():
            self.redraw_in_turn()

    def redraw_in_turn(self) -> None:
        """Redraws if it is time."""
        quick = self.follows_stage and self.model.transport.exact
        if (self._quick if quick else self._turns).come():
            self.redraw()

    def leave(self) -> None:
        """It is shown no more while its model goes on: it no longer hears of what is chosen there."""
        heard = self.model.selection.changed
        heard[:] = [follow for follow in heard if getattr(follow, "__self__", None) is not self]

    def to_newest(self) -> None:
        """Leaves what was scrolled to by hand; most panels read the model's moment and have nothing of their own."""

    def content(self, path: Path) -> Iterator[bytes]:
        """What it shows as a file of this suffix, a piece at a time; NothingToSaveError if it shows nothing."""
        raise NotImplementedError
