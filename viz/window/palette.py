"""What opens above the picture: all keys, and the palette that finds by its name what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QMargins, QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget
from shiboken6 import isValid

from bellwire.engine.language import tr
from bellwire.viz.style.controls import keeps
from bellwire.viz.style.painting import painting
from bellwire.viz.style.scroll import UprightArea
from bellwire.viz.style.theme import Theme

LINE, COLUMN, MARGIN, TITLE, EDGE = 26, 312, 40, 92, 32  # of the sheet of keys, pixels at 100 % text
LEAST_SCALE = 0.85  # of its type: smaller it could not be read
LEAST_PIECE = 4  # lines of a section that are worth beginning it in a column
SCROLL_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)

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
    """Every key, on a sheet that is scrolled where the window has no room for it in type that can be read."""

    def __init__(self, window: QWidget, theme: Theme, sections: Sections) -> None:
        super().__init__(window, theme)
        self.sections = sections
        self.sheet = KeySheet(sections, theme)
        self.area = KeyArea(self.sheet, self)
        self.area.setAccessibleName(tr("Keys"))
        self.setAccessibleName(tr("Keys"))
        self.setAccessibleDescription("; ".join(f"{keys}: {text}" for _, rows in sections for keys, text in rows))

    def toggle(self) -> None:
        """Shows itself, or hides."""
        if self.isVisible():
            self.hide()
        else:
            self.open()

    def open(self) -> None:
        super().open()
        self.area.verticalScrollBar().setValue(0)
        self.area.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        super().set_theme(theme)
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        """In the middle, as high as it is, or as the window."""
        room = self.size().shrunkBy(QMargins(EDGE // 2, EDGE // 2, EDGE // 2, EDGE // 2))
        self.sheet.fit(room, self.theme)
        size, bar = self.sheet.minimumSize(), self.area.verticalScrollBar().sizeHint().width()
        size = (size + QSize(bar if size.height() > room.height() else 0, 0)).boundedTo(room)
        self.area.resize(size)
        self.area.move((self.width() - size.width()) // 2, (self.height() - size.height()) // 2)


class KeyArea(UprightArea):
    """What scrolls the sheet; while it does, the keys that scroll are its own."""

    def __init__(self, inside: QWidget, parent: QWidget) -> None:
        super().__init__(inside, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def event(self, event: QEvent) -> bool:
        scrolls = self.verticalScrollBar().maximum() > 0
        return (scrolls and keeps(event, SCROLL_KEYS)) or super().event(event)


class KeySheet(QWidget):
    """The keys, in as many columns as let the type be largest; of a section that a column cuts the rest is the next."""

    def __init__(self, sections: Sections, theme: Theme) -> None:
        super().__init__()
        self.sections, self.theme, self.sized = sections, theme, theme
        self.columns: list[Sections] = [sections]

    def fit(self, room: QSize, theme: Theme) -> None:
        """For so much room: a column a section, if it has room; else in type that is as large as it can be, and no
        smaller than can be read.
        """
        most = max(int((room.width() / LEAST_SCALE - MARGIN) // COLUMN), 1)
        tries = [[[section] for section in self.sections], *(in_columns(self.sections, n) for n in range(1, most + 1))]
        fits = [min(scale_in(columns, room), theme.scale) for columns in tries]
        best = fits.index(max(fits)) if max(fits) >= LEAST_SCALE else most  # scrolled, the fewer lines the better
        self.columns = tries[best]
        self.theme, self.sized = theme, replace(theme, scale=max(fits[best], LEAST_SCALE))
        self.setMinimumSize(*(self.sized.px(length) for length in sheet_size(self.columns)))
        self.update()

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter, px = QPainter(self), self.sized.px
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.theme.color("border_strong"), 1))
        painter.setBrush(self.theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 14, 14)
        painter.setFont(self.sized.font(20, 700))
        painter.setPen(self.theme.color("text"))
        painter.drawText(QPointF(px(28), px(42)), tr("Keys"))
        for n, sections in enumerate(self.columns):
            area = QRectF(px(28) + n * px(COLUMN), px(66), px(COLUMN) - px(16), px(LINE))
            for title, rows in sections:
                self._section(painter, area, title, rows)
                area.translate(0, 2 * area.height())

    def _section(self, painter: QPainter, area: QRectF, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """From `area` on, which moves along to its last line."""
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


def in_columns(sections: Sections, most: int) -> list[Sections]:
    """The sections in so many columns, of as few lines as that takes."""
    lines = sum(len(rows) for _, rows in sections) // most
    while len(columns := flowed(sections, lines)) > most:
        lines += 1
    return columns


def flowed(sections: Sections, lines: int) -> list[Sections]:
    """The sections in columns of about so many lines, with a line for each title and one after each section."""
    columns: list[Sections] = [[]]
    left = lines
    for title, rows in sections:
        while rows:
            if left < LEAST_PIECE and columns[-1]:
                columns.append([])
                left = lines
            here = max(left - 1, 1) if len(rows) > left else len(rows)
            columns[-1].append((title, rows[:here]))
            rows, left = rows[here:], left - here - 2
    return columns


def sheet_size(columns: list[Sections]) -> tuple[int, int]:
    """Width and height at 100 % text."""
    lines = max(sum(len(rows) + 2 for _, rows in sections) - 1 for sections in columns)
    return COLUMN * len(columns) + MARGIN, LINE * lines + TITLE


def scale_in(columns: list[Sections], room: QSize) -> float:
    """How large the text may be for a sheet that fits."""
    width, height = sheet_size(columns)
    return min(room.width() / width, room.height() / height)


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
