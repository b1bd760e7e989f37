"""Parts of the window whose shares can be changed: by dragging what divides them, or by its keys."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSplitter, QSplitterHandle, QWidget

from bellwire.engine.language import tr
from bellwire.viz.style.controls import keeps
from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import plain_tip

STEP = 24  # pixels that a key moves it
TOWARDS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}


class Divider(QSplitterHandle):
    """While it has the focus the arrow keys move it; a line in the colour of the focus says that it has."""

    def __init__(self, way: Qt.Orientation, parent: QSplitter) -> None:
        super().__init__(way, parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def event(self, event: QEvent) -> bool:
        return keeps(event, tuple(TOWARDS)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Both pairs of keys: which of them goes along with it, nobody has to think of."""
        towards = TOWARDS.get(Qt.Key(event.key()), 0)
        if towards:
            at = self.x() if self.orientation() == Qt.Orientation.Horizontal else self.y()
            self.moveSplitter(at + towards * STEP)
        else:
            super().keyPressEvent(event)

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            across = self.orientation() == Qt.Orientation.Horizontal
            inset = max((self.width() if across else self.height()) // 2 - 2, 0)
            line = self.rect().adjusted(inset, 0, -inset, 0) if across else self.rect().adjusted(0, inset, 0, -inset)
            QPainter(self).fillRect(line, self.palette().highlight())


class DividedParts(QSplitter):
    """Parts side by side, or one above the other."""

    def __init__(self, way: Qt.Orientation, handle: int, name: str, parent: QWidget) -> None:
        """handle: pixels between the parts; name: of what divides them."""
        super().__init__(way, parent)
        self._name = name
        self.setHandleWidth(handle)
        self.setChildrenCollapsible(False)

    def fill(self, *parts: tuple[QWidget, int]) -> None:
        """parts: in order (widget, its share at the start). A child is here already, and comes to its place."""
        for widget, _ in parts:
            self.addWidget(widget)
        for n, (_, share) in enumerate(parts):
            self.setStretchFactor(n, share)
        self.setSizes([share * 100 for _, share in parts])

    def createHandle(self) -> QSplitterHandle:
        """Called by Qt for each part."""
        made = Divider(self.orientation(), self)
        made.setAccessibleName(self._name)
        made.setToolTip(plain_tip(tr("{name}: drag it, or move it by the arrow keys", name=self._name)))
        return made
