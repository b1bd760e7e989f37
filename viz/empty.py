"""What stands over the diagram while there is nothing to show: why, how to mend it, and what can be done instead."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from viz.controls import Button


class EmptyPanel(QFrame):
    """A card in the middle of `over`."""

    def __init__(self, over: QWidget, title: str, text: str, button: str, do: Callable[[], None]) -> None:
        super().__init__(over)
        self.setObjectName("popover")
        heading, words, self.button = QLabel(title), QLabel(text), Button(button)
        heading.setObjectName("title")
        words.setWordWrap(True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.button.clicked.connect(do)
        self.setAccessibleName(f"{title}. {text}")
        self._box = box = QVBoxLayout(self)
        box.setContentsMargins(32, 26, 32, 26)
        box.setSpacing(14)
        box.addWidget(heading)
        box.addWidget(words)
        box.addWidget(self.button, alignment=Qt.AlignmentFlag.AlignLeft)
        over.installEventFilter(self)
        self._center(over)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self._center(watched)
        return False

    def _center(self, over: QWidget) -> None:
        width = min(560, over.width() - 60)
        self.setFixedSize(max(width, 200), self._box.heightForWidth(max(width, 200)))
        self.move((over.width() - self.width()) // 2, (over.height() - self.height()) // 2)
