"""The timeline: a lane each for guest, vCPU, KVM and I/O thread, and the bridges that join a journey's parts.

Wheel zooms at the pointer, dragging pans, a click chooses a journey; + and - zoom, Shift with an arrow pans, Home goes
back to live. A paint costs pixels: where journeys would cover each other, each column shows how busy the lane was.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QPushButton, QWidget

from engine.journeys import Journeys, no_journeys
from engine.latency import ends
from viz.lanes import Occupancy, awake, cover, flights, instruction, user_space
from viz.model import LiveModel
from viz.plots.card import PADDING, Card
from viz.plots.curves import CURVES, tick
from viz.plots.readout import Line, paint_readout
from viz.plots.turns import Turns
from viz.text import duration, grouped
from viz.theme import Theme
from viz.timeline_painter import LANES, LanePainter, Scene, Shares, lane_rect
from viz.timeview import TimeView, round_up

ROOM = 20  # pixels that a journey needs to be drawn by itself
EXACT_SECONDS = 0.1  # up to here shares are computed from the events, beyond from the bins of Occupancy
NEAR = 8  # pixels within which a click or the pointer finds a journey
LABELS, AXIS = 166, 20


class Timeline(Card):
    """Redraws a few times a second, and at once when it is touched."""

    title = "Timeline"
    name = "timeline"
    note = "KVM's lane holds what lies between a signal and the other side's awaking: KVM and the scheduler."

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.model = model
        self.view = TimeView(model)
        self.scene = Scene()
        self.occupancy = Occupancy(model.clock.hz)
        self.pointer: QPointF | None = None
        self._pressed: QPointF | None = None
        self._dragged = False
        self._turns = Turns(every=2)  # a picture that follows the newest must stand long enough to be seen
        self._seen = 0, 0  # events and journeys that are in the bins
        self._brought = 0  # the chosen journey that has been brought into view
        self.live = QPushButton("Back to live", self)
        self.live.setToolTip("Follow the newest journeys again (Home)")
        self.live.clicked.connect(self.back_to_live)
        self.live.hide()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(150)

    def sizeHint(self) -> QSize:
        """As in the sketch."""
        return QSize(1200, self.theme.px(190))

    # -- what is shown

    def refresh(self) -> None:
        """Redraws if it is time; called once a frame, or less often."""
        if self.isVisible() and self._turns.come():
            self.redraw()

    def _catch_up(self) -> None:
        """Adds to the bins what the history has got since they were last looked at."""
        events, journeys = self.model.events, self.model.journeys
        missed = events.total - self._seen[0]
        if missed > len(events):  # the history no longer holds all of it: begin anew with what it holds
            self.occupancy = Occupancy(self.model.clock.hz)
        self.occupancy.feed(events.newest(missed), journeys.newest(journeys.total - self._seen[1]))
        self._seen = events.total, journeys.total

    def redraw(self) -> None:
        """Draws what the model holds now."""
        self._follow_selection()
        self.view.advance()
        self.scene = self._look()
        self.facts = self._facts_text()
        behind = not self.view.following or not self.model.transport.following
        if self.live.isHidden() == behind:
            self.live.setVisible(behind)
        self.update()

    def _follow_selection(self) -> None:
        """What was chosen elsewhere comes into view, once."""
        chosen = self._chosen()
        if chosen and chosen != self._brought and not self.model.transport.following:
            self.view.bring(self.model.selection.journeys)
        self._brought = chosen

    def _chosen(self) -> int:
        chosen = self.model.selection.journeys
        return int(chosen["seq"][0]) if chosen.size else 0

    def _look(self) -> Scene:
        """What lies in view: journeys if they have room, else shares of each column."""
        start, end = max(self.view.start, 0), max(self.view.end, 1)
        seconds = (end - start) / self.model.clock.hz
        if seconds > EXACT_SECONDS:
            self._catch_up()
            return Scene(start, end, shares=self._shares_of_bins(start, end))
        journeys = self.model.journeys.window(start, end)
        events = self.model.window(max(start - (end - start), 0), end)
        if journeys.size * ROOM <= self.area.width():
            return Scene(start, end, journeys, awake(events), user_space(events))
        columns = round(self.area.width())
        edges = np.linspace(start, end, columns + 1).astype(np.uint64)
        out, back = flights(journeys)
        busy = {
            "guest": cover(instruction(journeys), edges),
            "vcpu": cover(user_space(events), edges),
            "kvm": cover(out, edges) + cover(back, edges),
            "io": cover(awake(events), edges),
        }
        return Scene(
            start, end, journeys, shares={k: np.clip(b * columns / (end - start), 0, 1) for k, b in busy.items()}
        )

    def _shares_of_bins(self, start: int, end: int) -> dict[str, Shares]:
        return {key: self.occupancy.share(key, start, end, round(self.area.width())) for key, *_ in LANES}

    def _facts_text(self) -> str:
        """What the view is."""
        across = f"{duration(self.model.clock.ns(self.view.span))} across"
        if not self.view.following:
            return f"{across} · held"
        if not self.model.transport.following:
            return f"{across} · {self.model.state.lower()}"
        newest = self.model.journeys.newest(1)
        number = f" · newest #{grouped(int(newest['seq'][0]))}" if newest.size else ""
        return f"{across} · following{number}"

    # -- geometry

    @property
    def area(self) -> QRectF:
        """Where the lanes are."""
        body, px = self.body, self.theme.px
        return QRectF(
            body.left() + px(LABELS), body.top() + px(14), body.width() - px(LABELS), body.height() - px(14 + AXIS)
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The button beside the title."""
        super().resizeEvent(event)
        self._place_button()

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        super().set_theme(theme)
        self._place_button()

    def _place_button(self) -> None:
        size = self.live.sizeHint()
        self.live.setGeometry(
            round(PADDING + self._title_width() + 16),
            (self.header - size.height()) // 2 + 3,
            size.width(),
            size.height(),
        )

    def _share(self, x: float) -> float:
        return (x - self.area.left()) / max(self.area.width(), 1)

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Card, lanes, axis, playhead, readout."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_labels(painter)
        if self.model.journeys.total:
            self._paint_axis(painter)
        clip = self.area.adjusted(0, -self.theme.px(16), 0, 2)
        painter.save()
        painter.setClipRect(clip)
        LanePainter(painter, self.theme, self.area, self.scene, self.model.clock.hz).paint(self._chosen())
        self._paint_playhead(painter)
        painter.restore()
        if not self.model.journeys.total:
            painter.setFont(self.theme.font(13))
            painter.setPen(self.theme.color("text_muted"))
            painter.drawText(self.area, Qt.AlignmentFlag.AlignCenter, "No journey yet")
        self._paint_readout(painter)

    def _paint_labels(self, painter: QPainter) -> None:
        for key, name, what, _ in LANES:
            lane = lane_rect(self.area, key)
            box = QRectF(PADDING, lane.top() - 4, self.theme.px(LABELS) - 8, lane.height() + 8)
            painter.setFont(self.theme.font(13, 600))
            painter.setPen(self.theme.color("text"))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
            box.setLeft(box.left() + painter.fontMetrics().horizontalAdvance(name) + 7)
            painter.setFont(self.theme.font(11))
            painter.setPen(self.theme.color("text_muted"))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, what)

    def _paint_axis(self, painter: QPainter) -> None:
        """Round times from the view's zero."""
        area, hz = self.area, self.model.clock.hz
        seconds = (self.scene.end - self.scene.start) / hz
        step = round_up(seconds / max(area.width() / self.theme.px(120), 2), (1, 2, 5, 10))
        painter.setFont(self.theme.font(10.5, mono=True))
        zero = self.view.zero
        first = int(np.ceil((self.scene.start - zero) / hz / step))
        for n in range(first, first + 30):
            x = area.left() + area.width() * (zero + n * step * hz - self.scene.start) / (
                self.scene.end - self.scene.start
            )
            if x > area.right() + 1:
                break
            painter.setPen(QPen(self.theme.color("grid"), 1))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom() + 4))
            painter.setPen(self.theme.color("text_muted"))
            text = f"{'-' if n < 0 else ''}{tick(abs(n) * step * 1e9)}" if n else "0"
            width = painter.fontMetrics().horizontalAdvance(text)
            left = min(max(x - width / 2, area.left() - 20), area.right() - width)
            painter.drawText(QPointF(left, area.bottom() + self.theme.px(AXIS) - 4), text)

    def _paint_playhead(self, painter: QPainter) -> None:
        """Where the paused or slowed view is in time."""
        if not self.model.transport.exact or not self.scene.start <= self.model.playhead <= self.scene.end:
            return
        x = self.area.left() + self.area.width() * (self.model.playhead - self.scene.start) / self.view.span
        painter.setPen(QPen(self.theme.color("paused"), 2))
        painter.drawLine(QPointF(x, self.area.top() - 8), QPointF(x, self.area.bottom()))

    def _paint_readout(self, painter: QPainter) -> None:
        if self.pointer is None or self._dragged:
            return
        journey = self.journey_at(self.pointer)
        if not journey.size:
            return
        lines = [Line(self.theme.color("text"), f"journey #{grouped(int(journey['seq'][0]))}", "")]
        for curve in CURVES:
            start, end = (int(tsc[0]) for tsc in ends(journey, curve.name))
            if start and end:
                value = duration(self.model.clock.ns(end - start))
                lines.append(Line(self.theme.color(curve.color), curve.label, value))
        paint_readout(painter, self.theme, QRectF(self.rect()).adjusted(4, 4, -4, -4), self.pointer, lines)

    # -- the pointer

    def journey_at(self, position: QPointF) -> Journeys:
        """The journey at a place on the screen, shape (1,); shape (0,) if there is none."""
        journeys = self.scene.journeys
        if not journeys.size or not self.area.contains(position) or self.scene.shares is not None:
            return no_journeys()
        tsc = self.scene.start + self._share(position.x()) * (self.scene.end - self.scene.start)
        lane = next((key for key, *_ in LANES if position.y() <= lane_rect(self.area, key).bottom() + 4), "io")
        distance = distances(journeys, lane, tsc) * self.area.width() / (self.scene.end - self.scene.start)
        nearest = int(np.argmin(distance))
        return journeys[nearest : nearest + 1] if distance[nearest] <= NEAR else no_journeys()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zooms at the pointer; sideways, or with Shift, it pans."""
        turn = event.angleDelta()
        sideways = turn.x() if turn.x() else turn.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0
        if sideways:
            self.view.pan(-sideways / 1200)
        elif turn.y():
            self.view.zoom(0.8 ** (turn.y() / 120), self._share(event.position().x()))
        self.redraw()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click or the beginning of a drag."""
        if event.button() == Qt.MouseButton.LeftButton and self.area.adjusted(0, -20, 0, 20).contains(event.position()):
            self._pressed, self._dragged = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drags the view, or moves the readout."""
        self.pointer = event.position()
        if self._pressed is not None and (self._dragged or abs(self.pointer.x() - self._pressed.x()) > 4):
            self.view.pan((self._pressed.x() - self.pointer.x()) / max(self.area.width(), 1))
            self._pressed, self._dragged = self.pointer, True
            self.redraw()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click chooses a journey and holds the view; beside all journeys it chooses none."""
        if self._pressed is not None and not self._dragged:
            journey = self.journey_at(event.position())
            if journey.size:
                self.view.following = False
            self._brought = int(journey["seq"][0]) if journey.size else 0
            self.model.selection.choose(journeys=journey)
            self.redraw()
        self._pressed, self._dragged = None, False

    def leaveEvent(self, _event: QEvent) -> None:
        """No pointer, no readout."""
        self.pointer = None
        self.update()

    # -- keys and the window's commands

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """+ - zoom, Shift+arrows pan, Home goes back to live; the rest is the window's."""
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif event.key() == Qt.Key.Key_Minus:
            self.zoom_out()
        elif shift and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.view.pan(-0.2 if event.key() == Qt.Key.Key_Left else 0.2)
            self.redraw()
        elif event.key() == Qt.Key.Key_Home:
            self.back_to_live()
        else:
            event.ignore()

    def zoom_in(self) -> None:
        """Half as much time."""
        self.view.zoom(0.5)
        self.redraw()

    def zoom_out(self) -> None:
        """Twice as much time."""
        self.view.zoom(2.0)
        self.redraw()

    def fit_selection(self) -> None:
        """The chosen journey, whole."""
        if self.model.selection.journeys.size:
            self.view.fit(self.model.selection.journeys)
            self.redraw()

    def back_to_live(self) -> None:
        """Follows the newest again."""
        self.view.back_to_live()
        if not self.model.transport.following:
            self.model.to_newest()
        self.redraw()


def distances(journeys: Journeys, lane: str, tsc: float) -> Shares:
    """How far each journey's part in a lane is from a time, in cycles; shape (n,)."""
    stages = {
        "guest": (("ring", "rung"), ("handler", "handler")),
        "vcpu": (("exit", "entry"), ("ring", "exit")),
        "kvm": (("ring", "doorbell"), ("irq", "handler")),
        "io": (("doorbell", "irq"), ("irq", "irq"), ("doorbell", "doorbell")),
    }
    best = np.full(journeys.size, np.inf)
    for start, end in stages[lane]:
        has = (journeys[start] > 0) & (journeys[end] > 0)
        away = np.maximum(np.maximum(journeys[start] - tsc, tsc - journeys[end]), 0.0)
        best = np.where(has, np.minimum(best, away), best)
    return best
