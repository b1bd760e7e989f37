"""Pointing by mouse and by key: at the same part in every diagram; without it there is nothing over the picture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from bellwire.viz.diagram.legible import LegibleDiagram
from bellwire.viz.diagram.pointing.marks import PEN_SECONDS, Pointing, Tool
from bellwire.viz.diagram.pointing.pointer import DiagramPointer
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.style.theme import DARK
from tests.support.shipped_models import shipped_model

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
PART, SECOND = "driver", "answers"


class TwoDiagrams:
    """That of a window and that of an audience, which share what is pointed at, but neither size nor layout."""

    def __init__(self, qtbot: QtBot) -> None:
        self.now = 1000.0
        self.pointing = Pointing(lambda: self.now)
        self.model = shipped_model("roundtrip")
        self.own, self.other = Diagram(self.model, DARK), LegibleDiagram(self.model, DARK.scaled(1.3), 27)
        self.pointers = [DiagramPointer(diagram, self.pointing) for diagram in self.both]
        for diagram, size in zip(self.both, ((1040, 572), (1880, 860)), strict=True):
            qtbot.addWidget(diagram)
            diagram.resize(*size)
            diagram.show()
        self.frame()

    @property
    def both(self) -> tuple[Diagram, Diagram]:
        return self.own, self.other

    def frame(self) -> None:
        for diagram, pointer in zip(self.both, self.pointers, strict=True):
            diagram.refresh()
            pointer.refresh()

    def take(self, tool: Tool) -> None:
        self.pointing.take(tool)
        self.frame()

    def middle(self, diagram: Diagram, part: str) -> QPoint:
        """Of a part, pixels."""
        area = diagram.area_of(part)
        assert area is not None
        x, y, width, height = area
        return diagram.scene_geometry.point((x + width / 2, y + height / 2)).toPoint()

    def color(self, diagram: Diagram, at: QPoint) -> QColor:
        return diagram.grab().toImage().pixelColor(at)

    def overlays(self) -> list[QWidget | None]:
        return [pointer.overlay for pointer in self.pointers]


@pytest.fixture
def two(qtbot: QtBot) -> Iterator[TwoDiagrams]:
    made = TwoDiagrams(qtbot)
    yield made
    made.model.selection.choose(part="")


def seen_over(two: TwoDiagrams, part: str) -> list[bool]:
    """Whether each diagram looks otherwise within a part than it does with nothing over it."""
    changed = []
    for diagram, pointer in zip(two.both, two.pointers, strict=True):
        assert pointer.overlay is not None
        within = QRectF(*in_pixels(diagram, part)).toRect()
        with_marks = diagram.grab(within).toImage()
        pointer.overlay.hide()
        changed.append(with_marks != diagram.grab(within).toImage())
        pointer.overlay.show()
    return changed


def test_without_it_nothing_is_over_the_picture_and_no_event_is_looked_at(two: TwoDiagrams) -> None:
    assert two.overlays() == [None, None]
    assert not two.own.hasMouseTracking()
    QTest.mouseClick(two.own, LEFT, pos=two.middle(two.own, PART))
    assert two.model.selection.part == PART
    two.take(Tool.PEN)
    QTest.mouseClick(two.own, LEFT, pos=two.middle(two.own, SECOND))
    assert two.model.selection.part == PART
    two.frame()
    two.now += 2 * PEN_SECONDS
    two.pointing.lay_down()
    two.frame()  # what has faded goes
    two.frame()
    assert [overlay is not None and overlay.isHidden() for overlay in two.overlays()] == [True, True]
    QTest.mouseClick(two.own, LEFT, pos=two.middle(two.own, SECOND))
    assert two.model.selection.part == SECOND


def test_the_pen_draws_over_the_same_part_in_both(two: TwoDiagrams) -> None:
    two.take(Tool.PEN)
    for diagram in two.both:
        two.pointing.marks.clear()
        at = two.middle(diagram, PART)
        QTest.mousePress(diagram, LEFT, pos=at - QPoint(40, 0))
        QTest.mouseMove(diagram, at + QPoint(40, 0))
        move(diagram, at + QPoint(40, 0))
        QTest.mouseRelease(diagram, LEFT, pos=at + QPoint(40, 0))
        two.frame()
        assert seen_over(two, PART) == [True, True]
        assert seen_over(two, SECOND) == [False, False]
    QTest.mouseClick(two.own, RIGHT)
    assert not two.pointing.marks


def move(diagram: Diagram, to: QPoint) -> None:
    """With the left button held, which QTest does not tell."""
    where = QPointF(to)
    QApplication.sendEvent(
        diagram, QMouseEvent(QEvent.Type.MouseMove, where, where, LEFT, LEFT, Qt.KeyboardModifier.NoModifier)
    )


def test_the_laser_follows_the_mouse_and_is_off_beside_the_picture(two: TwoDiagrams) -> None:
    two.take(Tool.LASER)
    QTest.mouseMove(two.other, two.middle(two.other, PART))
    QTest.mouseClick(two.other, LEFT, pos=two.middle(two.other, PART))
    two.frame()
    for diagram in two.both:
        assert two.color(diagram, two.middle(diagram, PART)).name() == "#ff2a2a"
    two.pointing.shine(None)
    two.frame()
    assert two.color(two.own, two.middle(two.own, PART)).name() != "#ff2a2a"


def test_a_click_lights_a_part_and_dims_the_rest(two: TwoDiagrams) -> None:
    two.take(Tool.SPOTLIGHT)
    QTest.mouseClick(two.own, LEFT, pos=two.middle(two.own, PART))
    two.frame()
    assert seen_over(two, PART) == [False, False]
    assert seen_over(two, SECOND) == [True, True]
    QTest.mouseClick(two.other, LEFT, pos=QPoint(2, 2))
    assert two.pointing.spot is None


@pytest.mark.parametrize("tool", [Tool.SPOTLIGHT, Tool.ZOOM])
def test_a_rectangle_that_is_drawn_is_the_part(tool: Tool, two: TwoDiagrams) -> None:
    two.take(tool)
    start, end = QPoint(100, 100), QPoint(500, 320)
    QTest.mousePress(two.own, LEFT, pos=start)
    move(two.own, end)
    assert two.pointing.dragged is not None
    wanted = [*two.own.scene_geometry.on_canvas(QPointF(start)), *two.own.scene_geometry.on_canvas(QPointF(end))]
    QTest.mouseRelease(two.own, LEFT, pos=end)
    x, y, width, height = two.pointing.spot or two.pointing.zoom or (0, 0, 0, 0)
    assert [x, y, x + width, y + height] == pytest.approx(wanted)
    assert two.pointing.dragged is None


def test_a_click_lets_a_part_fill_both_and_what_is_clicked_then_is_what_is_seen(two: TwoDiagrams) -> None:
    before = [area[2] for diagram in two.both if (area := in_pixels(diagram, PART))]
    two.take(Tool.ZOOM)
    QTest.mouseClick(two.other, LEFT, pos=two.middle(two.other, PART))
    two.frame()
    for diagram, width in zip(two.both, before, strict=True):
        x, y, wide, _ = in_pixels(diagram, PART)
        assert wide > 1.5 * width
        assert diagram.rect().contains(two.middle(diagram, PART))
        assert diagram.part_at(QPointF(two.middle(diagram, PART))) == PART
        assert x >= 0
        assert y >= 0
    two.pointing.undo()
    two.frame()
    assert [in_pixels(diagram, PART)[2] for diagram in two.both] == pytest.approx(before)


def in_pixels(diagram: Diagram, part: str) -> tuple[float, float, float, float]:
    area = diagram.area_of(part)
    assert area is not None
    rect = diagram.scene_geometry.rect(area)
    return rect.x(), rect.y(), rect.width(), rect.height()


def test_the_wheel_comes_nearer_to_what_is_under_the_pointer_and_goes_back(two: TwoDiagrams) -> None:
    two.take(Tool.ZOOM)
    at = two.middle(two.own, PART)
    for notches, nearer in ((1, True), (1, True), (-1, True), (-3, False)):
        turn(two.own, at, notches)
        two.frame()
        assert (two.pointing.zoom is not None) is nearer
        if nearer:
            assert two.own.rect().contains(two.middle(two.own, PART))
    assert two.own.part is None


def turn(diagram: Diagram, at: QPoint, notches: int) -> None:
    where = QPointF(at)
    none = Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        where,
        where,
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        none,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(diagram, event)


@pytest.mark.parametrize("tool", Tool)
def test_each_tool_works_by_keys(tool: Tool, two: TwoDiagrams) -> None:
    two.take(tool)
    QTest.keyClick(two.own, Qt.Key.Key_Down)
    QTest.keyClick(two.own, Qt.Key.Key_Down)
    part = two.model.selection.part
    assert part
    QTest.keyClick(two.own, Qt.Key.Key_Return)
    two.frame()
    area = two.own.area_of(part)
    assert area is not None
    pointed = {
        Tool.LASER: two.pointing.laser,
        Tool.PEN: two.pointing.marks[0].points[12] if two.pointing.marks else None,
        Tool.SPOTLIGHT: two.pointing.spot,
        Tool.ZOOM: two.pointing.zoom,
    }[tool]
    assert pointed is not None
    assert abs(pointed[0] - (area[0] + area[2] / 2)) <= max(area[2], 160)
    two.pointing.clear()
    two.frame()
    QTest.keyClick(two.own, Qt.Key.Key_Down)
    assert two.pointing.nothing
    assert two.pointing.zoom is None
