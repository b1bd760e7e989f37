"""The line in which a filter is typed: completed word by word, its mistakes said gently. The last good one holds."""

from __future__ import annotations

from PySide6.QtCore import QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCompleter, QLineEdit, QWidget

from bellwire.engine.language import tr
from bellwire.viz.model.filter import Everything, Filter
from bellwire.viz.model.filter_language import EXPLAINED, HINT, FilterError, parse, suggestions

PAUSE_MS = 250  # in typing, before the events are asked
PADDING = 48  # pixels beside the words that are offered


class FilterLine(QLineEdit):
    """`wanted` is the filter that holds; `trouble` what is wrong with what is typed now, "" if nothing."""

    asked = Signal()  # `wanted` or `trouble` has changed

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wanted: Filter = Everything()
        self.trouble = ""
        self.setPlaceholderText(tr(HINT))
        self.setToolTip(tr(EXPLAINED))
        self.setAccessibleName(tr("filter"))
        self.setClearButtonEnabled(True)
        self._words = QStringListModel()
        self._completer = QCompleter(self._words, self)
        self._completer.setWidget(self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.activated.connect(self._complete)
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self.textEdited.connect(self._typed)
        self.textChanged.connect(lambda _text: self._pause.start())
        self.returnPressed.connect(self._ask)

    def say(self, text: str) -> None:
        """Sets a text and asks at once."""
        self.setText(text)
        self._ask()

    def _typed(self, text: str) -> None:
        words = suggestions(text[: self.cursorPosition()])
        popup = self._completer.popup()
        assert popup is not None
        if not words:
            popup.hide()
            return
        self._words.setStringList(words)
        area = self.cursorRect()
        area.setWidth(max(popup.fontMetrics().horizontalAdvance(word) for word in words) + PADDING)
        self._completer.complete(area)
        rows = min(len(words), self._completer.maxVisibleItems())
        popup.resize(popup.width(), rows * popup.sizeHintForRow(0) + PADDING // 3)

    def _complete(self, word: str) -> None:
        """The last word before the cursor becomes this one."""
        at = self.cursorPosition()
        head = self.text()[:at]
        begin = max(head.rfind(" "), head.rfind("(")) + 1
        self.setText(head[:begin] + word + self.text()[at:])
        self.setCursorPosition(begin + len(word))

    def _ask(self) -> None:
        """What is typed is what holds, if it is understood."""
        self._pause.stop()
        before = self.wanted, self.trouble
        try:
            self.wanted, self.trouble = parse(self.text()), ""
        except FilterError as error:  # a word that can still become one is no mistake
            self.trouble = "" if suggestions(self.text()) and self.hasFocus() else str(error)
        self.setProperty("wrong", bool(self.trouble))
        # A sheet of its own, even an empty one, has the application's looked at again. Not by its style object:
        # PySide's wrapper of it outlives the style when another sheet replaces it, and Qt crashes at the next one.
        self.setStyleSheet("/* wrong */" if self.trouble else "")
        if before != (self.wanted, self.trouble):
            self.asked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc empties the line, then gives the keys back to the window."""
        if event.key() == Qt.Key.Key_Escape:
            if self.text():
                self.say("")
            else:
                self.clearFocus()
            return
        super().keyPressEvent(event)
