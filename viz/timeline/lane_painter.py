"""Paints the timeline's lanes: one journey from the next where there is room, shares of pixels where there is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen

from bellwire.engine.events import Clock, EventKind, Events, by_kind, each_of, vms_in
from bellwire.engine.events import Lane as Where
from bellwire.engine.folds.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT
from bellwire.engine.folds.spans import Spans
from bellwire.engine.language import tr
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.lines_only import paint_columns
from bellwire.viz.style.themes.marks import HATCHES, SHAPES, area_brush, hatch_mask, shape_outline, veil_brush
from bellwire.viz.text.figures import grouped, spent
from bellwire.viz.timeline.bridges import INSET, BridgePaths
from bellwire.viz.timeline.lanes import Shares, TimelineLane
from bellwire.viz.timeline.scene import Scene
from bellwire.viz.timeline.view import TimeScale

GAP = 0.5  # of a lane's height, between lanes
APART = 4.0  # pixels between a journey's number and what has no room beside it
NARROW = 8.0  # pixels of a block that has neither round corners nor room for a word
CAPTION_MARGIN = 10.0  # pixels
SHORTEST = "0 s"  # no caption is narrower: what has no room for this needs no words
SIGN = 6.0  # half the size of a tick's shape, pixels
RUNNING = 0.2  # how faint the vCPU's usual state is
BRIDGED = ("ring", "exit", "doorbell", "irq", "handler")  # a journey's stages that its ways lead by

KVM, IO = "kvm0", "io0"  # keys of lanes that there is one of

KIND_OF = {Where.GUEST: "guest", Where.VCPU: "vcpu", Where.KVM: "kvm", Where.IO_THREAD: "io"}  # of lanes

# Moments that have no length: in which lane, in which of the theme's colours.
TICKS = {
    EventKind.HANDLER: ("guest", "interrupt"),
    EventKind.WINDOW: ("guest", "text"),
    EventKind.FETCH: ("vcpu", "doorbell"),
    EventKind.IRQFD: ("io", "interrupt"),
    EventKind.IRQ_IOCTL: ("io", "heavy"),
    EventKind.SUBMIT: ("io", "interrupt"),
    EventKind.RESAMPLE: ("io", "kvm"),
    EventKind.BUFFERS: ("io", "doorbell"),
}


class LanePainter:
    """Paints a Scene into `area`; the lanes share its height."""

    def __init__(self, painter: QPainter, theme: Theme, area: QRectF, scene: Scene, clock: Clock) -> None:
        self.painter, self.theme, self.area, self.scene, self.clock = painter, theme, area, scene, clock
        self.scale = TimeScale(scene.start, scene.end, area.left(), area.width())
        self.rects = lane_rects(area, scene.lanes)
        self.x = self.scale.x

    def paint(self, chosen: int, taken: Sequence[QRectF] = (), handles: Sequence[QRectF] = ()) -> None:
        """The lanes; the journey with the number `chosen` (0: none) is highlighted.

        taken: where no number has room; handles: beside which one stands that begins below it.
        """
        for lane in self.scene.lanes:
            self._paint_ground(lane)
        if self.scene.shares is not None:
            self._paint_shares(self.scene.shares)
        else:
            self._paint_each(chosen, taken, handles)

    def paint_chosen(self, events: Events) -> None:
        """The events that are chosen, over whatever else is marked."""
        for event in events:
            self._paint_chosen(event)

    def _paint_each(self, chosen: int, taken: Sequence[QRectF], handles: Sequence[QRectF]) -> None:
        for lane in self.scene.lanes:
            for row, color in lane.rows:
                self._blocks(lane, row, color)
        self._paint_bridges(chosen)
        self._paint_ticks()
        self._paint_numbers([*taken, *handles], handles)

    def _paint_ground(self, lane: TimelineLane) -> None:
        rect = self.rects[lane.key]
        self.painter.fillRect(rect, self.theme.color("surface_raised"))
        if lane.kind == "vcpu":
            left, right = (self.x(tsc) for tsc in self.scene.kept)
            rect = QRectF(left, rect.top(), right - left, rect.height()).intersected(self.area)
            self.painter.fillRect(rect, veil_brush(self.theme, "guest", RUNNING))

    # -- zoomed out

    def _paint_shares(self, shares: dict[str, Shares]) -> None:
        """Each lane as a curve of how busy it was; what lies within another state is drawn over it."""
        for lane in self.scene.lanes:
            rect = self.rects[lane.key]
            for row, color in lane.rows:
                if row in shares:
                    hatch = HATCHES.get(color, "solid") if self.theme.marked else "solid"
                    picture = column_picture(shares[row], round(rect.height()), self.theme.color(color), hatch)
                    paint_columns(self.painter, rect, picture)

    # -- one by one

    def _blocks(self, lane: TimelineLane, row: str, color: str) -> None:
        spans, rect = self.scene.spans.get(row, NONE), self.rects[lane.key]
        if not spans.start.size:
            return
        inset, top, height = INSET if lane.kind == "kvm" else 0.0, rect.top(), rect.height()
        fill, outline = area_brush(self.theme, color, 0.85), self.theme.color(color)
        cycles = (spans.end - spans.start).tolist()
        narrow, wide, lengths = list[QRectF](), list[QRectF](), list[int]()
        for left, right, length in zip(
            self.scale.places(spans.start), self.scale.places(spans.end), cycles, strict=True
        ):
            if right - left > 3 * inset:
                left, right = left + inset, right - inset
            block = QRectF(left, top, max(right - left, 1.5), height)
            if row != "unseen" and right - left <= NARROW:
                narrow.append(block)
            else:
                wide.append(block)
                lengths.append(length)
        if row == "unseen":
            self._outline(wide, outline)
        else:
            self._round(wide, lengths, fill, outline)
            self._fill(narrow, fill)

    def _fill(self, rects: list[QRectF], fill: QBrush) -> None:
        """All of them in one go."""
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(fill)
        self.painter.drawRects(rects)

    def _round(self, blocks: list[QRectF], lengths: list[int], fill: QBrush, outline: QColor) -> None:
        """Blocks with room for round corners, and for words: how long each is, of so many cycles. Hatched ones have an
        outline, and their words a ground."""
        hatched = not fill.textureImage().isNull()
        self.painter.setPen(QPen(outline, self.theme.stroke) if hatched else Qt.PenStyle.NoPen)
        self.painter.setBrush(fill)
        for block in blocks:
            if hatched:
                self.painter.fillRect(block, self.theme.color("surface"))
            self.painter.drawRoundedRect(block, 4, 4)
        ink, ground = ("text", "surface") if hatched else ("text_on_accent", "")
        self._captions(blocks, lambda n: spent(self.clock, lengths[n]), ink, ground)

    def _outline(self, blocks: list[QRectF], color: QColor) -> None:
        """Stretches in which something happened that nobody stamped."""
        self.painter.setPen(QPen(color, 1.2, Qt.PenStyle.DotLine))
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        for block in blocks:
            self.painter.drawRoundedRect(block.adjusted(0, 1, 0, -1), 4, 4)
        self._captions(blocks, lambda _n: tr("somewhen in here"), "text_muted")

    def _captions(self, blocks: list[QRectF], word: Callable[[int], str], color: str, ground: str = "") -> None:
        """What is written in each block, as far as it has room, beside what is written in those that it lies over.

        word: asked for by a block's place in the list.
        """
        self.painter.setFont(self.theme.font(10.5, 600))
        self.painter.setPen(self.theme.color(color))
        metrics = self.painter.fontMetrics()
        if not blocks or metrics.ascent() >= blocks[0].height():
            return
        least, written = metrics.horizontalAdvance(SHORTEST), self.area.left()  # up to where
        for number, block in enumerate(blocks):
            if block.width() - CAPTION_MARGIN <= least:
                continue
            text, seen = word(number), block.intersected(self.area)
            width = metrics.horizontalAdvance(text)
            left = seen.center().x() - width / 2
            if width >= seen.width() - CAPTION_MARGIN or left < written:
                continue
            written = left + width
            if ground:
                back = QRectF(0, 0, width + 6, min(metrics.height(), seen.height() - 2))
                back.moveCenter(seen.center())
                self.painter.fillRect(back, self.theme.color(ground))
            self.painter.drawText(seen, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_bridges(self, chosen: int) -> None:
        """The journeys' ways across the lanes."""
        paths, journeys = BridgePaths(self.rects), self.scene.journeys
        places = [self.scale.places(journeys[stage]) for stage in BRIDGED]
        times = [journeys[stage].tolist() for stage in BRIDGED]
        for seq, heavy, at, x in zip(
            journeys["seq"].tolist(),
            journeys["heavy"].tolist(),
            zip(*times, strict=True),
            zip(*places, strict=True),
            strict=True,
        ):
            self._add_journey(paths, heavy, at, x, seq == chosen)
        paths.paint(self.painter, self.theme)

    def _add_journey(
        self, paths: BridgePaths, heavy: int, at: tuple[int, ...], x: tuple[float, ...], chosen: bool
    ) -> None:
        """at, x: when the stages in BRIDGED were, and where that is on the screen."""
        scene = self.scene
        (ring, left, read, irq, handler), (ring_x, left_x, read_x, irq_x, handler_x) = at, x
        source, target = scene.lane("guest", ring), scene.lane("guest", handler)
        end_x, to = (read_x, IO) if read else (handler_x, target)
        ends = bool(read or (handler and not irq))
        if ring and heavy & HEAVY_DOORBELL and left:
            vcpu = scene.lane("vcpu", ring)
            paths.bridge(source, ring_x, left_x, vcpu, KVM, "heavy", chosen)
            if ends:
                paths.leap(vcpu, left_x, end_x, to, "heavy", chosen)
        elif ring and ends:
            paths.bridge(source, ring_x, end_x, to, KVM, "doorbell" if read else "interrupt", chosen)
        if irq and handler:
            color = "heavy" if heavy & HEAVY_INTERRUPT else "interrupt"
            paths.bridge(IO, irq_x, handler_x, target, KVM, color, chosen)

    def _paint_ticks(self) -> None:
        """Moments that have no length, one a pixel at most."""
        events = by_kind(self.scene.events)
        for kind, (where, color) in TICKS.items():
            some = events.of(kind)
            for vm, own in each_of(some, "vm", vms_in(some)):
                self._paint_ticks_in(f"{where}{vm}", self.scale.places(own["tsc"]), color)

    def _paint_ticks_in(self, lane: str, places: list[float], color: str) -> None:
        """A stroke each; where colours do not say it alone, with the shape of what travels."""
        if lane not in self.rects:
            return
        rect, ink, at = self.rects[lane], QBrush(self.theme.color(color)), {round(x) for x in places}
        half = 1.5 * self.theme.stroke
        self._fill([QRectF(x - half, rect.top(), 2 * half, rect.height()) for x in at], ink)
        if self.theme.marked and color in SHAPES:
            self.painter.setPen(QPen(self.theme.color("surface"), 1.5))
            outline = shape_outline(SHAPES[color], min(rect.height() / 3, SIGN))
            for x in at:
                self.painter.drawPath(outline.translated(x, rect.center().y()))

    def _paint_chosen(self, event: np.void) -> None:
        """A diamond in the lane where the event happened."""
        rect = self.rects.get(f"{KIND_OF.get(Where(int(event['lane'])), '')}{int(event['vm'])}")
        if rect is None or not self.scale.shows(int(event["tsc"])):
            return
        at, half = QPointF(self.x(int(event["tsc"])), rect.center().y()), min(rect.height() / 2, 7.0)
        self.painter.setPen(QPen(self.theme.color("text_on_accent"), 1))
        self.painter.setBrush(self.theme.color("selection"))
        corners = (QPointF(0, -half), QPointF(half, 0), QPointF(0, half), QPointF(-half, 0))
        self.painter.drawPolygon([at + corner for corner in corners])

    def _paint_numbers(self, taken: Sequence[QRectF], handles: Sequence[QRectF]) -> None:
        """The journeys' numbers above the first lane, as many as have room."""
        last = -1e9
        self.painter.setFont(self.theme.font(10.5, mono=True))
        metrics = self.painter.fontMetrics()
        self.painter.setPen(self.theme.color("text_muted"))
        journeys = self.scene.journeys
        places = self.scale.places(np.where(journeys["ring"], journeys["ring"], journeys["irq"]))
        for x, seq in zip(places, journeys["seq"].tolist(), strict=True):
            if not (x > last and self.area.left() <= x):
                continue
            text = f"#{grouped(seq)}"
            x = max([x, *(handle.right() + APART for handle in handles if handle.left() <= x <= handle.right())])
            end = x + metrics.horizontalAdvance(text)
            free = not any(box.left() - APART < end and x < box.right() + APART for box in taken)
            if free and end <= self.area.right():
                self.painter.drawText(QPointF(x, self.area.top() - 4), text)
                last = end + 12


