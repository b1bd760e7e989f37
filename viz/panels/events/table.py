"""The table of the events in view: as many rows as there is room for, and nothing of all the others.

A view with a row for each of millions of events would have to be told of each that comes and goes. This one has the
rows of one page; scrolling changes which events they are.
"""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QBrush,
    QColor,
    QContextMenuEvent,
    QFont,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from bellwire.engine.events import Lane
from bellwire.engine.language import tr
from bellwire.viz.panels.events.cells import COLUMNS, EventRow, time_title
from bellwire.viz.style.controls import keeps
from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import plain_tip
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import row_brush

ROW_HEIGHT = 23
LANE_COLORS = {
    Lane.GUEST: "guest",
    Lane.VCPU: "heavy",
    Lane.KVM: "kvm",
    Lane.IO_THREAD: "io_thread",
    Lane.ENGINE: "text_muted",
}
COLORED = (2, 4)  # the columns that have their lane's colour: lane and kind
MUTED = (0, 1, 3)
WHEEL_ROWS = 3
Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
KEYS = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageUp: -2,
    Qt.Key.Key_PageDown: 2,
    Qt.Key.Key_Home: -3,
    Qt.Key.Key_End: 3,
}


LEAST_WORDS = 230  # pixels at 100 % text, for what happened
LEFT_OUT = (3, 2, 6, 1)  # the first of these columns first: VM, lane, number, Δ


