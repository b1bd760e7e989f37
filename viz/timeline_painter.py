"""Paints the timeline's lanes: one journey from the next where there is room, shares of pixels where there is not."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from engine.journeys import HEAVY_DOORBELL, HEAVY_INTERRUPT, Journeys, no_journeys
from viz.lanes import Spans, flights
from viz.text import duration, grouped
from viz.theme import Theme

# Key, name, what its blocks are, the theme's colour of them.
LANES = (
    ("guest", "Guest", "doorbell, handler", "guest"),
    ("vcpu", "vCPU", "in user space", "heavy"),
    ("kvm", "KVM", "and scheduler", "kvm"),
    ("io", "I/O thread", "awake", "io_thread"),
)
INSET = 7.0  # pixels that a bridge needs to bend into a block

Shares = npt.NDArray[np.float64]


@dataclass
class Scene:
    """What is in view: journeys one by one, or the busy share of each column, by lane."""

    start: int = 0
    end: int = 1
    journeys: Journeys = field(default_factory=no_journeys)
    awake: Spans | None = None
    user_space: Spans | None = None
    shares: dict[str, Shares] | None = None


class LanePainter:
    """Paints a Scene into `area`; the lanes share its height."""

    def __init__(self, painter: QPainter, theme: Theme, area: QRectF, scene: Scene, hz: float) -> None:
        self.painter, self.theme, self.area, self.scene, self.hz = painter, theme, area, scene, hz

    def lane(self, key: str) -> QRectF:
        """The rectangle of a lane."""
        return lane_rect(self.area, key)

    def x(self, tsc: float) -> float:
        """Where a time is."""
        share = (int(tsc) - self.scene.start) / (self.scene.end - self.scene.start)
        return self.area.left() + self.area.width() * min(max(share, -2.0), 3.0)

    def paint(self, chosen: int) -> None:
        """Everything; the journey with the number `chosen` is highlighted (0: none)."""
        for key, *_ in LANES:
            self.painter.fillRect(self.lane(key), self.theme.color("surface_raised"))
        if self.scene.shares is not None:
            self._paint_shares(self.scene.shares)
            return
        self._paint_stretches()
        for journey in self.scene.journeys:
            self._paint_bridges(journey, int(journey["seq"]) == chosen)
        for journey in self.scene.journeys:
            self._paint_ticks(journey)
        self._paint_numbers()

    # -- zoomed out

    def _paint_shares(self, shares: dict[str, Shares]) -> None:
        """Each lane as a curve of how busy it was."""
        for key, _, _, color in LANES:
            lane = self.lane(key)
            self.painter.drawImage(lane, columns(shares[key], round(lane.height()), self.theme.color(color)))

    # -- one by one

    def _paint_stretches(self) -> None:
        journeys, accent = self.scene.journeys, self.theme.color
        rings = journeys[(journeys["ring"] > 0) & (journeys["rung"] > 0)]
        self._blocks("guest", Spans(rings["ring"], rings["rung"]), accent("guest", 0.8))
        out, back = flights(journeys)
        self._blocks("kvm", out, accent("kvm", 0.85), inset=True)
        self._blocks("kvm", back, accent("kvm", 0.85), inset=True)
        if self.scene.awake:
            self._blocks("io", self.scene.awake, accent("io_thread", 0.85))
        if self.scene.user_space:
            self._blocks("vcpu", self.scene.user_space, accent("heavy", 0.85))

    def _blocks(self, key: str, spans: Spans, color: QColor, *, inset: bool = False) -> None:
        lane = self.lane(key)
        self.painter.setFont(self.theme.font(10.5, 600))
        for start, end in zip(spans.start.tolist(), spans.end.tolist(), strict=True):
            left, right = self.x(start), self.x(end)
            if inset and right - left > 3 * INSET:
                left, right = left + INSET, right - INSET
            block = QRectF(left, lane.top(), max(right - left, 1.5), lane.height())
            self.painter.setPen(Qt.PenStyle.NoPen)
            self.painter.setBrush(color)
            self.painter.drawRoundedRect(block, 4, 4) if block.width() > 8 else self.painter.fillRect(block, color)
            self._caption(block.intersected(self.area), duration((end - start) * 1e9 / self.hz))

    def _caption(self, block: QRectF, text: str) -> None:
        if self.painter.fontMetrics().horizontalAdvance(text) + 10 < block.width():
            self.painter.setPen(self.theme.color("text_on_accent"))
            self.painter.drawText(block, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_bridges(self, journey: np.void, chosen: bool) -> None:
        """The journey's way across the lanes."""
        heavy = int(journey["heavy"])
        if journey["ring"]:
            light = not heavy & HEAVY_DOORBELL or not journey["exit"]
            color = "doorbell" if light else "heavy"
            first = int(journey["doorbell"] if light else journey["exit"])
            self._bridge("guest", int(journey["ring"]), first, "io" if light else "vcpu", color, chosen)
            if not light:
                self._leap("vcpu", int(journey["exit"]), int(journey["doorbell"]), "io", color, chosen)
        if journey["irq"] and journey["handler"]:
            color = "heavy" if heavy & HEAVY_INTERRUPT else "interrupt"
            self._bridge("io", int(journey["irq"]), int(journey["handler"]), "guest", color, chosen)

    def _bridge(self, source: str, start: int, end: int, target: str, color: str, chosen: bool) -> None:
        """From one lane by the KVM lane to another: it bends into the block that stands for the time in between."""
        x0, x1, kvm = self.x(start), self.x(end), self.lane("kvm")
        bend = INSET if x1 - x0 > 3 * INSET else 0.0
        here = edge_towards(self.lane(source), kvm)
        there = edge_towards(self.lane(target), kvm)
        path = QPainterPath(QPointF(x0, here))
        path.lineTo(x0, kvm.center().y() + bend * (1 if here > kvm.center().y() else -1))
        path.quadTo(x0, kvm.center().y(), x0 + bend, kvm.center().y())
        path.moveTo(x1 - bend, kvm.center().y())
        path.quadTo(x1, kvm.center().y(), x1, kvm.center().y() + bend * (1 if there > kvm.center().y() else -1))
        path.lineTo(x1, there)
        self._stroke(path, color, chosen)
        self._arrow(QPointF(x1, there), down=there > kvm.center().y(), color=self._ink(color, chosen))

    def _leap(self, source: str, start: int, end: int, target: str, color: str, chosen: bool) -> None:
        """From one lane to another past those in between."""
        a = QPointF(self.x(start), self.lane(source).bottom())
        b = QPointF(self.x(end), self.lane(target).top())
        path = QPainterPath(a)
        path.cubicTo(QPointF(a.x(), (a.y() + b.y()) / 2), QPointF(b.x(), (a.y() + b.y()) / 2), b)
        self._stroke(path, color, chosen)
        self._arrow(b, down=True, color=self._ink(color, chosen))

    def _ink(self, color: str, chosen: bool) -> QColor:
        return self.theme.color("selection" if chosen else color)

    def _stroke(self, path: QPainterPath, color: str, chosen: bool) -> None:
        style = Qt.PenStyle.DashLine if color == "heavy" else Qt.PenStyle.SolidLine
        self.painter.setPen(QPen(self._ink(color, chosen), 3.0 if chosen else 1.6, style))
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.drawPath(path)

    def _arrow(self, tip: QPointF, *, down: bool, color: QColor) -> None:
        back = -6.0 if down else 6.0
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(color)
        self.painter.drawPolygon([tip, tip + QPointF(-3.5, back), tip + QPointF(3.5, back)])

    def _paint_ticks(self, journey: np.void) -> None:
        """Moments that have no length: the handler's first instruction, the interrupt's signal."""
        color = self.theme.color("interrupt")
        for stage, key in (("handler", "guest"), ("irq", "io")):
            if journey[stage]:
                lane, x = self.lane(key), self.x(journey[stage])
                self.painter.fillRect(QRectF(x - 1.5, lane.top(), 3, lane.height()), color)

    def _paint_numbers(self) -> None:
        """The journeys' numbers above the guest's lane, as many as have room."""
        lane, last = self.lane("guest"), -1e9
        self.painter.setFont(self.theme.font(10.5, mono=True))
        metrics = self.painter.fontMetrics()
        self.painter.setPen(self.theme.color("text_muted"))
        for journey in self.scene.journeys:
            text = f"#{grouped(int(journey['seq']))}"
            x = self.x(journey["ring"] or journey["irq"])
            if x > last and self.area.left() <= x <= self.area.right() - metrics.horizontalAdvance(text):
                self.painter.drawText(QPointF(x, lane.top() - 4), text)
                last = x + metrics.horizontalAdvance(text) + 12


def columns(share: Shares, height: int, color: QColor) -> QImage:
    """A picture of one pixel a share: filled from below as high as the share says, and seen if there is anything."""
    filled = np.where(share > 0, np.maximum(np.rint(share * height), 2), 0)
    row = np.arange(height, 0, -1)[:, None]
    pixels = np.where(row <= filled[None, :], np.uint32(color.rgba()), np.uint32(0))
    picture = QImage(pixels.tobytes(), share.size, height, share.size * 4, QImage.Format.Format_ARGB32)
    return picture.copy()  # of its own memory


def lane_rect(area: QRectF, key: str) -> QRectF:
    """A lane's rectangle; half as much room lies between the lanes as they are high."""
    index = next(i for i, (name, *_) in enumerate(LANES) if name == key)
    height = area.height() / (1.5 * len(LANES) - 0.5)
    return QRectF(area.left(), area.top() + index * height * 1.5, area.width(), height)


def edge_towards(lane: QRectF, other: QRectF) -> float:
    """The y of the lane's edge that faces the other one."""
    return lane.bottom() if other.center().y() > lane.center().y() else lane.top()
