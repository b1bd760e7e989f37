"""The line in which a note is typed, in its place: Enter keeps it, Esc leaves it as it was."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from bellwire.engine.language import tr
from bellwire.engine.recordings.annotations.annotation import MOST_WORDS, one_line
from bellwire.viz.style.theme import Theme

WIDE, HIGH = 340, 34  # pixels at 100 % text
EDGE = 6


class NoteEditor(QLineEdit):
    """Over another widget. keep: is told the text; left: is called once it is over, either way."""

    def __init__(
        self, over: QWidget, theme: Theme, text: str, keep: Callable[[str], object], left: Callable[[], object]
    ) -> None:
        super().__init__(text, over)
        self._over = over
        self._keep, self._left = keep, left
        self.setMaxLength(MOST_WORDS)
        self.setFont(theme.font(13))
        self.setPlaceholderText(tr("A note: Enter keeps it, Esc leaves"))
        self.setAccessibleName(tr("text of the annotation"))
        self.selectAll()

    def place(self, near: QRect, theme: Theme) -> None:
        """Where the words are, or will be, as wide as there is room."""
        over = self._over
        size = min(theme.px(WIDE), over.width() - 2 * EDGE), theme.px(HIGH)
        left = min(max(near.left(), EDGE), over.width() - size[0] - EDGE)
        top = min(max(near.center().y() - size[1] // 2, EDGE), over.height() - size[1] - EDGE)
        self.setGeometry(left, top, *size)
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        """Every key is its own while it is typed in, Esc and Ctrl+Z as well."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._end(one_line(self.text()))
        elif event.key() == Qt.Key.Key_Escape:
            self._end(None)
        else:
            super().keyPressEvent(event)

    def leave(self) -> None:
        """As Esc."""
        self._end(None)

    def _end(self, text: str | None) -> None:
        self.hide()
        self.deleteLater()
        if text is not None:
            self._keep(text)
        self._left()
