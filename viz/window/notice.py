"""A bar that says one sentence, with a button that mends it if there is one, until it is dismissed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from viz.controls import Button, IconButton
from viz.icons import icon
from viz.theme import Theme


def nothing() -> None:
    """What there is to do about most notices."""


class NoticeBar(QWidget):
    """At most one notice; a newer one replaces it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._do: Callable[[], None] = nothing
        self._color = "heavy"
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.button = Button()
        self.button.clicked.connect(self._mend)
        self.close_button = IconButton()
        self.close_button.setToolTip("Dismiss (Esc)")
        self.close_button.setAccessibleName("dismiss the notice")
        self.close_button.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(28, 8, 12, 8)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)
        row.addWidget(self.close_button)
        self.set_theme(theme)
        self.hide()

    def say(
        self, sentence: str, button: str = "", do: Callable[[], None] | None = None, *, color: str = "heavy"
    ) -> None:
        """Shows one sentence; with a button if there is something to do about it. color: of good news "live"."""
        self._color = color
        self.words.setText(sentence)
        self.setAccessibleName(sentence)
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self._do = do or nothing
        self.update()
        self.show()

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.theme = theme
        self.close_button.setIcon(icon("close", theme))
        self.update()

    def _mend(self) -> None:
        self.hide()
        self._do()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.theme.color(self._color), 1.5))
        painter.setBrush(self.theme.color("surface"))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 8, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color(self._color))
        painter.drawRoundedRect(10, 10, 5, self.height() - 20, 2, 2)
