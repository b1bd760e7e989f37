"""All text that the window paints can be read: every panel, every size of text, on small screens and on large ones.

What is painted in the diagram is tried where the diagram is.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from itertools import zip_longest

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtWidgets import QAbstractItemView, QApplication, QWidget
from pytestqt.qtbot import QtBot

from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind
from bellwire.viz.model.annotations.pins import event_pin_of
from bellwire.viz.panels import PANELS
from bellwire.viz.panels.panel import BELOW, SIDE
from bellwire.viz.style.card import Card
from bellwire.viz.style.tabs import Tabs
from bellwire.viz.style.theme import DARK, LIGHT
from bellwire.viz.window.about import About
from bellwire.viz.window.actions import BY_NAME
from bellwire.viz.window.breaking import BreakPopover
from bellwire.viz.window.window import MainWindow
from tests.support.languages import LANGUAGES, in_language
from tests.support.painted_text import Piece, clashes, scrolled_areas, texts_painted
from tests.support.windows import on_whole_run, settle

SIZES = [(1280, 720), (1920, 1080), (2560, 1440)]
SPOKEN = [*((size, LANGUAGES[0]) for size in SIZES), *((SIZES[0], language) for language in LANGUAGES[1:])]
CRAMPED = [(384, 480), (512, 352), (683, 480), (853, 448)]  # of the screen, times 1.5 or 2
TEXTS = [(0.8, DARK), (1.0, LIGHT), (1.3, DARK), (2.5, LIGHT)]  # each panel is seen in both themes
PLACED = [["", *(panel.name for panel in PANELS if panel.place == place)] for place in (SIDE, BELOW)]
FRONTS = list(zip_longest(*PLACED, fillvalue=""))  # each panel in front at its place once


@pytest.fixture
def language() -> str:
    """In which the window speaks."""
    return LANGUAGES[0]


@pytest.fixture
def window(qtbot: QtBot, language: str) -> Iterator[MainWindow]:
    """On all of a recorded run in which both wires are switched, with its newest journey chosen, and notes on that."""
    with in_language(language), on_whole_run(qtbot, 1920, 1080) as made:
        journey = made.model.journeys.newest(1)
        made.model.selection.choose(journeys=journey)
        for stamp in ("ring", "doorbell", "handler"):
            tsc = int(journey[stamp][0])
            pin = event_pin_of(made.model.window(tsc, tsc)[:1])
            note = Annotation(AnnotationKind.NOTE, f"What there is to say about {stamp}: as long as a line", pin)
            made.model.annotations.add(note)
        yield made


def sized(window: MainWindow, size: tuple[int, int], text: float, *fronts: str) -> None:
    """A window of this size, its text so much larger than suits it, these panels in front."""
    window.resize(*size)
    theme = (LIGHT if (text, LIGHT) in TEXTS else DARK).scaled(text * window.look.suited)
    if theme != window.look.theme:
        window.look.set_theme(theme)
    for tabs in (window.views.side, window.views.below):
        tabs.bring(0)
    for front in filter(None, fronts):
        window.views.bring_panel(front)
    settle(window)


def beside_the_diagram(window: MainWindow) -> list[Piece]:
    """All text but that in the diagram."""
    diagram = window.views.diagram
    place = QRectF(QRect(diagram.mapTo(window.middle, QPoint()), diagram.size()))
    pieces = texts_painted(window.middle)
    return [piece for piece in pieces if diagram.isHidden() or not place.contains(piece.ink.center())]


def told_at(inside: QWidget, at: QPointF) -> str:
    """The tooltips at a place."""
    widget: QWidget | None = inside.childAt(at.toPoint())
    told = []
    while widget and widget is not inside:
        if isinstance(widget, QAbstractItemView):
            index = widget.indexAt(widget.viewport().mapFrom(inside, at.toPoint()))
            told.append(str(index.data(Qt.ItemDataRole.ToolTipRole)))
        told.append(widget.whole_tip() if isinstance(widget, Card) else widget.toolTip())
        widget = widget.parentWidget()
    return unescape("\n".join(told))


def letters(text: str) -> str:
    """Without spaces: fine ones are painted apart from the digits beside them."""
    return "".join(text.split())


def reachable(tabs: Tabs) -> list[str]:
    """The titles of the tabs that are seen, and those in the menu behind them."""
    seen = [tabs.bar.tabText(page) for page in range(tabs.bar.count()) if tabs.bar.isTabVisible(page)]
    if tabs.rest.isVisible():
        tabs._list_rest()
        seen += [action.text() for action in tabs.rest.menu().actions()]
    return seen


@pytest.mark.parametrize(("size", "language"), SPOKEN, ids=str)
def test_no_text_is_cut_off_and_none_meets_another(size: tuple[int, int], window: MainWindow) -> None:
    found = []
    for text, _ in TEXTS:
        if text == TEXTS[-1][0]:  # with the ways back that a view has which stands still
            window.commands.play_or_pause()
        for fronts in FRONTS:
            sized(window, size, text, *fronts)
            pieces = beside_the_diagram(window)
            assert pieces
            found += [f"{text:.0%} {fronts}: {one}" for one in clashes(pieces, scrolled_areas(window.middle))]
    assert found == []


@pytest.mark.qt_log_ignore("This plugin does not support")  # size hints
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", CRAMPED, ids=str)
def test_on_a_small_screen_whose_pixels_are_doubled_all_can_be_read(size: tuple[int, int], window: MainWindow) -> None:
    """What has no room even then can be scrolled to, from side to side too."""
    window.setMinimumSize(1, 1)
    found = []
    for fronts in FRONTS:
        sized(window, size, 1.0, *fronts)
        pieces = beside_the_diagram(window)
        assert pieces
        found += [f"{fronts}: {one}" for one in clashes(pieces, scrolled_areas(window.middle))]
        for row in (window.status, window.controls):
            assert row.minimumSizeHint().width() <= row.width()
            shown = [part for part in row.findChildren(QWidget) if part.isVisible() and part.parent() is row]
            meet = [(a, b) for n, a in enumerate(shown) for b in shown[:n] if a.geometry().intersects(b.geometry())]
            found += [f"{fronts}: {a.accessibleName()} meets {b.accessibleName()}" for a, b in meet]
    window.commands.show_keys()
    settle(window)
    pieces = texts_painted(window.keys)
    found += clashes(pieces, scrolled_areas(window.keys))
    assert found == []
    across = window.scrolled.horizontalScrollBar().maximum()
    assert (across > 0) == (size[0] < 512)
    assert across == window.middle.width() - window.scrolled.viewport().width()


@pytest.mark.qt_log_ignore("This plugin does not support")  # size hints
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_opens_over_a_small_screen_has_room_on_it(window: MainWindow) -> None:
    window.setMinimumSize(1, 1)
    sized(window, (512, 352), 1.0)
    for asks, kind in ((window.commands.break_when, BreakPopover), (window.commands.show_about, About)):
        asks()
        settle(window)
        [over] = [each for each in window.findChildren(kind) if each.isVisible()]
        assert over.size().boundedTo(window.size()) == over.size()
        assert clashes(texts_painted(over), scrolled_areas(over)) == []
        over.close()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
def test_what_has_no_room_is_found_elsewhere(size: tuple[int, int], window: MainWindow) -> None:
    titles = {panel.place: [each.title for each in PANELS if each.place == panel.place] for panel in PANELS}
    for text, _ in TEXTS:
        sized(window, size, text)
        assert reachable(window.views.side) == ["Plots", *titles["side"]]
        assert reachable(window.views.below) == ["Timeline", *titles["below"]]
        assert window.status.folded.isVisible() != window.menus.bar.isVisible()
        painted = letters("".join(piece.text for piece in texts_painted(window.views.numbers)))
        for number in window.views.numbers.numbers:
            assert letters(number.label) in painted
            assert letters(number.value) in painted
        for plot in window.views.plots:
            named = " ".join(piece.text for piece in texts_painted(plot))
            tip = unescape(plot.whole_tip())
            assert all(entry.label in named or entry.label in tip for entry in plot.legend.values())
            assert plot.facts in named or plot.facts in tip


@pytest.mark.parametrize("text", [1.0, 2.5])
def test_what_is_cut_short_has_all_of_it_in_its_tooltip(text: float, window: MainWindow) -> None:
    short = []
    for fronts in FRONTS:
        sized(window, SIZES[0], text, *fronts)
        pieces = [piece for piece in beside_the_diagram(window) if piece.text.endswith("…")]
        pieces = [piece for piece in pieces if piece.room.contains(piece.ink.center())]  # not just seen
        pieces = [piece for piece in pieces if not piece.text.startswith("Filter")]  # an example
        short += [(piece, told_at(window.middle, piece.ink.center())) for piece in pieces]
    assert short
    assert [(piece.text, told) for piece, told in short if letters(piece.text[:-1]) not in letters(told)] == []


@pytest.mark.parametrize(("size", "language"), SPOKEN, ids=str)
def test_what_comes_over_the_window_can_be_read(size: tuple[int, int], window: MainWindow) -> None:
    found = []
    for text, _ in TEXTS:
        sized(window, size, text)
        for name in ("story", "keys", "palette"):
            BY_NAME[name].run(window.commands)
            settle(window)
            over = {"keys": window.keys, "palette": window.palette_}.get(name)
            pieces = texts_painted(over) if over else beside_the_diagram(window)
            assert pieces
            areas = scrolled_areas(over or window.middle)
            found += [f"{text:.0%} {name}: {one}" for one in clashes(pieces, areas)]
            window.palette_.hide()
            if name != "palette":
                BY_NAME[name].run(window.commands)
    assert found == []


def longest(window: MainWindow) -> list[str]:
    """The parts of the picture about which most is said, one of each kind."""
    plan, card = window.views.diagram.blueprint, window.views.part_card
    words = {
        name: f"{part.help}{card.call_words(name)}{card.stage_words(name)}"
        for table in plan.tables
        for name, part in table.items()
    }
    return [max(table, key=lambda name: len(words[name])) for table in plan.tables if table]


@pytest.mark.qt_log_ignore("This plugin does not support")  # raising, grabbing the keyboard, size hints
@pytest.mark.parametrize(("size", "language"), SPOKEN, ids=str)
def test_cards_popovers_and_dialogs_can_be_read(size: tuple[int, int], window: MainWindow) -> None:
    found: list[str] = []

    def look(what: str, over: QWidget) -> None:
        settle(window)
        pieces = texts_painted(over)
        assert pieces
        found.extend(f"{text:.0%} {what}: {one}" for one in clashes(pieces, scrolled_areas(over)))
        found.extend([f"{text:.0%} {what} is {over.size()}"] * (over.size().boundedTo(room) != over.size()))

    for text, _ in TEXTS[1::2]:
        sized(window, size, text)
        room = window.size()
        for part in longest(window):
            window.views.part_card.tell(part)
            look(part, window.views.part_card)
        window.model.selection.choose(part="")
        for asks, over in (
            (window.controls.more.click, window.controls.popover),
            (window.commands.break_when, window.breaks.popover),
        ):
            asks()
            look(type(over).__name__, over)
            over.hide()
        window.commands.show_about()
        [about] = window.findChildren(About)
        look("About", about)
        about.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert found == []
