"""The list of a scenario's calls: in the order of the set-up, each with how its switch stands."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from bellwire.engine.calls.call import Call
from bellwire.engine.language import tr
from bellwire.viz.panels.calls.state import Calls
from bellwire.viz.style.controls import keeps
from bellwire.viz.style.plain import plain_tip
from bellwire.viz.style.theme import Theme

NAME = Qt.ItemDataRole.UserRole
KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Home, Qt.Key.Key_End)
ROW, HEADING, EDGE = 44, 26, 10
TITLE_SIZE, SMALL_SIZE = 13, 11
Index = QModelIndex | QPersistentModelIndex


def state_text(call: Call) -> str:
    """Its state with a shape that says the same: filled or hollow."""
    return f"{'●' if call.made else '○'} {call.state}" if call.state else ""


class CallRows(QStyledItemDelegate):
    """Paints a call: its title, how its switch stands, what it does; and the headings between."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme, self.calls = theme, Calls((), frozenset())

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        """Two lines, or one for a heading."""
        return QSize(0, self.theme.px(ROW if index.data(NAME) else HEADING))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One row."""
        rect = QRectF(option.rect).adjusted(EDGE, 0, -EDGE, 0)
        call = self.calls.named(index.data(NAME) or "")
        painter.save()
        if call is None:
            self._write(painter, rect, index.data(), self.theme.font(SMALL_SIZE, 600), "text_muted")
        else:
            self._paint_back(painter, option, call)
            self._paint_call(painter, rect.adjusted(0, 4, 0, -4), call)
        painter.restore()

    def _paint_back(self, painter: QPainter, option: QStyleOptionViewItem, call: Call) -> None:
        state = option.state
        rect = QRectF(option.rect).adjusted(0, 1, 0, -1)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        if chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(self.theme.color("surface_raised"))
            painter.drawRoundedRect(rect, 6, 6)
        if call.name in self.calls.changed:
            painter.setBrush(self.theme.color("selection"))
            painter.drawRoundedRect(QRectF(rect.left(), rect.top() + 6, 3, rect.height() - 12), 1.5, 1.5)
        if chosen and state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(self.theme.color("focus"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _paint_call(self, painter: QPainter, rect: QRectF, call: Call) -> None:
        upper, lower = QRectF(rect), QRectF(rect)
        upper.setHeight(rect.height() / 2)
        lower.setTop(upper.bottom())
        small = self.theme.font(SMALL_SIZE)
        changed = call.name in self.calls.changed
        color = "selection" if changed else "live" if call.made else "text_muted"
        used = self._write(painter, upper, state_text(call), small, color, right=True)
        title = upper.adjusted(0, 0, -used - 8, 0)
        self._write(painter, title, tr(call.title), self.theme.font(TITLE_SIZE, 500, mono=True), "text")
        self._write(painter, lower, call.says, small, "text_muted")

    def _write(self, painter: QPainter, rect: QRectF, text: str, font: QFont, color: str, right: bool = False) -> float:
        """One line, cut with dots where it has no room. The width that it takes."""
        painter.setFont(font)
        painter.setPen(self.theme.color(color))
        metrics = QFontMetricsF(font)
        cut = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(rect, side | Qt.AlignmentFlag.AlignVCenter, cut)
        return metrics.horizontalAdvance(cut)


class CallList(QListView):
    """Emits `chosen` with the name of a call, at a click or Enter."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = CallRows(theme, self)
        self.setModel(QStandardItemModel(self))
        self.setItemDelegate(self.rows)
        self.setMouseTracking(True)
        self.setObjectName("calls")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setAccessibleName(tr("The calls of this scenario"))
        self.clicked.connect(self._choose)

    def show_calls(self, calls: Calls) -> None:
        """Another state of them; the same calls keep their places."""
        before, self.rows.calls = self.rows.calls, calls
        if [call.name for call in before.calls] != [call.name for call in calls.calls]:
            self._fill(calls)
        self._describe(calls)
        self.viewport().update()

    def _fill(self, calls: Calls) -> None:
        model = self._items
        model.clear()
        group = ""
        for call in calls.calls:
            if call.group != group:
                group = call.group
                heading = QStandardItem(tr(group).upper())
                heading.setFlags(Qt.ItemFlag.NoItemFlags)
                model.appendRow(heading)
            item = QStandardItem(tr(call.title))
            item.setData(call.name, NAME)
            model.appendRow(item)
        self.setCurrentIndex(model.index(1, 0))

    def _describe(self, calls: Calls) -> None:
        """For screen readers and tooltips."""
        for row in range(self._items.rowCount()):
            item = self._items.item(row)
            call = calls.named(item.data(NAME) or "")
            if call is not None:
                item.setToolTip(plain_tip(tr("{says} By the {by}.", says=call.says, by=tr(call.by))))
                item.setData(f"{tr(call.title)}, {state_text(call)}. {call.says}", Qt.ItemDataRole.AccessibleTextRole)

    @property
    def _items(self) -> QStandardItemModel:
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        return model

    def point_at(self, name: str) -> None:
        """Makes a call the current one."""
        for row in range(self._items.rowCount()):
            if self._items.item(row).data(NAME) == name:
                self.setCurrentIndex(self._items.index(row, 0))

    def begin_at(self, group: str) -> None:
        """Scrolls so that this group is at the top; nothing else is changed."""
        for row in range(self._items.rowCount()):
            if self._items.item(row).text() == tr(group).upper():
                self.scrollTo(self._items.index(row, 0), QListView.ScrollHint.PositionAtTop)

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.rows.theme = theme
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    def _choose(self, index: QModelIndex) -> None:
        if index.data(NAME):
            self.chosen.emit(index.data(NAME))

    def event(self, event: QEvent) -> bool:
        """Enter, Home and End are the list's own while it has the focus."""
        return keeps(event, KEYS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter chooses."""
        if event.key() in KEYS[:2]:
            self._choose(self.currentIndex())
        else:
            super().keyPressEvent(event)
