"""What pictures have in common is kept once."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from pytestqt.qtbot import QtBot

from bellwire.viz.player.inks import INKS
from bellwire.viz.player.shapes import SharedShapes, runs, whole_groups


def test_numbers_in_a_row_are_one_run() -> None:
    assert runs([4, 5, 6, 9, 2, 3]) == [4, 3, 9, 1, 2, 2]
    assert runs([]) == []


def test_a_group_is_one_shape() -> None:
    assert list(whole_groups(["a", '<g clip-path="url(#d0)">', "b", "c", "</g>", "d"])) == [
        "a",
        '<g clip-path="url(#d0)">bc</g>',
        "d",
    ]


def test_a_shape_that_two_pictures_have_is_there_once(qtbot: QtBot) -> None:
    shared = SharedShapes()

    def paint(painter: QPainter, *colors: str) -> None:
        for at, color in enumerate(colors):
            painter.setBrush(INKS.color(color))
            painter.drawEllipse(QRectF(10 * at, 0, 5, 5))

    first = shared.painted(40, 40, lambda painter: paint(painter, "guest", "kvm"))
    second = shared.painted(40, 40, lambda painter: paint(painter, "guest", "live"))
    assert (first, second) == ([0, 2], [0, 1, 2, 1])
    assert ["var(--guest)" in shape for shape in shared.shapes] == [True, False, False]
