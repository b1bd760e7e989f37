"""Paints what is pointed at over a diagram: on the diagram itself, and on a copy of it."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from bellwire.viz.diagram.blueprint import Point
from bellwire.viz.diagram.geometry import Geometry
from bellwire.viz.diagram.pointing.marks import PenMark, Pointing

VEIL = 0.72  # of the background, over what is not in the spotlight
DOT, HALO, PEN = 9, 20, 6  # canvas pixels: the laser's radius and that of its light, how thick the pen is
LASER, RIM = "#FF2A2A", "#FFFFFF"  # a light has the same colour on every ground
ROUND = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin


def paint_pointing(
    painter: QPainter, geometry: Geometry, pointing: Pointing, whole: QRectF, within: QRectF | None = None
) -> None:
    """All of it, or what is within a rectangle; whole: the diagram's."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if pointing.spot:
        paint_spotlight(painter, geometry, geometry.rect(pointing.spot), whole)
    if pointing.dragged:
        painter.setBrush(geometry.theme.color("selection", 0.1))
        painter.setPen(QPen(geometry.theme.color("selection"), 2, Qt.PenStyle.DashLine))
        painter.drawRect(geometry.rect(pointing.dragged))
    now = pointing.now()
    for mark in pointing.marks:
        if within is None or within.intersects(points_area(geometry, mark.points, PEN + 4)):
            paint_pen_mark(painter, geometry, mark, mark.strength(now))
    if pointing.trail:
        paint_laser(painter, geometry, pointing)


def paint_spotlight(painter: QPainter, geometry: Geometry, spot: QRectF, whole: QRectF) -> None:
    """Everything but the spot is dimmed; a line around it says the same."""
    radius = 16 * geometry.scale
    veil = QPainterPath()
    veil.setFillRule(Qt.FillRule.OddEvenFill)
    veil.addRect(whole)
    veil.addRoundedRect(spot, radius, radius)
    painter.fillPath(veil, geometry.theme.color("background", VEIL))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(geometry.theme.color("selection"), 2.5 * geometry.scale))
    painter.drawRoundedRect(spot, radius, radius)


def paint_pen_mark(painter: QPainter, geometry: Geometry, mark: PenMark, strength: float) -> None:
    """A line on a darker or lighter one, so that it is seen on whatever it crosses."""
    points = [geometry.point(point) for point in mark.points]
    line = QPolygonF(points if len(points) > 1 else [points[0], points[0] + QPointF(0.1, 0)])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in (("background", PEN + 4), ("selection", PEN)):
        pen = QPen(geometry.theme.color(color), width * geometry.scale, Qt.PenStyle.SolidLine, *ROUND)
        faded = pen.color()
        faded.setAlphaF(strength * (0.7 if color == "background" else 1.0))
        pen.setColor(faded)
        painter.setPen(pen)
        painter.drawPolyline(line)


def paint_laser(painter: QPainter, geometry: Geometry, pointing: Pointing) -> None:
    """A dot with a rim and a light, and where it has just been."""
    scale, light = geometry.scale, QColor(LASER)
    points = [geometry.point(point) for _, point in pointing.trail]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for n, (before, after) in enumerate(pairwise(points), 1):
        light.setAlphaF(0.6 * n / len(points))
        painter.setPen(QPen(light, DOT * scale * n / len(points), Qt.PenStyle.SolidLine, *ROUND))
        painter.drawLine(before, after)
    light.setAlphaF(0.28)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(light)
    painter.drawEllipse(points[-1], HALO * scale, HALO * scale)
    painter.setPen(QPen(QColor(RIM), 2 * scale))
    painter.setBrush(QColor(LASER))
    painter.drawEllipse(points[-1], DOT * scale, DOT * scale)


def area_of_motion(geometry: Geometry, pointing: Pointing) -> QRectF:
    """Around all that moves or fades: a mark that stays as it is needs no painting anew."""
    now = pointing.now()
    area = points_area(geometry, [point for _, point in pointing.trail], HALO + 3)
    for mark in pointing.marks:
        if mark.ended is None or mark.strength(now) < 1:
            area = area.united(points_area(geometry, mark.points, PEN + 4))
    return area


def points_area(geometry: Geometry, points: list[Point], reach: float) -> QRectF:
    """Around these points, and as much further, canvas pixels; empty if there are none."""
    if not points:
        return QRectF()
    far = reach * geometry.scale
    return QPolygonF([geometry.point(point) for point in points]).boundingRect().adjusted(-far, -far, far, far)
