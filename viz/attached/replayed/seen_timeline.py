"""The timeline of a VMM that was recorded: a row for each doorbell, each woken thread, each interrupt, each vCPU.

Where few events lie in view each is a mark: a thread's wait for a CPU and a vCPU's time in user space are as long as
they took. With more of them each column shows how many there are. The wheel zooms at the pointer; with Shift it pans,
as dragging does; a click moves the playhead there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QScrollBar, QWidget

from bellwire.engine.events import EventKind, Events
from bellwire.engine.language import tr, tr_later, tr_n
from bellwire.engine.recordings.attached.seen_events import threads_of
from bellwire.engine.recordings.attached.seen_moments import SeenMoments
from bellwire.engine.recordings.attached.seen_rows import SeenDensity, SeenRow, SeenRowKind
from bellwire.viz.attached.replayed.playing import SeenPlayhead
from bellwire.viz.attached.replayed.row_words import RowNames, event_words
from bellwire.viz.style.card import PADDING, Card
from bellwire.viz.style.painting import painting
from bellwire.viz.style.readout import Line, paint_readout
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import area_brush, veil_brush
from bellwire.viz.text.figures import duration, grouped, spent
from bellwire.viz.timeline.marks_painter import AXIS, STRIP, MarksPainter
from bellwire.viz.timeline.view import TimeScale

LABELS, ROW, BAR = 316, 20, 14  # pixels at 100 %: names of rows, a row, the bar that scrolls
RATE = 74  # of the names: how often a second
NEAR = 6  # pixels within which the pointer finds an event
MARK = 3  # pixels that a mark needs to be drawn by itself
SHORTEST, FIRST_SPAN = 2e-6, 0.02  # seconds across, at least, and at first
PAGE = 0.9  # of the width: where the playhead has come to when the page turns

Columns = npt.NDArray[np.float64]


class SeenTimeline(Card):
    """Of one recording."""

    title = tr_later("Timeline")
    name = "seen timeline"
    note = tr_later("Hops, not journeys: from outside nobody can tell which interrupt answers which doorbell.")

    def __init__(
        self, moments: SeenMoments, density: SeenDensity, playhead: SeenPlayhead, theme: Theme, parent: QWidget
    ) -> None:
        super().__init__(theme, parent)
        self._moments, self._density, self.playhead = moments, density, playhead
        self._names = RowNames(moments, density.of)
        self.rates: dict[SeenRow, float] = {}  # a second, at the moment that is shown
        self.rows: list[SeenRow] = []
        self.exact: dict[SeenRow, Events] | None = None
        self._looked = (0, 0)
        self.clock = moments.clock
        self.span = min(self.clock.cycles(FIRST_SPAN), self._whole)
        self.start = playhead.first
        self._pointer: QPointF | None = None
        self._pressed: QPointF | None = None
        self._dragged = False
        self.scroller = QScrollBar(Qt.Orientation.Vertical, self)
        self.scroller.valueChanged.connect(lambda _: self.update())
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def sizeHint(self) -> QSize:
        return QSize(1200, self.theme.px(260))

    @property
    def _whole(self) -> int:
        return max(self.playhead.last - self.playhead.first, 1)

    # -- what is shown

    def refresh(self) -> None:
        """Redraws what there is now: rows that have been found, and the page on which the playhead stands."""
        found = sorted(self._density.rows)
        if found != self.rows:
            self.rows = found
            self._place_bar()
        if self.playhead.plays and not self._dragged:
            self._turn_page()
        stretch = self.start, self.start + self.span
        if stretch != self._looked:
            self._looked, self.exact = stretch, self._density.exact(*stretch)
        self.facts = self._facts_text()
        self.setAccessibleDescription(f"{tr_n('{n} row', '{n} rows', len(self.rows))}, {self._facts}")
        self.update()

    def _turn_page(self) -> None:
        """The playhead stays in view."""
        at = self.playhead.tsc
        if not self.start <= at <= self.start + self.span * PAGE:
            self.start = at - round(self.span * (1 - PAGE))

    def _facts_text(self) -> str:
        shown, whole = (duration(self.clock.ns(cycles)) for cycles in (self.span, self._whole))
        stretch = tr("{shown} of {whole}", shown=shown, whole=whole)
        if self._density.error:
            return self._density.error
        if self._density.share < 1:
            return f"{tr('{share:.0f} % read', share=self._density.share * 100)} · {stretch}"
        return stretch

    # -- geometry

    @property
    def area(self) -> QRectF:
        """Where the rows are."""
        px = self.theme.px
        bar = px(BAR) if self.scroller.isVisible() else 0
        return self.body.adjusted(px(LABELS), px(STRIP), -bar, -px(AXIS))

    @property
    def scale(self) -> TimeScale:
        """Where a time is on the screen."""
        return TimeScale(self.start, self.start + self.span, self.area.left(), self.area.width())

    @property
    def _row_height(self) -> float:
        """More where there are few."""
        least = float(self.theme.px(ROW))
        return max(least, min(self.area.height() / max(len(self.rows), 1), 2.2 * least))

    def _rows_shown(self) -> list[tuple[SeenRow, QRectF]]:
        """Those that are in view, and where."""
        area, high = self.area, self._row_height
        first = self.scroller.value() if self.scroller.isVisible() else 0
        count = int(area.height() // high) + 1
        places = enumerate(self.rows[first : first + count])
        return [(row, QRectF(area.left(), area.top() + n * high, area.width(), high)) for n, row in places]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_bar()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.setMinimumHeight(theme.px(170))
        self._place_bar()

    def _place_bar(self) -> None:
        """The bar at the right, where there are more rows than have room."""
        body, px = self.body, self.theme.px
        room = int((body.height() - px(STRIP) - px(AXIS)) // px(ROW))
        self.scroller.setVisible(len(self.rows) > room > 0)
        self.scroller.setRange(0, max(len(self.rows) - room, 0))
        self.scroller.setPageStep(max(room, 1))
        high = round(body.height()) - px(STRIP) - px(AXIS)
        self.scroller.setGeometry(round(body.right()) - px(BAR) + 4, round(body.top()) + px(STRIP), px(BAR) - 4, high)

    # -- painting

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter, area = QPainter(self), self.area
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        marks = MarksPainter(painter, self.theme, area, self.scale)
        marks.axis(self.playhead.first, self.clock.hz)
        shown = self._rows_shown()
        painter.setClipRect(self.body.adjusted(0, 0, 0, -self.theme.px(AXIS)))
        for row, place in shown:
            self._paint_label(painter, row, place)
        painter.setClipRect(area.adjusted(0, -self.theme.px(STRIP), 0, 0))
        self._paint_beyond(painter, area)
        for row, place in shown:
            self._paint_row(painter, row, place)
        marks.playhead(self.playhead.tsc)
        painter.setClipping(False)
        if not self.rows:
            self.paint_reason(
                painter, tr("The recording is being read.") if self._density.share < 1 else tr("No event")
            )
        self._paint_readout(painter, shown)

    def _paint_beyond(self, painter: QPainter, area: QRectF) -> None:
        """Where the recording is not: before its first event, behind its last, and what the file no longer has."""
        scale, end = self.scale, self.start + self.span
        unread = self._moments.recording.unread(self.start, end)
        for first, last in ((self.start, self.playhead.first), *unread, (self.playhead.last, end)):
            if last > first:
                veil = QRectF(scale.x(first), area.top(), scale.x(last) - scale.x(first), area.height())
                painter.fillRect(veil, veil_brush(self.theme, "text_muted", 0.12))

    def _paint_label(self, painter: QPainter, row: SeenRow, place: QRectF) -> None:
        """Its name and what its marks are; at the right how often a second, at the moment that is shown."""
        words, px = self._names.of(row), self.theme.px
        box = QRectF(PADDING, place.top(), px(LABELS) - px(RATE) - 6, place.height())
        painter.setFont(self.theme.font(12.5, 600))
        painter.setPen(self.theme.color("text"))
        name = QFontMetricsF(painter.font()).elidedText(words.name, Qt.TextElideMode.ElideMiddle, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
        box.setLeft(box.left() + QFontMetricsF(painter.font()).horizontalAdvance(name) + 7)
        painter.setFont(self.theme.font(11))
        painter.setPen(self.theme.color(words.color))
        what = QFontMetricsF(painter.font()).elidedText(words.what, Qt.TextElideMode.ElideRight, box.width())
        if len(what) > 2 or what == words.what:
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, what)
        rate = self.rates.get(row)
        told = "–" if rate is None else f"{grouped(rate)}/s"
        painter.setFont(self.theme.font(11, mono=True))
        painter.setPen(self.theme.color("text_muted"))
        right = QRectF(place.left() - px(RATE) - 10, place.top(), px(RATE), place.height())
        painter.drawText(right, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, told)

    def _paint_row(self, painter: QPainter, row: SeenRow, place: QRectF) -> None:
        inside = place.adjusted(0, 2, 0, -2)
        painter.fillRect(inside, self.theme.color("surface_raised"))
        if self.exact is None:
            self._paint_columns(painter, row, inside, self._density.columns(row, *self._looked, self._pixels))
            return
        events = self.exact.get(row)
        if events is None:
            return
        if events.size * MARK > self._pixels:
            edges = np.linspace(self.start, self.start + self.span, self._pixels + 1)
            counts, _ = np.histogram(events["tsc"].astype(np.float64), edges)
            self._paint_columns(painter, row, inside, counts.astype(np.float64))
            return
        self._paint_marks(painter, row, inside, events)

    @property
    def _pixels(self) -> int:
        return max(round(self.area.width()), 1)

    def _paint_columns(self, painter: QPainter, row: SeenRow, inside: QRectF, counts: Columns) -> None:
        """How many there are in each column of pixels: the higher the more; by the root, so that few are seen too."""
        most = float(counts.max(initial=0))
        if most <= 0:
            return
        painter.setPen(QPen(self.theme.color(self._names.of(row).color, self.theme.faded(0.85)), 1))
        heights = np.sqrt(counts / most) * inside.height()
        bottom, left = inside.bottom(), inside.left()
        lines = [
            QLineF(left + n + 0.5, bottom, left + n + 0.5, bottom - heights[n])
            for n in np.flatnonzero(counts > most * 1e-4).tolist()
        ]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.drawLines(lines)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)

    def _paint_marks(self, painter: QPainter, row: SeenRow, inside: QRectF, events: Events) -> None:
        """One by one; below them what lasts."""
        color = self._names.of(row).color
        for first, last in lasting(row, events, self.start, self.start + self.span):
            left, right = self.scale.x(first), self.scale.x(last)
            band = QRectF(left, inside.top(), max(right - left, 1.0), inside.height())
            name = "heavy" if row.kind == SeenRowKind.VCPU else color
            painter.fillRect(band, area_brush(self.theme, name) if self.theme.marked else self.theme.color(name, 0.45))
        some = (
            events[~np.isin(events["kind"], (EventKind.WAKING, EventKind.ENTRY))]
            if row.kind in ROWS_THAT_LAST
            else events
        )
        painter.setPen(QPen(self.theme.color(color), 1.6 * self.theme.stroke))
        painter.drawLines([QLineF(x, inside.top(), x, inside.bottom()) for x in self.scale.places(some["tsc"])])

    def _paint_readout(self, painter: QPainter, shown: list[tuple[SeenRow, QRectF]]) -> None:
        """What is under the pointer."""
        at = self._pointer
        if at is None or self._dragged or not self.area.contains(at):
            return
        row = next((row for row, place in shown if place.contains(at)), None)
        if row is None:
            return
        lines = self._read(row, at)
        if lines:
            paint_readout(painter, self.theme, QRectF(self.rect()).adjusted(4, 4, -4, -4), at, lines)

    def _read(self, row: SeenRow, at: QPointF) -> list[Line]:
        muted, text = self.theme.color("text_muted"), self.theme.color("text")
        words, tsc = self._names.of(row), self.scale.tsc(at.x())
        head = Line(self.theme.color(words.color), words.name, spent(self.clock, tsc - self.playhead.first))
        events = (self.exact or {}).get(row)
        if events is None or not events.size:
            return [head]
        times = events["tsc"].astype(np.int64)
        nearest = int(np.argmin(np.abs(times - tsc)))
        if abs(self.scale.x(int(times[nearest])) - at.x()) > NEAR:
            return [head]
        one = events[nearest]
        thread = self._names.thread(int(threads_of(events[nearest : nearest + 1])[0]))
        when = spent(self.clock, int(times[nearest]) - self.playhead.first)
        what = event_words(EventKind(int(one["kind"])), int(one["id"]), int(one["arg"]))
        return [
            Line(self.theme.color(words.color), words.name, when),
            Line(text, what, ""),
            Line(muted, tr("in thread"), thread),
        ]

    # -- by hand

    def zoom(self, factor: float, share: float | None = None) -> None:
        """Shows `factor` times as much time, around a share of the width, else around the playhead or the middle."""
        if share is None:
            at = self.scale.share(self.scale.x(self.playhead.tsc))
            share = at if 0 <= at <= 1 else 0.5
        least, most = self.clock.cycles(SHORTEST), round(1.1 * self._whole) + 1
        span = min(max(round(self.span * factor), min(least, most)), most)
        self.start += round((self.span - span) * share)
        self.span = span
        self.refresh()

    def show_all(self) -> None:
        """The whole recording."""
        self.start, self.span = self.playhead.first, self._whole
        self.refresh()

    def bring(self, tsc: int) -> None:
        """A moment that is out of view comes into its middle."""
        if not self.start <= tsc <= self.start + self.span:
            self.start = tsc - self.span // 2

    def pan(self, share: float) -> None:
        """Moves by a share of the width."""
        self.start += round(self.span * share)
        self.refresh()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn, shift = event.angleDelta(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        sideways = turn.x() or (turn.y() if shift else 0)
        if not self.area.contains(event.position()) and not sideways:
            self.scroller.setValue(self.scroller.value() - turn.y() // 60)
        elif sideways:
            self.pan(-sideways / 1200)
        elif turn.y():
            self.zoom(0.8 ** (turn.y() / 120), self.scale.share(event.position().x()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragged = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        if self._pressed is not None and (self._dragged or abs(self._pointer.x() - self._pressed.x()) > NEAR):
            self._dragged = True
            if self._pressed.y() < self.area.top():
                self.playhead.seek(self.scale.tsc(self._pointer.x()))
            else:
                self.start -= round((self._pointer.x() - self._pressed.x()) / max(self.area.width(), 1) * self.span)
                self._pressed = self._pointer
            self.refresh()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None and not self._dragged and event.position().x() >= self.area.left():
            self.playhead.seek(self.scale.tsc(event.position().x()))
            self.playhead.pause()
            self.refresh()
        self._pressed, self._dragged = None, False

    def leaveEvent(self, _event: QEvent) -> None:
        self._pointer = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down scroll; what is not the timeline's is the window's."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -8, Qt.Key.Key_PageDown: 8}
        if event.key() in steps:
            self.scroller.setValue(self.scroller.value() + steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)


ROWS_THAT_LAST = (SeenRowKind.THREAD, SeenRowKind.VCPU)
BEGINS_AND_ENDS = {
    SeenRowKind.THREAD: (EventKind.WAKING, EventKind.RUNS),
    SeenRowKind.VCPU: (EventKind.USER_EXIT, EventKind.ENTRY),
}


def lasting(row: SeenRow, events: Events, start: int, end: int) -> list[tuple[int, int]]:
    """From when to when a thread waits for a CPU, or a vCPU is in user space: one that goes on, to the view's edge."""
    if row.kind not in BEGINS_AND_ENDS:
        return []
    begins, ends = BEGINS_AND_ENDS[row.kind]
    found, open_since = list[tuple[int, int]](), 0
    for kind, tsc in zip(events["kind"].tolist(), events["tsc"].tolist(), strict=True):
        if kind == begins and not open_since:
            open_since = tsc
        elif kind == ends:
            if open_since:
                found.append((open_since, tsc))
            open_since = 0
    if open_since and row.kind == SeenRowKind.VCPU:
        found.append((open_since, end))
    return found
