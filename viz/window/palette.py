"""What opens above the picture: all keys, and the palette that finds by its name what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QHideEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget
from shiboken6 import isValid

from bellwire.engine.language import tr
from bellwire.viz.style.painting import painting
from bellwire.viz.style.theme import Theme

LINE, COLUMN, MARGIN, TITLE, EDGE = 26, 312, 40, 92, 32  # of the sheet of keys, pixels at 100 % text

Entries = list[tuple[str, Callable[[], None]]]  # words, and what they do
Sections = list[tuple[str, list[tuple[str, str]]]]  # columns: title, [(keys, what they do)]


class Overlay(QWidget):
    """Covers the window's content with a veil and follows its size; a click beside what it shows closes it."""

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self.theme = theme
        self._focused: QWidget | None = None  # had the focus when this was opened
        window.installEventFilter(self)
        self.setGeometry(window.rect())
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        window = self.parentWidget()
        if watched is window and window and event.type() == QEvent.Type.Resize:
            self.setGeometry(window.rect())
        return False

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        self.update()

    def open(self) -> None:
        """Shows itself above everything."""
        parent = self.parentWidget()
        if parent:
            self.setGeometry(parent.rect())
        if not self.isVisible():
            self._focused = QApplication.focusWidget()
        self.show()
        self.raise_()

    def hideEvent(self, event: QHideEvent) -> None:
        """The focus goes back to where it was: Qt would give it to whatever comes next."""
        super().hideEvent(event)
        window, before, self._focused = self.window(), self._focused, None
        if before is not None and isValid(before) and before.isVisible() and not self.isAncestorOf(before):
            before.setFocus()
        elif (now := window.focusWidget()) is not None:
            now.clearFocus()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.hide()

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self.theme.color("background", 0.78))


class KeyHelp(Overlay):
    """Every key, in columns."""

    def __init__(self, window: QWidget, theme: Theme, sections: Sections) -> None:
        super().__init__(window, theme)
        self.sections = sections
        self.sized = theme  # with text that fits the window
        self.setAccessibleName(tr("Keys"))
        self.setAccessibleDescription("; ".join(f"{keys}: {text}" for _, rows in sections for keys, text in rows))

    def toggle(self) -> None:
        """Shows itself, or hides."""
        if self.isVisible():
            self.hide()
        else:
            self.open()

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        columns = self.sections
        tall = max(len(rows) for _, rows in columns)
        self.sized = self._fitted(len(columns), tall)
        px = self.sized.px
        line, width = px(LINE), px(COLUMN)
        sheet = QRectF(0, 0, width * len(columns) + px(MARGIN), line * (tall + 1) + px(TITLE))
        sheet.moveCenter(QPointF(self.rect().center()))
        painter.setPen(QPen(self.theme.color("border_strong"), 1))
        painter.setBrush(self.theme.color("surface"))
        painter.drawRoundedRect(sheet, 14, 14)
        painter.setFont(self.sized.font(20, 700))
        painter.setPen(self.theme.color("text"))
        painter.drawText(QPointF(sheet.left() + px(28), sheet.top() + px(42)), tr("Keys"))
        for n, (title, rows) in enumerate(columns):
            area = QRectF(sheet.left() + px(28) + n * width, sheet.top() + px(66), width - px(16), line)
            self._column(painter, area, title, rows)

    def _fitted(self, columns: int, rows: int) -> Theme:
        """The theme with text so small that the sheet is inside the window."""
        wide = (self.width() - EDGE) / (COLUMN * columns + MARGIN)
        high = (self.height() - EDGE) / (LINE * (rows + 1) + TITLE)
        return replace(self.theme, scale=min(self.theme.scale, wide, high))

    def _column(self, painter: QPainter, area: QRectF, title: str, rows: Sequence[tuple[str, str]]) -> None:
        painter.setFont(self.sized.font(12, 600))
        painter.setPen(self.theme.color("text_muted"))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, title)
        used = max(self._cap_width(keys) for keys, _ in rows) + self.sized.px(10)
        font = self._fitting([text for _, text in rows], area.width() - used)
        for keys, text in rows:
            area.translate(0, area.height())
            self._cap(painter, area, keys)
            painter.setFont(font)
            painter.setPen(self.theme.color("text"))
            painter.drawText(area.adjusted(used, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _fitting(self, texts: Sequence[str], room: float) -> QFont:
        """The usual font, smaller where a text needs more room, in pixels."""
        font = self.sized.font(13)
        wide = max(QFontMetricsF(font).horizontalAdvance(text) for text in texts)
        return self.sized.font(13 * min(1.0, room / wide))

    def _cap_width(self, keys: str) -> float:
        return QFontMetricsF(self.sized.font(12, 600, mono=True)).horizontalAdvance(keys) + self.sized.px(14)

    def _cap(self, painter: QPainter, area: QRectF, keys: str) -> None:
        """The keys in a frame."""
        painter.setFont(self.sized.font(12, 600, mono=True))
        cap = QRectF(area.left(), area.top() + 3, self._cap_width(keys), area.height() - 6)
        painter.setPen(QPen(self.theme.color("border_strong"), 1))
        painter.setBrush(self.theme.color("surface_raised"))
        painter.drawRoundedRect(cap, 5, 5)
        painter.setPen(self.theme.color("text"))
        painter.drawText(cap, Qt.AlignmentFlag.AlignCenter, keys)


class Palette(Overlay):
    """A line to type in, and the entries that match; Enter does the first."""

    def __init__(self, window: QWidget, theme: Theme, entries: Callable[[], Entries]) -> None:
        super().__init__(window, theme)
        self._entries = entries
        self.setAccessibleName(tr("Find an action"))
        self.frame = QFrame(self)
        self.frame.setObjectName("popover")
        self.line = QLineEdit()
        self.line.setPlaceholderText(tr("What do you want to do?"))
        self.line.setAccessibleName(tr("find an action"))
        self.list = QListWidget()
        self.list.setAccessibleName(tr("actions"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.line.textChanged.connect(self._filter)
        self.line.returnPressed.connect(self._do)
        self.list.itemClicked.connect(lambda _item: self._do())
        self.line.installEventFilter(self)
        box = QVBoxLayout(self.frame)
        box.addWidget(self.line)
        box.addWidget(self.list)

    def open(self) -> None:
        super().open()
        width = min(self.theme.px(560), self.width() - 40)
        self.frame.setGeometry((self.width() - width) // 2, self.height() // 7, width, self.height() // 2)
        self.line.clear()
        self._filter("")
        self.line.setFocus()

    def _filter(self, typed: str) -> None:
        """Every word that is typed must be in an action's text."""
        words = typed.lower().split()
        self.list.clear()
        for text, do in self._entries():
            if all(word in text.lower() for word in words):
                item = QListWidgetItem(text)
                item.setData(Qt.ItemDataRole.UserRole, do)
                self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _do(self) -> None:
        item = self.list.currentItem()
        self.hide()
        if item:
            item.data(Qt.ItemDataRole.UserRole)()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and Down move in the list while the line has the focus; Esc closes."""
        if watched is self.line and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape:
                self.hide()
                return True
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            if step:
                self.list.setCurrentRow(min(max(self.list.currentRow() + step, 0), self.list.count() - 1))
                return True
        return super().eventFilter(watched, event)
