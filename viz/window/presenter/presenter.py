"""Presenting: the audience's window beside that of the lecturer, on two screens or one, which may come and go."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget

from bellwire.engine.language import tr, tr_later
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.turns import Turns
from bellwire.viz.window.lesson.player import LessonPlayer
from bellwire.viz.window.notice import NoticeBar
from bellwire.viz.window.presenter.audience import AudienceWindow, Blank
from bellwire.viz.window.presenter.screens import screen_apart
from bellwire.viz.window.settings import Look
from bellwire.viz.window.shown import Shown

ONE_SCREEN = tr_later("There is one screen now: F6 turns between the audience's view and this one.")


class Presenter(QObject):
    """Follows whether the look is that of presenting.

    audience: its window, while there is one. apart: whether that has a screen of its own. changed: there is one, or
    there is none any more.
    """

    changed = Signal()

    def __init__(self, shown: Shown, look: Look, lessons: LessonPlayer, notice: NoticeBar, top: QWidget) -> None:
        """top: the lecturer's window, whose actions can be done in both."""
        super().__init__(top)
        self._shown, self._look, self._lessons, self._notice = shown, look, lessons, notice
        self._top = top
        self._size = top.size()  # of the lecturer's window, wherever that has room
        self.audience: AudienceWindow | None = None
        self.apart = False
        look.presenting_changed.connect(self._change)
        shown.changed.connect(self._follow)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.screenAdded.connect(self._screen_comes)
        app.screenRemoved.connect(self._screens_changed)
        for screen in app.screens():
            screen.geometryChanged.connect(self._screens_changed)

    def _change(self) -> None:
        if self._look.presenting and self.audience is None:
            self._begin()
        elif not self._look.presenting:
            self.end()

    def _begin(self) -> None:
        self._size = self._top.size()
        self.audience = AudienceWindow(self._shown.model, self._look.theme, self._shown.pointing)
        self.audience.addActions(self._top.actions())
        self.audience.closed.connect(self._closed)
        self.audience.chosen.connect(self._lessons.choose)
        self._place()
        self.changed.emit()

    def end(self) -> None:
        """No audience any more."""
        if self.audience:
            audience, self.audience = self.audience, None
            audience.panel.clear()
            audience.hide()
            audience.deleteLater()
            self.changed.emit()
            self._top.activateWindow()

    def _closed(self) -> None:
        if self.audience:
            self._look.set_presenting(False)

    # -- screens

    def _place(self) -> None:
        """The audience's window on its screen, in front."""
        assert self.audience
        own = self._top.screen()
        other = screen_apart(own, QGuiApplication.screens())
        self.apart = other is not None
        self._fill(other or own)
        (self._top if self.apart else self.audience).activateWindow()

    def _fill(self, screen: QScreen) -> None:
        assert self.audience
        if self.audience.isVisible() and self.audience.geometry() == screen.geometry():
            return
        self.audience.hide()  # a window that fills a screen is not moved to another one while it is shown
        self.audience.setScreen(screen)
        self.audience.setGeometry(screen.geometry())
        self.audience.say(self._lessons.course, self._shown.views.in_front)
        self.audience.showFullScreen()

    def _screen_comes(self, screen: QScreen) -> None:
        screen.geometryChanged.connect(self._screens_changed)
        self._screens_changed()

    def _screens_changed(self, _: object = None) -> None:
        """Once Qt has done its own: it moves windows away from a screen that goes."""
        QTimer.singleShot(0, self, self._settle)

    def _settle(self) -> None:
        """What has lost its screen shares the other's, behind the lecturer's; a screen that comes is the audience's."""
        if self.audience is None:
            return
        own, was_apart = self._top.screen(), self.apart
        if not own.geometry().intersects(self._top.geometry()):
            self._move_to(own)
        if screen_apart(own, QGuiApplication.screens()):
            self._place()
            self._notice.take_back(tr(ONE_SCREEN))
            return
        self.apart = False
        if was_apart:
            self.audience.hide()
            self._top.activateWindow()
            self._notice.say(tr(ONE_SCREEN))
        elif self.audience.isVisible():
            self._fill(own)

    def turn(self) -> None:
        """On two screens the windows change places; on one the other comes in front."""
        if self.audience is None:
            return
        own = self._top.screen()
        other = screen_apart(own, QGuiApplication.screens())
        if other:
            self._move_to(other)
            self._fill(own)
        elif self.audience.isVisible():
            self.audience.hide()
            self._top.activateWindow()
        else:
            self._place()

    def _move_to(self, screen: QScreen) -> None:
        """The lecturer's window, as large as it was if that has room there."""
        whole = self._top.windowState() & (Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen)
        self._top.setWindowState(Qt.WindowState.WindowNoState)
        room = screen.availableGeometry()
        size = self._size.boundedTo(room.size())
        self._top.setScreen(screen)
        self._top.setGeometry(room.x(), room.y(), size.width(), size.height())
        self._top.setWindowState(whole)

    # -- what is shown

    def show_blank(self, blank: Blank) -> None:
        """Nothing but this colour, or what there was before."""
        if self.audience:
            self.audience.show_blank(None if self.audience.blank is blank else blank)

    def uncover(self) -> bool:
        """Takes a colour away that hides everything; whether there was one."""
        covered = self.audience is not None and self.audience.blank is not None
        if self.audience:
            self.audience.show_blank(None)
        return covered

    def _follow(self) -> None:
        if self.audience:
            self.audience.follow(self._shown.model)

    def refresh(self, everything: bool) -> None:
        """Once a frame, in which the audience's window is painted as well, so that what it costs is the frame's."""
        Turns.begin_frame()
        if self.audience:
            views = self._shown.views
            self.audience.refresh(everything, views.diagram, self._lessons.course, views.in_front)
            QCoreApplication.sendPostedEvents(self.audience, QEvent.Type.UpdateRequest.value)

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        if self.audience:
            self.audience.set_theme(theme)
