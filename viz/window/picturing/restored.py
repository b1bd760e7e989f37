"""What a picture shows, in the window: the same moment, the same view in front."""

from __future__ import annotations

from bellwire.viz.pictures.asked import EXTENDED, PANEL_OF, VIEW_OF_PANEL, PictureAsked
from bellwire.viz.pictures.drawing import switch_off
from bellwire.viz.pictures.played import PlayedRecording, play_model
from bellwire.viz.window.window import MainWindow


def restore_view(window: MainWindow, asked: PictureAsked) -> None:
    """Brings a window on a recording that has only begun to what a picture shows; from there on it can be played."""
    model, source = window.model, window.model.recorded
    assert isinstance(source, PlayedRecording)
    play_model(model, source, asked.at)
    model.transport.pause()
    source.let_go()
    if asked.part:
        model.selection.choose(part=asked.part)
    name = PANEL_OF.get(asked.view, asked.view)
    window.views.front(name if name in VIEW_OF_PANEL else "")
    show_front(window, asked)
    window.refresh()
    window.views.redraw()


def show_front(window: MainWindow, asked: PictureAsked) -> None:
    """The diagram, the panels and the curves that a picture has."""
    window.look.set_extended(EXTENDED in (asked.view, *asked.front))
    for name in asked.front:
        if name != EXTENDED:
            window.views.bring_panel(PANEL_OF.get(name, name))
    switch_off(window.views, asked.off)
