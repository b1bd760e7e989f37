"""Controls say what they mean."""

from __future__ import annotations

from PySide6.QtGui import QAccessible
from pytestqt.qtbot import QtBot

from bellwire.viz.style.controls import Choice
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