class Page(QAbstractTableModel):
    """The rows in view, for Qt."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.rows: list[EventRow] = []
        self.chosen = -1  # position of the chosen event
        self.marked: frozenset[int] = frozenset()  # positions of the rows that would be copied
        self.current = -1  # position of the event that began the stage that is looked at

    def show(self, rows: list[EventRow], chosen: int, marked: frozenset[int], current: int = -1) -> None:
        """Other rows, or the same once more."""
        self.current = current
        if len(rows) == len(self.rows):
            self.rows, self.chosen, self.marked = rows, chosen, marked
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self.rows, self.chosen, self.marked = rows, chosen, marked
        self.endResetModel()

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(column.title) if section else time_title()
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr(column.tip)
        return alignment(column.number) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return row.cells[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            named = zip((time_title(), *(tr(column.title) for column in COLUMNS[1:])), row.cells, strict=True)
            return plain_tip("\n".join(f"{title}: {cell}" for title, cell in named if cell))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(COLUMNS[column].number)
        if role == Qt.ItemDataRole.FontRole:
            return self._font(row, column)
        if role == Qt.ItemDataRole.ForegroundRole:
            return QBrush(self._color(row, column))
        if role == Qt.ItemDataRole.BackgroundRole:
            return self._background(row)
        return None

    def _font(self, row: EventRow, column: int) -> QFont:
        weight = 700 if row.position in (self.chosen, self.current) else 400
        return self.theme.font(12, weight, mono=COLUMNS[column].number or column == 4)

    def _color(self, row: EventRow, column: int) -> QColor:
        if row.position == self.chosen or row.position in self.marked:
            return self.theme.color("text")  # anything else can hardly be read on what shines
        if column in COLORED:
            lane = int(row.event["lane"])
            return self.theme.color(LANE_COLORS[Lane(lane)] if lane in Lane._value2member_map_ else "text_muted")
        return self.theme.color("text_muted" if column in MUTED else "text")

    def _background(self, row: EventRow) -> QBrush | None:
        if row.position == self.chosen:
            return row_brush(self.theme, "selection", 0.22)
        if row.position in self.marked:
            return row_brush(self.theme, "selection", 0.15)
        return QBrush(self.theme.color("selection", 0.07)) if row.of_choice and not self.theme.marked else None


def alignment(number: bool) -> Qt.AlignmentFlag:
    """Numbers to the right."""
    side = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


class EventTable(QTableView):
    """Tells what is wanted; whoever holds the list of events does it.

    scrolled(rows); went(rows, extend): the choice moves by so many rows; picked(row in view, extend);
    asked(row in view, where): for a menu; copied().
    """

    scrolled = Signal(int)
    went = Signal(int, bool)
    picked = Signal(int, bool)
    asked = Signal(int, QPoint)
    copied = Signal()
    resized = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.page = Page(theme)
        self.setModel(self.page)
        self.setObjectName("events")
        self.setAccessibleName(tr("Events"))
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionsClickable(False)
        self._wheel = 0
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.page.theme = theme
        header = self.horizontalHeader()
        for n, column in enumerate(COLUMNS):
            stretch = QHeaderView.ResizeMode.Interactive if column.width else QHeaderView.ResizeMode.Stretch
            header.setSectionResizeMode(n, stretch)
            if column.width:
                header.resizeSection(n, theme.px(column.width))
        self.verticalHeader().setDefaultSectionSize(theme.px(ROW_HEIGHT))
        header.setFixedHeight(theme.px(24))
        self._leave_out()

    def _leave_out(self) -> None:
        """Some columns, where what happened would have no room beside them; a row's tooltip has all of it."""
        px = self.page.theme.px
        room = self.viewport().width() - px(LEAST_WORDS) - sum(px(column.width) for column in COLUMNS)
        for n in LEFT_OUT:
            self.setColumnHidden(n, room < 0)
            room += px(COLUMNS[n].width)

    @property
    def room(self) -> int:
        """How many whole rows there is room for."""
        return max(1, self.viewport().height() // self.verticalHeader().defaultSectionSize())

    # -- what the user does

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._leave_out()
        self.resized.emit()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            copies = event.modifiers() == Qt.KeyboardModifier.ControlModifier and event.key() == Qt.Key.Key_C
            extends = event.modifiers() == Qt.KeyboardModifier.ShiftModifier and event.key() in KEYS
            if copies or extends:
                event.accept()
                return True
        return keeps(event, tuple(KEYS)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, pages, ends; Ctrl+C copies; everything else is the window's."""
        if event.modifiers() == Qt.KeyboardModifier.ControlModifier and event.key() == Qt.Key.Key_C:
            self.copied.emit()
            return
        step = KEYS.get(Qt.Key(event.key()), 0)
        if not step:
            event.ignore()
            return
        rows = {1: 1, 2: self.room, 3: 2**31 - 1}[abs(step)]
        extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.went.emit(rows if step > 0 else -rows, extend)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Some rows a notch; a touch pad's small turns add up."""
        self._wheel += event.angleDelta().y()
        rows, self._wheel = int(self._wheel / 120 * WHEEL_ROWS), self._wheel - int(self._wheel / 120) * 120
        self.scrolled.emit(-rows)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        row = self.rowAt(round(event.position().y()))
        if event.button() == Qt.MouseButton.LeftButton and row >= 0:
            self.picked.emit(row, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self.rowAt(round(event.position().y()))
        if event.buttons() & Qt.MouseButton.LeftButton and row >= 0:
            self.picked.emit(row, True)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        row = self.rowAt(event.pos().y())
        if row >= 0:
            self.asked.emit(row, event.globalPos())

    # -- painting

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        """The rows, and marks at the left and around: of the chosen event, of its journey's, of the current one."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height, page = self.verticalHeader().defaultSectionSize(), self.page
        for n, row in enumerate(page.rows):
            top = float(n * height)
            if row.position == page.current:
                self._paint_current(painter, QRectF(0, top, self.viewport().width(), height))
            if row.position == page.chosen:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(page.theme.color("selection"))
                painter.drawPolygon(row_pointer(top + height / 2, height * 0.28))
            elif row.of_choice:
                self._paint_bar(painter, QRectF(0, top + 3, 4, height - 6), row.passed)

    def _paint_bar(self, painter: QPainter, bar: QRectF, filled: bool) -> None:
        """Of an event of the journey: hollow if it is still to come at the moment that is looked at."""
        color = self.page.theme.color("selection")
        painter.setPen(Qt.PenStyle.NoPen if filled else color)
        painter.setBrush(color if filled else Qt.BrushStyle.NoBrush)
        painter.drawRect(bar if filled else bar.adjusted(0.5, 0.5, -0.5, -0.5))

    def _paint_current(self, painter: QPainter, row: QRectF) -> None:
        """A frame around the event that began the stage, in the playhead's colour."""
        painter.setPen(QPen(self.page.theme.color("paused"), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(row.adjusted(1, 1, -1, -1), 4, 4)


def row_pointer(y: float, half: float) -> QPolygonF:
    """Points to a row from the left edge."""
    return QPolygonF([QPointF(0, y - half), QPointF(1.5 * half, y), QPointF(0, y + half)])
