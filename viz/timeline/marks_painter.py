"""Paints what stands over the timeline's lanes: the axis, the playhead, the markers A and B and what lies between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from bellwire.engine.language import MINUS, tr, tr_n
from bellwire.viz.model.live import Change, Loss
from bellwire.viz.stages.mark import StageMark
from bellwire.viz.style.curves import tick
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import veil_brush
from bellwire.viz.text.figures import count_of
from bellwire.viz.timeline.view import TimeScale, rounded_step

BEFORE = 20  # pixels that the first time may begin before the lanes
POINTER = 12  # pixels at 100 % that the playhead's handle is wide
STRIP, AXIS = 16, 20  # pixels at 100 %: above the lanes, where handles are, and below, where times are
HANDLE = 7  # pixels around a handle in which it is taken
PLAYHEAD = "playhead"
TOLD_CHANGES = 2  # of which each is told where they share a note

Mark = TypeVar("Mark", Change, Loss)


class MarksPainter:
    """Paints over the lanes in `area`."""

    def __init__(self, painter: QPainter, theme: Theme, area: QRectF, scale: TimeScale) -> None:
        self.painter, self.theme, self.area, self.scale = painter, theme, area, scale

    def axis(self, zero: int, hz: float) -> None:
        """Round times, counted from `zero`."""
        area, painter, scale = self.area, self.painter, self.scale
        seconds = (scale.end - scale.start) / hz
        step = rounded_step(seconds / max(area.width() / self.theme.px(120), 2), (1, 2, 5, 10))
        first = int(np.ceil((scale.start - zero) / hz / step))
        places = dict[int, float]()
        for n in range(first, first + 30):
            x = scale.left + scale.width * (zero + n * step * hz - scale.start) / max(scale.end - scale.start, 1)
            if x > area.right() + 1:
                break
            places[n] = x
        painter.setPen(QPen(self.theme.color("grid"), 1))
        painter.drawLines([QLineF(x, area.top(), x, area.bottom() + 4) for x in places.values()])
        painter.setFont(self.theme.font(10.5, mono=True))
        painter.setPen(self.theme.color("text_muted"))
        metrics, baseline = painter.fontMetrics(), area.bottom() + self.theme.px(AXIS) - 4
        for n, x in places.items():
            text = f"{MINUS if n < 0 else ''}{tick(abs(n) * step * 1e9)}" if n else "0"
            width = metrics.horizontalAdvance(text)
            left = min(max(x - width / 2, area.left() - BEFORE), area.right() - width)
            painter.drawText(QPointF(left, baseline), text)

    def playhead(self, tsc: int) -> None:
        """Where the paused or slowed view is in time: a line with a handle."""
        if not self.scale.shows(tsc):
            return
        x, color = self.scale.x(tsc), self.theme.color("paused")
        self._line(x, color, Qt.PenStyle.SolidLine)
        handle = self.handle(x, self.theme.px(POINTER))
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(color)
        tip = QPointF(x, handle.top() + handle.width())
        self.painter.drawPolygon(QPolygonF([handle.topLeft(), handle.topRight(), tip]))

    def handle(self, x: float, wide: float) -> QRectF:
        """Where one is in the strip, so many pixels wide."""
        high = self.theme.px(STRIP)
        return QRectF(x - wide / 2, self.area.top() - high, wide, high - 2)

    def handles(self, playhead: int | None, markers: Sequence[int]) -> list[QRectF]:
        """Where those are that are seen. playhead: None if it is not marked."""
        all = [(tsc, STRIP) for tsc in markers] + ([] if playhead is None else [(playhead, POINTER)])
        return [self.handle(self.scale.x(tsc), self.theme.px(wide)) for tsc, wide in all if self.scale.shows(tsc)]

    def stage(self, mark: StageMark) -> None:
        """Of the signal that is looked at: a line where its stage began, if measured, else the shaded stretch."""
        start, end = mark.stretch
        left, right = self.scale.x(start), self.area.right() if end is None else self.scale.x(end)
        band = QRectF(left, self.area.top(), right - left, self.area.height())
        self.painter.fillRect(band.intersected(self.area), veil_brush(self.theme, mark.color, 0.16))
        self.painter.setPen(QPen(self.theme.color(mark.color), 1.2 * self.theme.stroke))
        for x in (left, right):
            self.painter.drawLine(QPointF(x, self.area.top() - 4), QPointF(x, self.area.bottom()))

    def changes(self, changes: Sequence[Change]) -> None:
        """Where the wiring changed, and how."""
        shown = [change for change in changes if self.scale.shows(change.tsc)]
        for change in shown:
            self._line(self.scale.x(change.tsc), self.theme.color("text_muted"), Qt.PenStyle.DotLine)
        self._notes(shown, said_of_changes, "text")

    def losses(self, losses: Sequence[Loss]) -> None:
        """Where events were lost, and how many."""
        shown = [loss for loss in losses if self.scale.shows(loss.tsc)]
        for loss in shown:
            self._line(self.scale.x(loss.tsc), self.theme.color("heavy"), Qt.PenStyle.DashDotLine)
        self._notes(shown, said_of_losses, "heavy")

    def _notes(self, marks: Sequence[Mark], say: Callable[[Sequence[Mark]], str], color: str) -> None:
        """What is said of each; of those that have no room beside each other what is said of them together."""
        self.painter.setFont(self.theme.font(10.5, 600))
        metrics, groups = self.painter.fontMetrics(), list[list[Mark]]()
        for mark in sorted(marks, key=lambda mark: mark.tsc):
            end = self.scale.x(groups[-1][0].tsc) + metrics.horizontalAdvance(say(groups[-1])) + 14 if groups else 0
            if groups and self.scale.x(mark.tsc) < end:
                groups[-1].append(mark)
            else:
                groups.append([mark])
        for group in groups:
            self._note(say(group), self.scale.x(group[0].tsc), color)

    def _note(self, text: str, x: float, color: str) -> None:
        """At the foot of a line, on a ground of its own."""
        metrics = self.painter.fontMetrics()
        box = QRectF(
            x + 3, self.area.bottom() - metrics.height(), metrics.horizontalAdvance(text) + 8, metrics.height()
        )
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(self.theme.color("well", self.theme.faded(0.9)))
        self.painter.drawRoundedRect(box, 3, 3)
        self.painter.setPen(self.theme.color(color))
        self.painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def markers(self, places: dict[str, int]) -> None:
        """A line with its letter for each, and a band between two."""
        if len(places) == 2:
            left, right = sorted(self.scale.x(tsc) for tsc in places.values())
            band = QRectF(left, self.area.top(), right - left, self.area.height()).intersected(self.area)
            self.painter.fillRect(band, veil_brush(self.theme, "focus", 0.16))
        for name, tsc in places.items():
            if self.scale.shows(tsc):
                self._line(self.scale.x(tsc), self.theme.color("focus"), Qt.PenStyle.DashLine)
                self._flag(name, self.scale.x(tsc))

    def _line(self, x: float, color: QColor, style: Qt.PenStyle) -> None:
        self.painter.setPen(QPen(color, 2 * self.theme.stroke, style))
        self.painter.drawLine(QPointF(x, self.area.top() - 6), QPointF(x, self.area.bottom()))

    def _flag(self, name: str, x: float) -> None:
        flag = self.handle(x, self.theme.px(STRIP))
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(self.theme.color("focus"))
        self.painter.drawRoundedRect(flag, 3, 3)
        self.painter.setFont(self.theme.font(11, 700))
        self.painter.setPen(self.theme.color("text_on_accent"))
        self.painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, name)


def said_of_changes(changes: Sequence[Change]) -> str:
    """One or two by themselves, of more how many."""
    if len(changes) <= TOLD_CHANGES:
        return ", ".join(change.text for change in changes)
    return tr_n("{n} change", "{n} changes", len(changes))


def said_of_losses(losses: Sequence[Loss]) -> str:
    """How many events in all."""
    return tr("{events} lost", events=count_of(sum(loss.count for loss in losses), "event"))


def handle_at(x: float, scale: TimeScale, handles: dict[str, int]) -> str:
    """The name of the handle at a place in the strip; empty if there is none. handles: TSC by name."""
    away = {name: abs(scale.x(tsc) - x) for name, tsc in handles.items() if scale.shows(tsc)}
    nearest = min(away, key=lambda name: away[name], default="")
    return nearest if nearest and away[nearest] <= HANDLE else ""
