"""Controls say what they mean."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.style.controls import Choice, place_below
from bellwire.viz.text.figures import pace


def test_a_slider_is_read_out_with_its_value_as_it_is_shown(qtbot: QtBot) -> None:
    slider = Choice([0, 500, 2000], pace)
    qtbot.addWidget(slider)
    slider.setAccessibleName("pace")
    interface = QAccessible.queryAccessibleInterface(slider)
    for value, words in ((2000, "2 k/s"), (0, "by hand"), (500, "500 /s")):
        slider.show_value(value)
        assert interface.text(QAccessible.Text.Name) == f"pace: {words}"
        assert interface.text(QAccessible.Text.Description) == words
    slider.setValue(2)
    assert slider.accessibleName() == "pace: 2 k/s"


@pytest.mark.parametrize(
    ("button", "corner"),
    [
        (QPoint(300, 40), QPoint(160, 66)),  # below it, right edge under right edge
        (QPoint(20, 40), QPoint(8, 66)),  # not beyond the window's left edge
        (QPoint(300, -180), QPoint(160, 0)),  # nor above it, where the button is scrolled out of sight
        (QPoint(300, 280), QPoint(160, 150)),  # nor below
    ],
)
def test_what_pops_up_is_inside_the_window(button: QPoint, corner: QPoint, qtbot: QtBot) -> None:
    window, over = QWidget(), QWidget()
    for widget in (window, over):
        qtbot.addWidget(widget)
    window.setGeometry(QRect(50, 70, 400, 300))
    over.resize(200, 150)
    asked = QWidget(window)
    asked.setGeometry(QRect(button, QSize(60, 20)))
    window.show()
    place_below(over, asked)
    assert over.pos() - window.geometry().topLeft() == corner
