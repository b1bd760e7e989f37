"""A row that leaves out what there is no room for, and says how narrow it can be."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.style.fitting import FittingRow


class Row(FittingRow):
    """Two spare buttons, one of which another stands in for, and a word that can be cut short."""

    def __init__(self) -> None:
        super().__init__()
        self.word, self.kept = QLabel("a word"), QPushButton("kept")
        self.first, self.second, self.other = QPushButton("first"), QPushButton("second"), QLabel("2")
        self.other.hide()
        row = QHBoxLayout(self)
        row.setSpacing(9)
        for part in (self.word, self.kept, self.first, self.second, self.other):
            row.addWidget(part)
        self.shorten(False)

    def spare(self) -> list[QWidget]:
        return [self.first, self.second]

    def stands_in(self, left_out: QWidget) -> QWidget | None:
        return self.other if left_out is self.second else None

    def shorten(self, on: bool) -> None:
        self.word.setMinimumWidth(40 if on else 140)

    def saved(self) -> int:
        return 100


@pytest.fixture
def row(qtbot: QtBot) -> Row:
    made = Row()
    qtbot.addWidget(made)
    made.show()
    return made


def sized(row: Row, qtbot: QtBot, width: int) -> None:
    row.setMinimumWidth(1)
    row.resize(width, 60)
    qtbot.waitUntil(lambda: row.width() == width)
    qtbot.wait(1)


def test_it_is_as_narrow_as_it_says_and_no_narrower(row: Row, qtbot: QtBot) -> None:
    least = row.minimumSizeHint().width()
    for width in (800, least, 600, least - 1):
        sized(row, qtbot, width)
        assert row.minimumSizeHint().width() == least  # whatever is left out now
        assert (QFrame.minimumSizeHint(row).width() <= width) == (width >= least)


def test_words_are_cut_short_only_where_leaving_out_is_not_enough(row: Row, qtbot: QtBot) -> None:
    least = row.minimumSizeHint().width()
    sized(row, qtbot, least + 100)
    assert row.first.isHidden()
    assert row.second.isHidden()
    assert row.other.isVisible()
    assert (row.short, row.word.width()) == (False, 140)
    sized(row, qtbot, least)
    assert (row.short, row.word.width()) == (True, 40)
    sized(row, qtbot, 800)
    assert row.first.isVisible()
    assert row.second.isVisible()
    assert row.other.isHidden()
    assert (row.short, row.word.width() >= 140) == (False, True)
