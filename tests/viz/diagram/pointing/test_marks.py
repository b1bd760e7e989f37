"""What is pointed at: it fades, is undone one by one, and cleared."""

from __future__ import annotations

import pytest

from bellwire.viz.diagram.pointing.marks import FADING_SECONDS, PEN_SECONDS, TRAIL_SECONDS, Pointing, Tool, ring_points

HERE, THERE, AREA, OTHER = (10.0, 20.0), (60.0, 20.0), (0.0, 0.0, 100.0, 50.0), (200.0, 0.0, 100.0, 50.0)


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
def pointing(clock: list[float]) -> Pointing:
    return Pointing(lambda: clock[0])


def draw(pointing: Pointing) -> None:
    pointing.begin_mark(HERE)
    pointing.draw_to(THERE)
    pointing.end_mark()


def test_a_mark_stays_then_fades_then_is_gone(pointing: Pointing, clock: list[float]) -> None:
    pointing.begin_mark(HERE)
    clock[0] += 100
    pointing.draw_to(THERE)
    pointing.fade()
    assert pointing.marks[0].strength(clock[0]) == 1  # it is still being drawn
    pointing.end_mark()
    seen = []
    for seconds in (0, PEN_SECONDS, FADING_SECONDS / 2):
        clock[0] += seconds
        seen.append(pointing.marks[0].strength(clock[0]))
    assert seen == [1, 1, 0.5]
    clock[0] += FADING_SECONDS
    pointing.fade()
    assert pointing.nothing
    assert not pointing.undo()


def test_the_laser_has_a_trail_and_stays_where_it_points(pointing: Pointing, clock: list[float]) -> None:
    pointing.take(Tool.LASER)
    pointing.shine(HERE)
    pointing.shine(THERE)
    clock[0] += 2 * TRAIL_SECONDS
    pointing.fade()
    assert [at for _, at in pointing.trail] == [THERE]
    assert pointing.laser == THERE
    pointing.shine(None)
    assert not pointing.trail
    assert pointing.nothing


def test_the_newest_is_undone_first(pointing: Pointing) -> None:
    draw(pointing)
    pointing.light(AREA)
    pointing.fill_with(OTHER)
    draw(pointing)
    pointing.light(OTHER)
    states = []
    while pointing.undo():
        states.append((len(pointing.marks), pointing.spot, pointing.zoom))
    assert states == [
        (2, AREA, OTHER),
        (1, AREA, OTHER),
        (1, AREA, None),
        (1, None, None),
        (0, None, None),
    ]


def test_a_wheel_is_undone_at_once(pointing: Pointing) -> None:
    for width in (90, 80, 70):
        pointing.fill_with((0, 0, width, 50), kept=False)
    assert pointing.undo()
    assert pointing.zoom is None


def test_clear_leaves_nothing_and_no_tool(pointing: Pointing) -> None:
    assert not pointing.clear()
    pointing.take(Tool.PEN)
    draw(pointing)
    pointing.light(AREA)
    pointing.fill_with(AREA)
    assert pointing.clear()
    assert pointing.nothing
    assert (pointing.tool, pointing.zoom, pointing.undo()) == (None, None, False)


def test_what_was_marked_is_wiped_and_the_tool_stays(pointing: Pointing) -> None:
    pointing.take(Tool.PEN)
    draw(pointing)
    pointing.fill_with(AREA)
    pointing.wipe()
    assert (pointing.tool, pointing.nothing, pointing.zoom, pointing.undo()) == (Tool.PEN, True, None, False)


def test_a_tool_is_laid_down_by_taking_it_again(pointing: Pointing) -> None:
    taken = []
    for tool in (Tool.LASER, Tool.PEN, Tool.PEN, Tool.ZOOM):
        pointing.take(tool)
        taken.append(pointing.tool)
    assert taken == [Tool.LASER, Tool.PEN, None, Tool.ZOOM]


def test_a_ring_is_around_and_touches_nothing() -> None:
    for x, y in ring_points(AREA):
        assert not (AREA[0] < x < AREA[0] + AREA[2] and AREA[1] < y < AREA[1] + AREA[3])
