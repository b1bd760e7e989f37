"""All of a window is on a screen: when it opens, and when its screen becomes smaller, or goes."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QObject, QTimer
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget

FRAME = QMargins(0, 32, 0, 0)  # room for the title that a window manager adds, before it says how much that is
SETTLED = 300  # ms after which a window manager has done what it does when a screen changes


def fit_to_screen(window: QWidget, first: bool = False) -> None:
    """No larger than the screen that it opens on, and all of it there: what was remembered may be of another screen.

    first: nothing is remembered, so it takes all the room that the screen has.
    """
    screen = QGuiApplication.screenAt(window.geometry().center()) or QGuiApplication.primaryScreen()
    if screen is None or window.isMaximized() or window.isFullScreen():
        return
    room = screen.availableGeometry().marginsRemoved(FRAME)
    if not screen.devicePixelRatio().is_integer():
        room.adjust(0, 0, -1, -1)  # Qt rounds up what a screen has: 683 for 1024 / 1.5, which would be 1025
    window.setMinimumSize(window.minimumSize().boundedTo(room.size()))
    window.resize(room.size() if first else window.size().boundedTo(room.size()))
    x = min(max(window.x(), room.left()), room.right() + 1 - window.width())
    y = min(max(window.y(), room.top()), room.bottom() + 1 - window.height())
    window.move(x, y - FRAME.top())


class StayOnScreen(QObject):
    """Watches the screens as long as its window lives. What the window manager has mended is left as it is."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._settled = QTimer(self, singleShot=True, interval=SETTLED)
        self._settled.timeout.connect(self.fit)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.screenAdded.connect(self._watch)
        app.screenRemoved.connect(self._changed)
        for screen in app.screens():
            self._watch(screen)

    def _watch(self, screen: QScreen) -> None:
        screen.availableGeometryChanged.connect(self._changed)

    def _changed(self) -> None:
        self._settled.start()

    def fit(self) -> None:
        """No larger than the screen that it is on now, its frame included, and all of it there."""
        window, screen = self._window, self._window.screen()
        if window.isMaximized() or window.isFullScreen():
            return
        room, frame = screen.availableGeometry(), window.frameGeometry()
        if room.contains(frame):
            return
        around = frame.size() - window.size()
        size = window.size().boundedTo(room.size() - around)
        window.setMinimumSize(window.minimumSize().boundedTo(size))
        window.resize(size)
        right, bottom = room.right() + 1 - (size + around).width(), room.bottom() + 1 - (size + around).height()
        window.move(max(min(frame.x(), right), room.left()), max(min(frame.y(), bottom), room.top()))
