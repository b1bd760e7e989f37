"""All annotations of the run as rows: when each is shown, what it is at, what it says. A row leads to its moment."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QTableWidgetItem, QWidget

from bellwire.engine.counted import count_of
from bellwire.engine.language import tr, tr_later
from bellwire.viz.diagram.annotations.words import moment_words, pin_words
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.model.annotations.pins import go_to_annotation
from bellwire.viz.model.annotations.seen import annotations_seen
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.panel import BELOW, Panel
from bellwire.viz.style.controls import keeps
from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import plain_tip
from bellwire.viz.style.scroll import RowTable
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.figures import Durations

ROW = 26  # pixels at 100 % text
WIDE = (110, 250)  # the same: of when, of what
NONE_YET = tr_later("No annotation yet: choose a part, an event or a stage, and press N")
OWN_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Home, Qt.Key.Key_End)


class AnnotationRows(RowTable):
    """asked(row, where): for a menu; entered(row): it is wanted."""

    asked = Signal(int, QPoint)
    entered_row = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(tr("Annotations"), [tr("Shown at"), tr("At what"), tr("Text")], 2, parent)

    def event(self, event: QEvent) -> bool:
        return keeps(event, OWN_KEYS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter goes to the row's moment; the window's keys are the window's."""
        if event.key() in OWN_KEYS[2:4]:
            self.entered_row.emit(self.currentRow())
        elif event.key() in OWN_KEYS:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        row = self.rowAt(event.pos().y()) if event.reason() != event.Reason.Keyboard else self.currentRow()
        if row >= 0:
            self.asked.emit(row, event.globalPos())


class AnnotationsPanel(Panel):
    """In the order of time; first what is shown at all moments. What is shown just now is set in bold."""

    title = tr_later("Notes")
    name = "annotations"
    place = BELOW
    tip = tr_later("Notes and arrows on this run; a row leads to its moment")
    offered = Signal(int, QPoint)  # what can be done with the annotation of this index is asked for, there

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(model, theme, parent)
        self.rows = AnnotationRows(self)
        self.rows.entered_row.connect(self._go)
        self.rows.cellClicked.connect(lambda row, _column: self._go(row))
        self.rows.asked.connect(lambda row, where: self.offered.emit(self.order[row], where))
        self.order: list[int] = []  # the annotation of each row
        self._written: tuple[object, ...] = ()
        self._lay_out()
        self.setFocusProxy(self.rows)

    def _go(self, row: int) -> None:
        if 0 <= row < len(self.order):
            go_to_annotation(self.model, self.order[row])
            self.redraw()

    def redraw(self) -> None:
        """The rows as they are now, if another one is there, or shown."""
        annotations, seen = self.model.annotations, annotations_seen(self.model)
        self.facts = count_of(len(annotations.all), "annotation")
        written = annotations.all, annotations.chosen, seen, self.theme, Durations.unit
        if written == self._written:
            return
        self._written, self.order = written, annotations.in_time
        self.rows.setRowCount(len(self.order))
        plan = blueprint_of(self.model.scenario, self.model.source.backend, extended=True)
        for row, index in enumerate(self.order):
            one = annotations.all[index]
            for column, words in enumerate((moment_words(self.model, one), pin_words(plan, one), one.text)):
                self.rows.setItem(row, column, self._item(words, column, index in seen))
        if annotations.chosen >= 0:
            self.rows.selectRow(self.order.index(annotations.chosen))
        else:
            self.rows.clearSelection()
        self.update()

    def _item(self, words: str, column: int, shown: bool) -> QTableWidgetItem:
        item = QTableWidgetItem(words)
        item.setToolTip(plain_tip(words))
        item.setFont(self.theme.font(12, 700 if shown else 400, mono=column == 0))
        item.setForeground(self.theme.color("text" if column == 2 else "text_muted"))
        return item

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        super().set_theme(theme)
        for column, width in enumerate(WIDE):
            self.rows.setColumnWidth(column, theme.px(width))
        self.rows.verticalHeader().setDefaultSectionSize(theme.px(ROW))
        self.rows.setStyleSheet(
            f"QTableView::item:selected {{ background: {theme.surface_raised}; color: {theme.text}; }}"
        )
        self._lay_out()

    def _lay_out(self) -> None:
        self.rows.setGeometry(self.body.toRect().adjusted(-4, 4, 4, 0))

    def leave_title_to(self, width: float) -> None:
        """Tabs of this width say the title."""
        super().leave_title_to(width)
        self._lay_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        """The card; the rows say by themselves what is in them."""
        super().paintEvent(event)
        if not self.order:
            self.paint_reason(QPainter(self), tr(NONE_YET))
