"""The whole window as a picture: it is made on a recording, brought to a moment, and painted; nobody sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from bellwire.viz.model.live import LiveModel
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.drawing import Drawing, choose_part, settle_layout, shown_to_nobody
from bellwire.viz.style.stylesheet import wear
from bellwire.viz.style.theme import Theme
from bellwire.viz.window.frame import nothing_collected

if TYPE_CHECKING:  # a view alone needs no window
    from bellwire.viz.window.window import MainWindow

ROUNDS = 4  # of frames, in which everything that takes turns has had one


@contextmanager
def drawn_window(model: LiveModel, asked: PictureAsked, theme: Theme) -> Iterator[Drawing]:
    """The drawing of a window that shows this model."""
    from bellwire.viz.window.picturing.restored import show_front
    from bellwire.viz.window.window import MainWindow

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    before = app.styleSheet(), app.palette()
    window = MainWindow(model, theme)
    try:
        choose_part(model, asked)
        with shown_to_nobody(window, asked):
            show_front(window, asked)
            bring_window_up_to_date(window)
            yield Drawing(window, window, asked, theme)
    finally:
        window.close()
        window.deleteLater()
        with nothing_collected():
            wear(app, *before)


def bring_window_up_to_date(window: MainWindow) -> None:
    """Every view and every row of it shows the moment, with nothing that glides."""
    window.views.diagram.still_motion = window.views.diagram.in_strokes = True
    for _ in range(ROUNDS):
        window._bar_at = 0.0
        window.refresh()
        window.refresh(everything=False)
        window.views.redraw()
        settle_layout()
