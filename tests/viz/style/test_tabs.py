"""Views that share a place: which is in front, where the tabs stand, and that a place of one has none."""

from __future__ import annotations

from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels import PANELS
from bellwire.viz.panels.panel import BELOW, SIDE, Panel
from bellwire.viz.style.card import Card
from bellwire.viz.style.tabs import Tabs
from bellwire.viz.style.theme import DARK
from tests.support.fake_source import FakeSource


class Some(Card):
    """A card that counts how often it was asked to redraw."""

    def __init__(self) -> None:
        super().__init__(DARK)
        self.redrawn = 0

    def redraw(self) -> None:
        self.redrawn += 1


class Shown(Panel):
    """A panel that counts its redraws and its paints."""

    title, name, place = "Shown", "shown", BELOW
    redraws = paints = 0

    def redraw(self) -> None:
        self.redraws += 1

    def paintEvent(self, event: QPaintEvent) -> None:
        self.paints += 1
        super().paintEvent(event)


def test_a_single_page_has_no_tabs(qtbot: QtBot) -> None:
    tabs = Tabs([("One", "", QWidget())], DARK)
    qtbot.addWidget(tabs)
    tabs.show()
    assert not tabs.bar.isVisible()


def test_tabs_over_cards_stand_in_their_headers_and_say_their_titles(qtbot: QtBot) -> None:
    cards = [Some(), Some()]
    tabs = Tabs([("One", "the first", cards[0]), ("Two", "the second", cards[1])], DARK)
    qtbot.addWidget(tabs)
    tabs.show()
    assert tabs.stack.geometry().top() == 0
    assert 0 < tabs.bar.geometry().bottom() < cards[0].header
    assert all(card._title_width() == tabs.bar.width() for card in cards)
    assert tabs.bar.tabToolTip(1) == "the second"


def test_tabs_over_other_widgets_stand_above_them(qtbot: QtBot) -> None:
    tabs = Tabs([("One", "", QWidget()), ("Two", "", Some())], DARK)
    qtbot.addWidget(tabs)
    tabs.show()
    assert tabs.stack.geometry().top() > tabs.bar.geometry().bottom()


def test_a_page_that_comes_to_the_front_is_redrawn(qtbot: QtBot) -> None:
    cards = [Some(), Some()]
    tabs = Tabs([("One", "", cards[0]), ("Two", "", cards[1])], DARK)
    qtbot.addWidget(tabs)
    tabs.show()
    tabs.bring(1)
    assert (cards[0].redrawn, cards[1].redrawn) == (0, 1)
    assert cards[1].isVisible()
    assert not cards[0].isVisible()


def test_a_panel_is_redrawn_only_where_it_is_seen(qtbot: QtBot) -> None:
    panel = Shown(LiveModel(FakeSource()), DARK)
    qtbot.addWidget(panel)
    panel.refresh()
    assert panel.redraws == 0
    panel.show()
    panel.refresh()
    assert panel.redraws == 1


def test_every_panel_has_a_place_a_name_and_says_what_it_shows() -> None:
    assert len({panel.name for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        assert panel.place in (SIDE, BELOW)
        assert panel.title
        assert panel.tip
