"""The timeline: a lane each for guest, vCPU, KVM and I/O thread, and the bridges that join a journey's parts.

The wheel, with Ctrl or without, zooms at the pointer; with Shift, or sideways, it pans, as dragging does. A click
chooses a journey and pauses the view there; above and below the lanes it moves the playhead. A paint costs pixels:
where journeys would cover each other, each column shows how busy the lane was.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QPushButton, QWidget

from engine.journeys import Journeys, no_journeys
from engine.latency import ends
from viz.lanes import Occupancy, awake, cover, flights, instruction, user_space
from viz.model import LiveModel
from viz.plots.card import PADDING, Card
from viz.plots.curves import CURVES
from viz.plots.readout import Line, paint_readout
from viz.plots.turns import Turns
from viz.steps import begin_and_end
from viz.text import duration, grouped
from viz.theme import Theme
from viz.timeline_marks import AXIS, PLAYHEAD, STRIP, MarksPainter, handle_at
from viz.timeline_painter import LANES, LanePainter, Scene, Shares, lane_rect
from viz.timescale import TimeScale
from viz.timeview import TimeView

ROOM = 20  # pixels that a journey needs to be drawn by itself
EXACT_SECONDS = 0.1  # up to here shares are computed from the events, beyond from the bins of Occupancy
NEAR = 8  # pixels within which a click or the pointer finds a journey
LABELS = 166
PAN = "pan"  # what is dragged, if it is no handle


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
        self._dragged = ""  # a handle's name, or PAN
        self._turns = Turns(every=2)  # a picture that follows the newest must stand long enough to be seen
        self._seen = 0, 0  # events and journeys that are in the bins
        self._brought = 0, 0  # the chosen stretch of time that has been brought into view
        self.live = QPushButton("Back to live", self)
        self.live.setToolTip("Follow the newest journeys again (End)")
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
        chosen = self._chosen_stretch()
        if chosen and chosen != self._brought and not self.model.transport.following:
            self.view.bring(*chosen)
        self._brought = chosen or (0, 0)

    def _chosen(self) -> int:
        chosen = self.model.selection.journeys
        return int(chosen["seq"][0]) if chosen.size else 0

    def _chosen_stretch(self) -> tuple[int, int] | None:
        """From when to when what is chosen was: the event, else the journey."""
        chosen = self.model.selection
        if chosen.events.size:
            tsc = int(chosen.events["tsc"][0])
            return tsc, tsc
        return begin_and_end(chosen.journeys) if chosen.journeys.size else None

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
        between = self.model.markers.text(self.model.clock)
        if between:
            return between
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
            body.left() + px(LABELS),
            body.top() + px(STRIP),
            body.width() - px(LABELS),
            body.height() - px(STRIP + AXIS),
        )

    @property
    def scale(self) -> TimeScale:
        """Where a time is on the screen."""
        return TimeScale(self.scene.start, self.scene.end, self.area.left(), self.area.width())

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

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Card, lanes, axis, playhead, markers, readout."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        marks = MarksPainter(painter, self.theme, self.area, self.scale)
        self._paint_labels(painter)
        if self.model.events.total:
            marks.axis(self.view.zero, self.model.clock.hz)
        painter.save()
        painter.setClipRect(self.area.adjusted(0, -self.theme.px(STRIP), 0, 2))
        LanePainter(painter, self.theme, self.area, self.scene, self.model.clock.hz).paint(self._chosen())
        marks.markers(self.model.markers.places)
        if self.model.transport.exact:
            marks.playhead(self.model.playhead)
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
        tsc = float(self.scale.tsc(position.x()))  # times are unsigned: their differences would be
        lane = next((key for key, *_ in LANES if position.y() <= lane_rect(self.area, key).bottom() + 4), "io")
        distance = distances(journeys, lane, tsc) * self.area.width() / (self.scene.end - self.scene.start)
        nearest = int(np.argmin(distance))
        return journeys[nearest : nearest + 1] if distance[nearest] <= NEAR else no_journeys()

    def pointed(self) -> int | None:
        """The time at the pointer; None if it is not over the lanes."""
        if self.pointer is None or not self.grip.contains(self.pointer):
            return None
        return self.snapped(self.pointer.x())

    def snapped(self, x: float) -> int:
        """The time at a place on the screen: an event's, if one is near."""
        tsc = self.scale.tsc(x)
        if self.scene.shares is not None:
            return tsc
        reach = self.scale.tsc(x + NEAR) - tsc
        times = self.model.window(max(tsc - reach, 0), tsc + reach)["tsc"].astype(np.int64)
        return int(times[np.argmin(np.abs(times - tsc))]) if times.size else tsc

    @property
    def grip(self) -> QRectF:
        """The lanes, with the strip above and the axis below, which are taken to move the playhead."""
        return self.area.adjusted(0, -self.theme.px(STRIP), 0, self.theme.px(AXIS))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zooms at the pointer; sideways, or with Shift, it pans."""
        turn = event.angleDelta()
        sideways = turn.x() if turn.x() else turn.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0
        if sideways:
            self.view.pan(-sideways / 1200)
        elif turn.y():
            self.view.zoom(0.8 ** (turn.y() / 120), self.scale.share(event.position().x()))
        self.redraw()
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click, or the beginning of a drag: of a marker, of the playhead, of the view."""
        at = event.position()
        if event.button() != Qt.MouseButton.LeftButton or not self.grip.contains(at):
            return
        self._pressed, self._dragged = at, ""
        if not self.area.contains(at):
            handles = self.model.markers.places | (
                {PLAYHEAD: self.model.playhead} if self.model.transport.exact else {}
            )
            self._drag(handle_at(at.x(), self.scale, handles) or PLAYHEAD, at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drags what is held, or moves the readout."""
        self.pointer = event.position()
        if self._pressed is not None and (self._dragged or abs(self.pointer.x() - self._pressed.x()) > 4):
            self._drag(self._dragged or PAN, self.pointer)
        self.update()

    def _drag(self, what: str, to: QPointF) -> None:
        """Moves a handle, or the view, along with the pointer."""
        self._dragged = what
        x = min(max(to.x(), self.area.left()), self.area.right())
        if what == PAN and self._pressed is not None:
            self.view.pan(-(to.x() - self._pressed.x()) / max(self.area.width(), 1))
            self._pressed = to
        elif what == PLAYHEAD:
            self.model.scrub(self.scale.tsc(x))
        else:
            self.model.markers.put(what, self.snapped(x))
        self.redraw()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click chooses a journey and stops there; beside all journeys it chooses none."""
        if self._pressed is not None and not self._dragged:
            self._choose(event.position())
        self._pressed, self._dragged = None, ""

    def _choose(self, at: QPointF) -> None:
        """The journey at a place, at that moment: a detail is looked at while the view stands still."""
        journey = self.journey_at(at)
        if journey.size:
            start, end = begin_and_end(journey)
            self.view.following = False
            self._brought = start, end
            self.model.transport.seek(min(max(self.scale.tsc(at.x()), start), end))
        self.model.selection.choose(journeys=journey)
        self.redraw()

    def leaveEvent(self, _event: QEvent) -> None:
        """No pointer, no readout."""
        self.pointer = None
        self.update()

    # -- the window's commands

    def zoom(self, factor: float) -> None:
        """Shows `factor` times as much time, around the playhead if that is in view, else around the middle."""
        seen = self.model.transport.exact and self.scale.shows(self.model.playhead)
        self.view.zoom(factor, self.scale.share(self.scale.x(self.model.playhead)) if seen else 0.5)
        self.redraw()

    def zoom_usual(self) -> None:
        """As many journeys as can be told apart."""
        self.view.usual()
        self.redraw()

    def pan(self, share: float) -> None:
        """Moves by a share of the width."""
        self.view.pan(share)
        self.redraw()

    def fit(self) -> None:
        """What is chosen, whole; else what lies between the markers."""
        chosen = self.model.selection.journeys
        places = sorted(self.model.markers.places.values())
        if chosen.size:
            self.view.fit(*begin_and_end(chosen))
        elif len(places) == 2:
            self.view.fit(*places)
        self.redraw()

    def fit_all(self) -> None:
        """All that is held."""
        if self.model.events.total:
            self.view.fit(self.model.events.first, self.model.events.last)
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
