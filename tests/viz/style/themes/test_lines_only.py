"""Pixels become as few rectangles as there are stretches of a colour."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from bellwire.viz.pictures.svg import painted_as_svg
from bellwire.viz.style.themes.lines_only import holds_lines, paint_columns, pixels_of_argb, rects_in

RED = 0xFFFF0000
PIXELS = np.array([[0, 0, RED, RED], [RED, RED, RED, 7 << 24]], np.uint32)


def test_each_stretch_of_a_column_is_one_rectangle_and_like_columns_are_one() -> None:
    found = list(rects_in(PIXELS))
    assert found == [(RED, 0, 1, 2, 1), (RED, 2, 0, 1, 2), (RED, 3, 0, 1, 1), (7 << 24, 3, 1, 1, 1)]
    painted = np.zeros_like(PIXELS)
    for color, left, top, width, height in found:
        painted[top : top + height, left : left + width] = color
    assert (painted == PIXELS).all()


def test_on_a_screen_it_is_the_picture_and_else_it_is_lines(qtbot: QtBot) -> None:
    picture = QImage(PIXELS.tobytes(), 4, 2, 16, QImage.Format.Format_ARGB32).copy()
    assert (pixels_of_argb(picture) == PIXELS).all()
    screen = QImage(8, 4, QImage.Format.Format_ARGB32)
    screen.fill(Qt.GlobalColor.transparent)
    painter = QPainter(screen)
    assert not holds_lines(painter)
    paint_columns(painter, QRectF(0, 0, 8, 4), picture)
    painter.end()
    assert screen.pixelColor(6, 1) == QColor("#ff0000")
    engine = painted_as_svg(8, 4, lambda painter: paint_columns(painter, QRectF(0, 0, 8, 4), picture))
    assert "<image" not in "".join(engine.parts)
    assert 'fill="#ff0000"' in engine.parts[0]
