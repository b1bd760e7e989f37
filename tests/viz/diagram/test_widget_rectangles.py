"""No label meets another one, no wire crosses a label, and what has no room is not dropped without a word.

Measured is what the diagram paints, of every scenario, in both pictures, in the sizes and with the text that the window
gives it. BELLWIRE_RECTANGLES=all (`make rectangles`) does so in both themes, at both moments and in many sizes more.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from functools import lru_cache

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.viz.diagram.still_words import Words
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.theme import DARK, LIGHT, Theme
from bellwire.viz.window.window import make_window
from tests.support.fake_source import FakeSource
from tests.support.languages import LANGUAGES, in_language
from tests.support.painted import Mark, faults_of, meet, painted_by
from tests.support.shipped_models import shipped_model
from tests.support.stage_moments import look_within

ALL = os.environ.get("BELLWIRE_RECTANGLES") == "all"
WINDOWS = ((1280, 720), (1920, 1080), (2560, 1440))
TEXT = (0.8, 1.0, 1.3, 2.5)
NARROW = ((613, 393, 1.3), (1000, 430, 1.3))  # where words of two lines, and those of what differs, have the least room
MORE = ((613, 393), (700, 340), (831, 323), (831, 420), (1000, 430), (1049, 478), (1266, 520), (1500, 640), (1701, 900))
SCENARIOS = [scenario.name for scenario in list_scenarios()]

Layout = tuple[int, int, float]  # width, height, scale of the text


@lru_cache(maxsize=1)
def given_by_the_window() -> tuple[Layout, ...]:
    """The sizes of the diagram in windows of these sizes with text so large."""
    window = make_window(FakeSource(), theme=DARK, make_source=FakeSource)
    window.show()
    found = []
    for size, scale in itertools.product(WINDOWS, TEXT):
        window.resize(*size)
        window.look.size_text(scale)
        QApplication.processEvents()
        QApplication.processEvents()
        found.append((window.views.diagram.width(), window.views.diagram.height(), window.look.theme.scale))
    window.close()
    window.deleteLater()
    QApplication.processEvents()
    return tuple(dict.fromkeys(found))


def look(model: LiveModel, past: bool) -> None:
    """At the end of the run; or in slow motion at the middle of a journey in the middle of it."""
    model.selection.choose()
    model.transport.to_newest()
    held = model.journeys.newest(1 << 16)
    if past and held.size:
        look_within(model, held[[held.size // 2]], tenths=6)


def lay_out(diagram: Diagram, layout: Layout, theme: Theme) -> None:
    """In this size, as the window would."""
    width, height, scale = layout
    diagram.resize(width, height)
    diagram.set_theme(replace(theme, scale=scale))
    diagram.refresh(words=False)


def labels_on_words(diagram: Diagram, marks: list[Mark]) -> list[str]:
    """Numbers of tokens that stand on a word, or on each other."""
    diagram.refresh(words=False)
    labels = [
        QRectF(placed.label_at, diagram._stage.label_size(placed.label)) for placed in diagram.placed if placed.label
    ]
    words = [mark.rect for mark in marks if mark.kind == "text"]
    return ["a token's number is on a label"] * any(meet(a, b) for a in labels for b in words)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_label_meets_another_and_no_wire_crosses_one(name: str, language: str, qtbot: QtBot) -> None:
    model = shipped_model(name)
    layouts = given_by_the_window() + (tuple((*size, scale) for size in MORE for scale in TEXT) if ALL else NARROW)
    layouts = layouts if ALL or language == LANGUAGES[0] else (layouts[0], *NARROW)
    with in_language(language):
        found = faults_in(model, layouts, qtbot)
    model.transport.to_newest()
    assert found == []


def faults_in(model: LiveModel, layouts: tuple[Layout, ...], qtbot: QtBot) -> list[object]:
    """Of both pictures, live and at a moment in the past."""
    found: list[object] = []
    for extended, past in itertools.product((False, True), (False, True)):
        look(model, past)
        diagram = Diagram(model, DARK)
        qtbot.addWidget(diagram)
        diagram.set_extended(extended)
        diagram._say(Words.of(model, diagram.blueprint))
        themes = (DARK, LIGHT) if ALL else (LIGHT if past else DARK,)
        for theme, layout in itertools.product(themes, layouts if ALL else layouts[past::2]):
            lay_out(diagram, layout, theme)
            marks = painted_by(diagram)
            faults = faults_of(marks, QRectF(diagram.rect())) + labels_on_words(diagram, marks)
            found += [("extended" if extended else "simple", layout, theme.name, fault) for fault in faults]
    return found


@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("name", ["doorbell-coalesced-mmio", "io-uring", "vhost-user-blk"])
def test_the_number_of_a_token_is_on_no_word_and_on_no_part(name: str, extended: bool, qtbot: QtBot) -> None:
    """At nine moments of a journey: its smear is long, and its number may stand at many places along it."""
    model = shipped_model(name)
    held = model.journeys.newest(1 << 16)
    diagram = Diagram(model, DARK)
    qtbot.addWidget(diagram)
    diagram.set_extended(extended)
    numbers, found = 0, []
    for tenths in range(1, 10):
        look_within(model, held[[held.size // 2]], tenths)
        diagram._say(Words.of(model, diagram.blueprint))
        lay_out(diagram, (831, 352, 1.0), DARK)
        marks = painted_by(diagram)
        found += labels_on_words(diagram, marks)
        solid = [mark.rect for mark in marks if mark.of in ("node", "ring") and mark.kind == "plate"]
        for placed in filter(lambda placed: placed.label, diagram.placed):
            label = QRectF(placed.label_at, diagram._stage.label_size(placed.label))
            numbers += 1
            found += [placed.label] * any(label.intersects(rect) for rect in solid)
    model.transport.to_newest()
    assert numbers or name == "vhost-user-blk"  # whose stretch is full of parts
    assert found == []
