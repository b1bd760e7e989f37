"""Whatever is clicked says what it is, and a right click offers what can be done with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests.support.windows import Stage, staged


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    with staged(qtbot, 1280, 720) as made:
        made.run()
        yield made


def offered(stage: Stage, widget: QWidget, at: QPoint) -> list[str]:
    return [action.text() for action in stage.window.offers.menu_at(widget, at).actions() if action.text()]


def test_each_part_of_the_picture_has_a_card_that_fits_beside_it(stage: Stage) -> None:
    views = stage.window.views
    told = set()
    for _ in range(len(list(views.diagram._stage.outlines()))):
        views.diagram.choose_next(+1)
        card = views.part_card
        assert card.isVisible()
        assert card.name.text()
        assert card.help.text(), f"nothing is said of {stage.window.model.selection.part}"
        assert views.rect().contains(card.geometry())
        told.add((card.to_call.isHidden(), card.to_stage.isHidden()))
    assert len(told) > 1, "some have a call, or a stage, and some have none"
    stage.window.commands.clear()
    assert not views.part_card.isVisible()


def test_a_panel_that_tells_of_the_part_needs_no_card(stage: Stage) -> None:
    views = stage.window.views
    selection = stage.window.model.selection
    part = next(name for name, _, _ in views.diagram._stage.outlines() if views.part_card.call_words(name))
    selection.choose(part=part)
    assert views.part_card.isVisible()
    views.part_card.to_call.click()
    assert (views.part_card.isVisible(), views.panel("calls").isVisible()) == (False, True)
    selection.choose(part="")
    selection.choose(part=part)
    assert not views.part_card.isVisible()


def test_a_right_click_offers_what_can_be_done_there(stage: Stage) -> None:
    views = stage.window.views
    at = next(
        o.boundingRect().center() for name, _, o in views.diagram._stage.outlines() if views.part_card.call_words(name)
    )
    views.diagram.placed = []
    assert {"Explain it", "Show the call"} <= set(offered(stage, views.diagram, at.toPoint()))
    menu = stage.window.offers.menu_at(views.diagram, at.toPoint())
    for words, seen in (("Spotlight on it", (True, False)), ("Zoom into it", (False, True))):
        next(action for action in menu.actions() if action.text() == words).trigger()
        stage.run(1)
        pointing = stage.window.shown.pointing
        assert (pointing.spot is not None, pointing.zoom is not None) == seen
    stage.window.commands.clear_marks()
    stage.run(1)
    area = views.timeline.area.center().toPoint()
    assert {"Marker A here", "Marker B here", "Zoom in"} <= set(offered(stage, views.timeline, area))
    assert "Save the picture…" in offered(stage, views.plots[0], QPoint(40, 40))
    assert "Copy all numbers" in offered(stage, views.numbers, QPoint(40, 10))


def test_a_marker_is_set_where_the_click_was_and_numbers_are_copied(stage: Stage) -> None:
    views = stage.window.views
    at = views.timeline.area.center()
    moment = views.timeline.snapped(at.x())
    menu = stage.window.offers.menu_at(views.timeline, at.toPoint())
    next(action for action in menu.actions() if action.text() == "Marker A here").trigger()
    assert abs(stage.window.model.markers.places["A"] - moment) <= views.timeline.scale.tsc(
        1
    ) - views.timeline.scale.tsc(0)
    menu = stage.window.offers.menu_at(views.numbers, QPoint(5, 5))
    next(action for action in menu.actions() if action.text() == "Copy all numbers").trigger()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert [line.partition("\t")[0] for line in lines] == [number.label for number in views.numbers.numbers]


def test_each_number_says_what_it_is(stage: Stage) -> None:
    from bellwire.viz.plots.numbers import help_of

    for number in stage.window.views.numbers.numbers:
        assert len(help_of(number)) > len(number.label) + 20


def test_a_point_beside_all_parts_is_no_part(stage: Stage) -> None:
    assert stage.window.views.diagram.part_at(QPointF(-5, -5)) == ""
