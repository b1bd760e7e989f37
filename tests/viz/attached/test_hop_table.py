"""The card with the hops: its rows, its sentences, and why there are none."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QTableWidgetItem
from pytestqt.qtbot import QtBot

from bellwire.viz.attached.hop_table import HopCard
from bellwire.viz.style.theme import THEMES
from tests.support.seen_hops import HOPS
from tests.support.seen_vmms import VMM


@pytest.fixture
def card(qtbot: QtBot) -> HopCard:
    made = HopCard(THEMES["dark"])
    qtbot.addWidget(made)
    made.resize(820, 220)
    return made


def item_at(card: HopCard, row: int, column: int) -> QTableWidgetItem:
    """One that there is."""
    item = card.rows.item(row, column)
    assert item is not None
    return item


def test_rows_and_sentences_stand_in_it(card: HopCard) -> None:
    card.show_hops(HOPS, VMM.pid)
    assert card.rows.rowCount() == 6
    assert item_at(card, 0, 1).text() == "wakes IO io0"
    assert "store" in item_at(card, 0, 3).toolTip()
    assert card.words.text().startswith("Alone under way: 400 of 800")
    assert card.facts == "since 2 s"
    assert not card.rows.geometry().intersects(card.words.geometry())


def test_what_is_chosen_stays_chosen_while_figures_change(card: HopCard) -> None:
    card.show_hops(HOPS, VMM.pid)
    card.rows.selectRow(2)
    card.show_hops(HOPS, VMM.pid)
    assert card.rows.currentRow() == 2
    card.set_theme(THEMES["light"])
    card.show_hops(HOPS, VMM.pid)
    assert item_at(card, 0, 0).foreground().color() == THEMES["light"].color("doorbell")


def test_without_any_it_says_why(card: HopCard) -> None:
    card.show_hops(None, 0, "The kernel's clock is not the TSC.")
    assert card.rows.rowCount() == 0
    assert card.words.text() == "The kernel's clock is not the TSC."
    assert card.facts == ""
