"""Saves a picture of a view as it is seen now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QWidget

from bellwire.engine.language import Spoken, tr, tr_later
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.panels.panel import Panel
from bellwire.viz.plots.numbers import Numbers
from bellwire.viz.plots.plot import Plot
from bellwire.viz.timeline.widget import Timeline
from bellwire.viz.window.picturing.by_command import SavedByCommand

if TYPE_CHECKING:  # what reads recordings is imported once there is one to be read
    from bellwire.viz.pictures.asked import PictureAsked

KINDS = {
    ".png": tr_later("PNG: pixels"),
    ".svg": tr_later("SVG: lines and text"),
    ".pdf": tr_later("PDF: lines and text"),
}


class PictureSaver(SavedByCommand):
    """Of one window; one picture at a time."""

    def save(self, of: QWidget | None = None, path: Path | None = None) -> None:
        """Saves the window, or a view of it; asks where, unless it is told."""
        if not self.files.shown.model.past.size:
            self.files.save_picture(path, of)  # there is nothing that could be shown again
        elif self.busy:
            self.say_busy()
        else:
            path = path or self._ask(view_name(of))
            if path:
                self.make(path, self.asked_of(of))

    def _ask(self, view: str) -> Path | None:
        """Where to; None: nowhere."""
        filters = {f"{tr(words)} (*{suffix})": suffix for suffix, words in KINDS.items()}
        name, chosen = QFileDialog.getSaveFileName(
            self.files.top, tr("Save the picture"), f"{view}.png", ";;".join(filters)
        )
        if not name:
            return None
        return Path(name) if Path(name).suffix.lower() in KINDS else Path(f"{name}{filters[chosen]}")

    def asked_of(self, of: QWidget | None) -> PictureAsked:
        """The picture of a view as it is seen now."""
        from bellwire.viz.pictures.asked import EXTENDED, VIEW_OF_PANEL, WHOLE_WINDOW, PictureAsked, fitting_size
        from bellwire.viz.pictures.drawing import curves_off
        from bellwire.viz.pictures.moment import Moment, moment_of

        shown, widget = self.files.shown, of or self.files.top
        model, look = shown.model, shown.look
        front = [VIEW_OF_PANEL.get(name, name) for name in shown.views.fronts] + [EXTENDED] * look.extended
        at_the_end = model.transport.following and not model.replaying
        return PictureAsked(
            view=view_name(of),
            at=Moment() if at_the_end else moment_of(model),
            theme=look.theme.name,
            size=fitting_size(widget.width(), widget.height()),
            text=round(look.text if of is None else look.theme.scale, 2),
            part=model.selection.part,
            language=Spoken.name,
            front=tuple(front) if view_name(of) == WHOLE_WINDOW else (),
            off=curves_off(of or shown.views),
        )


def view_name(of: QWidget | None) -> str:
    """By which a picture of a widget is asked for; of the window, if it is none of the views."""
    from bellwire.viz.pictures.asked import VIEW_OF_PANEL, WHOLE_WINDOW

    if isinstance(of, Diagram):
        return "extended" if of.extended else "diagram"
    if isinstance(of, Timeline | Plot):
        return of.name
    if isinstance(of, Numbers):
        return "numbers"
    return VIEW_OF_PANEL.get(of.name, WHOLE_WINDOW) if isinstance(of, Panel) else WHOLE_WINDOW
