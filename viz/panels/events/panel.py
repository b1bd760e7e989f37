"""The table of events: what the filter lets through, linked to every other view."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QMenu, QScrollBar, QWidget

from bellwire.engine.language import tr, tr_later
from bellwire.engine.source import Label
from bellwire.viz.model.annotations.pins import event_pin_of
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.looking import stage_mark
from bellwire.viz.model.steps import begin_and_end
from bellwire.viz.panels.events.cells import EventRow, csv_pieces, event_rows, tab_separated
from bellwire.viz.panels.events.filter_line import FilterLine
from bellwire.viz.panels.events.rows import EventList
from bellwire.viz.panels.events.stamped import StampedRows, stamped_rows
from bellwire.viz.panels.events.table import EventTable
from bellwire.viz.panels.panel import BELOW, Panel
from bellwire.viz.stages.mark import StageMark
from bellwire.viz.style.card import PADDING
from bellwire.viz.style.controls import Button
from bellwire.viz.style.fitting import ElidedLabel
from bellwire.viz.style.painting import painting
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.turns import Turns
from bellwire.viz.text.event_words import kind_name
from bellwire.viz.text.figures import count_of, grouped

MOST_COPIED = 10_000  # rows
BAR = 12  # width of the scroll bar
LEAST_FILTER, MOST_FILTER = 170, 560
EMPTY, NOTHING = tr_later("No event yet"), tr_later("No event that is held fits this filter")
NOTHING_SO_FAR = tr_later("No event of the recording fits this filter so far")
STATES = {  # of LiveModel.state, within a line
    "PAUSED": tr_later("paused"),
    "STORY": tr_later("story"),
    Label.LIVE: tr_later("live"),
    Label.REPLAY: tr_later("replay"),
    Label.NO_KVM: tr_later("no kvm"),
    Label.STARTING: tr_later("starting"),
}


class EventsPanel(Panel):
    """Follows the newest until somebody scrolls or chooses."""

    title = tr_later("Events")
    name = "events"
    place = BELOW
    tip = tr_later("Every event as a row, with a filter")
    file, files = "events.csv", "CSV (*.csv)"
    annotate = Signal(object, bool)  # an EventPin, and whether an arrow begins there or a note is put on it

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(model, theme, parent)
        self.list = EventList(model)
        self.table = EventTable(theme, self)
        self.bar = QScrollBar(Qt.Orientation.Vertical, self)
        self.line = FilterLine(self)
        self.says = ElidedLabel(parent=self)
        self.says.setObjectName("muted")
        self.live = Button(tr("Back to live"), self)
        self.live.setToolTip(tr("Follow the newest events again (End)"))
        self.live.hide()
        self._searching = Turns(every=1, light=True)
        self.mark: StageMark | None = None  # of the signal that is looked at
        self.stamped: StampedRows | None = None  # the events of its journey so far
        self._choosing = False
        self._copied: tuple[int, int] | None = None  # from where to where rows were marked when they were copied
        self._saved: float | None = None  # the share that is in a file, while one is written
        self._connect()
        self.setFocusProxy(self.table)

    def _connect(self) -> None:
        self.line.asked.connect(self._look_for)
        self.live.clicked.connect(self.back_to_live)
        self.bar.valueChanged.connect(self._bar_moved)
        self.table.scrolled.connect(self._scroll)
        self.table.went.connect(self._go)
        self.table.picked.connect(self._pick)
        self.table.asked.connect(self._offer)
        self.table.copied.connect(self.copy)
        self.table.resized.connect(self.redraw)
        self.model.selection.changed.append(self._selection_changed)

    # -- what is shown

    def refresh(self) -> None:
        """A search that has not caught up goes on in every frame; another stage is shown at once."""
        if self.isVisible() and not self.list.search.done and self._searching.come():
            self.list.search.advance()
        if self.isVisible() and self.model.transport.exact and self._quick.come() and self._stage_changed():
            self.redraw()
        else:
            super().refresh()

    def _stage_changed(self) -> bool:
        mark = stage_mark(self.model)
        return (mark and mark.key) != (self.mark and self.mark.key)

    def redraw(self) -> None:
        """The rows as they are now."""
        self.list.rows = self.table.room
        self.list.catch_up()
        self._follow_play()
        self._follow_stage()
        page = self.list.page()
        rows = event_rows(self.model, self.list.wording, page, skip=int(self.list.top > 0), looked=self.stamped)
        marked = frozenset(np.intersect1d(page, self.list.marked()).tolist())
        self.table.page.show(rows, self.list.chosen, marked, self.stamped.current if self.stamped else -1)
        self.table.setHidden(not rows)
        self._show_bar()
        self._say()
        behind = not self.list.following or not self.model.transport.following
        if self.live.isHidden() == behind:
            self.live.setVisible(behind)
            self._place()
            self.updateGeometry()  # the tabs beside it leave another room
        self.update()

    def _follow_play(self) -> None:
        """Whoever plays on after a choice sees the newest again."""
        if self.list.held and self.list.chosen < 0 and self.model.transport.following:
            self.list.follow()

    def _follow_stage(self) -> None:
        """The event that began another stage comes into view, unless somebody has scrolled or chosen an event here."""
        before, self.mark = self.mark, stage_mark(self.model)
        self.stamped = stamped_rows(self.model.rows, self.mark) if self.mark else None
        moved = self.mark is not None and (before is None or before.key != self.mark.key)
        free = self.list.held and not self.model.selection.events.size
        if moved and free and self.stamped and self.stamped.current >= 0:
            self.list.bring(self.stamped.current, margin=1)

    def _show_bar(self) -> None:
        self.bar.blockSignals(True)
        self.bar.setPageStep(self.list.rows)
        self.bar.setRange(0, max(0, len(self.list) - self.list.rows))
        self.bar.setValue(self.list.top)
        self.bar.blockSignals(False)

    def _say(self) -> None:
        """How many there are, or what is wrong with the filter."""
        trouble, search = self.line.trouble, self.list.search
        if trouble:
            text = f"✗ {trouble}"
        elif self._saved is not None:
            text = tr("saving {share:.0%}", share=self._saved)
        elif not search.done:
            text = tr("{events} found, {share:.0%} searched", events=grouped(len(search)), share=search.share)
        else:
            events = count_of(len(search), "event")
            if not search.everything:
                events = tr("{events} of {all}", events=events, all=grouped(len(self.model.rows)))
            text = f"{events} · {self._part_copied() or self._how()}"
        self.says.setText(text)

    def _part_copied(self) -> str:
        """Which of the marked rows are in the clipboard, while they are marked; "" if all are, or none."""
        if self._copied != (self.list.anchor, self.list.chosen):
            return ""
        marked = self.list.marked().size
        if marked <= MOST_COPIED:
            return ""
        return tr("copied: the last {most} of {marked} rows", most=grouped(MOST_COPIED), marked=grouped(marked))

    def _how(self) -> str:
        """Whether the table moves by itself."""
        if not self.list.following:
            return tr("standing still")
        return tr("following") if self.model.transport.following else tr(STATES[self.model.state])

    # -- moving and choosing

    def _look_for(self) -> None:
        if self.line.wanted != self.list.search.wanted:
            self.list.look_for(self.line.wanted)
        self.redraw()

    def _bar_moved(self, row: int) -> None:
        self.list.held = False
        self.list.scroll_to(row)
        self.redraw()

    def _scroll(self, rows: int) -> None:
        self.list.scroll(rows)
        self.redraw()

    def _go(self, rows: int, extend: bool) -> None:
        position = self.list.row_beside(rows)
        if position >= 0:
            self._choose(position, extend)

    def _pick(self, row: int, extend: bool) -> None:
        if row < len(self.table.page.rows):
            self._choose(self.table.page.rows[row].position, extend)

    def _choose(self, position: int, extend: bool) -> None:
        """Chooses an event everywhere: the view pauses there, the capture goes on."""
        self.list.choose(position, extend)
        self._choosing = True
        self.model.steps.to_event(self.list.events(np.array([position])))
        self._choosing = False
        self.redraw()

    def _selection_changed(self) -> None:
        """What was chosen elsewhere is chosen here, and in view."""
        if self._choosing:
            return
        position = self._chosen_position()
        if position >= 0:
            self.list.show(position)
        else:
            self.list.forget()
        if self.isVisible():
            self.redraw()

    def _chosen_position(self) -> int:
        """Where the chosen event is, or the first of the chosen journey; -1 if nothing is chosen, or no longer held."""
        selection, events = self.model.selection, self.model.rows
        if selection.events.size:
            at = events.starting(selection.events["tsc"])
            same = at[events.pick(at) == selection.events[0]]
            return int(same[0]) if same.size else -1
        if not selection.journeys.size:
            return -1
        at = events.starting(np.array([begin_and_end(selection.journeys)[0]], np.uint64))
        return int(at[0]) if at.size else -1

    def to_newest(self) -> None:
        """The newest rows, and on with them."""
        self.list.follow()

    def back_to_live(self) -> None:
        """The newest, here and everywhere."""
        self.to_newest()
        self.model.to_newest()
        self.redraw()

    # -- taking along

    def _offer(self, row: int, where: QPoint) -> None:
        """What can be done with a row."""
        if row >= len(self.table.page.rows):
            return
        event = self.table.page.rows[row].event
        kind = kind_name(int(event["kind"]))
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("Only {filter}", filter=f"kind={kind}"), partial(self.line.say, f"kind={kind}"))
        menu.addAction(
            tr("Not {filter}", filter=f"kind={kind}"),
            partial(self.line.say, f"{self.line.text()} not kind={kind}".strip()),
        )
        number = f"number={int(event['seq'])}"
        menu.addAction(tr("Only {filter}", filter=number), partial(self.line.say, number))
        menu.addSeparator()
        pin = event_pin_of(self.table.page.rows[row].event.reshape(1))
        menu.addAction(tr("Add a note…"), lambda: self.annotate.emit(pin, False))
        menu.addAction(tr("Draw an arrow to…"), lambda: self.annotate.emit(pin, True))
        menu.addSeparator()
        menu.addAction(f"{tr('Copy rows')}\tCtrl+C", self.copy)
        menu.popup(where)

    def copy(self) -> None:
        """The marked rows as tab-separated text."""
        marked = self.list.marked()
        if marked.size:
            QGuiApplication.clipboard().setText(tab_separated(self._rows(marked[-MOST_COPIED:])))
        self._copied = self.list.anchor, self.list.chosen
        self._say()

    def _rows(self, positions: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[EventRow]:
        return event_rows(self.model, self.list.wording, positions, skip=0)

    def content(self, path: Path) -> Iterator[bytes]:
        """The rows that the filter lets through as CSV, whatever is shown by the time that they are written."""
        search = self.list.search
        while not search.done:
            search.advance()
        events = self.list.events(search.positions(0, len(search)).copy())
        return self._noted(csv_pieces(self.model, self.list.wording, events))

    def _noted(self, pieces: Iterator[tuple[bytes, float]]) -> Iterator[bytes]:
        """The pieces; how far that is can be seen meanwhile."""
        try:
            for piece, self._saved in pieces:
                yield piece
        finally:
            self._saved = None

    # -- how it looks

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        super().set_theme(theme)
        self.table.set_theme(theme)
        self._place()

    def leave_title_to(self, width: float) -> None:
        """Tabs of this width say the title."""
        super().leave_title_to(width)
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Filter, words and button in the header; table and scroll bar in the body."""
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        px, high = self.theme.px, self.theme.px(30)
        left, right = round(PADDING + self._title_width()) + px(20), self.width() - PADDING
        button = self.live.sizeHint().width() if not self.live.isHidden() else 0
        self.live.setGeometry(self.header_rect(right - button, QSize(button, high)))
        right -= button + px(10) * bool(button)
        self.kept_right = PADDING + px(20) + px(LEAST_FILTER) + button
        width = min(max((right - left) * 6 // 10, px(LEAST_FILTER)), px(MOST_FILTER), max(right - left, 0))
        self.line.setGeometry(self.header_rect(left, QSize(width, high)))
        rest = max(right - left - width - px(12), 0)
        self.says.setGeometry(self.header_rect(left + width + px(12), QSize(rest, high)))
        body = self.body.toRect().adjusted(-4, px(4), 6, 4)
        self.table.setGeometry(body.adjusted(0, 0, -BAR, 0))
        self.bar.setGeometry(QRect(body.right() - BAR + 2, body.top() + px(24), BAR, body.height() - px(24)))

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        """The card; the table says by itself what is in it, but not why it is empty."""
        super().paintEvent(event)
        if self.table.isHidden():
            nothing = NOTHING_SO_FAR if self.model.recorded else NOTHING
            self.paint_reason(QPainter(self), tr(nothing) if len(self.model.rows) else tr(EMPTY))
