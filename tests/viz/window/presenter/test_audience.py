"""The audience's window: what it shows, in type that can be read from the last row."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.diagram.legible import LegibleDiagram
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.presenter.audience import AudienceWindow, Blank
from bellwire.viz.window.presenter.slide_view import LEAST, SlideView
from tests.support.shipped_models import shipped_model
from tests.support.stage_moments import look_within
from tests.support.type_sizes import sizes_painted

# One of each picture, and those with most words.
PICTURES = (
    "roundtrip",
    "doorbell-pio-exit",
    "doorbell-many-addresses",
    "doorbell-coalesced-pio",
    "irq-level-resample",
    "irq-window",
    "vhost-user-blk",
    "vm-to-vm",
)


def look_at_journey(model: LiveModel, number: int) -> None:
    """In slow motion, at the middle of one of the newest journeys: tokens are on their way."""
    look_within(model, model.journeys.newest(1 << 16)[[number]], tenths=6)


@pytest.mark.parametrize("name", PICTURES)
def test_no_text_is_smaller_than_the_last_row_can_read(name: str, qtbot: QtBot) -> None:
    model = shipped_model(name)
    look_at_journey(model, 3)
    like = Diagram(model, DARK)
    qtbot.addWidget(like)
    audience = AudienceWindow(model, DARK)
    qtbot.addWidget(audience)
    for size in ((1920, 1080), (1280, 720), (1024, 768)):
        audience.resize(*size)
        for extended in (False, True):
            like.set_extended(extended)
            with sizes_painted() as found:
                audience.refresh(True, like, None)
                audience.refresh(True, like, None)
                audience.grab()
            assert model.scenario.title in found
            assert len(found) > 5
            labels = {placed.label for placed in audience.picture.placed} - {""}
            assert labels <= set(found)
            assert {words: pixels for words, pixels in found.items() if pixels < LEAST * size[1]} == {}
    model.transport.to_newest()


def test_there_is_nothing_else_in_it(qtbot: QtBot) -> None:
    """No label, no button, no menu: whatever else has text would have to be measured as well."""
    audience = AudienceWindow(shipped_model("roundtrip"), DARK)
    qtbot.addWidget(audience)
    assert {type(part) for part in audience.findChildren(QWidget)} == {LegibleDiagram, SlideView, QWidget}
    assert not audience.cover.children()


def test_it_shows_the_same_moment_and_the_same_parts_as_the_other_diagram(qtbot: QtBot) -> None:
    model = shipped_model("roundtrip")
    like = Diagram(model, DARK)
    audience = AudienceWindow(model, DARK)
    qtbot.addWidget(like)
    qtbot.addWidget(audience)
    like.set_highlight(frozenset({"driver"}))
    like.set_extended(True)
    for number in (3, 40):
        look_at_journey(model, number)
        like.refresh()
        audience.refresh(True, like, None)
        assert like.placed
        assert [placed.token for placed in audience.picture.placed] == [placed.token for placed in like.placed]
        assert (audience.picture.highlight, audience.picture.extended) == (like.highlight, True)
        assert audience.picture.words.facts == like.words.facts
        assert audience.slide_view.slide.text == like.words.facts["note caption"]
    model.transport.to_newest()


def test_it_is_black_or_white_and_then_as_before(qtbot: QtBot) -> None:
    audience = AudienceWindow(shipped_model("roundtrip"), DARK)
    qtbot.addWidget(audience)
    audience.resize(1280, 720)
    audience.show()
    seen = audience.grab().toImage()
    for blank in Blank:
        audience.show_blank(blank)
        image = audience.grab().toImage()
        assert {image.pixelColor(x, y).name() for x in range(0, 1280, 40) for y in range(0, 720, 40)} == {blank.value}
    audience.show_blank(None)
    assert audience.grab().toImage() == seen


def test_a_click_chooses_a_part_for_every_view(qtbot: QtBot) -> None:
    model = shipped_model("roundtrip")
    audience = AudienceWindow(model, DARK)
    qtbot.addWidget(audience)
    audience.resize(1280, 720)
    audience.say(None)
    audience.show()
    at = next(outline for name, _, outline in audience.picture._stage.outlines() if name == "driver")
    QTest.mouseClick(audience.picture, Qt.MouseButton.LeftButton, pos=at.boundingRect().center().toPoint())
    assert model.selection.part == "driver"
    model.selection.choose(part="")
