"""Nothing is told by colour alone: without one kind of cone it is told apart as well, or by more than its colour."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from bellwire.viz.panels.explain.chart import PLACES
from bellwire.viz.plots.exits import COLORS as EXITS
from bellwire.viz.plots.exits import SHADES
from bellwire.viz.style.curves import CURVES
from bellwire.viz.style.theme import DARK, PRINT, PROJECTOR, THEMES, Theme
from bellwire.viz.style.themes.marks import HATCHES, PARTS, SHAPES, hatch_mask, hatch_of, hatched, line_pen, part_brush
from bellwire.viz.timeline.minimap import COLORS as LANES
from tests.support.color_vision import VISIONS, apart, ciede2000
from tests.support.contrast import over

EACH = pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
LEAST = 10.0  # of a distance in which 1 is just seen
Sign = Callable[[Theme, str], object]  # what says it beside the colour

# What stands side by side, and what else tells it apart.
GROUPS: dict[str, tuple[tuple[str, ...], Sign]] = {
    "tokens": (tuple(SHAPES), lambda theme, color: SHAPES[color]),
    "curves": (tuple(curve.color for curve in CURVES), lambda theme, color: line_pen(theme, color).dashPattern()),
    "places": (tuple(PLACES.values()), hatch_of),
    "minimap": (tuple(LANES.values()), hatch_of),
    "exits": (tuple(EXITS.values()), lambda theme, color: theme.marked and PARTS[color][0]),
}


def test_the_distance_is_that_of_its_authors() -> None:
    """Three pairs of the data that G. Sharma, W. Wu and E. N. Dalal published with it."""
    assert ciede2000((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485)) == pytest.approx(2.0425, abs=1e-4)
    assert ciede2000((50.0, 2.5, 0.0), (73.0, 25.0, -18.0)) == pytest.approx(27.1492, abs=1e-4)
    assert ciede2000((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514)) == pytest.approx(0.9082, abs=1e-4)


def test_who_lacks_a_cone_confuses_what_others_do_not() -> None:
    assert apart("#808080", "#808080", "protanopia") == 0
    for vision, one, other in (
        ("protanopia", "#7BD88F", "#FFB454"),
        ("deuteranopia", "#7BD88F", "#FF6B81"),
        ("tritanopia", "#7BD88F", "#4CC9F0"),
    ):
        assert apart(one, other, vision) < LEAST < 30 < apart(one, other, "all cones")


@EACH
@pytest.mark.parametrize("group", GROUPS)
def test_what_stands_side_by_side_is_told_apart(theme: Theme, group: str) -> None:
    names, sign = GROUPS[group]
    alike = {
        (one, other, vision): apart(getattr(theme, one), getattr(theme, other), vision)
        for one, other in combinations(dict.fromkeys(names), 2)
        for vision in VISIONS
        if sign(theme, one) == sign(theme, other)
    }
    assert {pair: far for pair, far in alike.items() if far < LEAST} == {}


@EACH
def test_of_a_vcpu_what_runs_is_told_from_what_is_left(theme: Theme) -> None:
    """As they are painted: its usual state pale over the lane, exits to user space nearly opaque."""
    if theme.marked:
        assert HATCHES["heavy"] not in ("dots", "solid")
        return
    usual = over(theme.guest, 0.2, theme.surface_raised).name()
    for color in ("kvm", "heavy"):
        block = over(getattr(theme, color), 0.85, theme.surface_raised).name()
        assert min(apart(usual, block, vision) for vision in VISIONS) >= LEAST


def test_on_paper_signs_alone_tell_apart() -> None:
    """Lines, areas and points of the same ink."""
    for names, sign in GROUPS.values():
        signs = [(getattr(PRINT, name), str(sign(PRINT, name))) for name in dict.fromkeys(names)]
        assert len(set(signs)) == len(signs)


def test_hatchings_differ_and_repeat_without_a_seam() -> None:
    masks = {hatch: hatch_mask(hatch, 24, 24) for hatch in ("solid", "level", "upright", "grid", "checks", "dots")}
    for one, other in combinations(masks, 2):
        assert (masks[one] != masks[other]).mean() > 0.1
    for mask in masks.values():
        assert np.array_equal(np.roll(np.roll(mask, 12, axis=0), 12, axis=1), mask)
    assert hatched(DARK.color("kvm").rgba(), "checks").textureImage().size().width() == 24


def test_lines_are_thick_where_the_theme_says_so_and_parts_of_one_thing_differ() -> None:
    assert line_pen(PROJECTOR, "doorbell", 2.0).widthF() == pytest.approx(2 * PROJECTOR.stroke)
    assert line_pen(PROJECTOR, "interrupt").dashPattern()
    assert not line_pen(DARK, "interrupt").dashPattern()
    assert part_brush(DARK, "kvm", 9, SHADES).color().alphaF() == pytest.approx(SHADES[-1], abs=0.01)
    pictures = [part_brush(PROJECTOR, "kvm", number, SHADES).textureImage() for number in range(len(PARTS["kvm"]))]
    assert all(one != other for one, other in combinations(pictures, 2))
