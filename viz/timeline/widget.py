"""The timeline: a lane each for guest, vCPU, KVM and I/O thread, and the bridges that join a journey's parts.

The wheel, with Ctrl or without, zooms at the pointer; with Shift, or sideways, it pans, as dragging does. A click
chooses a journey and pauses the view there; above and below the lanes it moves the playhead. A paint costs pixels:
where journeys would cover each other, each column shows how busy the lane was.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QMouseEvent, QPainter, QPaintEvent, QRegion, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QPushButton, QWidget

from bellwire.engine.events import Setting
from bellwire.engine.folds.journeys import Journeys, no_journeys
from bellwire.engine.folds.latency import ends
from bellwire.engine.language import tr, tr_later
from bellwire.viz.model.live import LiveModel, shown_latency
from bellwire.viz.model.moments.looking import stage_mark
from bellwire.viz.model.steps import begin_and_end
from bellwire.viz.stages.mark import StageMark
from bellwire.viz.style.card import PADDING, Card
from bellwire.viz.style.curves import CURVES, no_journey
from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import longer_tip
from bellwire.viz.style.readout import Line, paint_readout, readout_box
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import area_brush, veil_brush
from bellwire.viz.style.turns import Turns
from bellwire.viz.text.figures import duration, grouped
from bellwire.viz.timeline.columns import Columns, timeline_columns
from bellwire.viz.timeline.lane_painter import LanePainter, lane_rects
from bellwire.viz.timeline.lanes import lanes_of
from bellwire.viz.timeline.leaves import Leaf, leaves_of, paint_leaf
from bellwire.viz.timeline.marks_painter import AXIS, BEFORE, PLAYHEAD, STRIP, MarksPainter, handle_at
from bellwire.viz.timeline.minimap import GAP, HEIGHT, Minimap
from bellwire.viz.timeline.scene import Scene, distances, look
from bellwire.viz.timeline.view import TimeScale, TimeView

NEAR = 8  # pixels within which a click or the pointer finds a journey
LABELS, ROOMY = 184, 176
NAME_SIZE, NAME_LINE = 13, 16  # of a lane's name, and the height that its line needs, pixels at 100 % text
VEIL = 0.12  # opacity, over what is not known
PAN = "pan"  # what is dragged, if it is no handle


class Timeline(Card):
    """Redraws a few times a second, and at once when it is touched."""

    title = tr_later("Timeline")
    name = "timeline"
    note = tr_later("KVM's lane holds what lies between a signal and the other side's awaking: KVM and the scheduler.")

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.model = model
        self.view = TimeView(model)
        self.scene = Scene()
        self._lanes_of, self._lanes = (0, False), self.scene.lanes  # the lanes of so many machines, watched or not
        self.mark: StageMark | None = None  # of the signal that is looked at
        self.past: Columns = timeline_columns(model)
        self.pointer: QPointF | None = None
        self._pressed: QPointF | None = None
        self._dragged = ""  # a handle's name, or PAN
        self._told = QRect()  # where the readout was
        self._turns = Turns(every=2)  # a picture that follows the newest must stand long enough to be seen
        self._brought = 0, 0  # the chosen stretch of time that has been brought into view
        self.minimap = Minimap(model, self.past, self.view, theme, self)
        self.live = QPushButton(tr("Back to live"), self)
        self.live.setToolTip(tr("Follow the newest journeys again (End)"))
        self.live.clicked.connect(self.back_to_live)
        self.live.hide()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def sizeHint(self) -> QSize:
        """As in the sketch."""
        return QSize(1200, self.theme.px(190))

    # -- what is shown

    def refresh(self) -> None:
        """Redraws if it is time; called once a frame, or less often."""
        if self.isVisible() and self._turns.come():
            self.redraw()
        self.minimap.refresh()

    def redraw(self) -> None:
        """Draws what the model holds now."""
        self.mark = stage_mark(self.model)
        self._follow_selection()
        self.view.advance()
        lanes, self.scene = self.scene.lanes, self._look()
        self.facts = self._facts_text()
        behind = not self.view.following or not self.model.transport.following
        if self.live.isHidden() == behind:
            self.live.setVisible(behind)
        if self.minimap.isVisible():
            self.minimap.look()
        self.update(self._moving + self._telling() if lanes == self.scene.lanes else QRegion(self.rect()))

    def _follow_selection(self) -> None:
        """What was chosen elsewhere comes into view, once."""
        chosen = self._chosen_stretch()
        if chosen and chosen != self._brought and not self.model.transport.following:
            self.view.bring(*chosen)
        self._brought = chosen or (0, 0)

    def _chosen(self) -> int:
        """The number of the journey that is looked at, else of the chosen one; 0: there is none."""
        chosen = self.mark.point.journey if self.mark else self.model.selection.journeys
        return int(chosen["seq"][0]) if chosen.size else 0

    def _chosen_stretch(self) -> tuple[int, int] | None:
        """From when to when what is chosen was: the journey that is looked at, with the event or a story's moment."""
        chosen, times = self.model.selection, list[int]()
        if not (chosen.journeys.size or chosen.events.size):
            return None
        journeys = chosen.journeys if self.mark is None else self.mark.point.journey
        if journeys.size:
            times += [tsc for tsc in begin_and_end(journeys) if tsc]
        if chosen.events.size:
            times.append(int(chosen.events["tsc"][0]))
        elif self.model.story is not None:
            times.append(self.model.playhead)  # it goes on after the journey's end
        return (min(times), max(times)) if times else None

    def _look(self) -> Scene:
        """What lies in view."""
        start, end = max(self.view.start, 0), max(self.view.end, 1)
        shown = self.model.vms, Setting.KERNEL in self.model.present.tally.settings
        if shown != self._lanes_of:
            self._lanes_of, self._lanes = shown, lanes_of(self.model.scenario, *shown)
        return look(self.past, self._lanes, start, end, self.model.clock.hz, self.columns)

    def _facts_text(self) -> str:
        """What the view is."""
        between = self.model.markers.text(self.model.clock)
        if between:
            return between
        across = tr("{time} across", time=duration(self.model.clock.ns(self.view.span)))
        if not self._roomy:  # for the minimap, which says it
            across = f"{self.minimap.held_text}, {self.minimap.full_text} · {across}"
        if self.mark is not None:
            across = f"◆ {self.mark.words(self.model.clock)} · {across}"
        if not self.view.following:
            return f"{across} · {tr('standing still')}"
        if not self.model.transport.following:
            return f"{across} · {tr('paused') if self.model.transport.paused else tr('in slow motion')}"
        newest = self.model.journeys.newest(1)
        following = f"{across} · {tr('following')}"
        if not newest.size:
            return following
        return f"{following} · {tr('newest #{number}', number=grouped(int(newest['seq'][0])))}"

    # -- geometry

    def _header_left(self) -> float:
        """Where the facts may begin: behind the button, too, while it is there."""
        left = super()._header_left()
        return left if self.live.isHidden() else max(left, self.live.geometry().right())

    @property
    def area(self) -> QRectF:
        """Where the lanes are."""
        px = self.theme.px
        below = px(AXIS) + px(GAP + HEIGHT) * self._roomy
        return self.body.adjusted(px(LABELS), px(STRIP), 0, -below)

    @property
    def _moving(self) -> QRegion:
        """What is another picture at each redraw: the lanes, what is over them, the axis; not the lanes' names."""
        lanes = self.area.adjusted(-1, -self.theme.px(STRIP), 3, 3).toAlignedRect()
        axis = QRect(lanes.left() - BEFORE, lanes.bottom() - 2, lanes.width() + BEFORE, self.theme.px(AXIS))
        return QRegion(lanes) + axis

    @property
    def _roomy(self) -> bool:
        """Whether the minimap leaves the lanes enough height."""
        return self.height() >= self.theme.px(ROOMY)

    @property
    def columns(self) -> int:
        """How many columns of pixels the lanes have."""
        return max(round(self.area.width()), 1)

    @property
    def scale(self) -> TimeScale:
        """Where a time is on the screen."""
        return TimeScale(self.scene.start, self.scene.end, self.area.left(), self.area.width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The button beside the title."""
        super().resizeEvent(event)
        self._place_button()
        self._place_minimap()

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        super().set_theme(theme)
        self.setMinimumHeight(theme.px(150))
        self._place_button()
        self._place_minimap()
        self.minimap.set_theme(theme)

    def _place_button(self) -> None:
        self.live.setGeometry(self.header_rect(PADDING + self._title_width() + 16, self.live.sizeHint()))

    def _place_minimap(self) -> None:
        body, height = self.body, self.theme.px(HEIGHT)
        self.minimap.left = self.theme.px(LABELS)
        self.minimap.setVisible(self._roomy)
        self.minimap.setGeometry(round(body.left()), round(body.bottom()) - height, round(body.width()), height)

    # -- painting

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        """Card, lanes, axis, playhead, markers, readout."""
        super().paintEvent(event)
        painter, area, scale = QPainter(self), self.area, self.scale
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        marks = MarksPainter(painter, self.theme, area, scale)
        if event.region().intersects(QRect(0, 0, round(area.left()) - 1, round(area.bottom()))):
            self._paint_labels(painter)
        if self.model.events.total:
            marks.axis(self.view.zero, self.model.clock.hz)
        painter.save()
        painter.setClipRect(area.adjusted(0, -self.theme.px(STRIP), 0, 2))
        lanes = LanePainter(painter, self.theme, area, self.scene, self.model.clock)
        leaves = self._leaves()
        away, places = self.model.transport.away, self.model.markers.places
        handles = marks.handles(self.model.playhead if away else None, tuple(places.values()))
        lanes.paint(self._chosen(), [leaf.box for leaf in leaves], handles)
        if self.mark is not None:
            marks.stage(self.mark)
        lanes.paint_chosen(self.model.selection.events)
        for first, last in self.model.past.unknown(self.scene.start, self.scene.end):
            left, right = (scale.x(tsc) for tsc in (first, last))
            veil = QRectF(left, area.top(), right - left, area.height())
            painter.fillRect(veil, veil_brush(self.theme, "text_muted", VEIL))
        marks.changes(self.model.changes)
        marks.losses(self.model.losses)
        for leaf in leaves:
            paint_leaf(painter, self.theme, leaf, area.bottom(), leaf.index == self.model.annotations.chosen)
        marks.markers(places)
        if away:
            marks.playhead(self.model.playhead)
        painter.restore()
        if not self.model.journeys.total:
            painter.setFont(self.theme.font(13))
            painter.setPen(self.theme.color("text_muted"))
            why = no_journey(self.model.scenario, self.model.tally.irqs_kept)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, why)
        self._paint_readout(painter)

    def _leaves(self) -> list[Leaf]:
        return leaves_of(self.model.annotations, self.theme, self.area, self.scale)

    def whole_tip(self) -> str:
        """What annotations say that have no room for it, too."""
        return longer_tip(super().whole_tip(), *(leaf.one.text for leaf in self._leaves() if leaf.cut))

    @property
    def label_scale(self) -> float:
        """How much smaller the lanes' names are where many lanes share little height: none meets the next."""
        rows = self.area.height() / max(len(self.scene.lanes), 1)
        return min(1.0, rows / self.theme.px(NAME_LINE))

    def _paint_labels(self, painter: QPainter) -> None:
        """Each lane's name, and what its blocks are, in their colours."""
        rects = lane_rects(self.area, self.scene.lanes)
        scale = self.label_scale
        for lane in self.scene.lanes:
            rect = rects[lane.key]
            box = QRectF(PADDING, rect.top() - 4, self.theme.px(LABELS) - 8, rect.height() + 8)
            painter.setFont(self.theme.font(NAME_SIZE * scale, 600))
            self._word(painter, box, lane.name, "text", 7)
            painter.setFont(self.theme.font(11 * scale))
            for n, (what, color) in enumerate(lane.what):
                if self.theme.marked and color != "text_muted":
                    usual = lane.kind == "vcpu" and color == "guest"
                    fill = veil_brush(self.theme, color, 1) if usual else area_brush(self.theme, color)
                    self._swatch(painter, box, fill, color)
                self._word(painter, box, tr(what) + "," * (n < len(lane.what) - 1), color, 3)

    def _swatch(self, painter: QPainter, box: QRectF, fill: QBrush, color: str) -> None:
        """A piece of what is filled so, where colours do not say it alone."""
        side = painter.fontMetrics().ascent() * 0.8
        area = QRectF(box.left(), box.center().y() - side / 2, side, side)
        painter.fillRect(area, fill)
        painter.setPen(self.theme.color(color))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(area)
        box.setLeft(area.right() + 3)

    def _word(self, painter: QPainter, box: QRectF, word: str, color: str, gap: int) -> None:
        """At the left of the box, which begins after it from then on."""
        painter.setPen(self.theme.color(color))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, word)
        box.setLeft(box.left() + painter.fontMetrics().horizontalAdvance(word) + gap)

    def _paint_readout(self, painter: QPainter) -> None:
        lines = self._readout()
        if self.pointer is not None and lines:
            paint_readout(painter, self.theme, self._readout_area, self.pointer, lines)

    @property
    def _readout_area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(4, 4, -4, -4)

    def _readout(self) -> list[Line]:
        """What is said of the journey at the pointer; nothing while something is dragged, or where there is none."""
        journey = no_journeys() if self.pointer is None or self._dragged else self.journey_at(self.pointer)
        if not journey.size:
            return []
        lines = [Line(self.theme.color("text"), tr("journey #{number}", number=grouped(int(journey["seq"][0]))), "")]
        for curve in CURVES:
            start, end = (int(tsc[0]) for tsc in ends(journey, curve.name))
            if start and end:
                value = duration(shown_latency(self.model, journey, curve.name))
                lines.append(Line(self.theme.color(curve.color), tr(curve.label), value))
        return lines

    def _telling(self) -> QRegion:
        """Where the readout was and where it is now, which is to be painted anew."""
        before, lines, self._told = self._told, self._readout(), QRect()
        if self.pointer is not None and lines:
            box = readout_box(self.theme, self._readout_area, self.pointer, lines)
            self._told = box.adjusted(-2, -2, 2, 2).toAlignedRect()
        return QRegion(before) + self._told

    # -- the pointer

    def journey_at(self, position: QPointF) -> Journeys:
        """The journey at a place on the screen, shape (1,); shape (0,) if there is none."""
        journeys = self.scene.journeys
        if not journeys.size or not self.area.contains(position) or self.scene.shares is not None:
            return no_journeys()
        tsc = float(self.scale.tsc(position.x()))  # times are unsigned: their differences would be
        rects = lane_rects(self.area, self.scene.lanes)
        lane = next((lane for lane in self.scene.lanes if position.y() <= rects[lane.key].bottom() + 4), None)
        distance = (
            distances(journeys, lane.kind if lane else "io", tsc)
            * self.area.width()
            / (self.scene.end - self.scene.start)
        )
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
        if not self.area.contains(at) and self._take_annotation(at):
            self._pressed = None
        elif not self.area.contains(at):
            handles = self.model.markers.places | ({PLAYHEAD: self.model.playhead} if self.model.transport.away else {})
            self._drag(handle_at(at.x(), self.scale, handles) or PLAYHEAD, at)

    def _take_annotation(self, at: QPointF) -> bool:
        """The annotation whose flag is there is chosen, and its moment shown; whether there is one."""
        annotations = self.model.annotations
        if at.y() > self.area.top():
            return False
        timed = {str(index): tsc for index, one in enumerate(annotations.all) if (tsc := one.tsc) is not None}
        index = handle_at(at.x(), self.scale, timed)
        if index:
            self.model.scrub(timed[index])
            annotations.choose(int(index))
            self.redraw()
        return bool(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drags what is held, or moves the readout."""
        self.pointer = event.position()
        if self._pressed is not None and (self._dragged or abs(self.pointer.x() - self._pressed.x()) > 4):
            self._drag(self._dragged or PAN, self.pointer)
        self.update(self._telling())

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
        self.update(self._telling())

    # -- the window's commands

    def zoom(self, factor: float) -> None:
        """Shows `factor` times as much time, around the playhead if that is in view, else around the middle."""
        seen = self.model.transport.away and self.scale.shows(self.model.playhead)
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
        if self.model.past.size:
            self.view.fit(self.model.past.first, self.model.past.last)
        self.redraw()

    def back_to_live(self) -> None:
        """Follows the newest again."""
        self.view.back_to_live()
        if not self.model.transport.following:
            self.model.to_newest()
        self.redraw()
