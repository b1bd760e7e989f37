"""The audience's window: picture, sentence, question, a lesson's panel, and nothing else; or black, or white."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QCoreApplication, QRect, Qt, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from bellwire.engine.language import tr
from bellwire.viz.diagram.geometry import MOST_TEXT
from bellwire.viz.diagram.legible import LegibleDiagram
from bellwire.viz.diagram.pointing.marks import Pointing
from bellwire.viz.diagram.pointing.pointer import DiagramPointer
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.lessons.course import Course
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.panel import BELOW, SIDE
from bellwire.viz.style.latin_keys import action_of
from bellwire.viz.style.painting import painting
from bellwire.viz.style.theme import Theme
from bellwire.viz.window.presenter.front_panel import PanelPlace
from bellwire.viz.window.presenter.resting_pointer import RestingPointer
from bellwire.viz.window.presenter.slide import Slide, slide_of
from bellwire.viz.window.presenter.slide_view import SlideView, has_room, least_pixels

AROUND = 0.012  # of the window's height, around the picture
PANEL_SHARE = {SIDE: 0.46, BELOW: 0.58}  # of the window's width, by where a panel stands elsewhere: below is wide


class Blank(StrEnum):
    """What is shown in place of everything, so that everybody looks at whoever speaks."""

    BLACK = "#000000"
    WHITE = "#ffffff"


class AudienceWindow(QWidget):
    """Follows a model; its picture is as the other diagram of that model: of the same parts, lit as that is.

    closed: somebody has closed it by the window manager. chosen: a choice was clicked at, from 0.
    """

    closed, chosen = Signal(), Signal(int)

    def __init__(self, model: LiveModel, theme: Theme, pointing: Pointing | None = None) -> None:
        """pointing: at the picture, here and wherever else it is shown."""
        super().__init__(None, Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint)
        self.theme = theme
        self.pointing = pointing or Pointing()
        self.blank: Blank | None = None
        self.setWindowTitle(tr("Audience – Bellwire"))
        self.setAccessibleName(tr("what the audience sees"))
        self.slide_view = SlideView(theme, self)
        self.slide_view.chosen.connect(self.chosen)
        self.picture = self._picture_of(model)
        self.pointer = DiagramPointer(self.picture, self.pointing)
        self.panel = PanelPlace(theme, self.picture)
        self._beside: tuple[object, bool] = (None, False)  # of which words, and whether a panel is beside them
        self.mouse = RestingPointer(self, lambda: self.pointing.tool is not None)
        self.cover = QWidget(self)
        self.cover.hide()

    def _picture_of(self, model: LiveModel) -> LegibleDiagram:
        return LegibleDiagram(model, self.theme.scaled(MOST_TEXT), least_pixels(self.height()), self)

    def follow(self, model: LiveModel) -> None:
        """Another source is shown."""
        old, self.picture = self.picture, self._picture_of(model)
        self.pointer = DiagramPointer(self.picture, self.pointing)
        self.panel.clear()
        self.panel.keys = self.picture
        self.picture.stackUnder(self.cover)
        self.picture.setGeometry(old.geometry())
        self.picture.setVisible(True)
        self.picture.setFocus(Qt.FocusReason.OtherFocusReason)
        old.hide()
        old.deleteLater()

    def refresh(self, everything: bool, like: Diagram, course: Course | None, panel: str = "") -> None:
        """Once a frame: the tokens, or all of it. panel: its name, "" for none; a lesson's alone is shown."""
        picture = self.picture
        picture.still_motion = like.still_motion
        if picture.extended != like.extended:
            picture.set_extended(like.extended)
        picture.set_highlight(like.highlight)
        picture.set_silent(like.silent)
        picture.refresh(everything)
        self.pointer.refresh()
        if not everything:
            return
        if self.say(course, panel):
            picture.refresh(False)  # its tokens have another place
        self.panel.refresh()

    def say(self, course: Course | None, panel: str = "") -> bool:
        """The words; picture and panel share the rest. Whether the picture has another place now."""
        slide = slide_of(self.picture.model, course, self.picture.caption)
        self.panel.bring(panel if course else "", self.picture.model)
        side, width, height = round(self.height() * AROUND), self.width(), self.height()
        wide = round(width * PANEL_SHARE[self.panel.panel.place]) + side if self.panel.panel else 0
        words = width - wide if self._has_room_beside(slide, width - wide) else width
        top = self.slide_view.show_slide(slide, words, height)
        self.slide_view.setGeometry(0, 0, words, top)
        if wide:
            above = top if words == width else side
            self.panel.place(width - wide, above, wide - side, height - above - side)
        return self._place_picture(QRect(side, top, width - wide - 2 * side, height - top - side))

    def _has_room_beside(self, slide: Slide, width: int) -> bool:
        """Whether the words are in this width beside a panel, which has all the height then; as long as they are said.

        A question has all the width: what is answered stands beside what was asked.
        """
        of = slide.key, slide.ask, width, self.size()
        if of != self._beside[0]:
            self._beside = of, not slide.ask and has_room(slide, width, self.height())
        return self._beside[1]

    def _place_picture(self, place: QRect) -> bool:
        moved = place != self.picture.geometry()
        if moved:
            before = self.picture.size()
            self.picture.setGeometry(place)
            if not self.isVisible():  # Qt tells a part of its size when it is shown; the copy shows it before
                QCoreApplication.sendEvent(self.picture, QResizeEvent(place.size(), before))
        return moved

    def show_blank(self, blank: Blank | None) -> None:
        """Nothing but this colour; None: what there is to see."""
        self.blank = blank
        if blank:
            self.cover.setStyleSheet(f"background: {blank}")
        self.cover.setVisible(blank is not None)

    def set_theme(self, theme: Theme) -> None:
        """Other colours; how large its text is goes with the window's height alone."""
        self.theme = theme
        self.slide_view.set_theme(theme)
        self.picture.set_theme(theme.scaled(MOST_TEXT))
        self.panel.set_theme(theme)
        self.update()

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self.theme.color("background"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.cover.setGeometry(self.rect())
        self.picture.set_least(least_pixels(self.height()))
        self.panel.set_least(least_pixels(self.height()))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.mouse.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.mouse.stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """As in the other window: a key whose letter is no Latin one does what its place says."""
        action = action_of(event, self.actions())
        if action is None:
            super().keyPressEvent(event)
        else:
            action.trigger()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()
