"""The panel that a lesson has in front, beside the audience's picture: in the same type, and without the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPainter, QRegion
from PySide6.QtWidgets import QWidget

from bellwire.engine.calls.call import WIRES
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels import panel_of
from bellwire.viz.panels.calls.panel import CallPanel
from bellwire.viz.panels.panel import Panel
from bellwire.viz.style.stylesheet import stylesheet
from bellwire.viz.style.theme import Theme

TYPE = 13  # pixels at 100 % of what a panel says: it is as small as may be, and what is smaller elsewhere is as large


class PanelPlace(QWidget):
    """Holds at most one panel of one model: that which is in front in the lecturer's window as well."""

    def __init__(self, theme: Theme, keys: QWidget) -> None:
        """keys: in the same window; keys are for it wherever somebody clicks here."""
        super().__init__(keys.parentWidget())
        self.panel: Panel | None = None
        self.keys, self._theme, self._least = keys, theme, 0
        self.setObjectName("plain")
        self.hide()

    @property
    def name(self) -> str:
        """Of the panel; "" without one."""
        return self.panel.name if self.panel else ""

    def bring(self, name: str, model: LiveModel) -> None:
        """The panel of that name, of this model; "" for none."""
        if name == self.name and (self.panel is None or self.panel.model is model):
            return
        self.clear()
        if name:
            self.panel = panel_of(model, name, self._type, self)
            self._give_keys_back()
            self.setStyleSheet(stylesheet(self._type))  # the application's is of another size
            self.panel.set_theme(self._type)
            self.panel.show()
        self.setVisible(bool(name))

    def clear(self) -> None:
        """No panel; its model may go on."""
        if self.panel:
            self.panel.leave()
            self.panel.hide()
            self.panel.deleteLater()
        self.panel = None

    def _give_keys_back(self) -> None:
        """A clicker's keys are for the lesson: nothing in a panel may have them."""
        assert self.panel
        for part in (self.panel, *self.panel.findChildren(QWidget)):
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            part.setFocusProxy(self.keys)

    # -- how it looks

    @property
    def _type(self) -> Theme:
        """The theme in the size of the audience's window."""
        scaled = self._theme.scaled(self._least / TYPE)
        return scaled.legible(self._least)

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self._theme = theme
        self._dress()

    def set_least(self, least: int) -> None:
        """Another size that no text is smaller than, pixels."""
        if least != self._least:
            self._least = least
            self._dress()

    def _dress(self) -> None:
        if self.panel:
            self.setStyleSheet(stylesheet(self._type))
            self.panel.set_theme(self._type)
            self.panel.redraw()

    def place(self, x: int, y: int, width: int, height: int) -> None:
        """Where it is, pixels of its window."""
        self.setGeometry(x, y, width, height)
        if self.panel and self.panel.size() != self.size():
            self.panel.setGeometry(self.rect())
            self.panel.redraw()
            if isinstance(self.panel, CallPanel):
                self.panel.list.begin_at(WIRES)  # what comes before sets a VM up, and is the same everywhere

    # -- what it shows

    def refresh(self) -> None:
        """Once a frame, seen or not: whoever leads the lesson may see a copy of it alone."""
        if self.panel:
            self.panel.redraw_in_turn()

    def paint_on(self, painter: QPainter) -> None:
        """All of it, as it is now, with its corner where the painter stands."""
        if self.panel:
            self.panel.render(painter, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
