"""The sheet of keys: all of them, in type that can be read; where that has no room it is scrolled."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.style.theme import DARK
from bellwire.viz.window.menus import sections
from bellwire.viz.window.palette import LEAST_SCALE, KeyHelp, in_columns
from tests.support.painted_text import texts_painted

EACH_KEY = [text for _, rows in sections() for _, text in rows]


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    """Over which it opens."""
    made = QWidget()
    qtbot.addWidget(made)
    return made


def opened(window: QWidget, qtbot: QtBot, width: int, height: int) -> KeyHelp:
    """Over a window of this size."""
    window.resize(width, height)
    keys = KeyHelp(window, DARK, sections())
    window.show()
    keys.open()
    qtbot.waitUntil(lambda: keys.size() == window.size())
    QApplication.processEvents()
    return keys


@pytest.mark.parametrize("columns", range(1, 8))
def test_no_key_is_lost_between_columns(columns: int) -> None:
    made = in_columns(sections(), columns)
    assert len(made) <= columns
    assert [text for column in made for _, rows in column for _, text in rows] == EACH_KEY
    assert all(rows for column in made for _, rows in column)


@pytest.mark.parametrize("size", [(384, 480), (512, 352), (853, 448), (1280, 688), (1920, 1048)], ids=str)
def test_its_type_can_be_read_and_all_of_it_is_there(size: tuple[int, int], window: QWidget, qtbot: QtBot) -> None:
    keys = opened(window, qtbot, *size)
    assert keys.sheet.sized.scale >= LEAST_SCALE
    assert keys.rect().contains(keys.area.geometry())
    assert keys.sheet.width() <= keys.area.viewport().width()
    assert set(EACH_KEY) <= {piece.text for piece in texts_painted(keys.sheet)}
    scrolled = keys.sheet.height() - keys.area.viewport().height()
    assert keys.area.verticalScrollBar().maximum() == max(scrolled, 0)
    assert (scrolled > 0) == (size[0] < 1280)


def test_it_is_scrolled_by_keys_and_a_click_closes_it(window: QWidget, qtbot: QtBot) -> None:
    keys = opened(window, qtbot, 512, 352)
    bar = keys.area.verticalScrollBar()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_PageDown):
        before = bar.value()
        QTest.keyClick(keys.area, key)
        assert bar.value() > before
    keys.hide()
    keys.open()
    assert bar.value() == 0
    middle = QRect(QPoint(), QSize(keys.sheet.size())).center()
    QTest.mouseClick(keys.sheet, Qt.MouseButton.LeftButton, pos=middle)
    assert keys.isHidden()
