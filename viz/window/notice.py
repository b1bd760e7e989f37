"""A bar that says one sentence, with buttons for what can be done about it, until it is dismissed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from bellwire.engine.language import tr
from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.controls import Button, IconButton
from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import PlainLabel, said_plainly
from bellwire.viz.style.theme import Theme


def nothing() -> None:
    """What there is to do about most notices."""


Deed = tuple[str, Callable[[], object]]  # a button's words, and what it does


class NoticeBar(QWidget):
    """At most one notice; a newer one replaces it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._do: Callable[[], object] = nothing
        self._also: Callable[[], object] = nothing
        self._color = "heavy"
        self.words = PlainLabel()
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.button = Button()
        self.button.clicked.connect(self._mend)
        self.second = Button()
        self.second.clicked.connect(lambda: self._also())
        self.close_button = IconButton()
        self.close_button.setToolTip(tr("Dismiss (Esc)"))
        self.close_button.setAccessibleName(tr("dismiss the notice"))
        self.close_button.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(28, 8, 12, 8)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)
        row.addWidget(self.second)
        row.addWidget(self.close_button)
        self.set_theme(theme)
        self.hide()

    def say(
        self,
        sentence: str,
        button: str = "",
        do: Callable[[], object] | None = None,
        *,
        also: Deed = ("", nothing),
        color: str = "heavy",
    ) -> None:
        """Shows one sentence; with a button if there is something to do about it. color: of good news "live".

        also: a second button, which leaves the notice where it is.
        """
        self._color, sentence = color, said_plainly(sentence)
        self.words.setText(sentence)
        self.setAccessibleName(sentence)
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self._do = do or nothing
        words, self._also = also
        self.second.setText(words)
        self.second.setVisible(bool(words))
        self.update()
        self.show()

    def take_back(self, sentence: str) -> None:
        """Hides if it is this that it says."""
        if self.words.text() == said_plainly(sentence):
            self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.theme = theme
        self.close_button.show_icon("close", theme)
        self.update()

    def _mend(self) -> None:
        self.hide()
        self._do()

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.theme.color(self._color), 1.5))
        painter.setBrush(self.theme.color("surface"))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 8, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color(self._color))
        painter.drawRoundedRect(10, 10, 5, self.height() - 20, 2, 2)


# -- How far a large recording has been read for its index: a line under the notice, until it is.

LARGE = 1 << 20  # events; smaller recordings are read before anybody can look


class IndexProgress(QProgressBar):
    """Shown only while an index is made."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(0, 100)
        self.setFormat(tr("Reads the recording once, for its overview: %p %"))
        self.setAccessibleName(tr("Index of the recording"))
        self.setToolTip(
            tr("Until then the timeline shows only what has been played, and totals count from where you jump")
        )
        self.hide()

    def refresh(self, model: LiveModel) -> None:
        """Shows how far it is."""
        replay = model.recorded
        making = replay is not None and len(replay.recording) >= LARGE and replay.indexer.busy
        if making and replay is not None:
            self.setValue(round(100 * replay.indexer.share))
        if self.isHidden() == making:
            self.setVisible(making)


# -- What stands over the diagram while there is nothing to show: why, how to mend it, and what can be done instead.


class EmptyPanel(QFrame):
    """A card in the middle of `over`."""

    def __init__(self, over: QWidget, title: str, text: str, button: str, do: Callable[[], None]) -> None:
        super().__init__(over)
        self.setObjectName("popover")
        heading, words, self.button = PlainLabel(title), PlainLabel(text), Button(button)
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
