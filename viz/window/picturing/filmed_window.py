"""The whole window, frame after frame of a clip."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from bellwire.viz.pictures.drawing import settle_layout
from bellwire.viz.window.window import MainWindow


def show_window_frame(window: QWidget) -> None:
    """Brings it to what its model shows now: all views that are due, and the bar."""
    assert isinstance(window, MainWindow)
    window.views.diagram.still_motion = window.views.diagram.in_strokes = False
    window._bar_at = 0.0
    window.refresh()
    window.refresh(everything=False)
    settle_layout()