NONE = Spans(np.empty(0, np.uint64), np.empty(0, np.uint64))


def column_picture(share: Shares, height: int, color: QColor, hatch: str = "solid") -> QImage:
    """A picture of one pixel a share: filled from below as high as the share says, and seen if there is anything."""
    filled = np.where(share > 0, np.maximum(np.rint(share * height), 2), 0).astype(np.int16)
    row = np.arange(height, 0, -1, dtype=np.int16)[:, None]
    inked = row <= filled
    if hatch != "solid":
        inked &= hatch_mask(hatch, height, share.size) | (row > filled - 2)
    pixels = np.multiply(inked, np.uint32(color.rgba()), dtype=np.uint32)
    picture = QImage(pixels.data, share.size, height, share.size * 4, QImage.Format.Format_ARGB32)
    return picture.copy()  # of its own memory


def lane_rects(area: QRectF, lanes: Sequence[TimelineLane]) -> dict[str, QRectF]:
    """The lanes' rectangles by their keys; half as much room lies between the lanes as they are high."""
    height = area.height() / ((1 + GAP) * max(len(lanes), 1) - GAP)
    tops = (area.top() + n * height * (1 + GAP) for n in range(len(lanes)))
    return {lane.key: QRectF(area.left(), top, area.width(), height) for lane, top in zip(lanes, tops, strict=True)}
