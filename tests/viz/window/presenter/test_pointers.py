"""Tools by their keys, in the normal window, in the audience's, and through the copy that whoever leads it has."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from bellwire.viz.diagram.pointing.marks import Tool
from bellwire.viz.window.actions import BY_NAME
from tests.support.windows import Stage, staged

LEFT = Qt.MouseButton.LeftButton


def pressed(stage: Stage, name: str) -> None:
    """As by the key or the button of that action."""
    stage.window.menus.actions[name].trigger()
    stage.run(1)


def marked(stage: Stage) -> tuple[bool, bool]:
    """Whether there is a spotlight, and a part that fills the diagram."""
    return stage.window.shown.pointing.spot is not None, stage.window.views.diagram.part is not None


def test_every_tool_has_a_key_a_button_and_a_line_in_the_menu(qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        for name in (*Tool, "undo_mark", "clear_marks"):
            assert BY_NAME[name].keys
            assert stage.window.console.buttons[name].toolTip()
        for tool in Tool:
            pressed(stage, tool)
            stage.window.menus.refresh()
            stage.window.console.refresh()
            for one in Tool:
                assert stage.window.menus.actions[one].isChecked() is (one is tool)
                assert stage.window.console.buttons[one].isChecked() is (one is tool)
        pressed(stage, Tool.ZOOM)
        assert stage.window.shown.pointing.tool is None


def test_a_key_points_at_the_part_that_is_chosen(qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        window = stage.window
        stage.run(2)
        window.model.selection.choose(part="driver")
        pressed(stage, Tool.SPOTLIGHT)
        assert marked(stage) == (True, False)
        pressed(stage, Tool.SPOTLIGHT)
        assert marked(stage) == (False, False)
        pressed(stage, Tool.ZOOM)
        assert marked(stage) == (False, True)
        pressed(stage, "undo_mark")
        assert marked(stage) == (False, False)
        pressed(stage, "clear")
        assert window.shown.pointing.tool is None
        assert window.model.selection.part == "driver"


@pytest.mark.parametrize("extended", [False, True])
def test_what_is_drawn_in_the_copy_is_at_the_same_part_for_the_audience(extended: bool, qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        window = stage.window
        window.look.set_extended(extended)
        window.look.set_presenting(True)
        stage.run(3)
        audience, copy, pointing = window.presenter.audience, window.console.copy, window.shown.pointing
        assert audience is not None
        pressed(stage, Tool.SPOTLIGHT)
        area = audience.picture.area_of("driver")
        assert area is not None
        middle = audience.picture.scene_geometry.point((area[0] + area[2] / 2, area[1] + area[3] / 2))
        at = copy.area.topLeft() + (middle + QPointF(audience.picture.pos())) * copy.scale
        QTest.mouseClick(copy, LEFT, pos=at.toPoint())
        stage.run(1)
        assert pointing.spot is not None
        assert audience.pointer.overlay is not None
        assert audience.pointer.overlay.isVisible()
        window.look.set_presenting(False)
        stage.run(1)
        own = window.views.diagram.area_of("driver")
        assert own is not None
        x, y, width, height = pointing.spot
        assert x < own[0] < own[0] + own[2] < x + width
        assert y < own[1] < own[1] + own[3] < y + height
        assert window.views.pointer.overlay is not None
        window.look.set_extended(not extended)
        assert pointing.spot is None


def test_another_source_begins_without_marks(qtbot: QtBot) -> None:
    with staged(qtbot, 1280, 720) as stage:
        pressed(stage, Tool.ZOOM)
        stage.window.shown.pointing.fill_with((0, 0, 200, 100))
        stage.window.commands.run_scenario_called("doorbell-pio-exit")
        stage.run(2)
        assert stage.window.views.diagram.part is None
        assert stage.window.shown.pointing.tool is None
