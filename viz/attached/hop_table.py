"""The card with a VMM's hops: the table, and the sentences that have to be known to read it."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QTableWidgetItem, QWidget

from bellwire.engine.attached.hops.figures import HopFigures
from bellwire.engine.language import tr, tr_later
from bellwire.viz.attached.hop_rows import HEADS, HopRow, hop_rows
from bellwire.viz.attached.hop_words import hop_sentences
from bellwire.viz.style.card import PADDING, Card
from bellwire.viz.style.plain import PlainLabel, plain_tip
from bellwire.viz.style.scroll import RowTable
from bellwire.viz.style.theme import Theme

ROW, SIZE = 22, 12  # pixels at 100 % text
NUMBERS_FROM = 2  # column
BESIDE_WORDS, ABOVE_WORDS = 4, 8  # pixels
WIDE = (172, 0, 74, 74, 74, 74)  # pixels at 100 % text; 0: the rest
LEAST_REST, LEAST_HIGH = 100, 150  # pixels at 100 % text


class HopTable(RowTable):
    """One row a hop."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(tr("Hops"), [tr(head) for head in HEADS], 1, parent)
        for column in range(NUMBERS_FROM, len(HEADS)):
            head = QTableWidgetItem(tr(HEADS[column]))
            head.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setHorizontalHeaderItem(column, head)

    def show_rows(self, rows: list[HopRow], theme: Theme) -> None:
        """From now on these; what is chosen and where it is scrolled to stays."""
        self.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for column, words in enumerate(row.cells):
                self._show(number, column, words, row, theme)

    def _show(self, number: int, column: int, words: str, row: HopRow, theme: Theme) -> None:
        item = self.item(number, column)
        if item is None:
            item = QTableWidgetItem()
            self.setItem(number, column, item)
        item.setText(words)
        item.setToolTip(plain_tip(f"{words}\n{row.meaning}" if column < NUMBERS_FROM else row.meaning))
        item.setFont(theme.font(SIZE, 600 if column == 0 else 400, mono=column != 1))
        item.setForeground(theme.color(row.color if column == 0 else "text"))
        if column >= NUMBERS_FROM:
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def set_theme(self, theme: Theme) -> None:
        """Colours and sizes."""
        for column, width in enumerate(WIDE):
            if width:
                self.setColumnWidth(column, theme.px(width))
        self.verticalHeader().setDefaultSectionSize(theme.px(ROW))
        self.setStyleSheet(f"QTableView::item:selected {{ background: {theme.surface_raised}; color: {theme.text}; }}")


class HopCard(Card):
    """Hops, not journeys: which of both there are is said below the rows."""

    title = tr_later("Hops")
    name = "hops"
    note = tr_later(
        "Who is woken by a doorbell, who signals an interrupt, after how long: times since it is listened to, counts "
        "of the last second."
    )

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.rows = HopTable(self)
        self.words = PlainLabel(parent=self)
        self.words.setObjectName("muted")
        self.words.setWordWrap(True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
        self.setFocusProxy(self.rows)
        self.set_theme(theme)

    def show_hops(self, hops: HopFigures | None, own: int, why_none: str = "") -> None:
        """From now on these. own: the VMM's pid. why_none: a sentence."""
        self.rows.show_rows(hop_rows(hops, own) if hops else [], self.theme)
        sentences = list(hop_sentences(hops)) if hops else []
        self.words.setText(" ".join([*sentences, *filter(None, [why_none])]))
        self.facts = tr("since {seconds:.0f} s", seconds=hops.seconds) if hops else ""
        self.setMaximumHeight(max(self._wanted(), self.minimumHeight()))
        self._lay_out()

    def _wanted(self) -> int:
        """How high it is with room for all of its rows: what is left is the picture's."""
        words = self.words.heightForWidth(max(self.width() - 2 * PADDING, 1)) if self.words.text() else 0
        rows = self.rows.horizontalHeader().height() + (self.rows.rowCount() + 1) * self.theme.px(ROW)
        return round(self.header + rows + words + ABOVE_WORDS + PADDING)

    def set_theme(self, theme: Theme) -> None:
        """Colours and sizes."""
        super().set_theme(theme)
        self.rows.set_theme(theme)
        self.setMinimumSize(theme.px(sum(WIDE) + LEAST_REST) + 2 * PADDING, theme.px(LEAST_HIGH))
        self.words.setFont(theme.font(SIZE))
        self._lay_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The rows have what the sentences leave."""
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        body = self.body.toRect().adjusted(-4, -2, 4, 0)
        wide = body.width() - 2 * BESIDE_WORDS
        high = min(self.words.heightForWidth(wide), body.height() // 2) if self.words.text() else 0
        head, row = self.rows.horizontalHeader().height(), self.theme.px(ROW)
        room = body.height() - high - ABOVE_WORDS
        whole = max(room - head, row) // row * row + head  # no row is cut in two
        self.rows.setGeometry(QRect(body.left(), body.top(), body.width(), min(whole, room)))
        self.words.setGeometry(QRect(body.left() + BESIDE_WORDS, body.bottom() - high, wide, high))
