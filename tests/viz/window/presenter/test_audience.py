"""The audience's window: what it shows, in type that can be read from the last row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QPlainTextEdit, QTabBar, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.diagram.legible import LegibleDiagram
from bellwire.viz.diagram.painter import in_two
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.lessons.course import Course
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels import PANELS
from bellwire.viz.panels.calls.panel import CallPanel
from bellwire.viz.panels.panel import Panel
from bellwire.viz.style.theme import DARK, PROJECTOR, load_fonts
from bellwire.viz.window.presenter.audience import AudienceWindow, Blank
from bellwire.viz.window.presenter.front_panel import PanelPlace
from bellwire.viz.window.presenter.slide_view import LEAST, SlideView
from tests.support.asking import ASKING, asking
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


def shows_extended(model: LiveModel, qtbot: QtBot) -> AudienceWindow:
    """With the extended picture, on a small screen."""
    like, audience = Diagram(model, DARK), AudienceWindow(model, DARK)
    qtbot.addWidget(like)
    qtbot.addWidget(audience)
    like.set_extended(True)
    audience.resize(1280, 720)
    audience.refresh(True, like, None)
    return audience


@pytest.mark.parametrize("name", PICTURES)
def test_every_box_of_the_extended_picture_keeps_its_name(name: str, qtbot: QtBot) -> None:
    """Also where the words above it take half of the height; a long one has two lines."""
    load_fonts()
    model = shipped_model(name)
    audience = shows_extended(model, qtbot)
    picture = audience.picture
    names = {box.title for box in picture.blueprint.boxes.values()}
    names |= {node.title for node in picture.blueprint.nodes.values()} - {""}
    for height in (picture.height(), 345):
        picture.resize(picture.width(), height)
        with sizes_painted() as found:
            picture.grab()
        assert [name for name in names if name not in found and not set(in_two(name)) <= set(found)] == []


def test_what_is_spoken_of_has_its_name_however_small_its_box_is(qtbot: QtBot) -> None:
    model = shipped_model("irq-level-resample")
    audience = shows_extended(model, qtbot)
    audience.picture.resize(500, 480)
    nodes = {name: node.title for name, node in audience.picture.blueprint.nodes.items() if node.title == "IOAPIC"}
    for parts in (frozenset[str](), frozenset(nodes)):
        audience.picture.set_highlight(parts)
        with sizes_painted() as found:
            audience.picture.grab()
        assert ("IOAPIC" in found) is bool(parts)


def test_there_is_nothing_else_in_it(qtbot: QtBot) -> None:
    """No label, no button, no menu: whatever else has text would have to be measured as well."""
    audience = AudienceWindow(shipped_model("roundtrip"), DARK)
    qtbot.addWidget(audience)
    assert {type(part) for part in audience.findChildren(QWidget)} == {LegibleDiagram, SlideView, PanelPlace, QWidget}
    assert not audience.panel.children()
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


# -- a lesson's panel

SILENT = ASKING[: ASKING.index("```question")]  # the same step without its question
SIZES = ((1920, 1080), (1280, 720), (1024, 768))
NAMES = tuple(panel.name for panel in PANELS)


def sizes_in(document: QTextDocument) -> Iterator[tuple[str, int]]:
    """Each piece of text, and the pixels of its font."""
    block = document.begin()
    while block.isValid():
        pieces = block.begin()
        while not pieces.atEnd():
            own = pieces.fragment().charFormat().font().pixelSize()
            yield pieces.fragment().text(), own if own > 0 else document.defaultFont().pixelSize()
            pieces += 1
        block = block.next()


def sizes_of(panel: Panel) -> Iterator[tuple[str, int]]:
    """What Qt's own parts of it say, and in which size."""
    for part in panel.findChildren(QWidget):
        if isinstance(part, QTextEdit):
            part.ensurePolished()
            yield from sizes_in(part.document())
        elif isinstance(part, QPlainTextEdit) and part.toPlainText():
            yield part.toPlainText(), part.font().pixelSize()
        elif isinstance(part, QLabel | QAbstractButton) and part.text():
            yield part.text(), part.font().pixelSize()
        elif isinstance(part, QTabBar):
            yield part.tabText(0), part.font().pixelSize()


@pytest.mark.parametrize("name", NAMES)
def test_no_text_of_a_panel_is_smaller_either(name: str, qtbot: QtBot) -> None:
    model = shipped_model("roundtrip")
    look_at_journey(model, 3)
    model.selection.choose(part="ioeventfd")
    audience = AudienceWindow(model, PROJECTOR)
    qtbot.addWidget(audience)
    audience.show()
    for size in SIZES:
        audience.resize(*size)
        audience.say(Course(asking(SILENT)), name)
        audience.say(Course(asking(SILENT)), name)
        with sizes_painted() as found:
            audience.grab()
        assert audience.panel.name == name
        assert audience.panel.panel is not None
        said = {words: pixels for words, pixels in sizes_of(audience.panel.panel) if words.strip()} | found
        assert len(said) > 5
        assert {words: pixels for words, pixels in said.items() if pixels < LEAST * size[1]} == {}
    audience.panel.clear()
    model.selection.choose(part="")
    model.transport.to_newest()


def places_of(audience: AudienceWindow) -> list[QRect]:
    return [part.geometry() for part in (audience.slide_view, audience.picture, audience.panel) if not part.isHidden()]


@pytest.mark.parametrize("text", [SILENT, ASKING], ids=["told", "asked"])
def test_a_panel_has_its_place_and_without_one_the_picture_has_the_room(text: str, qtbot: QtBot) -> None:
    audience = AudienceWindow(shipped_model("roundtrip"), DARK)
    qtbot.addWidget(audience)
    course = Course(asking(text))
    audience.show()
    for size in SIZES:
        audience.resize(*size)
        audience.say(course, "anatomy")
        words, _, panel = places = places_of(audience)
        assert all(audience.rect().contains(place) for place in places)
        assert not any(one.intersects(next_) for one, next_ in combinations(places, 2))
        assert panel.width() > size[0] * 0.4
        assert panel.top() < words.bottom() if text is SILENT else panel.top() >= words.bottom()
        audience.say(course, "")
        assert [place.width() > 0.9 * size[0] for place in places_of(audience)] == [True, True]
    audience.say(None, "anatomy")  # a panel that is in front for the lecturer's own sake
    assert len(places_of(audience)) == 2


def test_a_panel_goes_with_its_model_and_takes_no_key(qtbot: QtBot) -> None:
    model, other = shipped_model("roundtrip"), shipped_model("doorbell-pio-exit")
    heard = len(model.selection.changed)
    audience = AudienceWindow(model, DARK)
    qtbot.addWidget(audience)
    audience.resize(1280, 720)
    course = Course(asking(SILENT))
    audience.say(course, "calls")
    audience.show()
    audience.picture.setFocus()
    calls = audience.panel.panel
    assert isinstance(calls, CallPanel)
    model.selection.choose(part="irqfd")
    assert calls.call is not None
    calls.choose("")
    assert not any(part.hasFocus() for part in calls.findChildren(QWidget))
    assert len(model.selection.changed) == heard + 1
    audience.follow(other)
    audience.say(course, "calls")
    assert audience.panel.panel is not None
    assert audience.panel.panel.model is other
    audience.panel.clear()
    assert (len(model.selection.changed), len(other.selection.changed)) == (heard, heard)
    model.selection.choose(part="")
