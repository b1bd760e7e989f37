"""The whole of what is held, in one strip: when how much happened, what the timeline shows of it, how full it is.

A press or a drag moves the playhead; the frame, where it is wide enough to be taken, moves what the timeline shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from bellwire.engine.events import Lane
from bellwire.engine.language import tr
from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import plain_tip
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.lines_only import paint_columns
from bellwire.viz.style.themes.marks import hatch_mask, hatch_of
from bellwire.viz.style.turns import ScreenClock, Turns
from bellwire.viz.text.figures import count_of, duration
from bellwire.viz.timeline.lanes import Shares
from bellwire.viz.timeline.view import TimeScale

if TYPE_CHECKING:
    from bellwire.viz.timeline.columns import Columns
    from bellwire.viz.timeline.view import TimeView

HEIGHT, GAP = 20, 4  # pixels at 100 %; between it and the timeline's axis
SECONDS = 1.0  # after which the density is no longer what is held, whoever's turn it is
LEAST_FRAME, GRIP = 8, 14  # pixels: the frame is shown at least so wide, and taken if it is
COLORS = {
    Lane.GUEST: "guest",
    Lane.VCPU: "heavy",
    Lane.KVM: "kvm",
    Lane.IO_THREAD: "io_thread",
    Lane.ENGINE: "text_muted",
}
FRAME = "frame"


class Minimap(QWidget):
    """`left` is where the lanes begin: what is before it says how much is held."""

    def __init__(self, model: LiveModel, past: Columns, view: TimeView, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.model, self.past, self.view, self.theme = model, past, view, theme
        self.left = 0
        self.counts: dict[Lane, Shares] = {}
        self._picture: QImage | None = None
        self._span = 0, 1  # what is shown, TSC
        self._looked_at, self._counted_over = 0.0, 0  # when, and over how many pixels
        self._turns = Turns(every=6)
        self._dragged, self._from = "", 0.0
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # else the timeline would be painted below it
        self.setAccessibleName(tr("Minimap of all that is held"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        self.theme, self._looked_at = theme, 0.0
        self.look()

    def refresh(self) -> None:
        """Counts anew if it is time; called once a frame."""
        if self.isVisible() and self._turns.come():
            self._looked_at = 0.0
            self.look()

    def look(self) -> None:
        """Takes what the model holds now; the density not at every look."""
        width = round(self.bar.width())
        late = ScreenClock.now() - self._looked_at >= SECONDS
        if (late or width != self._counted_over) and width > 1:
            self._looked_at, self._counted_over = ScreenClock.now(), width
            first = self.past.first
            self._span = first, max(self.past.last, first + 1)
            self.counts = self.past.counts(*self._span, width)
            self._picture = density_picture(self.counts, round(self.bar.height()), self.theme)
            self.setToolTip(plain_tip(self._tip()))
        self.update()

    # -- geometry

    @property
    def bar(self) -> QRectF:
        """Where time runs."""
        return QRectF(self.left, 1, max(self.width() - self.left, 1), self.height() - 2)

    @property
    def scale(self) -> TimeScale:
        """Where a time is."""
        return TimeScale(*self._span, self.bar.left(), self.bar.width())

    @property
    def frame(self) -> QRectF:
        """What the timeline shows, as wide as can be seen."""
        left, right = self.scale.x(self.view.start), self.scale.x(self.view.end)
        middle, half = (left + right) / 2, max(right - left, LEAST_FRAME) / 2
        rect = QRectF(middle - half, self.bar.top(), 2 * half, self.bar.height())
        rect.moveRight(min(rect.right(), self.bar.right() - 1))
        rect.setLeft(max(rect.left(), self.bar.left() + 1))
        return rect

    # -- painting

    @painting
    def paintEvent(self, _event: QPaintEvent) -> None:
        """Density, marks, frame; at the left how much is held."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.color("surface"))
        painter.fillRect(self.bar, self.theme.color("surface_raised"))
        if self._picture:
            paint_columns(painter, self.bar, self._picture)
        self._paint_words(painter)
        self._paint_changes(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_losses(painter)
        self._paint_annotations(painter)
        for tsc in self.model.markers.places.values():
            self._line(painter, tsc, self.theme.color("focus"), Qt.PenStyle.DashLine)
        if self.model.events.total:
            self._paint_frame(painter)
        if self.model.transport.away:
            self._line(painter, self.model.playhead, self.theme.color("paused"), Qt.PenStyle.SolidLine)

    def _paint_words(self, painter: QPainter) -> None:
        box = QRectF(0, 0, self.left - 8, self.height())
        painter.setFont(self.theme.font(11, 600))
        painter.setPen(self.theme.color("text"))
        held, full = self.held_text, self.full_text
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, held)
        box.setLeft(painter.fontMetrics().horizontalAdvance(held) + 6)
        painter.setFont(self.theme.font(11))
        painter.setPen(self.theme.color("text_muted"))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, full)

    def _paint_changes(self, painter: QPainter) -> None:
        """Where the wiring changed: a line."""
        for tsc in {round(self.scale.x(change.tsc)): change.tsc for change in self.model.changes}.values():
            self._line(painter, tsc, self.theme.color("text"), Qt.PenStyle.DotLine)

    def _paint_losses(self, painter: QPainter) -> None:
        """Where events were lost: a wedge that hangs from the top."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("heavy"))
        for x in {round(self.scale.x(loss.tsc)) for loss in self.model.losses}:
            top = self.bar.top()
            painter.drawPolygon(QPolygonF([QPointF(x - 5, top), QPointF(x + 5, top), QPointF(x, top + 9)]))

    def _paint_annotations(self, painter: QPainter) -> None:
        """Where somebody has written something: a square that stands on the ground."""
        painter.setPen(QPen(self.theme.color("surface"), 1))
        for one in self.model.annotations.all:
            if one.tsc is not None and self.scale.shows(one.tsc):
                x, ground = self.scale.x(one.tsc), self.bar.bottom()
                painter.setBrush(self.theme.color(one.ink))
                painter.drawRect(QRectF(x - 3, ground - 8, 6, 8))

    def _paint_frame(self, painter: QPainter) -> None:
        painter.setPen(QPen(self.theme.color("text"), 1.5 * self.theme.stroke))
        painter.setBrush(self.theme.color("text", 0.0 if self.theme.marked else 0.12))
        painter.drawRoundedRect(self.frame, 3, 3)

    def _line(self, painter: QPainter, tsc: int, color: QColor, style: Qt.PenStyle) -> None:
        if self.scale.shows(tsc):
            painter.setPen(QPen(color, 2 if style == Qt.PenStyle.SolidLine else 1.5, style))
            x = self.scale.x(tsc)
            painter.drawLine(QPointF(x, self.bar.top()), QPointF(x, self.bar.bottom()))

    # -- words

    @property
    def held_text(self) -> str:
        """ "12.4 s held"."""
        if not self.model.events.total:
            return tr("Nothing held")
        past = self.model.past
        return tr("{time} held", time=duration(self.model.clock.ns(past.last - past.first)))

    @property
    def full_text(self) -> str:
        """ "38 % full", or that the oldest leaves; while a recording is read for its overview, that it comes."""
        if not self.past.ready and self.isVisible():
            return tr("overview to come")
        if self.model.recorded is not None:
            return tr("in the file")
        if self.model.dropped_from_memory:
            return tr("full: the oldest leaves")
        return tr("{share:.0%} full", share=self.model.fill)

    def _tip(self) -> str:
        model = self.model
        lines = [
            tr(
                "{events} held, {full}. Coloured by where they happened.",
                events=count_of(model.past.size, "event"),
                full=self.full_text,
            )
        ]
        if model.dropped_from_memory and model.recorded is None:
            older = count_of(model.dropped_from_memory, "older event")
            lines.append(tr("{events} only in a recording, if there is one.", events=older))
        if model.losses:
            lines.append(tr("▼ {events} lost.", events=count_of(model.tally.lost, "event")))
        return "\n".join([*lines, tr("Drag to move the playhead.")])

    # -- the pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Takes the frame, or moves the playhead."""
        at = event.position()
        if event.button() != Qt.MouseButton.LeftButton or not self.bar.contains(at) or not self.model.events.total:
            return
        on_playhead = self.model.transport.away and abs(self.scale.x(self.model.playhead) - at.x()) <= LEAST_FRAME
        framed = self.frame.width() >= GRIP and self.frame.contains(at) and not on_playhead
        self._dragged, self._from = FRAME if framed else "playhead", at.x()
        if not framed:
            self._drag(at.x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drags what was taken."""
        if self._dragged:
            self._drag(event.position().x())

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Lets go."""
        self._dragged = ""

    def _drag(self, x: float) -> None:
        if self._dragged == FRAME:
            moved = (x - self._from) * (self._span[1] - self._span[0]) / self.bar.width()
            self.view.pan(moved / self.view.span)
            self._from = x
        else:
            self.model.scrub(self.scale.tsc(x))
            self.view.following = True  # the playhead, wherever it goes
        parent = self.parentWidget()
        if parent and hasattr(parent, "redraw"):
            parent.redraw()


def density_picture(counts: dict[Lane, Shares], height: int, theme: Theme) -> QImage:
    """A picture of one pixel a column: as high as the root of its number of events, in the colours of their lanes."""
    total = np.sum(list(counts.values()), axis=0)
    tall = np.sqrt(total / max(float(total.max()), 1e-9)) * height
    tall = np.where(total > 1e-9, np.maximum(tall, 1.5), 0)
    row = np.arange(height, 0, -1, dtype=np.int16)[:, None]
    pixels: npt.NDArray[np.uint32] = np.zeros((height, total.size), np.uint32)
    upto = np.cumsum([counts[lane] for lane in COLORS], axis=0) / np.maximum(total, 1e-9) * tall
    for reach, color in reversed(list(zip(upto, COLORS.values(), strict=True))):
        below = row <= np.rint(reach).astype(np.int16)
        ink = below
        if (hatch := hatch_of(theme, color)) != "solid":
            ink = below & hatch_mask(hatch, height, total.size)
            np.copyto(pixels, np.uint32(theme.color("surface").rgba()), where=below)
        np.copyto(pixels, np.uint32(theme.color(color, theme.faded(0.85)).rgba()), where=ink)
    picture = QImage(pixels.data, total.size, height, total.size * 4, QImage.Format.Format_ARGB32)
    return picture.copy()  # of its own memory
